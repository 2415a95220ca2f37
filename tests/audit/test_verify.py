"""Verification by a stranger: everything that was altered is found, and told with its place."""

import json
import random
import re
from collections.abc import Callable

import pytest

from strongroom.audit.files import CHECKPOINT
from strongroom.audit.verify import ReadFile, check_proof, export, prove, verify
from strongroom.errors import CheckFailed, Malformed, StrongroomError, Tampered, UsageError
from strongroom.tlog.checkpoint import Checkpoint, sign_checkpoint
from strongroom.tlog.entry import Entry, Op, decode, encode
from strongroom.tlog.note import Signer
from strongroom.tlog.tile import WIDTH, parse_bundle, render_bundle, render_hashes, tiles_between
from strongroom.tlog.tree import Frontier, leaf_hash
from tests.audit.conftest import make_signer

SIGNER = make_signer()
SIZE = 256 * 2 + 70
Files = dict[str, bytes]


def entries(size: int) -> list[bytes]:
    """Entries of a log."""
    return [encode(Entry(t=at, op=Op.RELEASED, reason=f"n{at}")) for at in range(size)]


def published(bodies: list[bytes], signer: Signer = SIGNER) -> Files:
    """A whole log as files, made without the code under test."""
    levels: dict[int | None, list[bytes]] = {None: bodies}
    frontier = Frontier()
    for body in bodies:
        frontier, completed = frontier.append(leaf_hash(body))
        for at in range(0, len(completed), 8):
            levels.setdefault(at // 8, []).append(completed[at])
    files = {}
    for tile in tiles_between(0, len(bodies)):
        rows = levels[tile.level][tile.start : tile.start + tile.width]
        files[tile.path()] = render_bundle(rows) if tile.level is None else render_hashes(rows)
    checkpoint = Checkpoint("example.org/log", len(bodies), frontier.root())
    return files | {CHECKPOINT: sign_checkpoint(checkpoint, (signer,))}


GOOD = published(entries(SIZE))


def reading(files: Files) -> ReadFile:
    """Read from memory."""
    return files.get


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, SIZE])
def test_a_good_log(size: int) -> None:
    """It verifies, at every shape of tree, and progress ends at its size."""
    told: list[tuple[int, int]] = []
    checkpoint = verify(reading(published(entries(size))), SIGNER.verifier, lambda *now: told.append(now))
    assert checkpoint.size == size
    assert told[-1] == (size, size)


def test_upper_levels() -> None:
    """A log of more than 256 full tiles has a second level, which is compared, too."""
    files = published([encode(Entry(t=0, op=Op.STOPPED))] * (256 * 256 + 3))
    assert verify(reading(files), SIGNER.verifier).size == 65_539
    files["tile/2/000.p/1"] = bytes(32)
    with pytest.raises(Tampered, match=re.escape("tile/2/000.p/1: hash 0 is not that of tile 0 of the level below")):
        verify(reading(files), SIGNER.verifier)


def bundle(change: Callable[[list[bytes]], object], path: str = "tile/entries/001") -> Files:
    """The good log with one bundle changed."""
    rows = list(parse_bundle(GOOD[path], WIDTH))
    change(rows)
    return GOOD | {path: render_bundle(rows)}


TABLE: list[tuple[Files, str]] = [
    (GOOD | {CHECKPOINT: published(entries(SIZE), make_signer())[CHECKPOINT]}, "signature"),
    (GOOD | {CHECKPOINT: published(entries(SIZE - 1))[CHECKPOINT]}, "tile/entries/002.p/69"),
    (GOOD | {CHECKPOINT: published(entries(SIZE - 70))[CHECKPOINT].replace(b"\n512\n", b"\n513\n")}, "does not hold"),
    (GOOD | {CHECKPOINT: published([*entries(SIZE - 1), b'{"op":"stopped","t":1}'])[CHECKPOINT]}, "root hash"),
    (bundle(lambda rows: rows.__setitem__(3, b"{}")), "Entry 259 in tile/entries/001"),
    (bundle(lambda rows: rows.__setitem__(3, b'{"op":"stopped", "t":1}')), "Entry 259 in tile/entries/001"),
    (
        bundle(lambda rows: rows.__setitem__(3, b'{"op":"stopped","t":1}')),
        "tile/0/001: hash 3 is not that of entry 259",
    ),
    (bundle(lambda rows: rows.reverse()), "tile/0/001: hash 0 is not that of entry 256"),
    (bundle(lambda rows: rows.append(rows[0])), "tile/entries/001: .* bytes after"),
    (bundle(lambda rows: rows.pop()), "tile/entries/001: .* ends within entry 255"),
    (GOOD | {"tile/0/000": GOOD["tile/0/001"]}, "tile/0/000: hash 0"),
    (GOOD | {"tile/0/000": GOOD["tile/0/000"][:-1]}, "tile/0/000: A tile of 8191 bytes"),
    (GOOD | {"tile/1/000.p/2": bytes(64)}, "tile/1/000.p/2: hash 0 is not that of tile 0"),
]


