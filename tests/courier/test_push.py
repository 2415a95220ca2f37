"""The log's copy: pushed once, held against what was pushed before, and true to what is signed, on a real S3 server."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from strongroom.audit.verify import CHECKPOINT, verify
from strongroom.clock import MINUTE, ManualClock
from strongroom.courier.push import STATUS, Copy, Pushed, Pusher, read_pushed
from strongroom.courier.s3 import Lock, LockedBucket
from strongroom.errors import ConfigError, Tampered, Unavailable
from strongroom.wiring.copied import verify_copy
from tests.audit.test_verify import SIGNER, Files, entries, published
from tests.courier.test_s3 import _closing, locked, opened  # noqa: F401  # the fixture closes

FIVE, TWENTY, LONG = (published(entries(size)) for size in (5, 20, 600))
FORK = published([*entries(3), b'{"op":"stopped","t":77}', *entries(619)[4:]])


class World:
    """A log that grows, and its pusher."""

    def __init__(self, bucket: LockedBucket, folder: Path, *, days: int = 1) -> None:
        self.bucket = bucket
        self.folder = folder
        self.clock = ManualClock()
        self.files: Files = FIVE
        self.pusher = self.again(days)

    def read(self, path: str) -> bytes | None:
        """Of the log as it is now."""
        return self.files.get(path)

    def again(self, days: int = 1) -> Pusher:
        """As after a start."""
        self.pusher = Pusher(
            self.read, lambda: SIGNER.verifier, self.folder, self.bucket, self.clock,
            minutes=5, days=days,
        )  # fmt: skip
        return self.pusher

    def push(self, files: Files) -> Pushed:
        """One round upon these files, when its time has come."""
        self.files = files
        self.clock.advance(5 * MINUTE)
        return self.pusher.round()


def _raising(error: Exception) -> Callable[..., object]:
    def fail(*_: object) -> object:
        raise error

    return fail


@pytest.fixture
def world(s3_port: int, tmp_path: Path) -> World:
    """Over a locked bucket."""
    return World(locked(s3_port), tmp_path)


def test_a_log_is_pushed_as_it_grows(world: World) -> None:
    """Only so often, only once, each checkpoint kept; the copy verifies, and our log extends it; a start goes on."""
    assert read_pushed(world.folder).state == "away"
    first = world.push(FIVE)
    assert (first.state, first.size, first.days) == ("pushed", 5, 1)
    world.files = TWENTY
    assert world.pusher.round() == first  # not yet its time
    assert world.push(TWENTY).size == 20
    world.again()
    assert world.push(TWENTY).size == 20
    (world.folder / STATUS).unlink()
    world.again()  # it has forgotten everything, and puts all of it once more
    assert world.push(LONG).size == 600
    assert read_pushed(world.folder) == world.pusher.standing
    copy = Copy(world.bucket)
    assert copy.checkpoints == [f"checkpoints/{size:020}" for size in (5, 20, 600)]
    assert copy.covered == []
    verdict = verify_copy(copy, SIGNER.verifier, LONG.get)
    assert (verdict.checkpoint.size, verdict.checkpoints, verdict.local, verdict.faults) == (600, 3, 600, ())
    assert verify_copy(copy, SIGNER.verifier, None).local is None


@pytest.mark.parametrize(
    ("files", "words"),
    [(TWENTY, "set back"), (FORK, "rewritten"), ({}, "missing"), (LONG | {"tile/1/000.p/2": b""}, "tile/1/000")],
)
def test_a_local_log_that_is_another_is_told(world: World, files: Files, words: str) -> None:
    """Set back, forked, gone or damaged: the copy holds, and says so."""
    world.push(LONG)
    verdict = verify_copy(Copy(world.bucket), SIGNER.verifier, files.get)
    assert verdict.checkpoint.size == 600
    assert [words in one for one in verdict.faults] == [True]


def test_a_rewritten_log_is_not_pushed_over_the_old_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The names are taken by something else: told each round, and the copy stays as it was."""
    world.push(LONG)
    told = world.push(FORK)
    assert (told.state, told.size) == ("differs", 600)
    assert "not those that were pushed" in told.said
    assert world.push(FORK).state == "differs"
    (world.folder / STATUS).unlink()
    world.again()  # it has forgotten what it pushed, and the copy has not
    told = world.push(FORK)
    assert (told.state, told.size) == ("differs", 0)
    monkeypatch.setattr(world.bucket, "kept", _raising(ConfigError("AccessDenied")))
    world.again()  # nor may it list what is there: the names are taken
    told = world.push(FORK)
    assert told.state == "differs"
    assert "another one than ours" in told.said
    monkeypatch.undo()
    assert verify_copy(Copy(world.bucket), SIGNER.verifier, FORK.get).faults
    assert verify_copy(Copy(world.bucket), SIGNER.verifier, LONG.get).faults == ()
    world.again()
    world.push(LONG)
    assert "set back" in world.push(TWENTY).said
    assert "set back" in verify_copy(Copy(world.bucket), SIGNER.verifier, TWENTY.get).faults[0]


