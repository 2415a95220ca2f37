"""Verify a published log without the program that wrote it. One file; needs Python 3.11 and `cryptography`, nothing else.

    python3 verify_log.py LOG --key KEY [--since CHECKPOINT] [--proof FILE] [--witness KEY … --quorum N]

LOG is a directory laid out as c2sp.org/tlog-tiles says, KEY the log's public key, or a file that holds it: one a line, where
it was replaced, the newest first, and behind those that are retired the last size that they signed. Keep a copy of
LOG/checkpoint each time, and hand in the last one you kept with --since: only so can a history that was rewritten and
signed anew be told from one that grew.

Exit code 0: all of it holds. 1: something does not, and what and where is said, one line each. 2: wrong command line.

It imports nothing of the project on purpose: `strongroom log export --to` puts it beside the log it verifies, and the
project's own tests hold it against the project's own verifier. Not here: what entries mean.
"""

import argparse
import base64
import hashlib
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

WIDTH = 256
"""Hashes in a full tile, entries in a full bundle."""
HASH = 32
"""Bytes of SHA-256, and of an Ed25519 public key."""
MAX_FILE = WIDTH * (2 + 65_535)
"""Bytes of the largest file a log can have."""
MAX_NOTE = 1_000_000
MAX_FAULTS = 20
"""So many are told; then it stops."""
LOG_KEY, WITNESS_KEY = b"\x01", b"\x04"
"""Signature types of c2sp.org/signed-note: Ed25519, and cosignature/v1."""
STEP = 65_536
"""Entries between two lines of progress."""


class Wrong(Exception):
    """Something does not hold; the message says what and where."""


# ---- signed notes ---------------------------------------------------------------------------------------------------


class Key(NamedTuple):
    """A named public key of one type, as `name+id+base64(type || key)` hands it over."""

    name: str
    kind: bytes
    public: bytes

    @classmethod
    def parse(cls, text: str, kind: bytes) -> "Key":
        """The key in `text`, or in the file of that name."""
        if Path(text).is_file():
            text = Path(text).read_text(encoding="utf-8")
        match = re.fullmatch(r"([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)", text.strip())
        try:
            raw = unbase64(match[3]) if match else b""
        except ValueError:
            raw = b""
        key = cls(match[1] if match else "", raw[:1], raw[1:])
        if match is None or len(key.public) != HASH or key.id.hex() != match[2] or key.kind != kind:
            what = "a witness's" if kind == WITNESS_KEY else "a log's"
            raise Wrong(f"key: this is not {what} public key (name+id+base64, id as the name and key give it)")
        return key

    @property
    def id(self) -> bytes:
        """The first bytes of a hash over name, type and key."""
        return sha256(self.name.encode() + b"\n" + self.kind + self.public)[:4]

    def signed(self, text: str, value: bytes) -> bool:
        """Whether `value`, after its key id, is this key's signature of a note's text."""
        message = text.encode()
        if self.kind == WITNESS_KEY:
            time, value = value[:8], value[8:]
            message = f"cosignature/v1\ntime {int.from_bytes(time, 'big')}\n".encode() + message
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(value, message)
        except InvalidSignature:
            return False
        return True


class Keys(NamedTuple):
    """The keys of one log, the newest first, each with the last size it signed, where it was replaced and retired."""

    name: str
    all: tuple[tuple[Key, int | None], ...]

    @classmethod
    def parse(cls, text: str) -> "Keys":
        """One a line, in `text` or in the file of that name; behind a retired one a space and that size."""
        if Path(text).is_file():
            text = Path(text).read_text(encoding="utf-8")
        found: list[tuple[Key, int | None]] = []
        for line in text.strip().splitlines():
            key, blank, size = line.strip().partition(" ")
            if blank and re.fullmatch(r"[0-9]{1,19}", size) is None:
                raise Wrong("key: behind a retired key stands the last size that it signed")
            found.append((Key.parse(key, LOG_KEY), int(size) if blank else None))
        if len({key.name for key, _ in found}) != 1:
            raise Wrong("key: there is none, or they are of several logs")
        return cls(found[0][0].name, tuple(found))


