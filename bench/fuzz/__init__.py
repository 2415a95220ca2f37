"""Parsers of what strangers send, held against inputs that a coverage-guided fuzzer (atheris) makes from seeds.

Six families (`token`, `sockets`, `fhir`, `envelope`, `logs`, `gateway`), each a list of targets with laws, not only "no crash"
(`target`). Each target runs in a process of its own (`worker`), for an equal share of its family's CPU time. Seeds stand in
tests/fuzz/seeds and are replayed by tests; an input that breaks a law is kept, and its place is told.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import msgspec

from bench import EACH, Part, Scale
from bench.progress import Progress
from bench.report import Figure, Goal
from strongroom.errors import ConfigError

FAMILIES = ("token", "sockets", "fhir", "envelope", "logs", "gateway")
"""Modules of this package."""
MINUTES: dict[Scale, float] = {"small": 0.2, "full": 30.0}
"""Of CPU, for each family."""
SEEDS = Path(__file__).resolve().parents[2] / "tests" / "fuzz" / "seeds"
KEPT = Path("fuzz-findings")
"""Where inputs that broke a law are left, below the current directory."""
NONE = Goal("value", "==", 0)


@dataclass(frozen=True, slots=True)
class Finding:
    """An input that broke a law. `kind`: crash or hang; `place`: what was raised, and where; `file`: the input."""

    kind: str
    place: str
    file: str


@dataclass(slots=True)
class Outcome:
    """What came of one target. `cpu` in seconds; `edges`: places of the product's code that inputs reached."""

    target: str
    executions: int = 0
    cpu: float = 0.0
    edges: int = 0
    findings: list[Finding] = field(default_factory=list)


def run(scale: Scale) -> Iterable[Figure]:
    """As every bench. Each finding is printed to standard error, a line each."""
    each = os.environ.get(EACH)
    return list(fuzz(FAMILIES, MINUTES[scale] / Part.asked().of, float(each) if each else None))


def fuzz(families: Iterable[str], minutes: float, each: float | None = None) -> Iterator[Figure]:
    """`minutes` of CPU for each of `families`, or `each` for each target. Raises ConfigError where the fuzzer is not
    installed.
    """
    if find_spec("atheris") is None:
        msg = "There is no atheris for this machine: it comes for Linux on x86-64."
        raise ConfigError(msg, advice="The seeds are replayed by the tests everywhere.")
    names = {family: [target.name for target in import_module(f"bench.fuzz.{family}").TARGETS] for family in families}
    progress, done = Progress("targets", sum(map(len, names.values()))), 0
    for family, targets in names.items():
        outcomes = []
        share = minutes if each is None else each * len(targets)
        for outcome in fuzz_targets(f"bench.fuzz.{family}", targets, share * 60):
            outcomes.append(outcome)
            done += 1
            progress.at(done)
        for one in (finding for outcome in outcomes for finding in outcome.findings):
            print(f"fuzz: {one.kind}: {one.place}: {one.file}", file=sys.stderr)
        found = [finding.kind for outcome in outcomes for finding in outcome.findings]
        yield Figure(f"{family}: targets", len(outcomes), "")
        yield Figure(f"{family}: inputs tried", sum(one.executions for one in outcomes), "")
        yield Figure(f"{family}: CPU", sum(one.cpu for one in outcomes) / 60, "min")
        yield Figure(f"{family}: edges reached", sum(one.edges for one in outcomes), "")
        yield Figure(f"{family}: crashes and broken laws", found.count("crash"), "", goal=NONE)
        yield Figure(f"{family}: hangs", found.count("hang"), "", goal=NONE)


def fuzz_targets(module: str, names: Sequence[str], seconds: float, *, seeds: Path = SEEDS) -> Iterator[Outcome]:
    """These targets of `module`, an equal share of `seconds` of CPU for each, as many at once as there are cores."""
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        yield from pool.map(lambda name: fuzz_one(module, name, seconds / len(names), seeds=seeds), names)


def fuzz_one(module: str, name: str, seconds: float, *, seeds: Path = SEEDS) -> Outcome:
    """One target. An end of the process before its time is a finding too."""
    with tempfile.TemporaryDirectory(prefix="strongroom-fuzz-") as folder:
        corpus, result = Path(folder, "corpus"), Path(folder, f"{name}.json")
        shutil.copytree(seeds / name, corpus)
        words = ("-m", "bench.fuzz.worker", module, name, str(seconds), str(corpus), str(result))
        done = subprocess.run([sys.executable, *words], capture_output=True, text=True, errors="replace", check=False)
        outcome = Outcome(name)
        if result.exists():
            outcome = msgspec.json.decode(result.read_bytes(), type=Outcome)
        if done.returncode or not outcome.executions:
            outcome.findings += _ended(done, Path(folder), name)
        outcome.edges = max(map(int, re.findall(r" cov: (\d+) ", done.stderr)), default=0)
        outcome.findings = [_kept(finding) for finding in outcome.findings]
    return outcome


def _ended(done: subprocess.CompletedProcess[str], folder: Path, name: str) -> list[Finding]:
    """What the fuzzer left behind when the process ended before its time."""
    kind = "hang" if "libFuzzer: timeout" in done.stderr else "crash"
    files = [*map(str, folder.glob(f"{name}-*-*")), ""]
    return [Finding(kind, f"the process ended with {done.returncode}: {done.stderr.strip()[-500:]}", files[0])]


def _kept(finding: Finding) -> Finding:
    """The finding with its input where it stays."""
    if not finding.file:
        return finding
    KEPT.mkdir(exist_ok=True)
    kept = KEPT / Path(finding.file).name
    shutil.copy(finding.file, kept)
    return Finding(finding.kind, finding.place, str(kept))
