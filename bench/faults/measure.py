"""One fault after the other: asked before, during, and after it."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Sequence

from bench.faults.asking import PAUSE, People
from bench.faults.fault import KINDS, Fault, Kind, Row, Tally
from bench.faults.scene import Scene

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
    finally:
        await asyncio.to_thread(injured.__exit__, None, None, None)
    healed = await _until_served(people, HEALING)
    ended.set()
    await asyncio.gather(*asking)
    said = scene.log.read_bytes()[start:].decode(errors="replace")
    line = _telling(said, fault.says)
    if healed is None:
        broken.append(f"it was not healed within {HEALING:.0f} s")
    broken += [*tally.wrong, *_unexpected(fault, tally)]
    if fault.says and not re.search(fault.says, line):
        broken.append("no line of the log says what to do")
    seen = {str(kind): one for kind, one in tally.seen.items()}
    return Row(part=fault.part, how=fault.how, seen=seen, healed=healed, log=line, broken=broken)


async def measure_all(faults: Sequence[Fault], scene: Scene, people: People) -> list[Row]:
    """All rows; up to the one that is not healed: what comes after would be measured of a broken store."""
    rows: list[Row] = []
    for fault in faults:
        rows.append(await measure(fault, scene, people))
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


def _unexpected(fault: Fault, tally: Tally) -> list[str]:
    found = []
    for kind, one in tally.seen.items():
        refused = one.refused + one.unanswered
        if kind in fault.refused and not refused:
            found.append(f"{kind} was never refused")
        if refused and kind not in fault.refused | fault.maybe:
            found.append(f"{kind} was refused: {one.answers}, {one.said}")
    return found


def _telling(log: str, pattern: str) -> str:
    """The line that tells most often what is wrong, ids left out; the one with `pattern`, where one has it."""
    lines = Counter(_NAMES.sub(lambda found: f"{found[1]} …", line) for line in log.splitlines() if ": " in line)
    for line, _ in lines.most_common():
        if pattern and re.search(pattern, line):
            return line
    return lines.most_common(1)[0][0] if lines and pattern else ""
