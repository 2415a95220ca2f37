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
    found = opened(at, [source])
    assert (found.unit, found.same, found.file, found.offset) == (b"second", True, "a.log", 6)
    for altered in (b"first\nsecund\n", b"first\nsec"):
        path.write_bytes(altered)
        assert not opened(at, [source]).same
    path.unlink()
    assert not opened(at, [source]).same
