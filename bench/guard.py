"""What counting costs the gateway: time of a step, memory and disk with the people of a country, and whether a day makes it grow.

Known people were shown twenty documents each, one in a hundred of those who are active ten thousand. In each of 24 simulated hours
other people are active: they list, and read some of what was shown. Everything is counted as a worker counts it, in a file. Times
are CPU time of this process.
"""

import hashlib
import json
import multiprocessing
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from bench import Scale
from bench.report import Figure, Goal
from strongroom.clock import HOUR
from strongroom.gateway.counts import Counts
from strongroom.gateway.guard import Watchful
from strongroom.gateway.person import Who
from strongroom.gateway.ports import Asked
from strongroom.gateway.rule import overridden
from strongroom.gateway.sqlite import CACHE, prepare

START: Final = 1_795_000_000_000
EACH: Final = 20
"""Documents that were shown to anybody."""
MANY: Final = 10_000
"""And to one in a hundred of those who are active."""
READS: Final = 2
PIECE: Final = 20_000
"""People whose documents are written in one go."""


@dataclass(frozen=True, slots=True)
class Size:
    """People: known, active in the first hour, and in each of the 23 after it."""

    known: int
    first: int
    later: int


SIZES: Final[dict[Scale, Size]] = {"small": Size(50_000, 2_000, 1_000), "full": Size(1_800_000, 100_000, 10_000)}


def run(scale: Scale) -> Iterable[Figure]:
    """In a process of its own, whose memory nothing else uses."""
    size = SIZES[scale]
    command = (sys.executable, "-c", f"from bench.guard import work; work({size.known}, {size.first}, {size.later})")
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).resolve().parents[1])
    found = json.loads(done.stdout.splitlines()[-1])
    people = f"{size.known:,} known, {size.first:,} active in an hour"
    yield Figure("a document that was shown, looked at and counted", found["read"], "µs of CPU")
    yield Figure("the same listing again", found["again"], "µs of CPU", found["listing"])
    yield Figure(f"memory at most, {people}", found["peak"], "MiB", found["start"], Goal("value", "<=", 1_024))
    cache = CACHE / 1_024
    yield Figure(
        "memory after 24 hours, against the first: no more than the cache", found["grown"], "MiB more", None,
        Goal("value", "<=", cache),
    )  # fmt: skip
    yield Figure("on disk, by known person", found["disk"], "bytes")


def work(known: int, first: int, later: int) -> None:
    """Measure, and print one line of JSON."""
    with tempfile.TemporaryDirectory(prefix="strongroom-bench-") as folder:
        print(json.dumps(dict(_measured(Path(folder) / "counts.db", Size(known, first, later)))))


def _measured(path: Path, size: Size) -> Iterator[tuple[str, float]]:
    prepare(path)
    making = multiprocessing.get_context("fork").Process(target=_known, args=(path, size.known))
    making.start()  # a process of its own: what it holds meanwhile is no memory of a worker's
    making.join()
    counts = Counts(path)
    rules = overridden({"person-shown-24h": MANY})  # what some were shown in years they are shown here in a moment
    guard = Watchful(counts, enforce=True, rules=rules, listed=("document",))
    yield "start", _peak()
    for person in range(size.first // 100):
        for start in range(0, MANY, 500):
            guard.showed(_listing(person, START), _shown(person, start, start + 500))
    begin = time.process_time()
    for person in range(size.first):
        guard.showed(_listing(person, START), _shown(person, EACH, 2 * EACH))
    yield "listing", (time.process_time() - begin) * 1e6 / size.first
    begin = time.process_time()
    for person in range(size.first):
        guard.showed(_listing(person, START), _shown(person, EACH, 2 * EACH))
    yield "again", (time.process_time() - begin) * 1e6 / size.first
    yield "read", _read(guard, range(size.first), START)
    after, at = _now(), size.first
    for hour in range(1, 24):
        people = range(at, at + size.later)
        for person in people:
            guard.showed(_listing(person % size.known, START + hour * HOUR), _shown(person % size.known, 0, EACH))
        _read(guard, [person % size.known for person in people], START + hour * HOUR)
        at += size.later
    yield "grown", _now() - after
    yield "peak", _peak()
    counts.close()
    yield "disk", sum(file.stat().st_size for file in path.parent.iterdir()) / size.known


def _known(path: Path, people: int) -> None:
    """Whom the portal showed something long ago: written in the order in which they lie, as it would take an hour one by one."""
    counts = Counts(path)
    names = sorted((counts.number("person", f"p{person}"), person) for person in range(people))
    for start in range(0, people, PIECE):
        piece = names[start : start + PIECE]
        with counts.together():
            counts.many(
                "INSERT INTO shown VALUES (?, ?)",
                [
                    (who, counts.number("document", f"{one}-{document}"))
                    for who, one in piece
                    for document in range(EACH)
                ],
            )
            counts.many(
                "INSERT INTO people (person, seen, shown) VALUES (?, ?, 20)", [(who, START) for who, _ in piece]
            )


def _read(guard: Watchful, people: Iterable[int], now: int) -> float:
    """Each reads some of what was shown, spread over most of an hour. Microseconds of CPU for one."""
    done, begin = 0, time.process_time()
    for document in range(READS):
        for at, person in enumerate(people):
            asked = _asked(person, document, now + document * HOUR // 4 + at)
            assert guard.before(asked) is None
            assert guard.answered(asked, 200, 50_000) is None
            done += 1
    return (time.process_time() - begin) * 1e6 / done


def _listing(person: int, now: int) -> Asked:
    return replace(_asked(person, 0, now), document="", lists=True)


def _asked(person: int, document: int, now: int) -> Asked:
    network = f"10.{person % 50_000 >> 8 & 255}.{person & 255}.0/32"
    device = hashlib.sha256(b"%d" % (person % 400)).hexdigest()[:26]
    return Asked(
        f"r{now}", now, "letter", Who(f"s{person}", f"p{person}"), network, device, "document", f"{person}-{document}",
        manner=device[:2],
    )  # fmt: skip


def _shown(person: int, start: int, end: int) -> frozenset[tuple[str, str]]:
    return frozenset(("document", f"{person}-{document}") for document in range(start, end))


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _now() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20