@pytest.mark.parametrize(("files", "told"), TABLE, ids=range(len(TABLE)))
def test_what_was_altered_is_named(files: Files, told: str) -> None:
    """What and where."""
    with pytest.raises(StrongroomError, match=told) as raised:
        verify(reading(files), SIGNER.verifier)
    assert isinstance(raised.value, Tampered | CheckFailed)


@pytest.mark.parametrize("path", sorted(GOOD))
def test_a_missing_file_is_named(path: str) -> None:
    """Nothing is taken for granted."""
    with pytest.raises(CheckFailed, match=path):
        verify(reading({name: raw for name, raw in GOOD.items() if name != path}), SIGNER.verifier)


def test_any_flipped_bit_is_found() -> None:
    """Wherever it is: in an entry, a length, a hash, the checkpoint or its signature."""
    chance = random.Random(7)
    for _ in range(300):
        path = chance.choice(sorted(GOOD))
        raw = bytearray(GOOD[path])
        raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
        with pytest.raises((Tampered, Malformed, CheckFailed)):
            verify(reading(GOOD | {path: bytes(raw)}), SIGNER.verifier)


def test_a_partial_tile_that_has_been_replaced_meanwhile() -> None:
    """A log that grows while it is read: the full tile stands in for the partial one."""
    newer = published(entries(768))
    files = newer | {CHECKPOINT: GOOD[CHECKPOINT], "tile/1/000.p/2": GOOD["tile/1/000.p/2"]}
    assert "tile/0/002.p/70" not in files
    assert verify(reading(files), SIGNER.verifier).size == SIZE


@pytest.mark.parametrize("index", [0, 255, 256, SIZE - 1])
def test_proofs(index: int) -> None:
    """A proof carries its entry, and holds for a reader who has nothing but the key."""
    raw = prove(reading(GOOD), SIGNER.verifier, index)
    found, body, checkpoint = check_proof(raw, SIGNER.verifier)
    assert (found, body, checkpoint.size) == (index, entries(SIZE)[index], SIZE)
    with pytest.raises(Tampered):
        check_proof(raw, make_signer().verifier)
    assert index > 0 or _moved(raw)


def _moved(raw: bytes) -> bool:
    with pytest.raises(Tampered):
        check_proof(raw.replace(b"index 0", b"index 1"), SIGNER.verifier)
    return True


def test_no_proof_from_an_altered_log() -> None:
    """Nor of an entry that is not there."""
    with pytest.raises(Tampered):
        prove(reading(bundle(lambda rows: rows.reverse())), SIGNER.verifier, 256)
    with pytest.raises(UsageError):
        prove(reading(GOOD), SIGNER.verifier, SIZE)


def test_export_is_json_by_the_line() -> None:
    """Every entry with its index, verified while it is made."""
    lines = [json.loads(line) for line in export(reading(GOOD), SIGNER.verifier)]
    assert [line["index"] for line in lines] == list(range(SIZE))
    assert lines[7]["entry"] == json.loads(entries(SIZE)[7])
    assert decode(json.dumps(lines[7]["entry"], separators=(",", ":")).encode()).t == 7
    altered = bundle(lambda rows: rows.reverse())
    with pytest.raises(Tampered):
        list(export(reading(altered), SIGNER.verifier))
