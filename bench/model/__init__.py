"""The real door against a small reference model, step by step, with many at once.

Each store is a real one (log with its group commit, ledger, custody, freezes, snapshots), in one process, with a machine's
clock and a disk that the bench moves and spoils. Twelve actors work at once: owners, a mother, clinicians, thieves on a
policy that permits everything, an officer, time. After each round there must be an order in which the model gives
exactly the answers that were given; the log, the ledger and the freezes must be the model's (`play.py`).
"""

import asyncio
import contextlib
import logging
import os
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from multiprocessing import get_context
from pathlib import Path

from bench import Scale
from bench.model.house import copied
from bench.model.play import CONFIG, PEOPLE, Disagreement, Store, Tally, live
from bench.report import Figure, Goal
from strongroom.wiring.demo import make_demo

ROUNDS, EACH = 60, 5
"""Rounds of a store, and operations of each actor in a round."""
STEPS: dict[Scale, int] = {"small": 20_000, "full": 1_000_000}
SEED = 20_251_230
NONE = Goal("value", "==", 0)


def run(scale: Scale) -> Iterable[Figure]:
    """As every bench. What does not hold is printed to standard error, a line each."""
    with tempfile.TemporaryDirectory(prefix="strongroom-model-") as name:
        template = Path(name) / "template"
        make_demo(template, CONFIG, rehearsal=True, patients=16, decoys=2)
        tally = _lives(template, STEPS[scale])
    yield Figure("steps", tally.steps, "", goal=Goal("value", ">=", STEPS[scale]))
    yield Figure("actors at once", len(PEOPLE) + 2, "", goal=Goal("value", ">=", 8))
    yield Figure("stores", tally.stores, "")
    yield Figure("disclosures and charged acts", tally.permits, "")
    yield Figure("keys given", tally.keys, "")
    yield Figure("refused by a budget", sum(n for what, n in tally.kinds.items() if what.endswith(" spent")), "")
    yield Figure("restarts", tally.restarts, "")
    yield Figure("commits that failed", tally.spoilt, "")
    yield Figure("over-releases", len(tally.over), "", goal=NONE)
    yield Figure("keys without an earlier durable entry", len(tally.undurable), "", goal=NONE)
    yield Figure("disagreements", len(tally.disagreements), "", goal=NONE)
    yield Figure("rounds undecided", len(tally.undecided), "", goal=NONE)


def _lives(template: Path, steps: int) -> Tally:
    """Stores with one seed after the other, as many as it takes, one for each processor at once."""
    tally, told = Tally(), 0
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn"), _quiet) as pool:
        seeds = iter(range(SEED, SEED + steps))
        running = {pool.submit(life, template, next(seeds)) for _ in range(2 * (os.cpu_count() or 1))}
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for one in done:
                store = one.result()
                tally.add(store)
                for line in (*store.over, *store.undurable, *store.disagreements, *store.undecided):
                    print(f"model: {line}", file=sys.stderr, flush=True)
                if tally.steps + len(running) * ROUNDS * EACH * (len(PEOPLE) + 2) < steps:
                    running.add(pool.submit(life, template, next(seeds)))
            if tally.steps // (steps // 20) > told:
                told = tally.steps // (steps // 20)
                print(f"model: {tally.steps} steps, {tally.broken} things found", file=sys.stderr, flush=True)
    return tally


def _quiet() -> None:
    """A keeper tells of every refusal; a million of them are of no use to anybody."""
    logging.disable(logging.CRITICAL)


def life(template: Path, seed: int, rounds: int = ROUNDS, each: int = EACH) -> Tally:
    """One store from its first start to the last count. Every second one begins with a broken policy."""
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="strongroom-model-") as name:
        copied(template, Path(name) / "store")
        store = Store(Path(name) / "store", seed, tally, broken=seed % 2 == 1)
        try:
            with contextlib.suppress(Disagreement):  # it is told in the tally; what came after could not be compared
                asyncio.run(live(store, rounds, each))
            store.audit()
        finally:
            store.close()
    return tally
