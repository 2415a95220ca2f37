"""Frames: whatever garbage arrives, we parse it or raise Malformed, never any other error."""

import contextlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import Malformed
from strongroom.keeper.frame import Frames, frame
from strongroom.keeper.protocol import MAX_REQUEST, AppRequest, Asking, Ping, Release

ASKING = Asking(token="t" * 100, context="c")


def frames(limit: int = MAX_REQUEST) -> Frames[Any]:
    """A cutter for the apps' requests."""
    body: Any = AppRequest
    return Frames(body, limit)


def test_a_message_arrives_whole_byte_by_byte_and_with_a_tail() -> None:
    """However the stream is cut, the same messages come out, and a begun one waits for its end."""
    messages = [(1, Ping()), (2, Release(asking=ASKING, document="d" * 26)), (3, Ping())]
    raw = b"".join(frame(number, body) for number, body in messages)
    assert list(frames().feed(raw)) == messages
    cutter = frames()
    assert [message for byte in raw for message in cutter.feed(bytes([byte]))] == messages
    cutter = frames()
    assert list(cutter.feed(raw + frame(4, Ping())[:-1])) == messages
    assert list(cutter.feed(frame(4, Ping())[-1:])) == [(4, Ping())]


def test_an_oversized_message_is_refused_before_it_is_read() -> None:
    """The announced length alone is enough to refuse."""
    with pytest.raises(Malformed):
        list(frames(limit=10).feed((11).to_bytes(4, "big")))


@given(st.binary(max_size=200))
def test_garbage_never_raises_anything_else(garbage: bytes) -> None:
    """Any bytes give messages or Malformed."""
    raw = len(garbage).to_bytes(4, "big") + garbage
    with contextlib.suppress(Malformed):
        list(frames().feed(raw))
    with contextlib.suppress(Malformed):
        list(frames().cut(raw))


@pytest.mark.parametrize(
    "body",
    [
        {"type": "Nonsense"},
        {"type": "Ping", "extra": 1},
        {"type": "Release", "document": "d"},
        {"type": "Release", "asking": {"token": "t", "context": "c"}, "document": "d" * 65},
        {"type": "List", "asking": {"token": "t", "context": "c"}, "limit": 201},
    ],
)
def test_unknown_missing_and_oversized_fields_are_refused(body: dict[str, object]) -> None:
    """The protocol guesses nothing."""
    raw = msgspec.msgpack.encode((1, body))
    framed = len(raw).to_bytes(4, "big") + raw
    with pytest.raises(Malformed):
        list(frames().feed(framed))
    assert list(frames().cut(framed + frame(2, Ping()))) == [(1, None), (2, Ping())]
