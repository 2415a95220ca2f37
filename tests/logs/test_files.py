"""Sources: what paths mean, compression by content, and bytes opened again."""

import bz2
import collections
import gzip
import io
import lzma
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from strongroom.errors import OperationError, UsageError
from strongroom.logs import files
from strongroom.logs.files import CutOff, Source, blocks, codec, expand, reopen
from strongroom.logs.seal import Seal

DATA = b"".join(f"line {number}\n".encode() for number in range(10_000))
SEAL = Seal()
SEAL.add(DATA)


def source(path: Path, data: bytes) -> Source:
    """A file with these bytes."""
    path.write_bytes(data)
    return Source(str(path), path, named=True)


@pytest.mark.parametrize(
    ("kind", "packed"),
    [
        ("plain", DATA),
        ("gzip", gzip.compress(DATA)),
        ("gzip", gzip.compress(DATA[:5_000]) + gzip.compress(DATA[5_000:])),
        ("zstd", bytes(pa.compress(DATA, codec="zstd"))),
        ("bzip2", bz2.compress(DATA)),
        ("xz", lzma.compress(DATA[:5_000]) + lzma.compress(DATA[5_000:])),
        ("utf-16", DATA.decode().encode("utf-16")),
        ("utf-16", b"\xfe\xff" + DATA.decode().encode("utf-16-be")),
    ],
    ids=[
        "plain",
        "gzip",
        "gzip in two members",
        "zstd",
        "bzip2",
        "xz in two streams",
        "utf-16",
        "utf-16 the other way",
    ],
)
def test_bytes_come_out_and_are_opened_again(tmp_path: Path, kind: str, packed: bytes) -> None:
    """Whatever the file's name says; any range opens to the same bytes."""
    log = source(tmp_path / "access.log", packed)
    assert codec(log) == kind
    assert b"".join(blocks(log, 777)) == DATA
    places = [(5_000, 300), (0, 6), (5_100, 90_000), (0, 6), (len(DATA) - 3, 3)]
    assert reopen(log, places, SEAL) == [(DATA[offset : offset + length], True) for offset, length in places]
    assert reopen(log, [(len(DATA), 10)], SEAL) == [(b"", False)]
    assert reopen(log, [], SEAL) == []


def test_what_changed_is_told_and_its_surroundings_with_it(tmp_path: Path) -> None:
    """By stretches; what stands in others is still what it was."""
    altered = bytearray(DATA)
    altered[70_000] ^= 1
    log = source(tmp_path / "a.log", bytes(altered))
    places = [(0, 9), (65_530, 5), (65_530, 7), (70_100, 9)]
    assert [same for _, same in reopen(log, places, SEAL)] == [True, True, False, False]


PACKED = gzip.compress(DATA)


def test_a_packed_file_is_unpacked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many places are opened again, in blocks of any size."""
    log = source(tmp_path / "x.gz", gzip.compress(DATA))
    whole, times = files.blocks, []

    def counted(one: Source) -> Iterator[bytes]:
        times.append(one)
        return whole(one, 50)

    monkeypatch.setattr(files, "blocks", counted)
    places = [(at, 70) for at in range(0, 20_000, 60)]
    assert reopen(log, places, SEAL) == [(DATA[offset : offset + length], True) for offset, length in places]
    assert len(times) == 1


@pytest.mark.parametrize(
    "damaged", [PACKED[:-20], PACKED[:2_000] + b"\x00" * 200 + PACKED[2_200:]], ids=["cut off", "overwritten"]
)
def test_a_damaged_stream_gives_what_came_before(tmp_path: Path, damaged: bytes) -> None:
    """Then it breaks off, and says so."""
    read: list[bytes] = []
    stream = blocks(source(tmp_path / "x.gz", damaged), 100)
    with pytest.raises(CutOff):
        collections.deque(map(read.append, stream), maxlen=0)
    assert DATA.startswith(b"".join(read))
    assert len(b"".join(read)) < len(DATA)


def test_an_empty_file_has_no_blocks(tmp_path: Path) -> None:
    """And is no error."""
    assert list(blocks(source(tmp_path / "empty", b""))) == []


def test_what_paths_mean(tmp_path: Path) -> None:
    """A file, a directory without its hidden files, a glob; each file once, in a stable order."""
    for name in ("b.log", "a.log", "sub/c.log", ".hidden", ".git/x"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    found = expand((str(tmp_path), str(tmp_path / "*.log"), str(tmp_path / "a.log")))
    assert [one.path.relative_to(tmp_path).as_posix() for one in found] == ["a.log", "b.log", "sub/c.log"]


@pytest.mark.parametrize("given", ["nothing.log", "nothing/*.log"])
def test_a_path_that_means_nothing_is_a_usage_error(tmp_path: Path, given: str) -> None:
    """A hunt over nothing must not look like a hunt that found nothing."""
    with pytest.raises(UsageError):
        expand((str(tmp_path / given),))


def test_the_standard_input_can_be_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is kept while the hunt lasts, and then removed."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(DATA)))
    found = expand(("-",))
    assert b"".join(blocks(found[0])) == DATA
    assert reopen(found[0], [(5, 3)], SEAL) == [(DATA[5:8], True)]
    files.forget(found)
    with pytest.raises(OperationError):
        codec(found[0])


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A glob that means the whole machine is a mistake."""
    monkeypatch.setattr(files, "MAX_FILES", 1)
    for name in ("a", "b"):
        (tmp_path / name).write_text("x")
    with pytest.raises(UsageError):
        expand((str(tmp_path),))
