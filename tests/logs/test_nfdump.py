"""nfcapd's flows, as nfdump prints them."""

import os
from pathlib import Path

import pytest

from bench.fuzz.lines import FILES
from strongroom.logs import files, nfdump
from strongroom.logs.formats import recognise
from strongroom.logs.record import NO_TIME, NOT_THIS_FORMAT, Unreadable
from strongroom.logs.seal import Seal
from tests.logs.rows import rows, some

NAMES = ("time", "end_time", "src_endpoint.ip", "dst_endpoint.port", "connection_info.protocol_num", "traffic.bytes_out",
         "traffic.bytes_in", "traffic.packets_in")  # fmt: skip
CSV = (
    b"ts,te,td,sa,da,sp,dp,pr,flg,fwd,stos,ipkt,ibyt,opkt,obyt,in,out\n"
    b"2025-12-29 09:00:00,2025-12-29 09:01:00,60.000,10.0.1.5,203.0.113.9,443,50000,TCP,...AP...,0,0,20,24928,0,0,1,2\n"
)


def test_the_form_that_is_asked_for() -> None:
    """Counts either way, where a flow has both."""
    (found,) = rows(FILES["nfdump"], "nfdump")
    assert some(found, *NAMES) == [1_766_998_800_250, 1_766_998_860_250, "10.0.1.5", 50_000, 6, 24_928, 980, 9]


def test_nfdumps_own_table() -> None:
    """That people made themselves; a zero the other way says nothing."""
    (found,) = rows(CSV, "nfdump")
    assert some(found, *NAMES) == [1_766_998_800_000, 1_766_998_860_000, "10.0.1.5", 50_000, 6, 24_928, None, None]
    format_ = recognise(CSV)
    assert format_ is not None
    assert format_.name == "nfdump"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"", NOT_THIS_FORMAT),
        (b"No matching flows", NOT_THIS_FORMAT),
        (FILES["nfdump"].strip().replace(b"2025", b"x"), NO_TIME),
    ],
)
def test_what_cannot_be_read_has_a_reason(line: bytes, expected: Unreadable) -> None:
    """Its other words, and times that are none."""
    assert nfdump.parse(line) == expected


@pytest.fixture
def capture(tmp_path: Path) -> files.Source:
    """A file that begins as nfcapd's do."""
    path = tmp_path / "nfcapd.202512290900"
    path.write_bytes(nfdump.MAGIC + b"\2\0" + bytes(200))
    return files.Source("flows", path, named=True)


def test_nfdump_is_asked(capture: files.Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is installed, with the file as one argument, in UTC; evidence is opened again in what it prints."""
    program = tmp_path / "bin" / "nfdump"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\necho "$TZ $*"\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    printed = f"UTC -r {capture.path} -q -6 -N -o fmt:%ts,%te,%sa,%da,%sp,%dp,%pr,%ipkt,%ibyt,%opkt,%obyt\n".encode()
    assert b"".join(files.blocks(capture)) == printed
    seal = Seal()
    seal.add(printed)
    assert files.reopen(capture, [(4, 2)], seal) == [(b"-r", True)]


def test_without_nfdump_it_is_said(capture: files.Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is known, and why it is not read."""
    monkeypatch.setenv("PATH", str(tmp_path))
    data = b"".join(files.blocks(capture))
    format_ = recognise(data)
    assert format_ is not None
    assert (format_.name, format_.parse(data)) == ("nfcapd", nfdump.NOT_INSTALLED)
