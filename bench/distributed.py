"""A hunt on Spark against the same hunt on one machine: whether every word of the answer is the same, and what it costs.

Logs are made: an access log (as OCSF in Parquet, too) and CloudTrail's files, 30 % of the records late and, where sources number
them, 21 % twice. At the full scale real logs besides: each folder of STRONGROOM_TESTDATA, where it is. Costs are CPU seconds of all
processes, Java's among them; what starting Spark costs is told by itself. The cluster is two tasks on this machine: what a network
would cost it does not show.
"""

import gzip
import json
import os
import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from bench import Scale
from bench.detect import folder as testdata
from bench.hunt import write, write_trail
from bench.report import Figure, Goal
from strongroom.cli import locked
from strongroom.cluster import hunt as many
from strongroom.cluster.local import Local
from strongroom.cluster.spark import Spark
from strongroom.detect import hunt as one
from strongroom.detect import shape
from strongroom.detect.duckdb import Engine
from strongroom.detect.evidence import opened
from strongroom.detect.hunt import Result, Wanted
from strongroom.errors import ConfigError
from strongroom.logs import access, files

SIZES: Final[dict[Scale, tuple[int, ...]]] = {
    "small": (10_000, 20_000),
    "full": (50_000, 100_000, 200_000, 800_000),
}
LEAST: Final = 10_000
"""Events: of fewer nothing is found."""
FILES: Final = 8
TWICE, LATE = 0.21, 0.3
_DELAY: Final = 2_000
"""Records, at most, by which one comes late."""
GB: Final = 1e9


