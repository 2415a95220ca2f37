"""Files, directories, globs, buckets and the standard input as sources; and back from an offset to the bytes.

Packing is told by the first bytes, never by the name: gzip, zstd, bzip2 and xz; Parquet, whose rows come out as lines of JSON;
nfcapd's flows, which nfdump prints; and UTF-16, which comes out as UTF-8. Offsets are those of the unpacked stream. The standard
input is copied to a temporary file first, so that evidence in it can be opened like any other.
"""

import bz2
import codecs
import contextlib
import glob
import gzip
import lzma
import shutil
import sys
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, Final, Literal, cast

import pyarrow as pa

from strongroom.errors import OperationError, UsageError
from strongroom.logs import nfdump, parquet, s3
from strongroom.logs.seal import STRETCH, Seal

BLOCK: Final = 4 * 1024 * 1024
"""Bytes that are read at once."""
MAX_FILES: Final = 1_000_000
"""Files in one hunt; a bound against a glob that means the whole machine."""

Codec = Literal["plain", "gzip", "zstd", "bzip2", "xz", "nfcapd", "parquet", "utf-16"]
_MAGIC: tuple[tuple[bytes, Codec], ...] = (
    (b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"), (nfdump.MAGIC, "nfcapd"), (parquet.MAGIC, "parquet"),
    (b"BZh", "bzip2"), (b"\xfd7zX", "xz"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Source:
    """One file of logs. `name` is what people are shown; `named` tells whether they named this very file."""

    name: str
    path: Path
    named: bool
    remote: s3.Object | None = None

    @property
    def size(self) -> int:
        """Bytes, packed as it is."""
        return self.path.stat().st_size if self.remote is None else self.remote.size


def expand(paths: tuple[str, ...]) -> list[Source]:
    """The sources that paths mean, in a stable order: a directory means every file below it but hidden ones, `-` the
    standard input, s3:// a bucket (`s3`). Raises UsageError for a path that means nothing.
    """
    sources: list[Source] = []
    for given in paths:
        found = [_standard_input()] if given == "-" else sorted(_meant(given), key=lambda source: source.name)
        if not found:
            raise UsageError(f"There is no file at {given}.", advice="Name files, directories, globs, or - for stdin.")
        sources += found
        if len(sources) > MAX_FILES:
            raise UsageError(f"More than {MAX_FILES} files are meant.", advice="Name fewer.")
    return list({source.remote or source.path.resolve(): source for source in sources}.values())


def _meant(given: str) -> Iterator[Source]:
    if given.startswith(s3.SCHEME):
        for found, named in s3.objects(given):
            yield Source(found.name, Path(found.name), named, found)
        return
    path = Path(given)
    if path.is_file():
        yield Source(given, path, named=True)
    elif path.is_dir():
        for below in path.rglob("*"):
            hidden = any(part.startswith(".") for part in below.relative_to(path).parts)
            if not hidden and below.is_file():
                yield Source(str(below), below, named=False)
    else:
        for match in glob.iglob(given, recursive=True):  # noqa: PTH207  # a glob may be absolute
            if Path(match).is_file():
                yield Source(match, Path(match), named=True)


def _standard_input() -> Source:
    with tempfile.NamedTemporaryFile(prefix="strongroom-stdin-", delete=False) as copy:
        shutil.copyfileobj(sys.stdin.buffer, copy, BLOCK)
    return Source("-", Path(copy.name), named=True)


def forget(sources: list[Source]) -> None:
    """Remove the copy of the standard input."""
    for source in sources:
        if source.name == "-":
            source.path.unlink(missing_ok=True)


def codec(source: Source) -> Codec:
    """How the file is compressed. Raises OperationError when it cannot be opened."""
    with _opened(source) as file:
        first = file.read(4)
    for magic, name in _MAGIC:
        if first.startswith(magic) and (name != "nfcapd" or nfdump.installed()):
            return name
    return "plain"


def blocks(source: Source, size: int = BLOCK) -> Iterator[bytes]:
    """The decompressed bytes, `size` at a time. Raises CutOff when a compressed stream ends early or is damaged."""
    with _opened(source) as file:
        if source.size == 0:
            return
        try:
            with _unpacked(source, file) as stream:
                while block := stream.read(size):
                    yield block
        except (EOFError, OSError, zlib.error, lzma.LZMAError, pa.ArrowException) as error:
            raise CutOff from error


@contextmanager
def _unpacked(source: Source, file: BinaryIO) -> Iterator[IO[bytes]]:
    match codec(source):
        case "gzip":
            yield cast("BinaryIO", gzip.GzipFile(fileobj=file))
        case "zstd":
            yield cast("BinaryIO", pa.input_stream(file, compression="zstd"))
        case "bzip2":
            yield cast("BinaryIO", bz2.BZ2File(file))
        case "xz":
            yield cast("BinaryIO", lzma.LZMAFile(file))  # noqa: SIM115  # it opens nothing
        case "utf-16":
            yield cast("BinaryIO", _Recoded(file))
        case "nfcapd":
            with _local(source, file) as path, nfdump.printed(path) as printed:
                yield printed
        case "parquet":
            yield cast("BinaryIO", parquet.Rows(file))
        case "plain":
            yield file


class _Recoded:
    """UTF-16 with a mark of byte order, as Windows' shell redirects it, as UTF-8. What is none is shown as such."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder("utf-16")("replace")

    def read(self, size: int) -> bytes:
        """The next bytes, some `size`; none at the end."""
        while True:
            raw = self._file.read(size)
            text = self._decoder.decode(raw, final=not raw)
            if text or not raw:
                return text.encode("utf-8", "replace")


@contextmanager
def _local(source: Source, file: BinaryIO) -> Iterator[Path]:
    """A path for programs that want one: an object is copied to a temporary file."""
    if source.remote is None:
        yield source.path
        return
    with tempfile.NamedTemporaryFile(prefix="strongroom-object-") as copy:
        shutil.copyfileobj(file, copy, BLOCK)
        copy.flush()
        yield Path(copy.name)


def reopen(source: Source, places: Sequence[tuple[int, int]], seal: Seal) -> list[tuple[bytes, bool]]:
    """The bytes at each (offset, length) of the decompressed stream, and whether they are those that were sealed.

    Fewer bytes when the file has become shorter. A packed file is unpacked once, however many places there are.
    """
    wanted: dict[int, list[int]] = {}
    for at, (offset, length) in enumerate(places):
        for number in range(offset // STRETCH, (offset + max(length, 1) - 1) // STRETCH + 1):
            wanted.setdefault(number, []).append(at)
    found, same = [bytearray() for _ in places], [True] * len(places)
    for number, stretch in _stretches(source, sorted(wanted)):
        held, passed = seal.holds(number, stretch), number * STRETCH
        for at in wanted[number]:
            offset, length = places[at]
            found[at] += stretch[max(offset - passed, 0) : max(offset + length - passed, 0)]
            same[at] &= held
    return [
        (bytes(one), good and len(one) == length) for one, good, (_, length) in zip(found, same, places, strict=True)
    ]


def _stretches(source: Source, numbers: list[int]) -> Iterator[tuple[int, bytes]]:
    """The stretches of these numbers, as far as the stream goes."""
    if codec(source) == "plain":
        with _opened(source) as file:
            for number in numbers:
                file.seek(number * STRETCH)
                yield number, file.read(STRETCH)
        return
    ahead, pending, number = set(numbers), bytearray(), 0
    for block in _unbroken(source):
        if not ahead:
            return
        pending += block
        while len(pending) >= STRETCH:
            if number in ahead:
                ahead.remove(number)
                yield number, bytes(pending[:STRETCH])
            del pending[:STRETCH]
            number += 1
    if number in ahead:
        yield number, bytes(pending)


def _unbroken(source: Source) -> Iterator[bytes]:
    """The blocks up to where the stream breaks off, if it does."""
    with contextlib.suppress(CutOff):
        yield from blocks(source)


class CutOff(Exception):
    """A compressed stream ends in its middle, or is damaged there. What came before it was read."""


def _opened(source: Source) -> BinaryIO:
    if source.remote is not None:
        return source.remote.opened()
    try:
        return source.path.open("rb")
    except OSError as error:
        raise OperationError(f"{source.name} cannot be opened: {error.strerror}.") from error
