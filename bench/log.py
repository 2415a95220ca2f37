"""What a log of ten million entries costs: a proof, the verification of all of it, a keeper's memory, its start after a crash.

The log is verified offline twice, by `strongroom log verify`'s code and by the program that strangers get; against both stands
reading and hashing the same bytes alone. The crash is a real one: a process appends a minute of heavy use and kills itself; the
keeper that is started then is `strongroom run keeper`, timed until it serves, and its memory is the most that it ever had. Every
run of this bench lets the log grow by that minute; `--remove-cache` begins anew.
"""

import hashlib
import os
import random
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from bench import Scale
from bench.report import Figure, Goal
from bench.scale import Standing, stand
from bench.store import cpu_seconds
from strongroom.audit import verify
from strongroom.audit.files import Directory
from strongroom.tlog.note import Verifier
from strongroom.tlog.tile import tile_nodes
from strongroom.tlog.tree import inclusion_proof
from strongroom.wiring.place import VKEY
from strongroom.wiring.pulse import READY

PROOFS = {"small": 300, "full": 2_000}
MINUTE = {"small": 6_000, "full": 60_000}
"""Releases of the last minute: a thousand a second, a hundred times what a portal of this size has."""
STARTS = {"small": 3, "full": 5}
GIB = 1 << 30
STRANGER = Path(verify.__file__).with_name("stranger.py")


def run(scale: Scale) -> Iterable[Figure]:
    """All of it; the least store beside it where size should not matter."""
    standing, least = stand(scale), stand("least")
    yield Figure("entries in the log", _size(standing), "")
    yield from _proofs(standing, least, PROOFS[scale])
    yield from _verified(standing)
    yield from _crash(standing, least, scale)


def _size(standing: Standing) -> int:
    return verify.opened(Directory(standing.layout.log).read, _verifier(standing)).size


def _verifier(standing: Standing) -> Verifier:
    return Verifier.parse((standing.layout.trust / VKEY).read_text().strip())


# ---- proofs ---------------------------------------------------------------------------------------------------------


def _proofs(standing: Standing, least: Standing, count: int) -> Iterator[Figure]:
    ours, theirs = (_proving(one, count) for one in (standing, least))
    middle = statistics.median
    yield Figure(
        "inclusion proof out of the published tiles, p50",
        middle(ours[0]),
        "ms",
        middle(theirs[0]),
        Goal("value", "<=", 1.0),
    )
    yield Figure("the same as a file: signature, entry, own check, p50", middle(ours[1]), "ms", middle(theirs[1]))
    yield Figure("checking a proof file, p50", middle(ours[2]), "ms", middle(theirs[2]))


def _proving(standing: Standing, count: int) -> tuple[list[float], list[float], list[float]]:
    """Milliseconds of proofs of random entries: out of the tiles, into a file, and checked again."""
    verifier, read = _verifier(standing), Directory(standing.layout.log).read
    rng, size = random.Random(3), _size(standing)
    paths, files, checks = list[float](), list[float](), list[float]()
    for _ in range(count):
        index = rng.randrange(size)
        start = time.perf_counter()
        inclusion_proof(index, size, tile_nodes(size, lambda tile: verify.parsed_tile(read, tile)))
        computed = time.perf_counter()
        raw = verify.prove(read, verifier, index)
        filed = time.perf_counter()
        found, _, _ = verify.check_proof(raw, verifier)
        checked = time.perf_counter()
        assert found == index
        for into, seconds in ((paths, computed - start), (files, filed - computed), (checks, checked - filed)):
            into.append(seconds * 1e3)
    return paths, files, checks


# ---- all of it ------------------------------------------------------------------------------------------------------


def _verified(standing: Standing) -> Iterator[Figure]:
    """CPU seconds, once each: ten million entries are many."""
    root = standing.layout.log
    alone = _cpu(lambda: _hash_alone(root))
    ours = _cpu(lambda: verify.verify(Directory(root).read, _verifier(standing)))
    command = [sys.executable, str(STRANGER), str(root), "--key", str(standing.layout.trust / VKEY)]
    before = os.times()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = os.times()
    theirs = after.children_user + after.children_system - before.children_user - before.children_system
    goal = Goal("value", "<=", 60.0)
    yield Figure("the whole log verified, CPU", ours, "s", alone, goal)
    yield Figure("the same by the strangers' program, CPU", theirs, "s", alone, goal)


def _hash_alone(root: Path) -> None:
    for path in root.rglob("*"):
        if path.is_file():
            hashlib.sha256(path.read_bytes()).digest()


def _cpu(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


# ---- a crash and a start --------------------------------------------------------------------------------------------


def _crash(standing: Standing, least: Standing, scale: Scale) -> Iterator[Figure]:
    count, starts, memory, cpu = MINUTE[scale], list[float](), list[float](), list[float]()
    grown = _size(standing)
    rate, other = (count / _die(one, count) for one in (standing, least))
    small = [_start(least, die=True)[0] for _ in range(1)]
    for _ in range(STARTS[scale]):
        seconds, peak, used = _start(standing, die=True)
        starts.append(seconds)
        memory.append(peak)
        cpu.append(used)
    _start(standing, die=False)
    _start(least, die=False)
    yield Figure("appends to the log", rate, "1/s", other)
    yield Figure("entries to replay after the crash", _size(standing) - grown, "")
    yield Figure("start after a crash", statistics.median(starts), "s", small[0], Goal("value", "<=", 10.0))
    yield Figure("start after a crash, CPU", statistics.median(cpu), "s")
    yield Figure("memory of the keeper, at most", statistics.median(memory) / GIB, "GiB", goal=Goal("value", "<=", 1.0))


def _die(standing: Standing, count: int) -> float:
    """Seconds that so many appends took, before the process killed itself."""
    command = [sys.executable, "-m", "bench.scale.tail", str(standing.layout.root), str(count)]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE)
    assert done.returncode == -signal.SIGKILL, done.returncode
    return float(done.stdout)


def _start(standing: Standing, *, die: bool) -> tuple[float, float, float]:
    """Seconds until a keeper served, the most memory it had (bytes), and its CPU seconds. `die`: killed before it keeps a
    snapshot.
    """
    ready, told = os.pipe()
    start = time.perf_counter()
    command = [sys.executable, "-m", "strongroom.cli.main", "run", "keeper", "--store", str(standing.layout.root)]
    environment = {**os.environ, READY: str(told)}
    with subprocess.Popen(command, env=environment, pass_fds=(told,), stderr=subprocess.DEVNULL) as process:
        os.close(told)
        with os.fdopen(ready, "rb") as pipe:
            assert pipe.read(1) == b"1", "the keeper did not start"
        taken = time.perf_counter() - start
        lines = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii").splitlines()
        [peak] = [int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")]
        used = cpu_seconds(process.pid)
        process.send_signal(signal.SIGKILL if die else signal.SIGTERM)
    return taken, float(peak), used
