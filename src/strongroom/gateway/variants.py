"""The ways in which a document is asked for that is not one's own: other methods, other spellings, other parameters. Pure.

What a portal's check looks at and what its handler looks at may differ: these are the usual differences. None asks to change or to
delete anything; some are POST, and go to addresses of the two test accounts' documents alone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

FORM: Final = (b"content-type", b"application/x-www-form-urlencoded")
OVERRIDES: Final = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")
REWRITES: Final = ("X-Original-URL", "X-Rewrite-URL")


@dataclass(frozen=True, slots=True)
class Try:
    """One request. `how` says in words what is particular about it."""

    how: str
    target: str
    method: str = "GET"
    headers: tuple[tuple[bytes, bytes], ...] = ()
    form: bytes | None = None

    @property
    def line(self) -> str:
        """As reports show it."""
        return f"{self.method} {self.target}"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a document is. `parameter` names it, `query` stands behind the path, `within` is what it is counted within,
    or empty.
    """

    path: str
    document: str
    parameter: str
    query: tuple[tuple[str, str], ...] = ()
    within: str = ""

    @property
    def whole(self) -> str:
        """As the document is counted and reported."""
        return f"{self.within}/{self.document}" if self.within else self.document

    @property
    def target(self) -> str:
        """As it is asked for."""
        return joined(self.path, self.query)


def joined(path: str, query: tuple[tuple[str, str], ...]) -> str:
    """Path and query."""
    return path + ("?" if query else "") + "&".join(f"{name}={quote(value, safe='')}" for name, value in query)


def plain(one: Address) -> Try:
    """Nothing particular."""
    return Try("plainly", one.target)


def variants(one: Address, own: Address | None, values: Mapping[str, str]) -> Iterator[Try]:
    """All but the plain one. `own`: a document of the reader on the same route; `values`: parameters of the owner."""
    yield Try("HEAD", one.target, "HEAD")
    yield from _methods(one.target)
    yield from _spellings(one)
    for header in REWRITES:
        yield Try(
            f"a header {header}", own.target if own else "/", headers=((header.lower().encode(), one.target.encode()),)
        )
    yield Try("said to come from the portal itself", one.target, headers=((b"x-forwarded-for", b"127.0.0.1"),))
    if own is not None:
        yield from _swapped(one, own, values)


def _methods(target: str) -> Iterator[Try]:
    yield Try("POST", target, "POST", form=b"")
    for header in OVERRIDES:
        yield Try(f"POST with {header}: GET", target, "POST", ((header.lower().encode(), b"GET"),), b"")
    more = f"{target}{'&' if '?' in target else '?'}_method=GET"
    yield Try("POST with _method=GET in the address", more, "POST", form=b"")
    yield Try("POST with _method=GET in a form", target, "POST", (FORM,), b"_method=GET")


def _spellings(one: Address) -> Iterator[Try]:
    escaped = "".join(f"%{byte:02X}" for byte in one.document[:1].encode()) + one.document[1:]
    before, mark, after = one.target.rpartition(one.document)
    if mark:
        yield Try("an escape in the id", f"{before}{escaped}{after}")
        yield Try("a double escape in the id", f"{before}{escaped.replace('%', '%25')}{after}")
    head, _, last = one.path.rpartition("/")
    for how, path in (
        ("a slash at the end", f"{one.path}/"),
        ("a segment of a dot", f"{head}/./{last}"),
        ("an empty segment", f"{head}//{last}"),
        ("a parameter of the path", f"{one.path};x=1"),
        ("another ending", f"{one.path}.json"),
        ("capital letters", f"{head.upper()}/{last}"),
    ):
        yield Try(how, joined(path, one.query))


def _swapped(one: Address, own: Address, values: Mapping[str, str]) -> Iterator[Try]:
    """The reader's own address with something of the other's in it."""
    pairs = dict(one.query)
    for name, value in own.query:
        if pairs.get(name, value) != value:
            query = tuple((key, pairs[key] if key == name else old) for key, old in own.query)
            yield Try(f"one's own address with the other's {name}", joined(own.path, query))
            yield Try(f"{name} twice, the other's last", joined(own.path, (*own.query, (name, pairs[name]))))
            yield Try(f"{name} twice, the other's first", joined(own.path, ((name, pairs[name]), *own.query)))
    if not own.query:
        yield Try("one's own address, and dots to the other's", f"{own.path}/../{one.path.rpartition('/')[2]}")
    for name, value in {one.parameter: one.document, "id": one.document, **values}.items():
        if name not in dict(own.query):
            yield Try(f"one's own address with {name} added", joined(own.path, (*own.query, (name, value))))
