"""Learning from requests as they pass: what nobody described yet, kept so that neither people nor ids are in it. Pure.

    learning.saw(target, …)     after the portal answered with success; remembered until the next `take`
    sketch(name, target, …)     what is kept of one: path and query with a stand-in for each id and each word

An id is told by its form, as when a log is read (`learned`), and becomes one of eight stand-ins of that form. A word, and the name
of a parameter, is a keyed hash until `LEAST` different people or addresses asked for it, wherever: then it is a word of the
portal's, and kept as it is; never what has more than two digits, or an `@`: numbers of patients have letters too. Of values in a
query the kind is kept. People are keyed hashes, and of each thing no more than `KEPT`.
"""

import base64
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from strongroom.gateway.kinds import fits
from strongroom.gateway.learned import ASSET, METHODS, hole_of
from strongroom.gateway.target import Target

LEAST: Final = 3
KEPT: Final = 10
"""People of one thing: whoever drafts may ask for so many."""
WAITING: Final = 2_000
"""Different requests between two times that they are taken."""
STANDS: Final = 8
"""Stand-ins of one form: enough to tell that there are several."""
WORD: Final = re.compile(r"zq(?:|[. '])[a-z2-7]{16}(?:-|\.[a-z0-9]{1,12})?")
"""What stands for a word that is not known to be one; the mark in it says of which kind the word is."""
LONG, DIGITS = 60, 2
"""Of what may be a word; of code more."""
_DIGIT: Final = re.compile(r"[0-9]")
_CODE: Final = re.compile(r"[a-z0-9._-]+\.(?:js|mjs|css|map|woff2?)", re.IGNORECASE)
_MARKS: Final = (("token", ""), ("id", "."), ("name", " "))
_TYPE: Final = re.compile(r"[a-z]{1,20}/[a-z0-9.+-]{1,64}")
_SAMPLES: Final[Mapping[str, str]] = {
    "int": "1", "digits": "01", "date": "2000-01-01", "uuid": "00000000-0000-4000-8000-000000000000",
    "guid": "0000000A-0000-4000-8000-00000000000A", "bool": "true", "token": "a_b", "reference": "Patient/a.b", "name": "a b",
}  # fmt: skip
"""One value for all of a kind, the narrowest first."""
_TEXT: Final = "a'b"

Words = Mapping[str, str]
"""Stand-in -> the word itself, of those that are known."""


@dataclass(frozen=True, slots=True)
class Sketch:
    """One request, without ids and people. `words`: those that stand-ins of it stand for; in memory alone, until it is kept."""

    path: tuple[str, ...]
    method: str
    who: str
    query: tuple[tuple[str, str], ...]
    """Stand-ins of names, and samples of values."""
    twice: tuple[str, ...] = ()
    kind: str = ""
    """Of the body."""
    size: int = 0
    words: tuple[tuple[str, str], ...] = field(default=(), hash=False, compare=False)


class Learning:
    """What passed since it was last taken: so much, and no more."""

    def __init__(self, key: bytes) -> None:
        """`key`: of the hashes; all workers have the same."""
        self._key = key
        self._seen: dict[Sketch, int] = {}
        self.beyond = 0
        """Requests that found no room."""

    def saw(self, target: Target, method: str, who: str, *, kind: str = "", size: int = 0) -> None:
        """A request that nobody described was answered with success. `who`: a person's or a network's name."""
        if method not in METHODS:
            return
        one = sketch(self._hash, target, method, who, kind=kind, size=size)
        if one in self._seen or len(self._seen) < WAITING:
            self._seen[one] = self._seen.get(one, 0) + 1
        else:
            self.beyond += 1

    def take(self) -> dict[Sketch, int]:
        """All of it, with how often; then there is nothing."""
        seen, self._seen = self._seen, {}
        return seen

    def give_back(self, seen: Mapping[Sketch, int]) -> None:
        """It could not be kept."""
        for one, times in seen.items():
            self._seen[one] = self._seen.get(one, 0) + times

    def _hash(self, *words: str) -> str:
        digest = hashlib.blake2b("\0".join(words).encode(), digest_size=10, key=self._key).digest()
        return base64.b32encode(digest).decode().lower()


def sketch(name: Callable[..., str], target: Target, method: str, who: str, *, kind: str = "", size: int = 0) -> Sketch:
    """What is kept of a request. `name` gives a keyed hash of words: 16 letters."""
    words: dict[str, str] = {}
    path = tuple(_segment(name, part, words) for part in target.segments)
    names = [found for found, _ in target.pairs]
    query = dict.fromkeys((_word(name, found, words), _sample(value)) for found, value in target.pairs)
    return Sketch(
        path, method, name("who", who), tuple(query),
        tuple(sorted({_word(name, found, words) for found in names if names.count(found) > 1})),
        kind if _TYPE.fullmatch(kind) else "", 1 << size.bit_length() if size else 0, tuple(words.items()),
    )  # fmt: skip


def restored(one: Iterable[str], words: Words) -> tuple[str, ...]:
    """A path, with the words that are known."""
    return tuple(_restored(part, words) for part in one)


def _restored(part: str, words: Words) -> str:
    before, mark, rest = part.partition("-")
    known = words.get(f"{before}{mark}")
    return words.get(part, part) if known is None else known + rest


def _segment(name: Callable[..., str], part: str, words: dict[str, str]) -> str:
    found = hole_of(part)
    if found is None:
        return _word(name, part, words) if part else ""
    before, kind, after = found
    stand = _stand(kind, int.from_bytes(hashlib.blake2b(name("id", part).encode(), digest_size=1).digest()) % STANDS)
    return f"{_word(name, before, words, '-') if before else ''}{stand}{after}"


def _word(name: Callable[..., str], word: str, words: dict[str, str], end: str = "") -> str:
    mark = next((mark for kind, mark in _MARKS if fits(kind, word)), "'")
    ending = f".{word.rpartition('.')[2].lower()}" if ASSET.fullmatch(word) else ""
    stand = f"zq{mark if not end else ''}{name('word', word)}{end or ending}"
    if len(word) <= LONG and "@" not in word and (len(_DIGIT.findall(word)) <= DIGITS or _CODE.fullmatch(word)):
        words[stand] = word
    return stand


def _stand(kind: str, number: int) -> str:
    """One of eight ids of a kind."""
    match kind:
        case "int":
            return str(number + 1)
        case "digits":
            return f"0{number}"
        case "date":
            return f"2000-01-0{number + 1}"
        case "uuid":
            return f"0000000{number}-0000-4000-8000-000000000000"
        case "guid":
            return f"0000000{number}-0000-4000-8000-00000000000A"
        case _:
            return f"abcdefabcdefabcd{number}"


def _sample(value: str) -> str:
    return next((sample for kind, sample in _SAMPLES.items() if fits(kind, value)), _TEXT)
