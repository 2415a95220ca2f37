"""How fast logs are hunted, as whole processes, against programs that read the same files in the same run.

The access log is made: a combined log of a portal, people with a heavy tail, names with blanks, quoted junk, one walk of ids. Peers
are DuckDB's own reading of it as a typed, blank-separated table, which checks nothing and keeps no places; GoAccess, which counts;
lnav with one query; and what people do by hand. CloudTrail's files are made, too; the peer is msgspec, which decodes them into
structs and does nothing with these. All in CPU seconds, so that a loaded machine measures the same. What starting costs is
taken out: rates are those of the second half of a file.
"""

import gzip
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from bench import Scale
from bench.report import Figure, Goal
from strongroom.errors import ConfigError

LINES: Final[dict[Scale, int]] = {"small": 300_000, "full": 2_000_000}
RECORDS: Final[dict[Scale, int]] = {"small": 40_000, "full": 500_000}
LARGE: Final = 20_000_000
"""Lines of the log by which growth is measured at the full scale."""
PEERS: Final = ("goaccess", "lnav", "mawk")
_EVENTS: Final = 5_000
"""CloudTrail records in a file."""

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
_READ: Final = """
import sys
from strongroom.detect.duckdb import Engine
from strongroom.detect.hunt import Wanted, take
from strongroom.logs import files
with Engine() as engine:
    for number, source in enumerate(files.expand((sys.argv[1],))):
        take(source, number, Wanted(), engine, lambda name, size: None)
    print(engine.rows("SELECT count(*) FROM event")[0][0])
"""
_DECODE: Final = """
import gzip, pathlib, sys, msgspec
class Who(msgspec.Struct):
    type: str | None = None; arn: str | None = None; accountId: str | None = None; accessKeyId: str | None = None
class Asked(msgspec.Struct):
    bucketName: str | None = None; key: str | None = None
class Event(msgspec.Struct):
    eventName: str; eventSource: str; eventTime: str; userIdentity: Who | None = None; requestParameters: Asked | None = None
    sourceIPAddress: str | None = None; userAgent: str | None = None; errorCode: str | None = None; eventID: str | None = None
class File(msgspec.Struct):
    Records: list[Event]
decoder = msgspec.json.Decoder(File)
print(sum(len(decoder.decode(gzip.decompress(path.read_bytes())).Records) for path in pathlib.Path(sys.argv[1]).iterdir()))
"""
_QUERY: Final = ";SELECT c_ip, count(*) AS n FROM access_log GROUP BY c_ip ORDER BY n DESC LIMIT 10"
_TALKERS: Final = "{n[$1]++} END {for (i in n) print n[i], i}"

Command = Callable[[Path], tuple[str, ...]]


def run(scale: Scale) -> Iterable[Figure]:
    """Access logs, CloudTrail, growth. Raises ConfigError where a peer is not there."""
    absent = [name for name in PEERS if shutil.which(name) is None]
    if absent:
        msg = f"This bench needs {' and '.join(absent)}: nothing was measured."
        raise ConfigError(msg, advice=f"apt-get install -y --no-install-recommends {' '.join(absent)}")
    with tempfile.TemporaryDirectory(prefix="strongroom-bench-") as folder:
        yield from _access(Path(folder), LINES[scale])
        yield from _trail(Path(folder), RECORDS[scale])
        if scale == "full":
            yield from _growth(Path(folder), LINES[scale])


