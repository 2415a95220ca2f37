"""How fast a watch is on one core, how soon it says what it says, and what 100,000 active people cost it in memory.

A log of a portal is written and followed by the loop that the command runs, with every rule and detection that a watch has, state
on disk. Rates are events for each second of CPU, all threads together, so that a loaded machine measures the same; how soon is the
CPU time of one look at a hundred new lines, from the file to the store of alerts, while the state is being saved all the time: what
waits for the tolerance waits besides. At full size as many people again and more come once each: who is idle is to lie on disk.
"""

import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from bench import Scale
from bench.report import Figure, Goal
from strongroom.clock import SystemClock
from strongroom.detect import hunt, rules
from strongroom.detect.live import Live
from strongroom.detect.sqlite import Store
from strongroom.detect.state import State
from strongroom.detect.watch import SAVE, Watch, unhurried
from strongroom.logs.follow import Follower

PEOPLE: Final[dict[Scale, int]] = {"small": 100_000, "full": 100_000}
EACH: Final[dict[Scale, int]] = {"small": 2, "full": 12}
"""Requests of each."""
MORE: Final[dict[Scale, int]] = {"small": 0, "full": 500_000}
"""People who come once each afterwards."""
LOOKS: Final = 300
LINES: Final = 100
"""New lines at a look."""


def run(scale: Scale) -> Iterable[Figure]:
    """In a process of its own, whose memory nothing else uses."""
    command = (
        sys.executable,
        "-c",
        f"from bench.watch import work; work({PEOPLE[scale]}, {EACH[scale]}, {MORE[scale]})",
    )
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).resolve().parents[1])
    found = json.loads(done.stdout.splitlines()[-1])
    people = f"{PEOPLE[scale]:,} people"
    yield Figure(f"watch, everything on, {people}", found["rate"], "events/CPU-s", None, Goal("value", ">=", 20_000))
    yield Figure(
        "a look at 100 new lines while saving, 99th percentile",
        found["p99"],
        "ms of CPU",
        found["median"],
        Goal("value", "<=", 50),
    )
    yield Figure(f"memory at most, {people} active", found["peak"], "MiB", found["start"], Goal("value", "<=", 512))
    yield Figure("saving all of the state, in pieces", found["save"], "s of CPU")
    yield Figure("the state on disk", found["disk"], "MiB")
    if MORE[scale]:
        yield Figure(f"memory at most, {MORE[scale]:,} people more", found["ever"], "MiB", found["peak"])
    yield Figure("alerts of one walk among them", found["alerts"], "alerts", None, Goal("value", ">=", 1))


def work(people: int, each: int, more: int) -> None:
    """Measure, and print one line of JSON."""
    with tempfile.TemporaryDirectory(prefix="strongroom-bench-") as folder:
        print(json.dumps(dict(_measured(Path(folder), people, each, more))))


def _measured(folder: Path, people: int, each: int, more: int) -> Iterator[tuple[str, float]]:
    log, rng = folder / "access.log", random.Random(people)
    detections = (*hunt.own(None), *rules.load(rules.files([rules.OURS])).detections)
    unhurried()
    live, state, store = Live(detections, None, 2_000), State(folder / "state"), Store(folder / "state")
    watch = Watch(Follower((str(log),)), live, state, store, SystemClock(), told=lambda: None, said=lambda _: None)
    yield "start", _peak()
    count, second = people * each, 0
    with log.open("w", encoding="utf-8") as file:
        for at in range(count):
            second = at * 20_000 // count  # 100,000 people are active within some hours
            file.write(_line(rng, second, (at * 7_919) % people))
    begin = time.process_time()
    watch.round()
    assert watch.events == count
    yield "rate", count / (time.process_time() - begin)
    looks = []
    watch.every = 0.0
    for look in range(LOOKS):
        with log.open("a", encoding="utf-8") as file:
            for at in range(LINES):
                thief = at == 0
                file.write(
                    _line(rng, second + look, people if thief else rng.randrange(people), look if thief else None)
                )
        begin = time.process_time()
        watch.round()
        looks.append((time.process_time() - begin) * 1_000)
    assert watch.events == count + LOOKS * LINES
    looks.sort()
    yield "p99", looks[LOOKS * 99 // 100]
    yield "median", looks[LOOKS // 2]
    watch.every = SAVE
    begin = time.process_time()
    watch.save()
    yield "save", time.process_time() - begin
    yield "disk", sum(path.stat().st_size for path in (folder / "state").iterdir()) / 2**20
    yield "alerts", watch.alerts
    yield "peak", _peak()
    with log.open("a", encoding="utf-8") as file:
        for at in range(more):
            file.write(_line(rng, second + LOOKS + at * 20_000 // more, people + 1 + at))
    watch.round()
    yield "ever", _peak()
    live.close()
    store.close()
    state.close()


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _line(rng: random.Random, second: int, person: int, walked: int | None = None) -> str:
    clock = f"{second // 3_600 % 24:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
    document = person * 1_000 + rng.randrange(5) * 37 if walked is None else 10**9 + walked
    return (
        f"10.{person >> 16}.{person >> 8 & 255}.{person & 255} - p{person} [01/Dec/2025:{clock} +0000] "
        f'"GET /portal/documents/{document}/content HTTP/1.1" {200 if rng.random() < 0.97 else 404} '
        f'{rng.randrange(500, 500_000)} "https://portal.example/list" "Mozilla/5.0 (iPhone; CPU iPhone OS 17_2)"\n'
    )
