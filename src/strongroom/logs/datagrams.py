"""Blocks of bytes to datagrams of NetFlow v5, v9 and IPFIX, as collectors write them one behind the other.

IPFIX says its length, v5 the number of its records. v9 says neither: its sets end where a set would have a number that none may
have (5, 9 and 10, which are the versions that a next datagram begins with).
"""

from collections.abc import Iterable, Iterator
from typing import Final

from strongroom.logs.units import Unit

LONGEST: Final = 65_535
"""Bytes of a datagram, by the length field of UDP and of IPFIX."""
_V5_HEADER, _V5_RECORD, _V9_HEADER, _IPFIX_HEADER, _SET_HEADER = 24, 48, 20, 16, 4
_VERSIONS: Final = frozenset({5, 9, 10})
_RESERVED: Final = range(2, 256)


def datagrams(blocks: Iterable[bytes]) -> Iterator[Unit]:
    """Each datagram. Where none begins the rest is one unit, or one without bytes when it is longer than a datagram."""
    rest = iter(blocks)
    held, offset, more = bytearray(), 0, True
    while True:
        while more and len(held) <= LONGEST + _SET_HEADER:  # so that the end of a datagram is seen if it is one
            block = next(rest, None)
            more = block is not None
            held += block or b""
        if not held:
            return
        length = extent(held)
        if length is None:
            lost = len(held) + sum(len(block) for block in rest)
            yield offset, lost, bytes(held) if lost <= LONGEST else None
            return
        yield offset, length, bytes(held[:length])
        del held[:length]
        offset += length


def extent(data: bytes | bytearray) -> int | None:
    """How long the datagram is that begins here; None where none does, or where it does not end."""
    version = _word(data, 0)
    if version not in _VERSIONS:
        return None
    if version == 5:  # noqa: PLR2004  # the version
        count = _word(data, 2)
        length = _V5_HEADER + _V5_RECORD * (count or 0)
        return length if count and length <= min(len(data), LONGEST) else None
    if version == 10:  # noqa: PLR2004  # the version
        length = _word(data, 2) or 0
        return length if _IPFIX_HEADER <= length <= len(data) else None
    return _sets_end(data)


def _sets_end(data: bytes | bytearray) -> int | None:
    """The end of a v9 datagram."""
    at = _V9_HEADER
    while at < len(data):
        number, length = _word(data, at), _word(data, at + 2)
        if number in _RESERVED:
            return at if number in _VERSIONS else None
        if length is None or length < _SET_HEADER or at + length > min(len(data), LONGEST):
            return None
        at += length
    return at if at <= min(len(data), LONGEST) else None


def _word(data: bytes | bytearray, at: int) -> int | None:
    return int.from_bytes(data[at : at + 2]) if at + 2 <= len(data) else None
