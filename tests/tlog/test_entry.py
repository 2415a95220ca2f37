"""Entries: one spelling for each, and nothing unknown."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import Malformed
from strongroom.tlog.entry import MAX_ENTRY, Entry, Op, decode, encode, parse

TEXTS = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
NUMBERS = st.none() | st.integers(0, 2**53)
ENTRIES = st.builds(
    Entry, t=st.integers(0, 2**45), op=st.sampled_from(Op), actor=TEXTS, patient=TEXTS, session=TEXTS, document=TEXTS,
    documents=st.lists(st.text("abc.0", max_size=9), max_size=4).map(tuple), version=NUMBERS, bytes=NUMBERS,
    complete=st.none() | st.booleans(), ref=NUMBERS, reason=TEXTS, target=TEXTS,
)  # fmt: skip


def bent(entry: Entry, at: int, byte: int) -> bytes:
    """An entry's bytes with one of them exchanged."""
    raw = bytearray(encode(entry))
    raw[at % len(raw)] = byte
    return bytes(raw)


@given(ENTRIES)
def test_round_trip(entry: Entry) -> None:
    """An entry is read back as it was written."""
    assert decode(encode(entry)) == entry


@given(ENTRIES)
def test_the_spelling_is_plain_canonical_json(entry: Entry) -> None:
    """Any JSON library writes the same bytes: sorted keys, no spaces, UTF-8. A verifier needs no library of ours."""
    raw = encode(entry)
    spelled = json.dumps(json.loads(raw), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert spelled.encode() == raw


@given(st.binary(max_size=60) | st.tuples(ENTRIES, st.integers(0, 99), st.integers(0, 255)).map(lambda one: bent(*one)))
def test_decode_fails_in_one_way_only(raw: bytes) -> None:
    """Whatever bytes come, they are an entry in its one spelling, or Malformed."""
    try:
        entry = decode(raw)
    except Malformed:
        return
    assert encode(entry) == raw


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"{}", b'{"op":"denied"}', b'{"op":"unheard-of","t":1}', b'{"t":1,"op":"denied"}',
        b'{"op":"denied", "t":1}', b'{"op":"denied","t":1,"v":1}', b'{"op":"denied","t":1,"x":2}',
        b'{"op":"denied","t":1}\n', b'{"op":"denied","t":1.0}',
        b'{"op":"denied","op":"denied","t":1}', b'{"op":"denied","t":"1"}', b'{"op":"denied","reason":"\\u0061","t":1}',
        b'{"op":"denied","reason":null,"t":1}', b"[1]",
        b'{"op":"denied","r\xe9ason":"x","t":1}', b'{"op":"denied","reason":"\xe9","t":1}',
        b'{"op":"denied","documents":' + b"[" * 9_000, b'{"op":"denied","x":' + b"[" * 9_000, b" " * (MAX_ENTRY + 1),
    ],
)  # fmt: skip
def test_other_spellings_are_refused(raw: bytes) -> None:
    """Another order, spacing, escape, explicit default or unknown field is not the entry that was hashed."""
    with pytest.raises(Malformed):
        decode(raw)


def test_too_long() -> None:
    """An entry is bounded when it is written, too."""
    with pytest.raises(Malformed):
        encode(Entry(t=0, op=Op.DENIED, reason="x" * MAX_ENTRY))


def test_parsing_without_looking_at_the_spelling() -> None:
    """The same entry as `decode` gives; what is none is refused."""
    raw = encode(Entry(t=1, op=Op.DENIED))
    assert parse(raw) == parse(b'{"t":1, "op":"denied"}') == decode(raw)
    for wrong in (b"", b"{}", b'{"op":"denied","t":1,"x":2}', b'{"op":"denied","r\xe9ason":"x","t":1}'):
        with pytest.raises(Malformed):
            parse(wrong)