def _access(folder: Path, lines: int) -> Iterator[Figure]:
    whole, half = folder / "whole.log", folder / "half.log"
    write(whole, lines)
    write(half, lines // 2)
    rate = partial(_rate, whole, half, lines)
    read, table = rate(_ours), rate(lambda path: (sys.executable, "-c", _TABLE, str(path)))
    everything, peak = rate(_hunt), spent(*_hunt(whole)).peak
    goaccess, lnav = rate(partial(_goaccess, folder)), rate(partial(_lnav, folder))
    yield Figure("read and normalised, against a typed table", read, RATE, table, Goal("ratio", ">=", 0.6))
    yield Figure("read and normalised, against GoAccess", read, RATE, goaccess, Goal("ratio", ">=", 20.0))
    yield Figure("everything on, against GoAccess", everything, RATE, goaccess, Goal("ratio", ">=", 8.0))
    yield Figure("everything on, against one query of lnav", everything, RATE, lnav, Goal("ratio", ">=", 1.0))
    yield Figure(
        "everything on, against mawk's top talkers", everything, RATE, rate(lambda path: ("mawk", _TALKERS, str(path)))
    )
    yield Figure("memory at most", peak, "MiB", None, Goal("value", "<=", 2_048))


def _trail(folder: Path, records: int) -> Iterator[Figure]:
    whole, half = folder / "trail", folder / "half-trail"
    write_trail(whole, records)
    write_trail(half, records // 2)
    rate = partial(_rate, whole, half, records)
    decoded = rate(lambda path: (sys.executable, "-c", _DECODE, str(path)))
    yield Figure("CloudTrail, read and normalised, against msgspec", rate(_ours), RATE, decoded)
    yield Figure("CloudTrail, everything on, against msgspec", rate(_hunt), RATE, decoded, Goal("ratio", ">=", 0.6))


def _growth(folder: Path, lines: int) -> Iterator[Figure]:
    """The whole of a log against one with a tenth of its lines."""
    small, large = folder / "small.log", folder / "large.log"
    write(small, lines)
    write(large, LARGE)
    few, many = spent(*_hunt(small)), spent(*_hunt(large))
    times = LARGE / lines
    yield Figure(f"CPU of {times:g} times the lines", many.cpu, "s", times * few.cpu, Goal("ratio", "<=", 1.2))
    yield Figure(f"memory at most, {LARGE:,} lines", many.peak, "MiB", few.peak, Goal("value", "<=", 2_048))
    yield Figure(f"wall time of {LARGE:,} lines", many.wall / 60, "minutes", None, Goal("value", "<=", 10))


RATE: Final = "k a CPU-s"
TIMES: Final = 3
"""Runs of which the least counts: what else the machine does can only add."""


def _rate(whole: Path, half: Path, many: int, command: Command) -> float:
    """Thousands a CPU second, of what the whole has more than the half: by the least of TIMES runs of each, in turns."""
    runs = [[spent(*command(path)).cpu for path in (whole, half)] for _ in range(TIMES)]
    large, small = (min(run[place] for run in runs) for place in (0, 1))
    return (many - many // 2) / max(large - small, 0.001) / 1_000


def _ours(path: Path) -> tuple[str, ...]:
    return sys.executable, "-c", _READ, str(path)


def _hunt(path: Path) -> tuple[str, ...]:
    return sys.executable, "-m", "strongroom.cli.main", "hunt", "--json", str(path)


def _goaccess(folder: Path, path: Path) -> tuple[str, ...]:
    return "goaccess", str(path), "--log-format=COMBINED", "-o", str(folder / "goaccess.json"), "--no-progress"


def _lnav(folder: Path, path: Path) -> tuple[str, ...]:
    return "env", f"HOME={folder}", "lnav", "-n", "-c", _QUERY, "-c", ":write-csv-to -", str(path)


@dataclass(frozen=True, slots=True)
class Spent:
    """What a process used: CPU seconds, seconds, and MiB at most."""

    cpu: float
    wall: float
    peak: float


def spent(*command: str) -> Spent:
    """Run a program to its end, which is 0, or 1 where a hunt found something."""
    begun = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode in {0, 1}, (command, process.returncode)
    return Spent(usage.ru_utime + usage.ru_stime, time.monotonic() - begun, usage.ru_maxrss / 1024)


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


def write_trail(folder: Path, records: int) -> None:
    """CloudTrail's files of so many data events, the same for the same number."""
    rng = random.Random(records)
    folder.mkdir()
    for first in range(0, records, _EVENTS):
        entries = [_event(rng, at, records) for at in range(first, min(first + _EVENTS, records))]
        (folder / f"{first}.json.gz").write_bytes(gzip.compress(msgspec.json.encode({"Records": entries}), 6))


def _event(rng: random.Random, at: int, records: int) -> dict[str, object]:
    second = at * 30 * 86_400 // records
    when = f"2025-12-{1 + second // 86_400:02d}T{second // 3_600 % 24:02d}:{second // 60 % 60:02d}:{second % 60:02d}Z"
    role, account = f"portal-{at % 5}", "123456789012"
    issuer = {"type": "Role", "principalId": "AROA", "arn": f"arn:aws:iam::{account}:role/{role}", "accountId": account}
    return {
        "eventVersion": "1.10", "eventID": f"{at:08x}-1111-4222-8333-{records:012x}", "eventTime": when, "readOnly": True,
        "eventSource": "s3.amazonaws.com", "eventName": "GetObject", "awsRegion": "ap-southeast-2", "eventCategory": "Data",
        "sourceIPAddress": f"10.0.{at % 7}.9", "userAgent": "[aws-sdk-java/2.20 Linux/5.10 OpenJDK/17]", "managementEvent": False,
        "userIdentity": {
            "type": "AssumedRole", "principalId": "AROA:i-0abc", "arn": f"arn:aws:sts::{account}:assumed-role/{role}/i-0abc",
            "accountId": account, "accessKeyId": "ASIAEXAMPLE",
            "sessionContext": {"sessionIssuer": issuer, "attributes": {"creationDate": when, "mfaAuthenticated": "false"}},
        },
        "requestParameters": {"bucketName": "portal-documents", "key": f"documents/{rng.randrange(10**6):07d}/content.pdf"},
        "responseElements": None, "requestID": f"R{at:012d}", "eventType": "AwsApiCall", "recipientAccountId": account,
        "additionalEventData": {"SignatureVersion": "SigV4", "bytesTransferredOut": rng.randrange(500_000)},
        "resources": [{"type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::portal-documents", "accountId": account}],
    }  # fmt: skip