@dataclass(frozen=True)
class Checkpoint:
    """Size and root of a log at one moment, and who of the asked witnesses cosigned it."""

    size: int
    root: bytes
    witnesses: tuple[str, ...]


def open_checkpoint(raw: bytes, where: str, keys: Keys, witnesses: Sequence[Key] = ()) -> Checkpoint:
    """1. It is a note: text, an empty line, signatures. 2. The log signed it, with a key that was not retired by then.
    3. It is of this log. 4. Who cosigned it.
    """
    # 1.
    try:
        text, blank, tail = raw.decode().rpartition("\n\n")
        *lines, end = tail.split("\n")
        found = [(name, unbase64(value)) for dash, name, value in (line.split(" ") for line in lines) if dash == "—"]
        origin, size, root, *_ = (text := text + "\n").split("\n")
        checkpoint = Checkpoint(int(size), unbase64(root), ())
        good = (
            blank
            and not end
            and len(found) == len(lines)
            and len(checkpoint.root) == HASH
            and str(checkpoint.size) == size
        )
    except ValueError:
        good = False
    if not good or len(raw) > MAX_NOTE or checkpoint.size < 0:
        raise Wrong(f"{where}: it is not a signed checkpoint")
    # 2.
    _check_signed(keys, text, checkpoint.size, found, where)
    # 3.
    if origin != keys.name:
        raise Wrong(f"{where}: it is a checkpoint of another log, {origin}")
    # 4.
    who = []
    for witness in witnesses:
        values = [value[4:] for name, value in found if (name, value[:4]) == (witness.name, witness.id)]
        if not all(witness.signed(text, value) for value in values):
            raise Wrong(f"{where}: the cosignature of {witness.name} does not hold")
        if values:
            who.append(witness.name)
    return Checkpoint(checkpoint.size, checkpoint.root, tuple(who))


def _check_signed(keys: Keys, text: str, size: int, found: Sequence[tuple[str, bytes]], where: str) -> None:
    """Some key of the log signed it, all that did rightly, and not only keys that were retired before `size`."""
    bounds = []
    for key, bound in keys.all:
        values = [value[4:] for name, value in found if (name, value[:4]) == (key.name, key.id)]
        if not all(key.signed(text, value) for value in values):
            raise Wrong(f"{where}: the signature of {key.name} does not hold; text or signature was changed")
        bounds += [bound] * len(values)
    if not bounds:
        names = ", ".join(sorted({name for name, _ in found}))
        raise Wrong(
            f"{where}: it bears no signature of the key you gave, {keys.name} (it is signed by: {names}). Was the log's"
            " key replaced? Then ask for the new one, and for the proof that the old one names it"
        )
    if all(bound is not None and size > bound for bound in bounds):
        raise Wrong(f"{where}: only a key signed it that was retired before there were {size} entries")


def unbase64(text: str) -> bytes:
    """Base64 in its one canonical spelling. Raises ValueError."""
    raw = base64.b64decode(text, validate=True)
    if base64.b64encode(raw).decode() != text:
        raise ValueError
    return raw


# ---- the tree (RFC 6962) --------------------------------------------------------------------------------------------


def sha256(data: bytes) -> bytes:
    """The one hash of all this."""
    return hashlib.sha256(data).digest()


