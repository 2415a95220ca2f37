"""`log`: verify, prove, export, vkey."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from strongroom.audit.verify import check_proof
from strongroom.tlog.note import Verifier

Type = Callable


def test_the_published_log_verifies(strongroom: Type) -> None:
    """The log of a running store holds, and every entry is exported, in order."""
    verified = strongroom("log", "verify", "--json").json
    assert verified["holds"] is True
    lines = [json.loads(line) for line in strongroom("log", "export").out.splitlines()]
    assert [line["index"] for line in lines] == list(range(len(lines)))
    assert len(lines) >= verified["size"] > 0


def test_a_proof_holds_with_the_public_key_alone(strongroom: Type, tmp_path: Path) -> None:
    """What `prove` writes is accepted by a reader who has the key that `vkey` prints, and names the entry."""
    out = tmp_path / "proof"
    assert strongroom("log", "prove", "2", "--out", out).code == 0
    index, entry, _ = check_proof(out.read_bytes(), Verifier.parse(strongroom("log", "vkey").out.strip()))
    exported = json.loads(strongroom("log", "export").out.splitlines()[2])
    assert (index, json.loads(entry)) == (2, exported["entry"])
    assert strongroom("log", "prove", "99999999").code == 2


def test_a_copy_verifies_without_the_store(strongroom: Type, served: Path, tmp_path: Path) -> None:
    """A copied directory and the key as text are enough; a changed byte is exit code 3, and leaves no export behind."""
    copy = tmp_path / "copy"
    shutil.copytree(served / "keeper" / "log", copy)
    vkey = strongroom("log", "vkey", "--json").json["vkey"]
    assert strongroom("log", "verify", "--log", copy, "--vkey", vkey).code == 0
    tile = next(path for path in (copy / "tile" / "entries").rglob("*") if path.is_file())
    raw = bytearray(tile.read_bytes())
    raw[-2] ^= 1
    tile.write_bytes(raw)
    out = tmp_path / "log.jsonl"
    assert strongroom("log", "verify", "--log", copy, "--vkey", vkey).code == 3
    assert strongroom("log", "export", "--log", copy, "--vkey", vkey, "--out", out).code == 3
    assert not out.exists()


def test_a_copy_for_strangers(strongroom: Type, tmp_path: Path) -> None:
    """The copy comes with its key and its program, which finds it whole, and after a change not. Nothing is overwritten."""
    copy = tmp_path / "copy"
    entries = strongroom("log", "export", "--to", copy, "--json").json["entries"]
    program = [
        sys.executable,
        "-I",
        *(str(copy / one) for one in ("verify_log.py", "log")),
        "--key",
        str(copy / "log.vkey"),
    ]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert (done.returncode, f"holds: {entries} entries" in done.stdout) == (0, True)
    tile = next(path for path in (copy / "log/tile/entries").rglob("*") if path.is_file())
    tile.write_bytes(tile.read_bytes()[:-1])
    assert subprocess.run(program, capture_output=True, check=False).returncode == 1
    assert strongroom("log", "export", "--to", copy).code == 3
    assert strongroom("log", "export", "--to", tmp_path / "new", "--out", tmp_path / "lines").code == 2
    assert "verify_log.py log --key log.vkey" in strongroom("log", "export", "--to", tmp_path / "new").out


def test_another_logs_key(strongroom: Type) -> None:
    """A key of another log verifies nothing."""
    other = Verifier("strongroom.local/other", bytes(31) + b"\1").vkey()
    assert strongroom("log", "verify", "--vkey", other).code == 3
    assert strongroom("log", "verify", "--vkey", "nonsense").code == 3
