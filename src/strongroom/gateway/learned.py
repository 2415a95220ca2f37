"""From the requests that a portal has answered to a draft of what it serves: paths with typed parameters. Pure.

1. Requests that were answered with success are gathered by path: scanners' are mostly not. What fewer than `least` different
   people or addresses ever asked for, and no typed path covers, is left out and counted.
2. From the root on, segments beside each other are one parameter where they have the form of an id (a number, a UUID, long
   hexadecimal, a date; with the same word before and the same ending behind), or where they are too many to be words.
3. Query parameters get the narrowest kind that fits all that was seen.
4. Words say what it may be: letters are documents, patients are patients. A guess is a question to the operator (`ask`).

No value of a parameter is in the draft; a segment stands in it as it is only where `least` people asked for it.
"""

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from strongroom.errors import Malformed
from strongroom.gateway.body import named
from strongroom.gateway.kinds import fits
from strongroom.gateway.pattern import read_pattern
from strongroom.gateway.refusal import Refusal
from strongroom.gateway.target import Target, read

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
MOST_PATHS: Final = 200_000
"""Different paths that are kept; more are counted."""
MOST_VALUES: Final = 200
"""Different values of a query parameter that are kept; by then its kind is known."""
MANY: Final = 24
"""Words beside each other, from which on they are names of things and no words of the portal."""
STRICT: Final = ("int", "digits", "date", "uuid", "guid", "hex")
"""Kinds by which a segment is told to be an id, the narrowest first; hexadecimal only from `LONG` characters on."""
LONG: Final = 16
LOOSE: Final = ("token", "id", "name")
MAX_BODY: Final = 65_536
"""Bytes that a route takes that says nothing of it."""

