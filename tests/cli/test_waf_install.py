"""`strongroom waf install`: the rules that are installed here, as a release; and what it refuses, leaving nothing behind."""

import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from strongroom.gateway import crs
from tests.cli.conftest import typed


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Debian's rules as their authors would pack them."""
    place = tmp_path / "coreruleset.tar.gz"
    with tarfile.open(place, "w:gz") as file:
        for path in sorted(crs.FOLDER.iterdir()):
            file.add(path.resolve(), f"coreruleset-3.3.4/rules/{path.name}")
    return place


def test_a_release_is_installed_and_works(archive: Path, tmp_path: Path) -> None:
    """By its digest; once; and the gateway can be pointed at it."""
    digest, into = hashlib.sha256(archive.read_bytes()).hexdigest(), tmp_path / "crs"
    found = typed("waf", "install", archive, "--sha256", digest, "--into", into, "--json").json
    assert found["schema"] == "strongroom/waf-install/v1"
    assert (found["version"], found["folder"], found["remembers"]) == ("3.3.4", str(into / "3.3.4" / "rules"), True)
    assert found["rules"] > 300
    assert len(list((into / "3.3.4" / "rules").iterdir())) == len(list(crs.FOLDER.iterdir()))
    again = typed("waf", "install", archive, "--sha256", digest, "--into", into)
    assert (again.code, "installed in" in again.err) == (2, True)
    assert [path.name for path in into.iterdir()] == ["3.3.4"]


def test_what_is_not_installed(archive: Path, tmp_path: Path) -> None:
    """Nothing to check it by, another digest, no signature, rules that do not work, a folder that cannot be: nothing is left."""
    into = tmp_path / "crs"
    assert typed("waf", "install", archive, "--into", into).code == 2
    assert typed("waf", "install", archive, "--sha256", "0" * 64, "--into", into).code == 3
    (tmp_path / "key").write_bytes(b"")
    (tmp_path / "signature").write_text("no signature")
    unsigned = typed(
        "waf", "install", archive, "--signature", tmp_path / "signature", "--keyring", tmp_path / "key", "--into", into
    )
    assert (unsigned.code, "not signed by" in unsigned.err) == (3, True)
    with tarfile.open(tmp_path / "few.tar.gz", "w:gz") as file:
        member = tarfile.TarInfo("c/rules/REQUEST-911.conf")
        member.size = 8
        file.addfile(member, io.BytesIO(b"SecRule\n"))
    digest = hashlib.sha256((tmp_path / "few.tar.gz").read_bytes()).hexdigest()
    assert typed("waf", "install", tmp_path / "few.tar.gz", "--sha256", digest, "--into", into).code == 78
    assert list(into.iterdir()) == []
    (tmp_path / "file").write_bytes(b"")
    assert typed("waf", "install", archive, "--sha256", "0" * 64, "--into", tmp_path / "file" / "below").code == 78
