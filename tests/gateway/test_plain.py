"""The short way through the contract finds what the long way finds."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import ConfigError
from strongroom.gateway.contract import Contract, Match, Request
from strongroom.gateway.kinds import KINDS
from strongroom.gateway.settings import parse

KINDLY = ("int", "digits", "uuid", "guid", "hex", "token", "date", "bool", "id", "name", "text")
PARTS = st.one_of(
    st.sampled_from(
        ["a", "b", "1", "a b", ".", "..", "", "%61", "a%2fb", "x;y", "0f8fad5b-d9cb-469f-a165-70867728950e"]
    ),
    st.sampled_from(KINDLY).flatmap(lambda kind: st.from_regex(KINDS[kind], fullmatch=True)),
)
SEGMENTS = st.one_of(
    st.sampled_from(["a", "b", "1", "a b"]),
    st.tuples(st.sampled_from(["", "a", "x."]), st.sampled_from(KINDLY), st.sampled_from(["", ".pdf", "-"])),
)
PATHS = st.lists(SEGMENTS, min_size=1, max_size=3)
METHODS = st.sampled_from(["GET", "POST", "DELETE"])


def written(path: list[str | tuple[str, str, str]], *, rest: bool) -> str:
    """A path as gateway.toml has it."""
    names = itertools.count()
    parts = [
        part if isinstance(part, str) else f"{part[0]}{{{'document' if not n else f'p{n}'}:{part[1]}}}{part[2]}"
        for part, n in ((part, next(names) if isinstance(part, tuple) else 0) for part in path)
    ]
    return "/" + "/".join([*parts, *(["{more:path}"] if rest else [])])


@st.composite
def described(draw: st.DrawFn) -> tuple[bytes, list[list[str | tuple[str, str, str]]]]:
    """A gateway.toml of some routes, and their paths."""
    paths = draw(st.lists(PATHS, min_size=1, max_size=4))
    mode = draw(st.sampled_from(["enforce", "learn"]))
    text, seen = f'[gateway]\nroutes = "{mode}"\n[person]\nby = "cookie"\nname = "sid"\n', set()
    for number, path in enumerate(paths):
        line = written(path, rest=draw(st.booleans()))
        if line not in seen:
            seen.add(line)
            text += f'[[route]]\nname = "r{number}"\npath = "{line}"\nmethods = ["{draw(METHODS)}"]\n'
    return text.encode(), paths


@given(described(), st.data())
def test_the_short_way_finds_what_the_long_way_finds(
    one: tuple[bytes, list[list[str | tuple[str, str, str]]]], data: st.DataObject
) -> None:
    """Route, values, spelling, what counts and what looks alike; for paths that fit, that nearly fit, and that do not."""
    try:
        contract = Contract(parse(one[0]))
    except ConfigError:  # two routes of one path
        return
    path = data.draw(st.sampled_from(one[1]))
    parts = [
        part if isinstance(part, str) else part[0] + data.draw(st.from_regex(KINDS[part[1]], fullmatch=True)) + part[2]
        for part in path
    ]
    if data.draw(st.booleans()):
        parts[data.draw(st.integers(0, len(parts) - 1))] = data.draw(PARTS)
    if data.draw(st.booleans()):
        parts.append(data.draw(PARTS))
    target = ("/" + "/".join(parts)).encode()
    bodies: list[list[tuple[bytes, bytes]]] = [[], [(b"content-type", b"text/html"), (b"content-length", b"5")]]
    request = Request(data.draw(METHODS), target, data.draw(st.sampled_from(bodies)))
    found = contract.described(request)
    contract._plain._pattern = None
    longer = contract.described(request)
    assert found == longer
    if isinstance(found, Match) and isinstance(longer, Match):
        assert (found.alike, found.target.wire) == (longer.alike, longer.target.wire)


def test_it_is_really_shorter() -> None:
    """Ids between literal text go the short way; words, and what may come after words, do not."""
    contract = Contract(
        parse(b"""
[person]
by = "cookie"
name = "sid"
[[route]]
name = "letter"
path = "/p{patient:int}/letters/{document:uuid}.pdf"
[[route]]
name = "word"
path = "/w/{word:text}"
[[route]]
name = "other"
path = "/w/{number:int}/{document:hex}"
""")
    )
    find = contract._plain.find
    found = find(b"/p7/letters/0f8fad5b-d9cb-469f-a165-70867728950e.pdf")
    assert found is not None
    assert found.values == {"patient": "7", "document": "0f8fad5b-d9cb-469f-a165-70867728950e"}
    assert found.alike == b"/p1/letters/00000000-0000-0000-0000-000000000000.pdf"
    assert find(b"/w/1/ab") is not None
    assert find(b"/w/7") is None
    assert find(b"/p7/letters/%30f8fad5b-d9cb-469f-a165-70867728950e.pdf") is None