def test_what_is_laid_over_the_copy_changes_nothing_and_is_seen(world: World) -> None:
    """Somebody with the credentials puts and deletes over what is there: the first versions are read, the names told."""
    world.push(FIVE)
    world.push(LONG)
    for name in ("tile/0/000", "tile/entries/001", f"checkpoints/{600:020}"):
        world.bucket._ask("PUT", name, body=b"forged")
        world.bucket._ask("DELETE", name)
    copy = Copy(world.bucket)
    assert copy.covered == [f"checkpoints/{600:020}", "tile/0/000", "tile/entries/001"]
    verdict = verify_copy(copy, SIGNER.verifier, LONG.get)
    assert (verdict.checkpoint.size, verdict.faults, verdict.covered) == (600, (), tuple(copy.covered))


def test_an_earlier_checkpoint_of_another_history_is_told(world: World) -> None:
    """Whoever had the log's key and the bucket's put one there; and one that is none. What came before us stops the pushing."""
    world.push(LONG)
    world.bucket.put(f"checkpoints/{580:020}", published(entries(579) + entries(1))[CHECKPOINT], 1)
    world.bucket.put(f"checkpoints/{7:020}", b"nonsense", 1)
    faults = verify_copy(Copy(world.bucket), SIGNER.verifier, LONG.get).faults
    assert [one.split()[0] for one in faults] == [f"checkpoints/{7:020}", f"checkpoints/{580:020}"]
    world.bucket.put(f"checkpoints/{900:020}", b"nonsense", 1)
    (world.folder / STATUS).unlink()
    world.again()
    assert world.push(LONG).state == "differs"


@pytest.mark.parametrize(("default", "asked"), [(0, 7), (6, 7), (7, 0), (30, 0)])
def test_a_default_that_is_long_enough_needs_no_right_to_lock(
    world: World, monkeypatch: pytest.MonkeyPatch, default: int, asked: int
) -> None:
    """Credentials that may not set a retention can push where the bucket does it; else each object has ours."""
    found: set[int] = set()
    put = world.bucket.put

    def seen(name: str, content: bytes, days: int) -> bool:
        found.add(days)
        return put(name, content, 1)

    monkeypatch.setattr(world.bucket, "put", seen)
    monkeypatch.setattr(world.bucket, "lock", lambda: Lock(enabled=True, days=default))
    world.again(7)
    assert world.push(FIVE).state == "pushed"
    assert found == {asked}


def test_a_bucket_without_a_lock_is_used_and_told(s3_port: int, tmp_path: Path) -> None:
    """It is better than nothing, and said each time; it is asked again, should it be another bucket by then."""
    world = World(opened(s3_port, "docs", f"{tmp_path.name}/"), tmp_path)
    told = world.push(FIVE)
    assert (told.state, told.size) == ("unlocked", 5)
    assert "no object lock" in told.said
    assert verify(Copy(world.bucket).read, SIGNER.verifier).size == 5


def test_what_the_bucket_does_not_do(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Away, refusing, not telling of its lock, not letting us read: each is a state, and the next round goes on."""
    with monkeypatch.context() as patch:
        patch.setattr(world.bucket, "put", _raising(Unavailable("away")))
        assert world.push(FIVE).state == "away"
        patch.setattr(world.bucket, "put", _raising(ConfigError("no")))
        assert world.push(FIVE).state == "refused"
    with monkeypatch.context() as patch:
        patch.setattr(world.bucket, "lock", _raising(ConfigError("AccessDenied")))
        world.again()
        told = world.push(FIVE)
        assert (told.state, told.size) == ("unlocked", 5)
        assert "cannot be told" in told.said
    (world.folder / STATUS).unlink()
    with monkeypatch.context() as patch:
        patch.setattr(world.bucket, "get", _raising(ConfigError("AccessDenied")))
        world.again()
        assert world.push(FIVE).state == "pushed"
        patch.setattr(world.bucket, "lock", lambda: Lock(enabled=True))
        assert world.push(TWENTY).size == 20


def test_a_bucket_without_a_checkpoint_is_no_copy(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor one that lists a checkpoint and does not give it."""
    with pytest.raises(Tampered):
        Copy(world.bucket)
    world.push(FIVE)
    world.push(TWENTY)
    copy = Copy(world.bucket)
    assert copy.read("tile/9/999") is None
    monkeypatch.setattr(world.bucket, "get", lambda *_: None)
    with pytest.raises(Tampered):
        list(copy.earlier())
    shutil.rmtree(world.folder)
