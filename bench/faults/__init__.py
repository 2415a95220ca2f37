"""Every part of a running store at fault, one after the other: what is refused, how soon, what is said, and how it heals.

A part is gone, slow, flapping or lying, and whatever else it can be. People ask all the while, over HTTP; in the end a copy of
what is left is examined as after a crash (`bench.aftermath`): every acknowledged release has its entry, every acknowledged
upload its bytes.
"""

import asyncio
import os
import platform
import shutil
import sys
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial

from bench import Scale
from bench.aftermath import examine
from bench.faults import database, hsm, machine, objects, programs
from bench.faults.asking import People
from bench.faults.fault import PROMISE, Fault, Result, Row
from bench.faults.measure import Say, measure_all
from bench.faults.scene import Scene, plain, whole
from bench.load import Told
from bench.report import Figure, Goal

FAULTS: tuple[Fault, ...] = (*hsm.FAULTS, *database.FAULTS, *objects.FAULTS, *machine.FAULTS, *programs.FAULTS)
"""In the order of the table."""
BRIEF = 1.0
"""Seconds that a fault lasts at the small scale."""
NONE = Goal("value", "==", 0)


def run(scale: Scale) -> Iterable[Figure]:
    """As every bench. What does not hold is printed to standard error, a line each."""
    chosen = (
        FAULTS if scale == "full" else [replace(one, seconds=min(one.seconds, BRIEF)) for one in FAULTS if one.small]
    )
    result = measured(scale, chosen)
    for row in result.rows:
        for line in (*row.broken, *row.surprises):
            print(f"faults: {row.name}: {line}", file=sys.stderr)
    for line in result.broken:
        print(f"faults: in the end: {line}", file=sys.stderr)
    for row in result.rows:
        yield Figure(f"{row.name}: slowest refusal", row.slowest, "s", goal=Goal("value", "<=", PROMISE))
        yield Figure(f"{row.name}: healed after", float("inf") if row.healed is None else row.healed, "s")
    yield Figure("faults", len(result.rows), "")
    yield Figure("requests that nobody answered", sum(row.unanswered for row in result.rows), "", goal=NONE)
    yield Figure("acknowledged releases and listings", result.released + result.listed, "")
    yield Figure("acknowledged uploads", result.uploads, "")
    yield Figure("promises broken", len(result.broken) + sum(len(row.broken) for row in result.rows), "", goal=NONE)
    yield Figure("refusals that were not expected", sum(len(row.surprises) for row in result.rows), "", goal=NONE)


def measured(scale: Scale, faults: Sequence[Fault], say: Say = lambda _: None, *, own_disk: bool = True) -> Result:
    """These faults, each on the store that it needs. `say` is told how far it is; `own_disk` as `scene.plain` has it."""
    rows: dict[str, Row] = {}
    broken: list[str] = []
    counts = [0, 0, 0]
    for store, chosen in (
        (partial(plain, own_disk=own_disk), [one for one in faults if not one.whole]),
        (whole, [one for one in faults if one.whole]),
    ):
        if chosen:
            told, found, left = _on(store(), chosen, say)
            rows |= {row.name: row for row in found}
            broken += [*left, *(f"{fault.name} was not measured" for fault in chosen if fault.name not in rows)]
            for at, many in enumerate((len(told.released), len(told.listed), len(told.uploads))):
                counts[at] += many
    return Result(
        scale=scale, machine=_machine(), rows=[rows[fault.name] for fault in faults if fault.name in rows],
        released=counts[0], listed=counts[1], uploads=counts[2], broken=broken,
    )  # fmt: skip


def _machine() -> str:
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} cores ({platform.machine()}, at a load of {load:.0f} in the end)"


def _on(store: AbstractContextManager[Scene], faults: Sequence[Fault], say: Say) -> tuple[Told, list[Row], list[str]]:
    told = Told()

    async def all_of(scene: Scene) -> list[Row]:
        people = People(scene, told)
        try:
            return await measure_all(faults, scene, people, say)
        finally:
            await people.close()

    with store as scene:
        rows = asyncio.run(all_of(scene))
        scene.halt()
        copy = scene.folder / "copy"
        shutil.copytree(scene.layout.root, copy, ignore=shutil.ignore_patterns("*.sock"))
        left = examine(copy, told, told.uploads)
    return told, rows, left