def node(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node."""
    return sha256(b"\x01" + left + right)


class Tree:
    """Grows by leaf hashes; keeps the roots of its full subtrees only, largest first, as (level, hash)."""

    def __init__(self) -> None:
        self.size = 0
        self.peaks: list[tuple[int, bytes]] = []

    def add(self, leaf: bytes) -> list[tuple[int, bytes]]:
        """Take one more leaf hash. Gives the hashes that belong into tiles now: (level of the tile, hash)."""
        level, value, tiled = 0, leaf, [(0, leaf)]
        while self.peaks and self.peaks[-1][0] == level:
            value = node(self.peaks.pop()[1], value)
            level += 1
            if level % 8 == 0:
                tiled.append((level // 8, value))
        self.peaks.append((level, value))
        self.size += 1
        return tiled

    def root(self) -> bytes:
        """The root hash at this size."""
        value = self.peaks[-1][1] if self.peaks else sha256(b"")
        for _, peak in reversed(self.peaks[:-1]):
            value = node(peak, value)
        return value


def root_by_path(index: int, size: int, leaf: bytes, path: Sequence[bytes]) -> bytes:
    """The root that an inclusion proof leads to (RFC 9162, 2.1.3.2); empty when the path is too long or too short."""
    at, last, value = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return b""
        if at & 1 or at == last:
            value = node(sibling, value)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            value = node(value, sibling)
        at, last = at >> 1, last >> 1
    return value if last == 0 else b""


# ---- the files (c2sp.org/tlog-tiles) --------------------------------------------------------------------------------


class Files:
    """The files of a log of `size` entries."""

    def __init__(self, root: Path, size: int) -> None:
        self.root = root
        self.size = size

    def read(self, kind: str, index: int) -> tuple[str, bytes, int]:
        """(path, bytes, how many hashes or entries of it count) of tile `index`; of the full one where it is there."""
        level = 0 if kind == "entries" else int(kind)
        width = min((self.size >> 8 * level) - index * WIDTH, WIDTH)
        digits = f"{index:03}" if index < 1000 else f"{index:0{-(-len(str(index)) // 3) * 3}}"  # noqa: PLR2004
        groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
        full = f"tile/{kind}/" + "".join(f"x{group}/" for group in groups[:-1]) + groups[-1]
        for path in (full,) if width == WIDTH else (f"{full}.p/{width}", full):
            try:
                with (self.root / path).open("rb") as file:
                    raw = file.read(MAX_FILE + 1)
            except (FileNotFoundError, NotADirectoryError):
                continue
            if len(raw) > MAX_FILE:
                raise Wrong(f"{path}: it is larger than any file of a log")
            return path, raw, width
        path = full if width == WIDTH else f"{full}.p/{width}"
        raise Wrong(f"{path}: the file is missing")

    def hashes(self, level: int, index: int) -> tuple[str, list[bytes]]:
        """(path, hashes) of a tile."""
        path, raw, width = self.read(str(level), index)
        there = WIDTH if ".p/" not in path else width
        if len(raw) != HASH * there:
            raise Wrong(f"{path}: it has {len(raw)} bytes, and {there} hashes have {HASH * there}")
        return path, [raw[at : at + HASH] for at in range(0, HASH * width, HASH)]

    def entries(self, index: int) -> tuple[str, list[bytes]]:
        """(path, entries) of a bundle."""
        path, raw, width = self.read("entries", index)
        there, at, found = WIDTH if ".p/" not in path else width, 0, []
        for number in range(there):
            end = at + 2 + int.from_bytes(raw[at : at + 2], "big")
            if end > len(raw):
                raise Wrong(f"{path}: it ends within entry {index * WIDTH + number}")
            found.append(raw[at + 2 : end])
            at = end
        if at != len(raw):
            raise Wrong(f"{path}: {len(raw) - at} bytes stand behind its last entry, {index * WIDTH + there - 1}")
        return path, found[:width]


# ---- what is verified -----------------------------------------------------------------------------------------------


class Walk:
    """One pass over a log. Reads each file once; keeps one tile of each level in memory. `say` is told every fault.

    1. Each bundle holds its entries, whole, and nothing more.
    2. Each tile of level 0 holds the hashes of these entries, each higher one those of full tiles below it.
    3. At the size of the earlier checkpoint the tree had the earlier root.
    4. At the end it has the root that is signed.
    """

    def __init__(self, root: Path, now: Checkpoint, since: Checkpoint | None, say: Callable[[str], None]) -> None:
        self.files = Files(root, now.size)
        self.now = now
        self.since = since
        self.tree = Tree()
        self.faults = 0
        self._say = say
        self._waiting: dict[int, list[bytes]] = {}

    def run(self, progress: Callable[[int], None]) -> int:
        """How many faults there are."""
        for index in range(-(-self.now.size // WIDTH)):
            for leaf in self._leaves(index):  # 1.
                self._check_since()
                for level, value in self.tree.add(leaf):
                    self._waiting.setdefault(level, []).append(value)
            for level in sorted(self._waiting):  # 2.
                if len(self._waiting[level]) == WIDTH or self.tree.size == self.now.size:
                    self._compare(level, self._waiting.pop(level))
            if index * WIDTH % STEP == 0:
                progress(self.tree.size)
        self._check_since()
        # 4.
        if not self.faults and self.tree.root() != self.now.root:
            self._fault(
                f"checkpoint: all {self.now.size} entries and tiles agree with each other, but not with the signed root:"
                " they were replaced together, or the checkpoint is of another time"
            )
        return self.faults

    def _fault(self, text: str) -> None:
        self.faults += 1
        self._say(text)

    def _leaves(self, index: int) -> list[bytes]:
        """The leaf hashes of a bundle; of its tile where it cannot be read. Without either, this is the end."""
        try:
            return [sha256(b"\x00" + entry) for entry in self.files.entries(index)[1]]
        except Wrong as wrong:
            self._fault(str(wrong))
            return self.files.hashes(0, index)[1]

    def _check_since(self) -> None:
        """3."""
        if self.since is not None and self.tree.size == self.since.size and self.tree.root() != self.since.root:
            self._fault(
                f"checkpoint: the first {self.since.size} entries are not those of the earlier checkpoint: history was"
                " rewritten, or one of the two is of a fork. Keep both; together they prove it"
            )
            self.since = None

    def _compare(self, level: int, mine: list[bytes]) -> None:
        """Compare a tile. Where it differs from the entries, what stands above it tells which of the two was changed."""
        index = ((self.tree.size >> 8 * level) - len(mine)) // WIDTH
        try:
            path, theirs = self.files.hashes(level, index)
        except Wrong as wrong:
            self._fault(str(wrong))
            return
        differing = [at for at, (one, other) in enumerate(zip(mine, theirs, strict=True)) if one != other]
        if level == 0 and differing and self._is_signed(index, theirs):
            bundle, _ = self.files.entries(index)
            for at in differing:
                self._fault(f"{bundle}: entry {index * WIDTH + at} is not the one that was logged")
            return
        for at in differing:
            below = f"entry {index * WIDTH + at}" if level == 0 else f"tile {index * WIDTH + at} of level {level - 1}"
            self._fault(f"{path}: hash {at} is not that of {below}")

    def _is_signed(self, index: int, hashes: list[bytes]) -> bool:
        """Whether the hashes of a tile of level 0 lead to what stands above them: the next tile, or the signed root."""
        tree = Tree()
        tree.size = index * WIDTH
        tree.peaks = [] if len(hashes) == WIDTH else [peak for peak in self.tree.peaks if peak[0] >= 8]  # noqa: PLR2004
        for value in hashes:
            tree.add(value)
        if len(hashes) < WIDTH:
            return tree.root() == self.now.root
        try:
            return self.files.hashes(1, index // WIDTH)[1][index % WIDTH] == tree.root()
        except Wrong:
            return False


def verify_proof(raw: bytes, where: str, keys: Keys, witnesses: Sequence[Key], quorum: int) -> str:
    """A proof file (c2sp.org/tlog-proof) with the entry in its `extra` line; a sentence that says what it proves."""
    head, _, note = raw.partition(b"\n\n")
    lines = head.decode(errors="replace").split("\n")
    try:
        extra, index = lines[1].removeprefix("extra "), int(lines[2].removeprefix("index "))
        entry, path = (
            base64.b64decode(extra, validate=True),
            [base64.b64decode(one, validate=True) for one in lines[3:]],
        )
        good = lines[0] == "c2sp.org/tlog-proof@v1" and lines[2] == f"index {index}" and index >= 0
    except (ValueError, IndexError):
        good = False
    if not good:
        raise Wrong(f"{where}: it is not a proof file with the entry in it")
    checkpoint = open_checkpoint(note, where, keys, witnesses)
    _check_quorum(checkpoint, where, quorum)
    leaf = sha256(b"\x00" + entry)
    if index >= checkpoint.size or root_by_path(index, checkpoint.size, leaf, path) != checkpoint.root:
        raise Wrong(
            f"{where}: it does not lead from entry {index} to the signed root; entry, index or path was changed"
        )
    return f"{where}: entry {index} is in the log of {checkpoint.size} entries:\n{entry.decode(errors='replace')}"


def _check_quorum(checkpoint: Checkpoint, where: str, quorum: int) -> None:
    if len(checkpoint.witnesses) < quorum:
        names = ", ".join(checkpoint.witnesses) or "none"
        raise Wrong(f"{where}: {quorum} of the witnesses must have cosigned it, and these have: {names}")


# ---- the command ----------------------------------------------------------------------------------------------------


def main(arguments: Sequence[str]) -> int:
    """Run the command; the exit code."""
    parser = argparse.ArgumentParser(description="Verify a published log (c2sp.org/tlog-tiles).")
    parser.add_argument("log", nargs="?", type=Path, help="directory of the log; may be left out with --proof")
    parser.add_argument("--key", required=True, help="the log's public key, or a file with all it had")
    parser.add_argument("--since", type=Path, help="a checkpoint you kept earlier: the log must have grown from it")
    parser.add_argument("--proof", type=Path, help="verify this proof of one entry, too")
    parser.add_argument("--witness", action="append", default=[], help="public key of a witness, or a file with it")
    parser.add_argument("--quorum", type=int, help="how many of the witnesses must have cosigned. Default: all given")
    asked = parser.parse_args(arguments)
    if asked.log is None and asked.proof is None:
        parser.error("name the directory of a log, or a proof")
    try:
        keys = Keys.parse(asked.key)
        witnesses = [Key.parse(one, WITNESS_KEY) for one in dict.fromkeys(asked.witness)]
        quorum = len(witnesses) if asked.quorum is None else asked.quorum
        if asked.proof is not None:
            print(verify_proof(asked.proof.read_bytes(), str(asked.proof), keys, witnesses, quorum))
        return 0 if asked.log is None else _whole(asked.log, keys, asked.since, witnesses, quorum)
    except Wrong as wrong:
        print(f"DOES NOT HOLD: {wrong}")
    except OSError as error:
        print(f"DOES NOT HOLD: {error.filename}: it cannot be read ({error.strerror})")
    return 1


def _whole(root: Path, keys: Keys, earlier: Path | None, witnesses: Sequence[Key], quorum: int) -> int:
    now = open_checkpoint((root / "checkpoint").read_bytes(), "checkpoint", keys, witnesses)
    _check_quorum(now, "checkpoint", quorum)
    since = None if earlier is None else open_checkpoint(earlier.read_bytes(), str(earlier), keys)
    if since is not None and since.size > now.size:
        raise Wrong(f"checkpoint: the log had {since.size} entries, and has {now.size} now: it was set back")

    def progress(done: int) -> None:
        if now.size > STEP:
            print(f"  {done} of {now.size} entries", file=sys.stderr, flush=True)

    def say(fault: str) -> None:
        print(f"DOES NOT HOLD: {fault}", flush=True)
        if walk.faults == MAX_FAULTS:
            raise Wrong(f"there may be more; stopped after {MAX_FAULTS}")

    walk = Walk(root, now, since, say)
    if walk.run(progress):
        return 1
    grown = "" if since is None else f" It grew from the {since.size} entries of the earlier checkpoint."
    seen = f" Cosigned by {', '.join(now.witnesses)}." if now.witnesses else ""
    print(f"The log {keys.name} holds: {now.size} entries, root {now.root.hex()}.{grown}{seen}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
