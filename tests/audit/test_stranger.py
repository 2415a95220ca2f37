"""The program that strangers verify with: the same verdict as our own, and every alteration told with its place."""

import ast
import random
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from strongroom.audit import stranger
from strongroom.audit.files import CHECKPOINT
from strongroom.audit.verify import prove, verify
from strongroom.errors import StrongroomError, Tampered
from strongroom.tlog.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from strongroom.tlog.entry import Entry, Op, encode
from strongroom.tlog.logkeys import LogKeys
from strongroom.tlog.tree import EMPTY_ROOT
from tests.audit.conftest import make_signer
from tests.audit.test_verify import GOOD, SIGNER, SIZE, Files, bundle, entries, published

KEY = SIGNER.verifier.vkey()
FIVE = published(entries(5))


def laid(root: Path, files: Files) -> Path:
    """The files on disk, and no others."""
    log = root / "log"
    for path in [path for path in log.rglob("*") if path.is_file()]:
        if files.get(path.relative_to(log).as_posix()) != path.read_bytes():
            path.unlink()
    for name, content in files.items():
        if not (log / name).exists():
            (log / name).parent.mkdir(parents=True, exist_ok=True)
            (log / name).write_bytes(content)
    return log


def judged(root: Path, files: Files, capsys: pytest.CaptureFixture[str], *more: str | Path) -> tuple[int, str]:
    """Exit code and what was said."""
    code = stranger.main([str(laid(root, files)), "--key", KEY, *map(str, more)])
    return code, capsys.readouterr().out


def test_it_needs_nothing_of_ours() -> None:
    """Only the standard library and cryptography, and few enough lines to read."""
    source = Path(stranger.__file__).read_text(encoding="utf-8")
    names = {
        name.split(".")[0]
        for one in ast.walk(ast.parse(source))
        for name in ([one.module or ""] if isinstance(one, ast.ImportFrom) else
                     [alias.name for alias in one.names] if isinstance(one, ast.Import) else [])
    }  # fmt: skip
    assert names - sys.stdlib_module_names == {"cryptography"}
    assert source.count("\n") < 500


def test_it_runs_alone(tmp_path: Path) -> None:
    """Copied somewhere else and started by its name, without what is installed for us but cryptography."""
    (tmp_path / "verify_log.py").write_bytes(Path(stranger.__file__).read_bytes())
    (tmp_path / "key").write_text(KEY)
    log = laid(tmp_path, GOOD)
    program = [sys.executable, "-I", str(tmp_path / "verify_log.py")]
    done = subprocess.run(
        [*program, str(log), "--key", str(tmp_path / "key")], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"The log example.org/log holds: {SIZE} entries, root ")
    assert subprocess.run([*program, "--key", KEY], capture_output=True, check=False).returncode == 2


