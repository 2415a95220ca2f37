"""One fault after the other: asked before, during, and after it."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.faults.asking import PAUSE, People
from bench.faults.fault import KINDS, Fault, Kind, Row, Tally
from bench.faults.scene import Scene

Say = Callable[[str], None]
SETTLED = 60.0
"""Seconds within which a store must be well before a fault begins."""
HEALING = 120.0
"""Seconds within which everything must be served again."""
_NAMES = re.compile(r"\b(request|receipt) [A-Za-z0-9-]+")
AT_ONCE = 2
"""People who ask for one kind at the same time."""


async def measure(fault: Fault, scene: Scene, people: People) -> Row:
    """One row of the table."""
    broken: list[str] = []
    if await _until_served(people, SETTLED) is None:
        broken.append("the store was not well before")
    start, tally, ended = scene.log.stat().st_size, Tally(), asyncio.Event()
    asking = [asyncio.create_task(_keep_asking(people, kind, ended, tally)) for kind in KINDS for _ in range(AT_ONCE)]
    injured = fault.injure(scene)
    await asyncio.to_thread(injured.__enter__)  # in a thread: a server that is started again takes its time
    try:
        await asyncio.sleep(fault.seconds)
        await _until_seen(fault, tally, scene.log, start)
    finally:
        await asyncio.to_thread(injured.__exit__, None, None, None)
    healed = await _until_served(people, HEALING)
    ended.set()
    await asyncio.gather(*asking)
    line = _telling(_said(scene.log, start), fault.says)
    if healed is None:
        broken.append(f"it was not healed within {HEALING:.0f} s")
    broken += [*tally.wrong, *_never_refused(fault, tally)]
    if fault.says and not re.search(fault.says, line):
        broken.append("no line of the log says what to do")
    seen = {str(kind): one for kind, one in tally.seen.items()}
    return Row(
        part=fault.part,
        how=fault.how,
        seen=seen,
        healed=healed,
        log=line,
        broken=broken,
        surprises=_surprises(fault, tally),
    )


async def measure_all(faults: Sequence[Fault], scene: Scene, people: People, say: Say) -> list[Row]:
    """All rows; up to the one that is not healed: what comes after would be measured of a broken store."""
    rows: list[Row] = []
    for fault in faults:
        rows.append(row := await measure(fault, scene, people))
        wrong = row.broken + row.surprises
        say(f"{row.name}: refused {row.refused}, {row.slowest:.2f} s; healed after {row.healed} s; {wrong or 'holds'}")
        if rows[-1].healed is None:
            break
    return rows


async def _keep_asking(people: People, kind: Kind, ended: asyncio.Event, tally: Tally) -> None:
    while not ended.is_set():
        tally.take(await people.ask(kind))
        await asyncio.sleep(PAUSE)


async def _until_served(people: People, limit: float) -> float | None:
    """Seconds until everything was served; and was so once more."""
    began = time.monotonic()
    while (since := time.monotonic() - began) < limit:
        if await people.all_served():
            since = time.monotonic() - began
            if await people.all_served():
                return since
        await asyncio.sleep(0.05)
    return None


async def _until_seen(fault: Fault, tally: Tally, log: Path, start: int) -> None:
    """On a machine with much to do the first answer may be long in coming. What heals by itself is not waited for."""
    end = time.monotonic() + (SETTLED if fault.seconds else 0.0)
    while time.monotonic() < end:
        if not _never_refused(fault, tally) and re.search(fault.says, _said(log, start)):
            return
        await asyncio.sleep(0.05)


def _said(log: Path, start: int) -> str:
    """What the programs said since, ids left out."""
    text = log.read_bytes()[start:].decode(errors="replace")
    return _NAMES.sub(lambda found: f"{found[1]} …", text)


def _never_refused(fault: Fault, tally: Tally) -> list[str]:
    return [f"{kind} was never refused" for kind in KINDS if kind in fault.refused and not _refusals(tally, kind)]


def _surprises(fault: Fault, tally: Tally) -> list[str]:
    return [
        f"{kind} was refused: {tally.seen[kind].answers}, {tally.seen[kind].said}"
        for kind in KINDS
        if kind not in fault.refused | fault.maybe and _refusals(tally, kind)
    ]


def _refusals(tally: Tally, kind: Kind) -> int:
    return tally.seen[kind].refused + tally.seen[kind].unanswered


def _telling(log: str, pattern: str) -> str:
    """The line that has the pattern, most often; the most frequent one where none has."""
    lines = Counter(line for line in log.splitlines() if ": " in line)
    found = [line for line, _ in lines.most_common() if re.search(pattern, line)] or list(lines)
    return found[0] if found and pattern else ""
