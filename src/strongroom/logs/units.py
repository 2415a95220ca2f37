"""Blocks of bytes to units with their offsets: lines, or the elements of one JSON document. Memory is bounded either way."""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

MAX_LINE: Final = 1024 * 1024
"""Bytes of a line. Web servers bound a request at 8 to 64 KiB, a CloudTrail record is at most 256 KiB: this is ample."""
MAX_DOCUMENT: Final = 256 * 1024 * 1024
"""Bytes of one JSON document, which must be held whole. CloudTrail's files are at most some 50 MiB."""

Unit = tuple[int, int, bytes | None]
"""(offset, length, bytes); None in place of the bytes when there are too many."""


def lines(blocks: Iterable[bytes]) -> Iterator[Unit]:
    """The lines without their ends (LF or CR LF), blank ones left out. A last line without an end is one too."""
    pending, offset, passed = bytearray(), 0, 0  # passed: bytes of an overlong line that were let go
    for block in blocks:
        start = 0
        while (end := block.find(b"\n", start)) >= 0:
            if pending or passed:
                pending += block[start:end]
                yield from _unit(offset, bytes(pending), passed)
                offset += passed + len(pending) + 1
                pending, passed = bytearray(), 0
            elif end - start > MAX_LINE:
                yield from _unit(offset, block[start:end], 0)
                offset += end - start + 1
            else:
                line = block[start:end]
                if line.endswith(b"\r"):
                    line = line[:-1]
                if line:
                    yield offset, len(line), line
                offset += end - start + 1
            start = end + 1
        pending += block[start:]
        if len(pending) > MAX_LINE:
            passed += len(pending)
            pending = bytearray()
    if pending or passed:
        yield from _unit(offset, bytes(pending), passed)


def _unit(offset: int, line: bytes, passed: int) -> Iterator[Unit]:
    length = passed + len(line)
    if length > MAX_LINE:
        yield offset, length, None
        return
    line = line.removesuffix(b"\r")
    if line:
        yield offset, len(line), line


class _Records(msgspec.Struct):
    """A CloudTrail file."""

    records: list[msgspec.Raw] = msgspec.field(name="Records")


_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_OBJECT = msgspec.json.Decoder(_Records)


def elements(blocks: Iterable[bytes]) -> Iterator[Unit]:
    """The elements of a JSON array, or of the array `Records` of an object, as they stand in the file.

    A document that is too large or does not parse is one unit without bytes, or the whole as one unit.
    """
    whole = bytearray()
    for block in blocks:
        whole += block
        if len(whole) > MAX_DOCUMENT:
            yield 0, len(whole), None
            return
    data = bytes(whole)
    try:
        found = _ARRAY.decode(data) if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"[" else _OBJECT.decode(data).records
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        yield 0, len(data), data
        return
    position = 0
    for element in found:
        raw = bytes(element)
        position = data.index(raw, position)  # the next thing after a comma: found at once
        yield position, len(raw), raw
        position += len(raw)
