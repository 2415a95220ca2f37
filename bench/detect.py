"""What hunts find in real logs, and what they raise without reason: the figures that each folder of test data asks for.

The data are other people's and are not part of the checkout: STRONGROOM_TESTDATA names their folder (default `../shared/data`).
Truth is told here by names of users, programs and files that the data's own pages give; detections never see this file.
What is not read yet is a figure too: units unreadable count as not read.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench import Scale, hospital, internet
from bench.report import Figure, Goal
from strongroom.clock import DAY
from strongroom.detect.duckdb import Engine
from strongroom.detect.hunt import Result, Wanted, hunt
from strongroom.errors import ConfigError
from strongroom.logs import files, table
from strongroom.logs.mapping import Mapping

CHECKOUT: Final = Path(__file__).resolve().parents[1]
NAMED: Final = "STRONGROOM_TESTDATA"

HIT: Final = "(SELECT DISTINCT event FROM hit)"
SHARING: Final = (
    "StopLogging", "DeleteTrail", "PutEventSelectors", "DeleteFlowLogs", "ModifySnapshotAttribute", "ModifyImageAttribute",
    "ModifyDBSnapshotAttribute", "UpdateAssumeRolePolicy", "AddPermission20150331v2",
)  # fmt: skip
"""Calls by which the red team's techniques cut logging or give something away: the part of them that is claimed."""
IN_SCOPE: Final = (
    "defense-evasion.cloudtrail-delete", "defense-evasion.cloudtrail-event-selectors", "defense-evasion.cloudtrail-stop",
    "defense-evasion.dns-delete-logs", "defense-evasion.vpc-remove-flow-logs", "exfiltration.ec2-share-ami",
    "exfiltration.ec2-share-ebs-snapshot", "exfiltration.rds-share-snapshot", "persistence.iam-backdoor-role",
    "persistence.iam-create-backdoor-role", "persistence.lambda-backdoor-function",
)  # fmt: skip
"""Files of one technique each that cut logging or give something away. The other 24 run machines, read secrets, make users."""


def run(scale: Scale) -> Iterable[Figure]:  # noqa: ARG001  # the data have one size
    """Every folder that is read. Raises ConfigError when there are no data."""
    data = folder()
    yield from _stolen_role(data / "otrf_aws_s3")
    yield from _red_team(data / "invictus_stratus_cloudtrail")
    yield from _techniques(data / "stratus_detonation_logs")
    yield from _website(data / "apache_semicomplete_10k")
    yield from _samples(data / "crowdsec_hub_test_logs")
    yield from _machine(data / "azure_msticpy")
    yield from _bulk_readers(data / "edgar_doc_store_head")
    yield from internet.run(data / "zeek_72h_internet_host")
    yield from hospital.run(data / "hospital_staff_to_record")


def folder() -> Path:
    """Where the data are. Raises ConfigError."""
    named = os.environ.get(NAMED)
    found = Path(named) if named else CHECKOUT.parent / "shared" / "data"
    if not found.is_dir():
        msg = f"The test data are not at {found}: nothing was measured."
        raise ConfigError(msg, advice=f"{NAMED} names their folder.")
    return found


@contextmanager
def hunted(*paths: Path, mapping: Mapping | None = None) -> Iterator[tuple[Result, Engine]]:
    """A hunt as anybody runs it, no option but the path (for tables a mapping); and the engine, to ask what was hit."""
    with Engine() as engine:
        yield hunt(files.expand(tuple(map(str, paths))), Wanted(mapping=mapping), engine), engine


def _one(engine: Engine, sql: str) -> float:
    return float(engine.rows(sql)[0][0])


def _stolen_role(data: Path) -> Iterator[Figure]:
    with hunted(data) as (result, engine):
        (trail,) = (at for at, file in enumerate(result.files) if file.source.path.name.startswith("ec2_proxy"))
        attack = "principal LIKE '%BankingWAFRole%' AND \"api.service.name\" = 's3.amazonaws.com'"
        events = f'SELECT count(*) FROM event WHERE "record.source" = {trail}'
        assert (_one(engine, f"{events} AND {attack}"), _one(engine, f"{events} AND NOT ({attack})")) == (11, 92)
        caught = _one(engine, f"{events} AND {attack} AND rowid IN {HIT}")
        wrong = _one(engine, f"{events} AND NOT ({attack}) AND rowid IN {HIT}")
        yield Figure("stolen role: attack events in an alarm", caught, "events", 11, Goal("value", "==", 11))
        yield Figure("stolen role: other events in an alarm", wrong, "events", None, Goal("value", "==", 0))
        yield Figure(
            "stolen role: documents lost before the alarm", _lost(result), "documents", 1, Goal("value", "<=", 1)
        )
        sources = f"""
        SELECT count(DISTINCT "src_endpoint.ip") AS n FROM hit JOIN event ON event.rowid = hit.event
        WHERE "record.source" <> {trail} GROUP BY about ORDER BY n DESC
        """
        found = engine.rows(sources)
        yield Figure(
            "honey bucket: sources in the largest finding", found[0][0], "addresses", 224, Goal("value", "==", 224)
        )
        yield Figure("honey bucket: findings", len(found), "findings", None, Goal("value", "==", 1))


