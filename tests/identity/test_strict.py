import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import Malformed
from strongroom.identity.strict import MAX_BRACKETS, base64url, read_as, read_object, unbase64url


@given(st.binary(max_size=100))
def test_base64url_round_trip(raw: bytes) -> None:
    """Bytes come back as they went."""
    assert unbase64url(base64url(raw)) == raw


@given(st.text(alphabet="AQgw_-+/=\n ", max_size=12))
def test_one_spelling(text: str) -> None:
    """Whatever is accepted is the one spelling of its bytes."""
    try:
        raw = unbase64url(text)
    except Malformed:
        return
    assert base64url(raw) == text


@pytest.mark.parametrize("text", ["A", "AB", "AA=", "AA==", "A A", "AA\n", "+/", "é"])
def test_other_spellings(text: str) -> None:
    """Padding, white space, the other alphabet and stray bits are refused."""
    with pytest.raises(Malformed):
        unbase64url(text)


@given(st.dictionaries(st.text(max_size=5), st.none() | st.integers() | st.text(max_size=5), max_size=5))
def test_objects_are_read(found: dict[str, object]) -> None:
    """Ordinary objects are read as they are."""
    assert read_object(json.dumps(found).encode(), 10_000) == found


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"1",
        b'"x"',
        b'{"a":1,"a":1}',
        b'{"x":{"a":1,"a":2}}',
        b'{"a":Infinity}',
        b'{"a":["\\ud800"]}',
        b'{"\\udfff":1}',
        b'{"a":-Infinity}',
        b"\xef\xbb\xbf{}",
        b'{"a":"\xff"}',
        b"{} {}",
        b'{"a":1' + b"0" * 4_400 + b"}",
        b"[" * 100_000,
        b'{"a":' * 5_000,
    ],
)
def test_what_is_refused(raw: bytes) -> None:
    """Double members, constants, other encodings and depth are refused."""
    with pytest.raises(Malformed):
        read_object(raw, 1_000_000)


def test_bounds() -> None:
    """The bounds hold to the byte and to the bracket."""
    raw = b'{"a":' + b"[" * (MAX_BRACKETS - 1) + b"]" * (MAX_BRACKETS - 1) + b"}"
    assert list(read_object(raw, len(raw))) == ["a"]
    with pytest.raises(Malformed):
        read_object(raw, len(raw) - 1)
    with pytest.raises(Malformed):
        read_object(raw.replace(b"[]", b"[[]]"), 10_000)


class _Struct(msgspec.Struct):
    secret: int


def test_messages_do_not_repeat_the_input() -> None:
    """What was presented does not find its way into a log through an error."""
    with pytest.raises(Malformed) as caught:
        read_as({"secret": "hunter2"}, _Struct)
    assert "hunter2" not in str(caught.value)
