"""Evidence opens at the byte, and says when it has changed."""

from pathlib import Path

from strongroom.detect.evidence import opened
from strongroom.detect.finding import Evidence
from strongroom.logs.files import Source
from strongroom.logs.read import digest


def test_bytes_open_again_and_changes_are_seen(tmp_path: Path) -> None:
    """The same, then altered, then cut off, then gone."""
    path = tmp_path / "a.log"
    path.write_bytes(b"first\nsecond\n")
    source, at = Source("a.log", path, named=True), Evidence(0, 6, 6, digest(b"second"), 0)
    (found,) = opened([at], [source])
    assert (found.unit, found.same, found.file, found.offset) == (b"second", True, "a.log", 6)
    for altered in (b"first\nsecund\n", b"first\nsec"):
        path.write_bytes(altered)
        assert not opened([at], [source])[0].same
    path.unlink()
    assert not opened([at], [source])[0].same


def test_events_of_many_files_keep_their_order(tmp_path: Path) -> None:
    """Each beside the evidence that was asked for."""
    sources = []
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(f"{name}1\n{name}2\n".encode())
        sources.append(Source(name, tmp_path / name, named=True))
    asked = [Evidence(source, offset, 2, 0, 0) for source, offset in ((1, 3), (0, 0), (1, 0), (0, 3))]
    assert [one.unit for one in opened(asked, sources)] == [b"b2", b"a1", b"b1", b"a2"]
