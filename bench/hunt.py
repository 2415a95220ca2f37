"""How fast logs are hunted, as whole processes: everything on, against what reading the same file as a table costs.

The file is made: a combined log of a portal, people with a heavy tail, names with blanks, quoted junk, one walk of ids, and one
account that reads many. The peer is DuckDB's own reading of it as a blank-separated table with quotes and types, which checks
nothing and keeps no places; GoAccess too, where it is installed. CPU seconds, so that a loaded machine measures the same.
"""

import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench import Scale
from bench.report import Figure, Goal

LINES: Final[dict[Scale, int]] = {"small": 100_000, "full": 2_000_000}
_AGENTS: Final = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.2 Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36",
    'odd \\"quoted\\" agent',
)
_TABLE: Final = """
import duckdb, sys
duckdb.execute('''CREATE TABLE t AS SELECT * FROM read_csv(?, delim=' ', quote='"', escape='\\\\', header=false,
    ignore_errors=true, null_padding=true, parallel=true, auto_detect=false,
    columns={'ip': 'VARCHAR', 'l': 'VARCHAR', 'u': 'VARCHAR', 't': 'VARCHAR', 'z': 'VARCHAR', 'r': 'VARCHAR',
             's': 'INTEGER', 'b': 'BIGINT', 'ref': 'VARCHAR', 'ua': 'VARCHAR'})''', [sys.argv[1]])
"""


def run(scale: Scale) -> Iterable[Figure]:
    """The file at its size, and at half of it for the growth."""
    with tempfile.TemporaryDirectory(prefix="strongroom-bench-") as folder:
        whole, half = Path(folder, "whole.log"), Path(folder, "half.log")
        write(whole, LINES[scale])
        write(half, LINES[scale] // 2)
        yield from measured(whole, half, LINES[scale])


def measured(whole: Path, half: Path, lines: int) -> Iterator[Figure]:
    """The figures of two files of `lines` and of half as many."""
    hunt = (sys.executable, "-m", "strongroom.cli.main", "hunt", "--json")
    first, second = spent(*hunt, str(half), ends=1), spent(*hunt, str(whole), ends=1)
    table = spent(sys.executable, "-c", _TABLE, str(whole), ends=0)
    rate = lines / second.cpu / 1_000
    yield Figure("hunt, everything on", rate, "k lines/CPU-s", lines / table.cpu / 1_000, Goal("ratio", ">=", 0.3))
    yield Figure("memory at most", second.peak, "MiB", first.peak, Goal("value", "<=", 2_048))
    # Starting costs the same for both: what is left must not grow faster than the lines.
    yield Figure("CPU of twice the lines", second.cpu, "s", 2 * first.cpu, Goal("ratio", "<=", 1.2))
    if shutil.which("goaccess"):
        peer = spent(
            "goaccess", str(whole), "--log-format=COMBINED", "-o", os.devnull + ".json", "--no-progress", ends=0
        )
        yield Figure(
            "hunt, against GoAccess", rate, "k lines/CPU-s", lines / peer.cpu / 1_000, Goal("ratio", ">=", 8.0)
        )


@dataclass(frozen=True, slots=True)
class Spent:
    """What a process used: CPU seconds, and MiB at most."""

    cpu: float
    peak: float


def spent(*command: str, ends: int) -> Spent:
    """Run a program to its end, which must be `ends`."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == ends, (command, process.returncode)
    return Spent(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def write(path: Path, lines: int) -> None:
    """A log of so many lines, the same for the same number."""
    rng = random.Random(lines)
    with path.open("w", encoding="utf-8") as file:
        for at in range(lines):
            file.write(_line(rng, at, lines))


def _line(rng: random.Random, at: int, lines: int) -> str:
    second = at * 30 * 86_400 // lines
    when = f"{1 + second // 86_400:02d}/Dec/2025:{second // 3_600 % 24:02d}:{second // 60 % 60:02d}:{second % 60:02d} +1300"
    if at % 997 == 0:  # the walk: one in a thousand requests
        path = f"/portal/documents/{900_000 + at // 997}/content"
        return f'203.0.113.9 - mallory [{when}] "GET {path} HTTP/1.1" 200 252000 "-" "curl"\n'
    person = min(int(rng.paretovariate(1.1) * 40), 49_999)
    name = f"Person {person}" if person % 50 == 7 else f"p{person}"  # one in fifty has a blank
    document = person * 5 + rng.randrange(5)
    return (
        f'10.{person >> 8}.{person & 255}.1 - {name} [{when}] "GET /portal/documents/{document}/content HTTP/1.1" '
        f'{200 if rng.random() < 0.97 else 404} {rng.randrange(500, 500_000)} "https://portal.example/list" '
        f'"{_AGENTS[person % 3]}"\n'
    )
