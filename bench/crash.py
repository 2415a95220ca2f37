"""Processes are killed and machines lose power, under load: everything that was acknowledged must hold.

Kills: honest people work on a running store (`load.py`); its processes are ended by SIGKILL, at every named moment
(`dying.py`) and at random ones, one or all at once, and are started again by the supervisor as always. Now and then all are
ended together, and a copy of what they left is examined (`aftermath.py`).

Power losses: the same people work while every file operation is recorded (`disk.py`); then states that the disk may have
been in, at moments of the record, are laid out and examined.

All of it is done in the lives of several stores, one after the other: an examination reads a store's whole log and every
version, and a store that has lived long would leave no time for anything else.
"""

import asyncio
import random
import shutil
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench import disk
from bench.aftermath import examine
from bench.dying import ARMED, MOMENTS, Moment
from bench.load import Crowd, Told, Upload
from bench.progress import Progress
from bench.report import Figure, Goal
from strongroom.rehearse.stage import StageOptions
from strongroom.wiring.stage import RunningStage, open_stage
from strongroom.wiring.supervisor import LAUNCHER, PROGRAMS

from . import Part, Scale

PATIENCE = 60.0
"""Seconds for a process to pass its moment, or for the store to answer again: far above what either takes."""
NONE = Goal("value", "==", 0)


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done. `moments`: of those that have a name, all or so many."""

    kills: int
    losses: int
    lives: int = 1
    """Stores that all this is done to, one after the other."""
    seconds: float = 6.0
    """Of the recording in each life."""
    moments: int | None = None
    lies: int = 0
    """Power losses of a disk that says synced and is not, in each life: whether the examination notices."""
    every: int = 10
    """Rounds of kills between two examinations."""

    def share(self, part: Part) -> "Size":
        """What of it is done in one part, or in one life."""
        return replace(self, kills=part.share(self.kills), losses=part.share(self.losses),
                       lives=max(1, part.share(self.lives)))  # fmt: skip


SIZES = {"small": Size(30, 10, lies=2), "full": Size(1_000, 200, lives=20, lies=1, every=25)}


@dataclass(slots=True)
class Found:
    """What was done, and what did not hold."""

    told: Told = field(default_factory=Told)
    kills: int = 0
    losses: int = 0
    examined: int = 0
    restarts: list[float] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    caught: list[str] = field(default_factory=list)
    """What did not hold on a disk that lied."""

    def add(self, other: "Found") -> None:
        """What was found in another life."""
        self.told.add(other.told)
        self.kills += other.kills
        self.losses += other.losses
        self.examined += other.examined
        self.restarts += other.restarts
        self.broken += other.broken
        self.caught += other.caught


def run(scale: Scale) -> Iterable[Figure]:
    """As every bench. What does not hold is printed to standard error, a line each."""
    part = Part.asked()
    size = SIZES[scale].share(part)
    found = crash(size, seed=2_025 + part.number)
    for line in found.broken:
        print(f"crash: {line}", file=sys.stderr)
    told = found.told
    yield Figure("processes killed", found.kills, "", goal=Goal("value", ">=", size.kills))
    yield Figure("power losses", found.losses, "", goal=Goal("value", ">=", size.losses))
    yield Figure("states examined", found.examined, "")
    yield Figure("acknowledged releases and listings", len(told.released) + len(told.listed), "")
    yield Figure("acknowledged uploads", len(told.uploads), "")
    yield Figure("acknowledged deletions", len(told.deleted), "")
    yield Figure("from kill to service, median", statistics.median(found.restarts or [0.0]), "s")
    yield Figure("from kill to service, longest", max(found.restarts, default=0.0), "s")
    yield Figure("promises broken", len(found.broken), "", goal=NONE)
    yield Figure("found broken on a disk that lies", len(found.caught), "", goal=Goal("value", ">=", 1))


def crash(size: Size, seed: int) -> Found:
    """All of it."""
    whole, dice = Found(), random.Random(seed)
    progress = Progress("kills and power losses", size.kills + size.losses)
    for number in range(size.lives):
        whole.add(_live(size.share(Part(number + 1, size.lives)), dice))
        progress.at(whole.kills + whole.losses)
    return whole


def _live(size: Size, dice: random.Random) -> Found:
    """On one store: power losses first, while its log is short."""
    found = Found()
    with tempfile.TemporaryDirectory(prefix="strongroom-crash-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        launcher = (sys.executable, str(Path(__file__).with_name("dying.py")), str(folder), *LAUNCHER[3:])
        with open_stage(StageOptions(patients=20, decoys=4), launcher=launcher) as stage:
            if size.losses:
                _lose(stage, folder, size, found, dice)
                _start_again(stage, launcher)
            asyncio.run(_kill(stage, folder, size, found, dice))
    found.broken += found.told.violations
    return found


def _start_again(stage: RunningStage, launcher: tuple[str, ...]) -> None:
    """Its processes, started in another way."""
    stage.stop()
    stage.supervisor.children.clear()
    stage.supervisor.launcher = launcher
    stage.start()


# ---- kills ----------------------------------------------------------------------------------------------------------


async def _kill(stage: RunningStage, folder: Path, size: Size, found: Found, dice: random.Random) -> None:
    plan: list[Moment | None] = list(MOMENTS)
    dice.shuffle(plan)
    del plan[size.moments :]
    number, seen = 0, len(found.told.uploads)
    async with _at_work(stage, found.told, dice) as crowd:
        while plan or found.kills < size.kills:
            number += 1
            moment = plan.pop() if plan else None
            if moment is None:
                await asyncio.sleep(dice.random())
                found.kills += _end(stage, dice.sample(PROGRAMS, dice.choice((1, 1, 1, 2, 3))))
            elif await _ended_at(moment, stage, folder):
                found.kills += 1 + moment.at_start
            else:
                found.broken.append(f"the moment {moment.name} was never passed")
            await _serves(crowd, found)
            if number % size.every == 0 or (not plan and found.kills >= size.kills - len(PROGRAMS)):
                await asyncio.sleep(0.5)
                copy = folder / f"copy-{number}"
                found.kills += _end(stage, PROGRAMS)
                told = _copied(stage, copy, found.told)
                found.broken += [f"after kill {number}: {line}" for line in
                                 await asyncio.to_thread(examine, copy, told, told.uploads[seen:])]  # fmt: skip
                seen, found.examined = len(told.uploads), found.examined + 1
                shutil.rmtree(copy)
                await _serves(crowd, found)


@asynccontextmanager
async def _at_work(stage: RunningStage, told: Told, dice: random.Random) -> AsyncIterator[Crowd]:
    """People at work, and the supervisor watching."""
    crowd = Crowd(stage, told, dice.randrange(2**32))
    tending = asyncio.get_running_loop().create_task(_tend(stage))
    crowd.start()
    try:
        yield crowd
    finally:
        await crowd.stop()
        tending.cancel()


async def _tend(stage: RunningStage) -> None:
    while True:
        stage.supervisor.mend()
        await asyncio.sleep(0.05)


def _end(stage: RunningStage, programs: Iterable[str]) -> int:
    """SIGKILL; gives how many. The supervisor is told that these are no failures, or it would wait longer each time."""
    count = 0
    for child in stage.supervisor.children:
        child.failures = 0
        if child.name in programs and child.process is not None:
            child.process.send_signal(signal.SIGKILL)
            count += 1
    return count


async def _ended_at(moment: Moment, stage: RunningStage, folder: Path) -> bool:
    """Whether a process ended itself there."""
    [child] = [child for child in stage.supervisor.children if child.name == moment.program]
    armed = folder / ARMED
    armed.write_text(moment.name)
    if moment.at_start:
        before = child.process
        _end(stage, [moment.program])
        await _until(lambda: child.process is not None and child.process is not before)
    process = child.process
    ended = await _until(lambda: child.process is not process or (process is not None and process.poll() is not None))
    armed.unlink()
    child.failures = 0
    return ended


async def _serves(crowd: Crowd, found: Found) -> None:
    began = time.monotonic()
    while not await crowd.answers():
        if time.monotonic() - began > PATIENCE:
            found.broken.append("the store did not come back")
            return
        await asyncio.sleep(0.05)
    found.restarts.append(time.monotonic() - began)


async def _until(done: Callable[[], bool]) -> bool:
    end = time.monotonic() + PATIENCE
    while not done():
        if time.monotonic() > end:
            return False
        await asyncio.sleep(0.02)
    return True


def _copied(stage: RunningStage, target: Path, told: Told) -> Told:
    """A copy of what the processes left that were ended, and what people had been told. Nothing else runs meanwhile."""
    for child in stage.supervisor.children:
        if child.process is not None:
            child.process.wait()
    so_far = told.until(time.time())
    shutil.copytree(stage.root, target, ignore=shutil.ignore_patterns("*.sock"))
    return so_far


# ---- power losses ---------------------------------------------------------------------------------------------------


def _lose(stage: RunningStage, folder: Path, size: Size, found: Found, dice: random.Random) -> None:
    stage.stop()
    base, record = folder / "base", folder / "record"
    shutil.copytree(stage.root, base, ignore=shutil.ignore_patterns("*.sock"))
    record.mkdir()
    told = found.told
    _start_again(stage, (*disk.recording(record), *LAUNCHER))
    asyncio.run(_record(stage, found, dice, size.seconds))
    stage.stop()
    calls = disk.read(record)
    for _ in range(size.losses):
        found.broken += lost(stage.root, base, calls, told, told.uploads, dice)
        found.losses, found.examined = found.losses + 1, found.examined + 1
    for _ in range(size.lies):
        found.caught += lost(stage.root, base, calls, told, told.uploads, dice, lying=True)
    shutil.rmtree(base)
    shutil.rmtree(record)


async def _record(stage: RunningStage, found: Found, dice: random.Random, seconds: float) -> None:
    async with _at_work(stage, found.told, dice):
        await asyncio.sleep(seconds)


def lost(
    root: Path,
    base: Path,
    calls: list[disk.Call],
    told: Told,
    fresh: list[Upload],
    dice: random.Random,
    *,
    lying: bool = False,
) -> list[str]:
    """What does not hold when power is lost at some moment of a record; at its end, if the disk lies."""
    call = dice.choice(
        [one for one in calls if one.name in {"fsync", "fdatasync", "pwrite64", "write", "rename", "link"}]
    )
    moment = dice.choice((call.start, call.end, call.end + 1e-6, dice.uniform(call.start, call.end)))
    if lying:  # when all that people were told is on such a disk; at an early moment there may be nothing to lose yet
        moment = max(one.end for one in calls) + 1e-6
    with tempfile.TemporaryDirectory(prefix="strongroom-power-") as name:
        target = Path(name) / "store"
        one = disk.Disk(root, base, lying=lying)
        one.play(calls, moment)
        one.lose_power(target, dice)
        so_far = told.until(moment)
        broken = examine(target, so_far, [one for one in fresh if one.at < moment])
    return [f"after power was lost at {moment:.6f}: {line}" for line in broken]
