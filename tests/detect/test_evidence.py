"""Evidence opens at the byte, and says when it has changed."""

from pathlib import Path

from strongroom.detect.evidence import opened
from strongroom.detect.finding import Evidence
from strongroom.detect.hunt import File
from strongroom.logs.files import Source
from strongroom.logs.read import Account


def read(path: Path) -> File:
    """A file that was read as it is now."""
    account = Account()
    account.seal.add(path.read_bytes())
    return File(Source(path.name, path, named=True), None, account)


def test_bytes_open_again_and_changes_are_seen(tmp_path: Path) -> None:
    """The same, also when more was written since; then altered, cut off, gone."""
    path = tmp_path / "a.log"
    path.write_bytes(b"first\nsecond\n")
    file, at = read(path), Evidence(0, 6, 6, 0)
    for grown in (b"", b"third\n"):
        path.write_bytes(path.read_bytes() + grown)
        (found,) = opened([at], [file])
        assert (found.unit, found.same, found.file, found.offset) == (b"second", True, "a.log", 6)
    for altered in (b"first\nsecund\n", b"first\nsec", b""):
        path.write_bytes(altered)
        assert not opened([at], [file])[0].same
    path.unlink()
    assert not opened([at], [file])[0].same


def test_events_of_many_files_keep_their_order(tmp_path: Path) -> None:
    """Each beside the evidence that was asked for."""
    files = []
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(f"{name}1\n{name}2\n".encode())
        files.append(read(tmp_path / name))
    asked = [Evidence(source, offset, 2, 0) for source, offset in ((1, 3), (0, 0), (1, 0), (0, 3))]
    assert [one.unit for one in opened(asked, files)] == [b"b2", b"a1", b"b1", b"a2"]