def test_every_small_size(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From 0 to 600 entries, each the extension of the one before, it finds what our verifier finds."""
    bodies, before = entries(600), tmp_path / "before"
    for size in range(601):
        files = published(bodies[:size])
        code, said = judged(tmp_path, files, capsys, *(("--since", before) if size else ()))
        assert code == 0, said
        assert verify(files.get, SIGNER.verifier).root.hex() in said
        before.write_bytes(files[CHECKPOINT])


@pytest.mark.parametrize("size", [65_535, 65_536, 65_537, *random.Random(3).sample(range(601, 140_000), 3)])
def test_larger_logs(size: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Tiles of level 2, with progress on the way."""
    files = published([encode(Entry(t=at, op=Op.STOPPED)) for at in range(size)])
    assert judged(tmp_path, files, capsys)[0] == 0
    victim = random.Random(size).choice([name for name in files if name.startswith("tile/")])
    code, said = judged(tmp_path, files | {victim: files[victim][:-1] + bytes([files[victim][-1] ^ 1])}, capsys)
    assert code == 1
    assert victim in said


def test_progress_of_a_long_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A line each 65,536 entries, aside from the verdict."""
    laid(tmp_path, published([b"{}"] * 70_000))
    assert stranger.main([str(tmp_path / "log"), "--key", KEY]) == 0
    assert "  65792 of 70000 entries\n" in capsys.readouterr().err


def tampered(files: Files, chance: random.Random) -> tuple[Files, set[str]]:
    """One alteration of a good log, and the files it touched."""
    names = sorted(files)
    name, other = chance.sample(names, 2)
    raw = files[name]
    at = chance.randrange(len(raw))
    match chance.randrange(6):
        case 0:
            return files | {name: raw[:at] + bytes([raw[at] ^ 1 << chance.randrange(8)]) + raw[at + 1 :]}, {name}
        case 1:
            return files | {name: raw[:at]}, {name}
        case 2:
            return files | {name: raw + chance.randbytes(chance.randint(1, 40))}, {name}
        case 3:
            return {one: files[one] for one in names if one != name}, {name}
        case 4:
            return files | {name: files[other], other: raw}, {name, other}
        case _:
            return files | {name: raw[:at] + chance.randbytes(4) + raw[at + 4 :]}, {name}


def test_a_thousand_alterations(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each is found by it and by our verifier, and the file is named."""
    chance = random.Random(11)
    for _ in range(1_000):
        files, touched = tampered(GOOD, chance)
        with pytest.raises(StrongroomError):
            verify(files.get, SIGNER.verifier)
        code, said = judged(tmp_path, files, capsys)
        assert code == 1
        assert any(f"{name}: " in said for name in touched), (touched, said)


OTHER = published([encode(Entry(t=at, op=Op.STARTED)) for at in range(SIZE)])
TABLE: list[tuple[Files, str]] = [
    (bundle(lambda rows: rows.__setitem__(3, b"{}")), "tile/entries/001: entry 259 is not the one that was logged"),
    (
        bundle(lambda rows: rows.__setitem__(slice(2), rows[1::-1])),
        "tile/entries/001: entry 256 is not the one that was logged\nDOES NOT HOLD: tile/entries/001: entry 257",
    ),
    (bundle(lambda rows: rows.pop()), "tile/entries/001: it ends within entry 511"),
    (bundle(lambda rows: rows.append(b"{}")), "tile/entries/001: 4 bytes stand behind its last entry, 511"),
    (GOOD | {"tile/0/001": GOOD["tile/0/001"][::-1]}, "tile/0/001: hash 0 is not that of entry 256"),
    (GOOD | {"tile/0/001": bytes(10)}, "tile/0/001: it has 10 bytes, and 256 hashes have 8192"),
    (GOOD | {"tile/entries/000": bytes(17_000_000)}, "tile/entries/000: it is larger than any file of a log"),
    (GOOD | {"tile/1/000.p/2": bytes(64)}, "tile/1/000.p/2: hash 0 is not that of tile 0 of level 0"),
    (
        {name: raw for name, raw in GOOD.items() if "000" not in name},
        "tile/entries/000: the file is missing\nDOES NOT HOLD: tile/0/000: the file is missing",
    ),
    (OTHER | {CHECKPOINT: GOOD[CHECKPOINT]}, "agree with each other, but not with the signed root"),
    (GOOD | {CHECKPOINT: GOOD[CHECKPOINT][:-1]}, "checkpoint: it is not a signed checkpoint"),
    (GOOD | {CHECKPOINT: b"\xff"}, "checkpoint: it is not a signed checkpoint"),
    (
        GOOD | {CHECKPOINT: GOOD[CHECKPOINT].replace(b"582", b"581")},
        "checkpoint: the signature of example.org/log does",
    ),
    (
        GOOD | {CHECKPOINT: published(entries(SIZE), make_signer())[CHECKPOINT]},
        "checkpoint: it bears no signature of the key you gave, example.org/log (it is signed by: example.org/log)",
    ),
    (
        GOOD | {CHECKPOINT: sign_checkpoint(Checkpoint("example.org/other", 0, EMPTY_ROOT), (SIGNER,))},
        "checkpoint: it is a checkpoint of another log, example.org/other",
    ),
    ({}, "checkpoint: it cannot be read (No such file or directory)"),
]


@pytest.mark.parametrize(("files", "words"), TABLE)
def test_what_is_said(files: Files, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What and where, in plain words."""
    code, said = judged(tmp_path, files, capsys)
    assert code == 1
    assert words in said


def test_a_changed_entry_of_the_last_bundle(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The signed root tells that the entry was changed, and not its hash."""
    files = FIVE | {"tile/entries/000.p/5": FIVE["tile/entries/000.p/5"].replace(b"n3", b"n9")}
    assert "tile/entries/000.p/5: entry 3 is not the one" in judged(tmp_path, files, capsys)[1]
    files = FIVE | {"tile/0/000.p/5": bytes(160)}
    code, said = judged(tmp_path, files, capsys)
    assert "tile/0/000.p/5: hash 0 is not that of entry 0" in said
    assert (code, said.count("\n")) == (1, 5)


def test_many_faults_are_cut(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """After twenty it stops, and says so."""
    code, said = judged(tmp_path, GOOD | {"tile/0/000": bytes(8192)}, capsys)
    assert (code, said.count("\n")) == (1, 21)
    assert "stopped after 20" in said


def test_a_full_tile_serves_for_a_partial_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As the format allows, once the log has grown."""
    files = published(entries(300)) | {CHECKPOINT: published(entries(200))[CHECKPOINT]}
    assert judged(tmp_path, files, capsys)[0] == 0


@pytest.mark.parametrize("size", [0, 3, 256, 300, SIZE])
def test_rewritten_history(size: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A log that was rewritten and signed anew holds by itself; an earlier checkpoint convicts it. So does a smaller log."""
    before = tmp_path / "before"
    before.write_bytes(published(entries(size))[CHECKPOINT])
    assert judged(tmp_path, OTHER, capsys)[0] == 0
    code, said = judged(tmp_path, OTHER, capsys, "--since", before)
    assert (code, f"the first {size} entries are not those of the earlier" in said) == (
        (1, True) if size else (0, False)
    )
    code, said = judged(tmp_path, GOOD, capsys, "--since", before)
    assert code == 0
    assert f"It grew from the {size} entries" in said
    code, said = judged(tmp_path, FIVE, capsys, "--since", before)
    assert (code, "it was set back" in said) == ((1, True) if size > 5 else (0, False))


@pytest.mark.parametrize("index", [0, 1, 255, 256, 511, 512, SIZE - 1])
def test_a_proof(index: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A proof of ours holds without the log; any other entry, index or hash in it does not."""
    file, chance = tmp_path / "proof", random.Random(index)
    good = prove(GOOD.get, SIGNER.verifier, index)
    file.write_bytes(good)
    assert stranger.main(["--key", KEY, "--proof", str(file)]) == 0
    assert f"entry {index} is in the log of {SIZE} entries" in capsys.readouterr().out
    for _ in range(60):
        at = chance.randrange(len(good))
        file.write_bytes(good[:at] + bytes([good[at] ^ 1 << chance.randrange(8)]) + good[at + 1 :])
        assert stranger.main(["--key", KEY, "--proof", str(file)]) == 1
        assert f"DOES NOT HOLD: {file}: " in capsys.readouterr().out
    file.write_bytes(good.replace(b"\n\n", b"\n" + b"A" * 43 + b"=\n\n", 1))
    assert stranger.main(["--key", KEY, "--proof", str(file)]) == 1


@pytest.mark.parametrize(
    "key", ["nonsense", KEY.replace("+", "+0", 1), KEY[:-4], KEY[:-3], make_signer().verifier.vkey()],
    ids=["nonsense", "longer", "shorter", "no base64", "another"],
)  # fmt: skip
def test_another_key(key: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A key that is none, or another log's."""
    assert stranger.main([str(laid(tmp_path, FIVE)), "--key", key]) == 1
    assert "key" in capsys.readouterr().out


def test_a_log_whose_key_was_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By each of the two keys while both sign; afterwards by the new one, or by the file with all keys; never by a retired
    key what it signed after its end. Our own verifier says the same.
    """
    newer = make_signer(SIGNER.verifier.name)
    checkpoint = open_checkpoint(FIVE["checkpoint"], SIGNER.verifier)
    old, new = SIGNER.verifier.vkey(), newer.verifier.vkey()
    files = {name: tmp_path / name for name in ("both", "early", "late", "odd", "two")}
    files["both"].write_text(f"{new}\n{old}\n")
    files["early"].write_text(f"{new}\n{old} 4\n")
    files["late"].write_text(f"{new}\n{old} 5\n")
    files["odd"].write_text(f"{new}\n{old} x\n")
    files["two"].write_text(f"{new}\n{make_signer('example.org/other').verifier.vkey()} 5\n")
    signed = {"old": (SIGNER,), "new": (newer,), "two": (newer, SIGNER)}
    holds = {
        "old": {old, "both", "late"},
        "new": {new, "both", "early", "late"},
        "two": {old, new, "both", "early", "late"},
    }
    for name, signers in signed.items():
        root = laid(tmp_path / "logs" / name, FIVE | {"checkpoint": sign_checkpoint(checkpoint, signers)})
        for key in (old, new, *files):
            code = stranger.main([str(root), "--key", str(files.get(key, key))])
            assert (code == 0) == (key in holds[name]), (name, key, capsys.readouterr())
            if key in files and key not in {"odd", "two"}:
                keys = LogKeys.parse(files[key].read_text())
                with nullcontext() if code == 0 else pytest.raises(Tampered):
                    open_checkpoint((root / "checkpoint").read_bytes(), keys)
