"""Frames of the keeper's sockets, without a socket: bytes in, messages out.

A frame is 4 bytes big-endian length, then MessagePack ``[id, body]``. Whatever garbage arrives, `Frames` yields
well-formed messages or raises Malformed, never any other error; after that the connection is to be closed.

A frame whose number can be read and whose body is none of ours is a fault of one request. `Frames.cut` tells it apart, so
that one person's request does not end the connection that everybody's share.
"""

from collections.abc import Iterator
from typing import Generic, TypeVar

import msgspec

from strongroom.errors import Malformed

T = TypeVar("T")

_LENGTH = 4


def frame(number: int, body: object) -> bytes:
    """One message as bytes."""
    raw = msgspec.msgpack.encode((number, body))
    return len(raw).to_bytes(_LENGTH, "big") + raw


class Frames(Generic[T]):
    """Cuts a byte stream into messages of one type."""

    def __init__(self, body: type[T], limit: int) -> None:
        """`body`: a struct or a union of tagged structs. `limit`: bytes of the longest acceptable message."""
        self._number = msgspec.msgpack.Decoder(tuple[int, msgspec.Raw])
        self._body = msgspec.msgpack.Decoder(body)
        self._limit = limit
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[int, T]]:
        """The messages that `data` completes, in order. Raises Malformed for an oversized or undecodable one."""
        for number, body in self.cut(data):
            if body is None:
                raise _unparsed()
            yield number, body

    def cut(self, data: bytes) -> Iterator[tuple[int, T | None]]:
        """As `feed`, but for a body that does not parse gives None beside its number."""
        self._buffer += data
        while len(self._buffer) >= _LENGTH:
            length = int.from_bytes(self._buffer[:_LENGTH], "big")
            if length > self._limit:
                msg = f"A message of {length} bytes is longer than {self._limit}."
                raise Malformed(msg)
            end = _LENGTH + length
            if len(self._buffer) < end:
                return
            raw = bytes(self._buffer[_LENGTH:end])
            del self._buffer[:end]
            yield self._decode(raw)

    def _decode(self, raw: bytes) -> tuple[int, T | None]:
        try:
            number, body = self._number.decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise _unparsed() from error
        try:
            return number, self._body.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return number, None


def _unparsed() -> Malformed:
    return Malformed("A message on the socket does not parse.")
