"""Frames of the keeper's sockets, without a socket: bytes in, messages out.

A frame is 4 bytes big-endian length, then MessagePack ``[id, body]``. Whatever garbage arrives, `Frames.feed` yields
well-formed messages or raises Malformed, never any other error; after that the connection is to be closed.
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
        self._decoder: msgspec.msgpack.Decoder[tuple[int, T]] = msgspec.msgpack.Decoder(tuple[int, body])  # type: ignore[valid-type]  # the type is a value here
        self._limit = limit
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[int, T]]:
        """The messages that `data` completes, in order. Raises Malformed for an oversized or undecodable one."""
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

    def _decode(self, raw: bytes) -> tuple[int, T]:
        try:
            return self._decoder.decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            msg = "A message on the socket does not parse."
            raise Malformed(msg) from error
