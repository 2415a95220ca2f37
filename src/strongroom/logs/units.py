"""Blocks of bytes to units with their offsets: lines, or the elements of one JSON document. Memory is bounded either way."""

import json
import re
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

import msgspec

MAX_LINE: Final = 1024 * 1024
"""Bytes of a line. Web servers bound a request at 8 to 64 KiB, a CloudTrail record is at most 256 KiB: this is ample."""
MAX_DOCUMENT: Final = 256 * 1024 * 1024
"""Bytes of one JSON document, which must be held whole. CloudTrail's files are at most some 50 MiB."""

Unit = tuple[int, int, bytes | None]
"""(offset, length, bytes); None in place of the bytes when there are too many."""


def lines(blocks: Iterable[bytes]) -> Iterator[Unit]:
    """The lines without their ends (LF or CR LF), blank ones left out. A last line without an end is one too.

    A mark of byte order at the beginning belongs to no line.
    """
    mark, rest = _mark(blocks)
    pending, offset, passed = bytearray(), mark, 0  # passed: bytes of an overlong line that were let go
    for block in rest:
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


def pieces(blocks: Iterable[bytes]) -> Iterator[tuple[int, bytes | None]]:
    """The same bytes in pieces of whole lines, with the offset of each; None in place of a line that is too long.

    Only the last piece may lack the end of its last line. Lines that are too long may stand inside a piece, too.
    """
    mark, rest = _mark(blocks)
    pending, offset, passed = bytearray(), mark, 0  # passed: bytes of an overlong line that were let go
    for given in rest:
        block = given
        if passed:
            end = block.find(b"\n") + 1
            if not end:
                passed += len(block)
                continue
            yield offset, None
            offset, passed, block = offset + passed + end, 0, block[end:]
        end = block.rfind(b"\n") + 1
        if end:
            piece = bytes(pending) + block[:end]
            yield offset, piece
            offset, pending = offset + len(piece), bytearray()
        pending += block[end:]
        if len(pending) > MAX_LINE:
            passed, pending = len(pending), bytearray()
    if passed or pending:
        yield offset, bytes(pending) if pending else None


def _mark(blocks: Iterable[bytes]) -> tuple[int, Iterator[bytes]]:
    """(bytes of the mark of byte order, 0 or 3; the blocks behind it)."""
    rest, head = iter(blocks), b""
    for block in rest:
        head += block
        if len(head) >= len(BOM_UTF8) or not BOM_UTF8.startswith(head):
            break
    return (3, chain([head[3:]], rest)) if head.startswith(BOM_UTF8) else (0, chain([head], rest))


def _unit(offset: int, line: bytes, passed: int) -> Iterator[Unit]:
    length = passed + len(line)
    if length > MAX_LINE:
        yield offset, length, None
        return
    line = line.removesuffix(b"\r")
    if line:
        yield offset, len(line), line


class _Wrapped(msgspec.Struct):
    """An object around an array of records: CloudTrail's, Azure's, the answer of a Microsoft API, a FHIR Bundle."""

    trail: list[msgspec.Raw] | None = msgspec.field(name="Records", default=None)
    records: list[msgspec.Raw] | None = None
    value: list[msgspec.Raw] | None = None
    entry: list[msgspec.Raw] | None = None


_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_OBJECT = msgspec.json.Decoder(_Wrapped)
_BEGINNING: Final = 64 * 1024
"""Bytes by which it is told whether a file is one document or has a record a line."""
_BLANK: Final = b"\xef\xbb\xbf \t\r\n"
_WRAPPER: Final = re.compile(rb'"(?:Records|records|value|entry)"\s*:\s*\[')
_BUNDLE: Final = re.compile(rb'\{[^{}\[]*"resourceType"\s*:\s*"Bundle"')


def is_document(sample: bytes) -> bool:
    """Whether a file that begins like this is one JSON document of many records, or one record over many lines."""
    start = sample[:_BEGINNING].lstrip(_BLANK)
    if start.startswith(b"["):
        return start[1:].lstrip(_BLANK)[:1] in {b"{", b"]"}
    if not start.startswith(b"{"):
        return False
    if _WRAPPER.match(start[1:].lstrip(_BLANK)) or _BUNDLE.match(start):
        return True
    line, end, _ = start.partition(b"\n")
    return bool(end) and not line.rstrip().endswith(b"}")


