"""One spelling of every address: what two readers could read as two things is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.gateway.refusal import Refusal
from strongroom.gateway.target import MAX_PAIRS, MAX_TARGET, Target, read

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\u2028\u2029\ufeff"))
SEGMENT = TEXT.filter(lambda text: text not in {"", ".", ".."} and set("/\\?#%;").isdisjoint(text))


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        (b"", "target-characters"),
        (b"*", "target-characters"),
        (b"letters", "target-characters"),
        (b"http://portal/letters", "target-characters"),
        (b"/a b", "target-characters"),
        (b"/a\\b", "target-characters"),
        (b"/a#b", "target-characters"),
        (b"/a\x00", "target-characters"),
        (b"/a\xc3\xa9", "target-characters"),
        (b"/a\n", "target-characters"),
        (b"/a;jsessionid=1", "target-characters"),
        (b"/a?b<c", "target-characters"),
        (b"/a?b#c", "target-characters"),
        (b"/%", "target-escape"),
        (b"/%2", "target-escape"),
        (b"/%zz", "target-escape"),
        (b"/%u0041", "target-escape"),
        (b"/?a=%1", "target-escape"),
        (b"/%c0%af", "target-utf8"),
        (b"/%ff", "target-utf8"),
        (b"/%ed%a0%80", "target-utf8"),
        (b"/%00", "target-control"),
        (b"/a%0d%0aSet-Cookie:x", "target-control"),
        (b"/%e2%80%a8", "target-control"),
        (b"/?a=%00", "target-control"),
        (b"/?a=%0a", "target-control"),
        (b"/a%2fb", "path-separator"),
        (b"/a%2Fb", "path-separator"),
        (b"/a%5cb", "path-separator"),
        (b"/a%3fb", "path-separator"),
        (b"/a%23b", "path-separator"),
        (b"/a%3bb", "path-separator"),
        (b"/%252e%252e/", "path-separator"),
        (b"/a%25", "path-separator"),
        (b"/.", "path-dots"),
        (b"/a/../b", "path-dots"),
        (b"/a/%2e%2E/b", "path-dots"),
        (b"/a/.%2e", "path-dots"),
        (b"//a", "path-empty-segment"),
        (b"/a//b", "path-empty-segment"),
        (b"/?=1", "query-nameless"),
        (b"/?a=1&&b=2", "query-nameless"),
        (b"/?" + b"&".join([b"a=1"] * (MAX_PAIRS + 1)), "query-many"),
        (b"/" + b"a" * MAX_TARGET, "target-long"),
    ],
)
def test_tricks_are_refused_whatever_the_mode(raw: bytes, rule: str) -> None:
    """Each trick has a name, and learning mode does not let it pass."""
    found = read(raw)
    assert isinstance(found, Refusal)
    assert (found.rule, found.hard) == (rule, True)


@pytest.mark.parametrize(
    ("raw", "target", "wire"),
    [
        (b"/", Target(("",)), b"/"),
        (b"/a", Target(("a",)), b"/a"),
        (b"/a/", Target(("a", "")), b"/a/"),
        (b"/a?", Target(("a",), (), question=True), b"/a?"),
        (b"/%61%2D", Target(("a-",)), b"/a-"),
        (b"/Gr%c3%bc%C3%9Fe", Target(("Grüße",)), b"/Gr%C3%BC%C3%9Fe"),
        (b"/a...b", Target(("a...b",)), b"/a...b"),
        (b"/a?q=x+y%2bz&b", Target(("a",), (("q", "x y+z"), ("b", "")), question=True), b"/a?q=x%20y%2Bz&b="),
        (
            b"/a?q=100%25&r=%26%3d%23",
            Target(("a",), (("q", "100%"), ("r", "&=#")), question=True),
            b"/a?q=100%25&r=%26%3D%23",
        ),
        (b"/a?f[]=1;2", Target(("a",), (("f[]", "1;2"),), question=True), b"/a?f%5B%5D=1%3B2"),
    ],
)
def test_honest_addresses_have_one_spelling(raw: bytes, target: Target, wire: bytes) -> None:
    """What can be read in one way only is read, and written again in one way."""
    found = read(raw)
    assert found == target
    assert found.wire == wire


@given(st.lists(SEGMENT, min_size=1, max_size=6), st.lists(st.tuples(TEXT.filter(bool), TEXT), max_size=6))
def test_what_is_written_is_read_as_the_same(segments: list[str], pairs: list[tuple[str, str]]) -> None:
    """Reading is the inverse of writing, for any names and values."""
    target = Target(tuple(segments), tuple(pairs), question=bool(pairs))
    assert read(target.wire) == target


@given(st.one_of(st.binary(max_size=64), st.text("/.%?&=#;\\2fF5cC3e0aA", max_size=40).map(str.encode)))
def test_any_bytes_are_refused_or_have_one_spelling(raw: bytes) -> None:
    """No error; what is accepted is written as printable ASCII, and read again as the same target and the same bytes."""
    for case in (raw, b"/" + raw):
        found = read(case)
        if isinstance(found, Refusal):
            assert 400 <= found.status < 500
            assert found.hard
            continue
        assert found.wire.isascii()
        assert found.wire.decode().isprintable()
        again = read(found.wire)
        assert again == found
        path = found.path
        assert "//" not in path
        assert not {".", ".."} & set(path.split("/"))
        assert not any(escape in path.lower() for escape in ("%2f", "%5c", "%3f", "%23", "%25", "%3b", "%00"))