def _lost(result: Result) -> int:
    return max(finding.lost for finding in result.findings)


def _red_team(data: Path) -> Iterator[Figure]:
    names = ", ".join(f"'{name}'" for name in SHARING)
    with hunted(data) as (result, engine):
        agent, hit = '"http_request.user_agent"', f"rowid IN {HIT}"
        done = f"""SELECT count(DISTINCT "api.operation") FROM event WHERE {agent} LIKE 'stratus-red-team_%'
            AND "api.operation" IN ({names}) AND status_id = 1"""
        caught = _one(engine, f"{done} AND {hit}")
        yield Figure(
            "red team: claimed calls with an alarm", caught, "calls", _one(engine, done), Goal("ratio", ">=", 1.0)
        )
        noise = _one(engine, f"SELECT count(*) FROM event WHERE {agent} LIKE '%Terraform%' AND {hit}")
        yield Figure("red team: set-up and clean-up in an alarm", noise, "events")
        yield _read("red team: records", result, 2_900)


def _techniques(data: Path) -> Iterator[Figure]:
    caught = wrong = 0
    paths = sorted(data.glob("*.json"))
    for path in paths:
        claimed = path.stem.removeprefix("aws.") in IN_SCOPE
        with hunted(path) as (result, _):
            caught += bool(result.findings) and claimed
            wrong += bool(result.findings) and not claimed
    yield Figure("techniques: files in scope with an alarm", caught, "files", len(IN_SCOPE), Goal("ratio", ">=", 1.0))
    yield Figure("techniques: files out of scope with an alarm", wrong, "files", len(paths) - len(IN_SCOPE))


def _website(data: Path) -> Iterator[Figure]:
    with hunted(data) as (result, _):
        yield _read("web site: lines", result, 10_000)
        assert result.first is not None
        assert result.last is not None
        days = (result.last - result.first) / DAY
        yield Figure("web site: alarms", len(result.findings) / days, "a day", None, Goal("value", "<=", 5.0))


def _samples(data: Path) -> Iterator[Figure]:
    lines = sum(bool(line.strip()) for file in data.glob("*.log") for line in file.read_bytes().split(b"\n"))
    with hunted(data) as (result, _):
        yield _read("samples: lines of eleven formats", result, lines)
    alarms = {}
    for name in ("apache-http-probing", "envoy-http-crawl-non_statics", "nextcloud-whitelist"):
        with hunted(data / f"{name}.log") as (result, _):
            alarms[name] = len(result.findings)
    found = sum(bool(alarms[name]) for name in ("apache-http-probing", "envoy-http-crawl-non_statics"))
    yield Figure("samples: scans and crawls that were found", found, "files", 2, Goal("ratio", ">=", 1.0))
    yield Figure("samples: alarms on ordinary use of Nextcloud", alarms["nextcloud-whitelist"], "alarms", None,
                 Goal("value", "==", 0))  # fmt: skip


def _machine(data: Path) -> Iterator[Figure]:
    with hunted(data / "az_net_flows.csv") as (result, _):
        yield _read("flows of a machine: rows of Azure's Traffic Analytics", result, 460)


def _bulk_readers(data: Path) -> Iterator[Figure]:
    columns: table.Columns = {
        "time": ("date", "time"), "principal": ("ip",), "document": ("cik", "accession"), "status": ("code",),
        "bytes": ("size",),
    }  # fmt: skip
    with hunted(data, mapping=Mapping((), (), (), columns)) as (result, _):
        yield _read("document store: rows", result, 1_999)
        yield Figure("document store: bulk readers named, of six seconds", len(result.findings), "readers")


def _read(name: str, result: Result, units: int) -> Figure:
    return Figure(f"{name}, read", result.events, "units", units)
