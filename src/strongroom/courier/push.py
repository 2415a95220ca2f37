"""Pushing the published log into a locked bucket of the operator's. Reads the log, holds no key of it, blocks nobody.

Every so many minutes a checkpoint, after the tiles and bundles that it needs, under a name of its own: `checkpoints/` and its
size in 20 digits. Everything is put once. A name that is taken is compared: where it holds something else, history was
rewritten, here or there, and that is told each round. Credentials that may only put cannot compare; whoever verifies does.

How far it got is kept in `copy.json`; to lose that costs time alone.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from strongroom.audit.verify import CHECKPOINT, Keys, ReadFile, fetched, parsed_bundle, parsed_tile
from strongroom.clock import MINUTE, Clock
from strongroom.courier.s3 import Lock, LockedBucket
from strongroom.errors import ConfigError, StrongroomError, Tampered, Untrusted
from strongroom.tlog.checkpoint import open_checkpoint
from strongroom.tlog.tile import Tile, render_bundle, render_hashes, tile_nodes, tiles_between
from strongroom.tlog.tree import frontier_at

STATUS = "copy.json"
PREFIX = "checkpoints/"


class Pushed(msgspec.Struct, frozen=True, kw_only=True):
    """How it stands. `state`: pushed, unlocked (pushed, but nothing holds it there), away, refused, differs.

    `size`: entries in the copy; `at` (ms): when they came there. `said`: why it is not well. `days`: of retention.
    """

    state: str
    size: int = 0
    at: int = 0
    said: str = ""
    days: int = 0
    root: str = ""
    """Of the tree of this size, in hex."""


class Pusher:
    """Pushes, round by round."""

    def __init__(
        self,
        read: ReadFile,
        keys: Callable[[], Keys],
        folder: Path,
        bucket: LockedBucket,
        clock: Clock,
        *,
        minutes: int,
        days: int,
    ) -> None:
        """`minutes` between two checkpoints; `days` for which each object is locked."""
        self._read = read
        self._keys = keys
        self._folder = folder
        self._bucket = bucket
        self._clock = clock
        self._minutes = minutes
        self._days = days
        self._lock: Lock | None = None
        self._cannot_tell = ""
        self.standing = read_pushed(folder)

    def round(self) -> Pushed:
        """Push what there is. Never raises for what the bucket does; raises as reading the log does."""
        raw = fetched(self._read, CHECKPOINT)
        checkpoint, now = open_checkpoint(raw, self._keys()), self._clock.now()
        size, before = checkpoint.size, self.standing
        if before.state in {"pushed", "unlocked"} and (size == before.size or now - before.at < self._minutes * MINUTE):
            return before
        try:
            self._check_grown(before if before.root else self._recalled(before), size)
            locked = self._locked()
            for tile in tiles_between(before.size, size):
                self._put(tile.path(), self._content(tile))
            self._put(f"{PREFIX}{size:020}", raw)
        except Untrusted as error:
            self.standing = msgspec.structs.replace(before, state="differs", said=error.message)
        except StrongroomError as error:
            state = "refused" if isinstance(error, ConfigError) else "away"
            self.standing = msgspec.structs.replace(before, state=state, said=error.message)
        else:
            state, said = ("pushed", "") if locked else ("unlocked", self._cannot_tell or _UNLOCKED)
            self.standing = Pushed(state=state, size=size, at=now, said=said, days=self._days if locked else 0,
                                   root=checkpoint.root.hex())  # fmt: skip
        self._keep()
        return self.standing

    def _recalled(self, before: Pushed) -> Pushed:
        """What the copy itself says was pushed last, where we forgot it and may read it. Nothing is left out for that."""
        try:
            names = sorted(one.name for one in self._bucket.kept(PREFIX))
            raw = self._bucket.get(names[-1]) if names else None
        except ConfigError:  # these credentials may not
            return before
        if raw is None:
            return before
        found = open_checkpoint(raw, self._keys())
        return msgspec.structs.replace(before, size=found.size, root=found.root.hex())

    def _check_grown(self, before: Pushed, size: int) -> None:
        """Raises Tampered unless the log extends what was pushed last."""
        if before.size > size:
            msg = f"the copy has {before.size} entries, and we are shown {size}: the log was set back"
            raise Tampered(msg)
        nodes = tile_nodes(size, lambda tile: parsed_tile(self._read, tile))
        if before.root and frontier_at(before.size, nodes).root().hex() != before.root:
            msg = f"our first {before.size} entries are not those that were pushed: history was rewritten, or the log is forked"
            raise Tampered(msg)

    def _locked(self) -> bool:
        """Whether the bucket locks what is put there; asked once, and again while it does not."""
        if self._lock is None or not self._lock.enabled:
            try:
                self._lock, self._cannot_tell = self._bucket.lock(), ""
            except ConfigError as error:
                self._cannot_tell = f"whether the bucket locks objects cannot be told: {error.message}"
                return False
        return self._lock.enabled

    def _put(self, name: str, content: bytes) -> None:
        """Raises Tampered when the name is taken by something else."""
        lock = self._lock
        own = lock is not None and lock.enabled and lock.days < self._days  # else the bucket's default is long enough
        if self._bucket.put(name, content, self._days if own else 0):
            return
        try:
            there = self._bucket.get(name)
        except ConfigError:  # these credentials may not read
            return
        if name.startswith(PREFIX):  # signatures may be others: of a newer key, or made anew
            same = there is not None and there.partition(b"\n\n")[0] == content.partition(b"\n\n")[0]
        else:
            same = there == content
        if not same:
            msg = f"{name} in the copy is another one than ours: history was rewritten, the log is forked, or it was covered"
            raise Tampered(msg)

    def _content(self, tile: Tile) -> bytes:
        if tile.level is None:
            return render_bundle(parsed_bundle(self._read, tile))
        return render_hashes(parsed_tile(self._read, tile))

    def _keep(self) -> None:
        beside = self._folder / f".{STATUS}.new"
        beside.write_bytes(msgspec.json.format(msgspec.json.encode(self.standing)))
        beside.chmod(0o644)
        beside.replace(self._folder / STATUS)


_UNLOCKED = "the bucket has no object lock: whoever has its credentials can empty the copy"


def read_pushed(folder: Path) -> Pushed:
    """How it stood after the last round; nothing pushed where there was none, or what lies there cannot be read."""
    try:
        return msgspec.json.decode((folder / STATUS).read_bytes(), type=Pushed)
    except (OSError, msgspec.MsgspecError):
        return Pushed(state="away", said="nothing was pushed yet")


class Copy:
    """The copy, for whoever verifies: each name's oldest version, and of the checkpoints the largest."""

    def __init__(self, bucket: LockedBucket) -> None:
        """Lists everything. Raises Unavailable, ConfigError, and Tampered when there is no checkpoint."""
        self._bucket = bucket
        self._kept = {one.name: one for one in bucket.kept()}
        self.checkpoints = sorted(name for name in self._kept if name.startswith(PREFIX))
        self.covered = sorted(one.name for one in self._kept.values() if one.covered)
        """What somebody tried to overwrite or delete."""
        if not self.checkpoints:
            msg = "There is no checkpoint in the copy."
            raise Tampered(msg, advice="Is this the right bucket and prefix?")

    def read(self, path: str) -> bytes | None:
        """A file of the log as the newest checkpoint has it."""
        one = self._kept.get(self.checkpoints[-1] if path == CHECKPOINT else path)
        return None if one is None else self._bucket.get(one.name, one.version)

    def earlier(self) -> Iterator[tuple[str, bytes]]:
        """(name, content) of every checkpoint but the newest, the oldest first."""
        for name in self.checkpoints[:-1]:
            raw = self._bucket.get(name, self._kept[name].version)
            if raw is None:
                msg = f"{name} in the copy was listed, and is not given."
                raise Tampered(msg)
            yield name, raw