def run(scale: Scale) -> Iterable[Figure]:
    """Made logs, then real ones. Raises ConfigError where Spark is not there."""
    with tempfile.TemporaryDirectory(prefix="strongroom-bench-") as place, _spark() as cluster:
        meter = Meter()
        meter.start()
        yield Figure("Spark, started", meter.total(), "CPU s")
        made = Path(place)
        for lines in SIZES[scale]:
            yield from _logs(f"{lines:,} lines", _access(made / f"access-{lines}", lines), cluster, meter)
        most = SIZES[scale][-1]
        events = max(most // 4, LEAST)
        yield from _logs(f"{events:,} OCSF events in Parquet", _parquet(made, events), cluster, meter)
        yield from _logs(f"{most // 8:,} of CloudTrail, 21 % twice", _trail(made, most // 8), cluster, meter)
        if scale == "small":
            return
        try:
            data = testdata()
        except ConfigError:
            return
        for path in sorted(path for path in data.iterdir() if path.is_dir()):
            yield _same(f"real logs: {path.name}", *_both(path, cluster, meter))


def _spark() -> Spark:
    return Spark("local[2]", locked.library(locked.folder("spark", locked.lock("spark"))))


# ---- what is measured -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Spent:
    """An answer and the CPU seconds that it took."""

    told: dict[str, Any]
    cpu: float


def _both(path: Path, cluster: Spark, meter: "Meter") -> tuple[Spent, Spent, Spent]:
    """By one machine, by parts in this process, and by Spark."""
    sources = files.expand((str(path),))

    def alone(engine: Engine) -> Result:
        return one.hunt(sources, Wanted(), engine)

    def parted(engine: Engine) -> Result:
        return many.hunt(sources, Wanted(), engine, Local(cluster.parts))

    def spread(engine: Engine) -> Result:
        return many.hunt(sources, Wanted(), engine, cluster)

    return _spent(alone), _spent(parted), _spent(spread, meter)


def _spent(hunt: Callable[[Engine], Result], meter: "Meter | None" = None) -> Spent:
    before = process_time() + (meter.total() if meter else 0)
    with Engine() as engine:
        found = hunt(engine)
    cpu = process_time() + (meter.total() if meter else 0) - before
    return Spent(
        shape.result(found, [(finding, opened(finding.evidence, found.files)) for finding in found.findings]), cpu
    )


def _same(name: str, alone: Spent, parted: Spent, spread: Spent) -> Figure:
    """Whether the answers are the same to the last word."""
    same = sum(json.dumps(alone.told) == json.dumps(other.told) for other in (parted, spread))
    assert alone.told["events"], name
    return Figure(f"{name}: answers like one machine's", same, "of 2", None, Goal("value", "==", 2))


def _logs(name: str, path: Path, cluster: Spark, meter: "Meter") -> Iterator[Figure]:
    alone, parted, spread = _both(path, cluster, meter)
    size = sum(file["bytes"] for file in alone.told["files"]) / GB
    assert alone.told["findings"], name  # an answer of nothing is easily the same
    yield _same(name, alone, parted, spread)
    yield Figure(f"{name}, {size * 1_000:.0f} MB: in parts", parted.cpu / size, "CPU s a GB", alone.cpu / size)
    yield Figure(f"{name}: on Spark", spread.cpu / size, "CPU s a GB", alone.cpu / size)


class Meter(threading.Thread):
    """CPU seconds of all processes below this one: what each had when it was last seen, looked at several times a second."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._ticks: dict[tuple[int, str], int] = {}
        self._lock = threading.Lock()

    def run(self) -> None:
        """Look, until this process ends."""
        while True:
            self.total()
            time.sleep(0.3)

    def total(self) -> float:
        """So far."""
        found, parents, ours = {}, {}, {os.getpid()}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            except OSError:
                continue
            pid = int(stat.parent.name)
            parents[pid], found[pid] = int(fields[1]), (fields[19], int(fields[11]) + int(fields[12]))
        while more := {pid for pid, parent in parents.items() if parent in ours} - ours:
            ours |= more
        with self._lock:
            self._ticks |= {(pid, found[pid][0]): found[pid][1] for pid in ours & found.keys() - {os.getpid()}}
            return sum(self._ticks.values()) / os.sysconf("SC_CLK_TCK")


# ---- the logs -------------------------------------------------------------------------------------------------------


def _late(rng: random.Random, units: list[Any]) -> list[Any]:
    order = [at + (rng.randrange(_DELAY) if rng.random() < LATE else 0) for at in range(len(units))]
    return [units[at] for at in sorted(range(len(units)), key=order.__getitem__)]


def _access(folder: Path, lines: int) -> Path:
    folder.mkdir()
    whole = folder / "whole"
    write(whole, lines)
    written = _late(random.Random(lines), whole.read_bytes().splitlines(keepends=True))
    whole.unlink()
    for at in range(FILES):
        (folder / f"access.{at}.log").write_bytes(
            b"".join(written[len(written) * at // FILES : len(written) * (at + 1) // FILES])
        )
    return folder


def _parquet(made: Path, events: int) -> Path:
    folder, log = made / "parquet", made / "ocsf.log"
    folder.mkdir()
    write(log, events)
    rng = random.Random(events)
    rows = [_event(at, line) for at, line in enumerate(log.read_bytes().splitlines())]
    rows = _late(rng, [row for row in rows for _ in range(1 + (rng.random() < TWICE))])
    for at in range(FILES):
        part = rows[len(rows) * at // FILES : len(rows) * (at + 1) // FILES]
        pq.write_table(pa.Table.from_pylist(part), folder / f"{at}.parquet")
    return folder


def _event(at: int, line: bytes) -> dict[str, Any]:
    """A line of an access log as OCSF's HTTP Activity."""
    row = dict(zip(access.FIELDS, access.parse(line), strict=True))  # type: ignore[arg-type]  # every line that we make is read
    return {
        "class_uid": 4002, "activity_id": 3, "time": row["time"], "status_id": row["status_id"], "metadata": {"uid": str(at)},
        "actor": {"user": {"name": row["actor.user.name"]}}, "src_endpoint": {"ip": row["src_endpoint.ip"]},
        "http_request": {
            "http_method": "GET", "url": {"path": row["http_request.url.path"]}, "user_agent": row["http_request.user_agent"],
        },
        "http_response": {"code": row["http_response.code"]}, "traffic": {"bytes_in": row["traffic.bytes_out"]},
    }  # fmt: skip


def _trail(made: Path, records: int) -> Path:
    """CloudTrail's files of one bucket; now and then logging is cut."""
    folder, once = made / "trail", made / "trail-once"
    write_trail(once, records)
    folder.mkdir()
    rng = random.Random(records)
    entries = []
    for path in sorted(once.iterdir(), key=lambda path: int(path.name.split(".")[0])):
        entries += msgspec.json.decode(gzip.decompress(path.read_bytes()))["Records"]
    entries[len(entries) // 2] |= {
        "eventName": "StopLogging",
        "eventSource": "cloudtrail.amazonaws.com",
        "requestParameters": {"name": "trail"},
        "readOnly": False,
    }
    entries = _late(rng, [entry for entry in entries for _ in range(1 + (rng.random() < TWICE))])
    for at in range(FILES):
        part = entries[len(entries) * at // FILES : len(entries) * (at + 1) // FILES]
        (folder / f"{at}.json.gz").write_bytes(gzip.compress(msgspec.json.encode({"Records": part}), 6))
    return folder