DOCUMENTS: Final = frozenset(
    "attachment binary content discharge doc document download file image imaging letter pdf record referral report result"
    " scan summary view print".split()
)
"""Words, in the singular, near which an id may be a document's."""
PATIENTS: Final = frozenset("patient person member client nhi mrn subject pid".split())
LOGINS: Final = frozenset("login signin logon session sessions authenticate auth".split())
UPLOADS: Final = frozenset("upload uploads attachment attachments file files import".split())
_ENDING: Final = re.compile(r"(.+?)((?:\.[A-Za-z][A-Za-z0-9]{0,5})?)")
_LITERAL: Final = re.compile(r"[A-Za-z0-9._~!$&'()*+,=:@ -]*")
"""What `pattern` takes for itself."""
_BEFORE: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*[-_]")
_CODE: Final = re.compile(r".+\.(?:js|mjs|css|map|woff2?|ttf|eot|ico|webmanifest)", re.IGNORECASE)
"""What no document is, whatever numbers stand in its name. A picture with a number may be one."""
ASSET: Final = re.compile(
    r".+\.(?:js|mjs|css|map|png|jpe?g|gif|svg|ico|webp|woff2?|ttf|eot|txt|webmanifest)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of a log. `who`: a login or an address."""

    method: str
    target: bytes
    status: int
    who: str


@dataclass(slots=True)
class Drafted:
    """One route of a draft. `ask`: what only the operator knows."""

    path: str
    methods: tuple[str, ...]
    query: dict[str, str] = field(default_factory=dict)
    repeat: tuple[str, ...] = ()
    document: str = ""
    patient: str = ""
    content_types: tuple[str, ...] = ()
    max_body: int = 0
    links: bool = False
    ids: tuple[str, ...] = ()
    family: str = ""
    ask: tuple[str, ...] = ()
    asked: int = 0


@dataclass(slots=True)
class Leaf:
    """What was asked at one path, or at all paths of one shape."""

    methods: set[str] = field(default_factory=set)
    who: set[str] = field(default_factory=set)
    query: dict[str, set[str]] = field(default_factory=dict)
    twice: set[str] = field(default_factory=set)
    asked: int = 0
    kinds: set[str] = field(default_factory=set)
    """Types of bodies, where they are known."""
    size: int = 0
    """Bytes of the longest body, where it is known."""

    def take(self, other: "Leaf", least: int) -> None:
        """Both together. Of `who` no more are kept than are asked about."""
        self.methods |= other.methods
        self.who |= set(list(other.who)[:least])
        self.twice |= other.twice
        self.kinds |= other.kinds
        self.size = max(self.size, other.size)
        self.asked += other.asked
        for name, values in other.query.items():
            mine = self.query.setdefault(name, set())
            mine |= set(list(values)[: MOST_VALUES - len(mine)])


Path = tuple[str, ...]
Hole = tuple[str, str, str]
"""Before, kind, after."""


class Learner:
    """Takes requests, and drafts routes of them."""

    def __init__(self, least: int = 3) -> None:
        """`least`: how many people or addresses must have asked for what is described word by word."""
        self._least = least
        self._leaves: dict[Path, Leaf] = {}
        self.asked = 0
        """Requests that were put in."""
        self.left_out: dict[str, int] = {}
        """Why -> requests that the draft does not describe."""

    def add(self, asked: Asked) -> None:
        """One more request."""
        target = read(asked.target)
        if not 200 <= asked.status < 400:  # noqa: PLR2004  # HTTP's classes
            self._out("answered with an error")
        elif asked.method not in METHODS:
            self._out("of other methods")
        elif isinstance(target, Refusal):
            self._out(f"refused in any case ({target.rule})")
        elif target.segments not in self._leaves and len(self._leaves) >= MOST_PATHS:
            self._out(f"beyond {MOST_PATHS} different paths")
        else:
            self._keep(asked, target)

    def put(self, path: Path, leaf: Leaf) -> None:
        """All that was asked at one path."""
        self._leaves.setdefault(path, Leaf()).take(leaf, self._least)
        self.asked += leaf.asked

    def routes(self) -> list[Drafted]:
        """The draft, by path. To be called once, when all was added."""
        found: dict[tuple[str | Hole, ...], Leaf] = {}
        self._shape((), list(self._leaves.items()), 0, found)
        drafted: dict[str, Drafted] = {}
        for shape, leaf in found.items():
            if len(leaf.who) < self._least:
                self._out(f"asked for by fewer than {self._least}", leaf.asked)
                continue
            one = _route(shape, leaf) if all(map(_writable, shape)) else None
            if one is None or not _readable(one.path):
                self._out("with letters that gateway.toml has no way to write", leaf.asked)
                continue
            drafted[one.path] = one
        routes = [drafted[path] for path in sorted(drafted)]
        mark_lists(routes)
        return routes

    def _out(self, why: str, count: int = 1) -> None:
        self.left_out[why] = self.left_out.get(why, 0) + count

    def _keep(self, asked: Asked, target: Target) -> None:
        leaf = self._leaves.setdefault(target.segments, Leaf())
        leaf.methods.add(asked.method)
        leaf.asked += 1
        if len(leaf.who) < self._least:
            leaf.who.add(asked.who)
        names = [name for name, _ in target.pairs]
        leaf.twice |= {name for name in names if names.count(name) > 1}
        for name, value in target.pairs:
            values = leaf.query.setdefault(name, set())
            if len(values) < MOST_VALUES:
                values.add(value)

    def _shape(
        self, before: tuple[str | Hole, ...], paths: list[tuple[Path, Leaf]], depth: int,
        found: dict[tuple[str | Hole, ...], Leaf],
    ) -> None:  # fmt: skip
        """Step 2, below one place. `paths`: all that begin like `before`."""
        beside: dict[str, list[tuple[Path, Leaf]]] = {}
        for path, leaf in paths:
            if len(path) == depth:
                found.setdefault(before, Leaf()).take(leaf, self._least)
            else:
                beside.setdefault(path[depth], []).append((path, leaf))
        for part, values in _parted(beside, depth):
            below = [one for value in values for one in beside[value]]
            if part == _REST:
                for _, leaf in below:
                    found.setdefault((*before, _REST), Leaf()).take(leaf, self._least)
            else:
                self._shape((*before, part), below, depth + 1, found)


_REST: Final[Hole] = ("", "path", "")


def _parted(beside: Iterable[str], depth: int) -> list[tuple[str | Hole, list[str]]]:
    """The segments beside each other, parted into words and parameters."""
    holes: dict[Hole, list[str]] = {}
    words: list[str] = []
    for value in beside:
        hole = None if _CODE.fullmatch(value) else hole_of(value)
        if hole is None:
            words.append(value)
        else:
            holes.setdefault(hole, []).append(value)
    for hole, values in list(holes.items()):
        if (hole[0] or hole[2]) and len(values) == 1 and hole[1] in {"int", "digits"}:
            words += holes.pop(hole)  # step-2, a page's name
    _widen(holes)
    files = [value for value in words if ASSET.fullmatch(value) and fits("name", value)]
    if len(files) >= MANY // 2 and depth > 0:
        holes[_REST] = files
        words = [value for value in words if value not in set(files)]
    if len(words) > MANY and depth > 0:
        kind = _narrowest(words, LOOSE) or "name"
        holes.setdefault(("", kind, ""), []).extend(value for value in words if fits(kind, value))
        words = [value for value in words if not fits(kind, value)]
    return [*((word, [word]) for word in words), *holes.items()]


def hole_of(value: str) -> Hole | None:
    """The parameter that a segment by itself would be: an id, with an ending, and with one word before it."""
    found = _ENDING.fullmatch(value)
    if found is None:
        return None
    core, after = found.groups()
    before = _BEFORE.match(core)
    for start in ("", before[0] if before else ""):  # no word first: a UUID may begin with letters
        inner = core[len(start) :]
        kind = _narrowest([inner], STRICT) if inner else ""
        if kind and (kind != "hex" or len(inner) >= LONG):
            return start, kind, after
    return None


def _widen(holes: dict[Hole, list[str]]) -> None:
    """One parameter instead of two, where the wider kind covers the narrower: an id of hexadecimal may be all digits."""
    for narrow, wide in (("int", "digits"), ("uuid", "guid"), ("int", "hex"), ("digits", "hex")):
        for before, kind, after in list(holes):
            there = (before, wide, after)
            if (
                kind == narrow
                and there in holes
                and all(_fits_between(one, there) for one in holes[before, kind, after])
            ):
                holes[there] += holes.pop((before, kind, after))


def _fits_between(value: str, hole: Hole) -> bool:
    inner = value[len(hole[0]) : len(value) - len(hole[2])]
    return fits(hole[1], inner) and (hole[1] != "hex" or len(inner) >= LONG)


def _narrowest(values: Iterable[str], kinds: Iterable[str]) -> str:
    found = list(values)
    return next((kind for kind in kinds if all(fits(kind, value) for value in found)), "")


def _writable(part: str | Hole) -> bool:
    """Whether a segment means itself in a path of gateway.toml: what a stranger asked for may look like a parameter."""
    return not isinstance(part, str) or _LITERAL.fullmatch(part) is not None


def _readable(path: str) -> bool:
    try:
        read_pattern(path)
    except Malformed:
        return False
    return True


# ---- a shape becomes a route ---------------------------------------------------------------------------------------------


def _route(shape: tuple[str | Hole, ...], leaf: Leaf) -> Drafted:
    names: list[str] = []
    parts: list[str] = []
    word = ""
    for part in shape:
        if isinstance(part, str):
            parts.append(part)
            word = part or word
            continue
        before, kind, after = part
        name = free("file" if kind == "path" else called(word, before), {*names, *leaf.query})
        names.append(name)
        parts.append(f"{before}{{{name}:{kind}}}{after}")
    one = Drafted("/" + "/".join(parts), _methods(leaf.methods), asked=leaf.asked)
    for name in sorted(leaf.query):
        one.query[name] = query_kind(name, leaf.query[name])
    one.repeat = tuple(sorted(leaf.twice))
    if {"POST", "PUT", "PATCH"} & leaf.methods:
        one.content_types = tuple(sorted(leaf.kinds))
        one.max_body = 2 * leaf.size if leaf.size > MAX_BODY // 2 else 0
    words = [singular(part) for part in shape if isinstance(part, str)]
    ends = [part[2] for part in shape if not isinstance(part, str)]
    judge(one, names, words, served=any(end.lower() in {".pdf", ".dcm", ".docx", ".tif"} for end in ends))
    return one


def judge(one: Drafted, names: list[str], words: list[str], *, served: bool) -> None:
    """Step 4. `names`: parameters of the path, in order; `words`: its words in the singular; `served`: it gives out files."""
    ask: list[str] = []
    one.patient = next((name for name in (*names, *one.query) if singular(name) in PATIENTS), "")
    ids = [name for name in names if name != one.patient and not one.path.endswith(f"{{{name}:path}}")]
    loose = [
        name for name, kind in one.query.items() if kind in {*STRICT, "token"} and is_id(name) and name != one.patient
    ]
    candidate = (ids or loose or [""])[-1]
    near = {*words, *(part for word in words for part in re.split(r"[^a-z]+", word))}
    if candidate and "GET" in one.methods:
        near.add(singular(candidate))
        if served or near & DOCUMENTS:
            one.document = candidate
            if one.patient and any(f"{{{candidate}:{kind}}}" in one.path for kind in ("int", "digits")):
                ask.append(f'If each {one.patient} has a {candidate} 1 of its own: within = "{one.patient}".')
        else:
            ask.append(
                f'If {candidate} names something that a person should see of their own alone: document = "{candidate}".'
            )
    writing = set(one.methods) & {"POST", "PUT", "PATCH"}
    if writing and not one.content_types:
        one.content_types = ("application/json", "application/x-www-form-urlencoded")
        ask.append("Which of these types does it take?")
        if {*words} & {singular(word) for word in UPLOADS}:
            one.content_types, one.max_body = ("multipart/form-data",), 26_214_400
    if (
        "POST" in writing
        and not candidate
        and "GET" not in one.methods
        and near & DOCUMENTS
        and any(map(named, one.content_types))
    ):
        ask.append('If its body names a document, say where the id stands: body = { document = "id:int" }.')
    if writing and {*words} & LOGINS:
        ask.append('If people sign in here, say which field names them: login = { form = "username" }.')
    one.ask = (*one.ask, *ask)


def mark_lists(routes: list[Drafted]) -> None:
    """Whatever stands above a document's path, or is called like it, may show documents."""
    documents = [one for one in routes if one.document]
    for one in routes:
        if one.document or "GET" not in one.methods or "{file:path}" in one.path:
            continue
        bare = one.path.rstrip("/")
        for other in documents:
            if (bare and other.path.startswith(f"{bare}/{{")) or _calls(bare, other):
                one.links = True
                one.family = other.document
                said = f'shows = {{ ids = ["items[].id"], family = "{other.document}" }}'
                one.ask = (*one.ask, f"If it answers in JSON, say where ids of documents stand, as {said}.")
                break


def _calls(path: str, document: Drafted) -> bool:
    """Whether the last word of a path is the plural of the document's parameter: /patients/{patient:int}/letters."""
    last = path.rpartition("/")[2]
    return "{" not in last and last != singular(last) and called(last, "") == document.document


def _methods(methods: set[str]) -> tuple[str, ...]:
    found = methods | ({"HEAD"} if "GET" in methods else set())
    return tuple(method for method in METHODS if method in found)


def query_kind(name: str, values: Iterable[str]) -> str:
    """The kind of a query parameter: an id's where all values are ids; else what people write."""
    found = list(values)
    kind = _narrowest(found, ("int", "digits", "date", "uuid", "guid"))
    if kind:
        return kind
    if is_id(name):
        return _narrowest(found, ("token", "reference", "name")) or "text"
    return _narrowest(found, ("bool",)) or "text"


def is_id(name: str) -> bool:
    """Whether a parameter's name says that it names one thing."""
    return (
        bool(re.search(r"(?:^|[^a-z])(?:id|ref|key|doc|file|no|number)$|[a-z]Id$|_id$", name))
        or singular(name) in DOCUMENTS
    )


def singular(word: str) -> str:
    """A word, in lower case, without the ending of many."""
    low = word.lower().partition(".")[0]
    if low.endswith("ies") and len(low) > 4:  # noqa: PLR2004  # not "dies"
        return f"{low[:-3]}y"
    return low[:-1] if low.endswith("s") and not low.endswith(("ss", "us")) and len(low) > 3 else low  # noqa: PLR2004


def called(word: str, before: str) -> str:
    """What a parameter is called after the word before it."""
    name = re.sub(r"[^a-z0-9]+", "_", singular(before.strip("-_.") or word)).strip("_")[:40]
    return name if re.fullmatch(r"[a-z][a-z0-9_]*", name) else "id"


def free(name: str, taken: Iterable[str], mark: str = "_") -> str:
    """The name, or the first with a number behind it that nobody has."""
    others = set(taken)
    numbered = (f"{name[:34]}{mark}{number}" for number in itertools.count(2))
    return name if name not in others else next(one for one in numbered if one not in others)
