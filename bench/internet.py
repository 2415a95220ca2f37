"""A part of `detect`: two days of a real host on the internet, scanned all the time and robbed by nobody; and drops put among them.

The publisher's own names of addresses tell the truth here. A drop is eight connections to an address that was never seen, on the
second day, in the form of the host's own log.
"""

import gzip
import random
import shutil
import tempfile
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Final

from bench.report import Figure, Goal
from strongroom.clock import DAY
from strongroom.detect import egress, flows
from strongroom.detect.duckdb import Engine
from strongroom.detect.hunt import Result, Wanted, hunt
from strongroom.logs import files

SECOND_DAY: Final = 1_713_571_200_000
"""20 April 2024, UTC."""
SCANNER, HOST = "173.249.5.74", "64.225.56.201"
EDGE: Final = tuple(
    map(
        ip_network,
        "104.16.0.0/12 108.162.192.0/18 141.101.64.0/18 162.158.0.0/15 172.64.0.0/13 173.245.48.0/20".split(),
    )
)
"""Of the content network that many clients come through."""
BYTES: Final = {one.head.id for one in (*egress.detections(), *flows.detections())}
DROPS: Final = (2, 10, 100, 1_000)
"""MiB."""


def run(data: Path) -> Iterator[Figure]:
    """Alarms about bytes, the scanner, whom it came through; and drops of four sizes."""
    with Engine() as engine:
        found = hunt(files.expand((str(data),)), Wanted(), engine)
    bytes_ = [one for one in found.findings if BYTES & {reason.detection.head.id for reason in one.reasons}]
    second = sum(one.last >= SECOND_DAY for one in bytes_)
    yield Figure("internet host: alarms about bytes on the second day", second, "alarms", None, Goal("value", "<=", 1))
    first = len(bytes_) - second
    yield Figure("internet host: on the first, where a counter lies", first, "alarms", None, Goal("value", "==", 0))
    abouts = {one.about for one in found.findings}
    scanner = f"address {SCANNER}" in abouts
    yield Figure(
        "internet host: the scanner of 2,146 addresses named", scanner, "scanners", 1, Goal("ratio", ">=", 1.0)
    )
    edge = sum(_edge(about) for about in abouts)
    yield Figure(
        "internet host: addresses of a content network blamed", edge, "addresses", None, Goal("value", "==", 0)
    )
    caught = sum(_caught(data, size) for size in DROPS)
    yield Figure(
        "internet host: drops of 2 MiB to 1 GiB, caught", caught, "drops", len(DROPS), Goal("ratio", ">=", 1.0)
    )


def _edge(about: str) -> bool:
    kind, _, address = about.partition(" ")
    return kind == "address" and any(ip_address(address) in network for network in EDGE)


def _caught(data: Path, mib: int) -> bool:
    with tempfile.TemporaryDirectory() as folder, Engine() as engine:
        for day in sorted(data.glob("2024-*")):
            for path in sorted(day.glob("conn.*")):
                shutil.copy(path, Path(folder, f"{day.name}.{path.name}"))
        last = max(Path(folder).iterdir())
        with gzip.open(last, "rt", encoding="utf-8") as file:
            lines = file.read().splitlines(keepends=True)
        body = [at for at, line in enumerate(lines) if not line.startswith("#")]
        lines[body[-1] + 1 : body[-1] + 1] = [_drop(mib, n) for n in range(8)]
        with gzip.open(last, "wt", encoding="utf-8") as file:
            file.writelines(lines)
        found: Result = hunt(files.expand((folder,)), Wanted(), engine)
        return any(
            one.about == f"server {HOST}" and flows.UNSEEN.id in {reason.detection.head.id for reason in one.reasons}
            for one in found.findings
        )


def _drop(mib: int, n: int) -> str:
    """A row of the host's conn log: bytes by headers and by packets alike."""
    rng = random.Random(mib * 10 + n)
    sent = mib * 1024 * 1024 // 8
    at = (SECOND_DAY + DAY) / 1000 - 600 + n * 30
    words = [
        "worker-eth0-1", f"{at:.6f}", f"C{rng.getrandbits(60):x}", HOST, str(40_000 + n), "198.51.100.77", "443", "tcp", "ssl",
        "20.0", str(sent), "900", "SF", "T", "F", "0", "ShADadfF", str(sent // 1_400 + 4), str(sent + sent // 35), "40", "2500",
        "-",
    ]  # fmt: skip
    return "\t".join(words) + "\n"