def records(blocks: Iterable[bytes]) -> Iterator[Unit]:
    """Lines, or the elements of one document, whichever it is. How it is cut into blocks does not matter."""
    rest = iter(blocks)
    head = bytearray()
    for block in rest:
        head += block
        if len(head) >= _BEGINNING:
            break
    yield from (elements if is_document(bytes(head)) else lines)(chain([bytes(head)], rest))


def some_elements(sample: bytes, most: int) -> list[bytes]:
    """The first whole elements of a document of which there is only the beginning."""
    start = sample.lstrip(_BLANK)
    if start.startswith(b"["):
        at = 1
    else:
        found = _WRAPPER.search(start[:_BEGINNING])
        if found is None:
            return [start.rstrip(_BLANK)]
        at = found.end()
    written = start[at:].decode("utf-8", "replace")
    decoder, place = json.JSONDecoder(), 0
    whole: list[bytes] = []
    while len(whole) < most:
        begin = _past_blanks(written, place)
        try:
            _, place = decoder.raw_decode(written, begin)
        except (ValueError, RecursionError):
            break
        whole.append(written[begin:place].encode())
    return whole


def elements(blocks: Iterable[bytes]) -> Iterator[Unit]:
    """The elements of a JSON array, or of the array in an object around it, as they stand in the file.

    Objects one behind the other, over many lines each, are elements too; so is one alone. Of a document that is broken or cut off
    come the elements before the break, and the rest as one unit. One that is too large is one unit without bytes.
    """
    parts: list[bytes] = []
    size = 0
    for block in blocks:
        parts.append(block)
        size += len(block)
        if size > MAX_DOCUMENT:
            yield 0, size, None
            return
    data = b"".join(parts)
    try:
        found = _ARRAY.decode(data) if data.lstrip(_BLANK)[:1] == b"[" else _unwrapped(_OBJECT.decode(data))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = None
    if found is None:
        yield from _one_by_one(data)
        return
    raws, starts, end = list(map(bytes, found)), [], 0
    for raw in raws:
        # Where the first one begins must be looked for; between two there is nothing but a comma and blanks.
        start = data.index(raw[:1] if end else raw, end)
        starts.append(start)
        end = start + len(raw)
    yield from zip(starts, map(len, raws), raws, strict=True)


def _one_by_one(data: bytes) -> Iterator[Unit]:
    """Elements as far as they go, and the rest as one unit. Read as Latin-1, in which a character is a byte."""
    start = len(data) - len(data.lstrip(_BLANK))
    wrapped = _WRAPPER.search(data, start, start + _BEGINNING)
    if data[start : start + 1] == b"[":
        place = start + 1
    elif wrapped and not _whole(data, start):
        place = wrapped.end()
    else:
        place = start
    array = place != start
    written, decoder = data.decode("latin-1"), json.JSONDecoder(strict=False)
    while True:
        begin = _past_blanks(written, place)
        try:
            _, place = decoder.raw_decode(written, begin)
        except (ValueError, RecursionError):
            break
        yield begin, place - begin, data[begin:place]
    rest = data[begin:].rstrip(_BLANK)
    if not rest.startswith(b"]") if array else rest:  # an array that does not end is broken, though nothing follows
        yield begin, len(rest), rest


def _whole(data: bytes, start: int) -> bool:
    """Whether an object that ends begins here."""
    try:
        json.JSONDecoder(strict=False).raw_decode(data.decode("latin-1"), start)
    except (ValueError, RecursionError):
        return False
    return True


def _past_blanks(written: str, place: int) -> int:
    """The next place with something else than blanks and commas."""
    while place < len(written) and written[place] in " \t\r\n,":
        place += 1
    return place


def _unwrapped(found: _Wrapped) -> list[msgspec.Raw] | None:
    arrays = (found.trail, found.records, found.value, found.entry)
    return next((array for array in arrays if array is not None), None)
