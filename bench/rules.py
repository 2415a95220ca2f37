"""Rules by others: how many load and run, and whether the hunt says of an event what pySigma's own SQLite backend says.

The rules are supplied at a path (STRONGROOM_SIGMA: a directory such as SigmaHQ's `rules`), the events are Panther's labelled
ones. Every rule about CloudTrail and Google Cloud's audit log is asked of every such event, once by the hunt (read by its
readers, asked in its engine) and once by the SQL that the backend writes, over the same records laid out as a table. A rule that
one of the two cannot run is counted and not compared.
"""

import gzip
import json
import os
import re
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from sigma.backends.sqlite.sqlite import sqliteBackend
from sigma.collection import SigmaCollection
from sigma.exceptions import SigmaError

from bench import Scale, detect
from bench.report import Figure, Goal
from strongroom.detect import hunt, rules
from strongroom.detect.duckdb import Engine
from strongroom.errors import ConfigError
from strongroom.logs import files
from strongroom.logs.formats import NAMES

NAMED: Final = "STRONGROOM_SIGMA"
FOLDERS: Final = ("web", "cloud", "network", "application")
"""Of SigmaHQ's: what is about web servers, proxies and clouds, and their neighbours."""
SETS: Final = (
    ("AWS.CloudTrail", "cloudtrail-lines", ("aws", "cloudtrail")),
    ("GCP.AuditLog", "gcp", ("gcp", "gcp.audit")),
)
"""Panther's name of a log, our format, Sigma's log source."""
WHOLE: Final = 300
"""Rules by others that must load."""


def run(scale: Scale) -> Iterable[Figure]:  # noqa: ARG001  # the rules have one size
    """Both questions. Raises ConfigError where no rules are supplied."""
    place = folder()
    paths = [
        path
        for name in FOLDERS
        for path in sorted((place / name).rglob("*.yml"))
        if not path.name.endswith(rules.EVENTS)
    ]
    yield from _loaded(paths)
    yield from _agreement(paths, detect.folder() / "panther_labelled_events" / "rule_test_events.jsonl.gz")


def folder() -> Path:
    """Where the rules are. Raises ConfigError."""
    found = Path(os.environ.get(NAMED, "nowhere"))
    if not found.is_dir():
        msg = f"No rules by others are supplied at {found}: nothing was measured."
        raise ConfigError(msg, advice=f"{NAMED} names a directory such as SigmaHQ's `rules`.")
    return found


def _loaded(paths: list[Path]) -> Iterator[Figure]:
    loaded = rules.load(paths)
    reasons = Counter(re.sub(r"field \S+", "field …", one.reason) for one in loaded.stopped)
    yield Figure("rules by others that load", len(loaded.rules), "rules", len(paths), Goal("value", ">=", WHOLE))
    yield Figure("rules by others that run", len(loaded.detections), "rules", len(loaded.rules))
    yield Figure("rules that do not run, with their reason", sum(reasons.values()), "rules", len(loaded.rules))


def _agreement(paths: list[Path], events: Path) -> Iterator[Figure]:
    for log, format_, source in SETS:
        records = list(_records(events, log))
        mine = [path for path in paths if _about(path, source)]
        ours, read = _hunted(mine, records, format_)
        theirs = _by_backend(mine, [records[at] for at in read])
        asked = sorted(ours.keys() & theirs.keys())
        verdicts = len(asked) * len(read)
        same = verdicts - sum(len(ours[rule] ^ {read[at] for at in theirs[rule]}) for rule in asked)
        yield Figure(f"{log}: records, read", len(read), "records", len(records))
        yield Figure(f"{log}: rules that both run", len(asked), "rules", len(mine))
        yield Figure(f"{log}: rule and event pairs that match", sum(len(ours[rule]) for rule in asked), "pairs")
        yield Figure(f"{log}: verdicts alike", same, "verdicts", verdicts, Goal("ratio", "==", 1))


def _records(events: Path, log: str) -> Iterator[dict[str, Any]]:
    with gzip.open(events, "rt", encoding="utf-8") as lines:
        for line in lines:
            one = json.loads(line)
            if log in (one["log_types"] or ()):
                yield one["log"]


def _about(path: Path, source: tuple[str, str]) -> bool:
    """Whether all its rules are about this log alone."""
    documents = [one for one in yaml.safe_load_all(path.read_text(encoding="utf-8")) if isinstance(one, dict)]
    told = [one.get("logsource") or {} for one in documents]
    return bool(told) and all((one.get("product"), one.get("service")) == source for one in told)


def _hunted(paths: list[Path], records: list[dict[str, Any]], format_: str) -> tuple[dict[str, set[int]], list[int]]:
    """Rule's id -> which records it matches; and which records were read at all."""
    with tempfile.TemporaryDirectory(prefix="strongroom-bench-") as name, Engine() as engine:
        path = Path(name, "events.json")
        lines = [json.dumps(record) for record in records]
        path.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")
        starts = [0]
        for line in lines:
            starts.append(starts[-1] + len(line) + 1)
        place = {start: at for at, start in enumerate(starts)}
        hunt.take(
            files.expand((str(path),))[0], 0, hunt.Wanted(format=NAMES[format_]), engine, lambda _name, _bytes: None
        )
        ran = hunt.run(rules.load(paths).detections, engine, [])
        found: dict[str, set[int]] = {one.head.id: set() for one in ran}
        for rule, offset in engine.rows(
            'SELECT DISTINCT detection, "record.offset" FROM hit JOIN event ON event.rowid = hit.event'
        ):
            found[rule].add(place[offset])
        return found, [
            place[offset] for (offset,) in engine.rows('SELECT DISTINCT "record.offset" FROM event ORDER BY 1')
        ]


@dataclass(frozen=True, slots=True)
class _Asked:
    """One rule, as the backend writes it: an id, SQL, and the fields that it asks for."""

    id: str
    sql: str
    fields: frozenset[str]


def _by_backend(paths: list[Path], records: list[dict[str, Any]]) -> dict[str, set[int]]:
    """Rule's id -> the places of the records that its SQL selects."""
    asked = [one for path in paths for one in _written(path)]
    fields = sorted(frozenset().union(*(one.fields for one in asked)) if asked else ())
    found: dict[str, set[int]] = {}
    connection = sqlite3.connect(":memory:")
    connection.create_function(
        "regexp", 2, lambda pattern, text: text is not None and re.search(pattern, str(text)) is not None
    )
    columns = ", ".join(["place INTEGER", *(f"`{field}` COLLATE NOCASE" for field in fields)])
    connection.execute(f"CREATE TABLE logs ({columns})")
    marks = ", ".join("?" * (len(fields) + 1))
    rows = ((at, *(_cell(record, field) for field in fields)) for at, record in enumerate(records))
    connection.executemany(f"INSERT INTO logs VALUES ({marks})", rows)  # noqa: S608  # question marks
    for one in asked:
        try:
            found[one.id] = {row[0] for row in connection.execute(one.sql)}
        except sqlite3.Error:
            continue
    connection.close()
    return found


def _written(path: Path) -> Iterator[_Asked]:
    try:
        collection = SigmaCollection.from_yaml(path.read_text(encoding="utf-8"))
        backend: Any = sqliteBackend  # it has no types
        for query in backend().convert(collection):
            (rule,) = collection.rules
            yield _Asked(str(rule.id), str(query), frozenset(_fields(rule)))
    except (SigmaError, ValueError, NotImplementedError):
        return


def _fields(rule: Any) -> Iterator[str]:
    ahead = list(rule.detection.detections.values())
    while ahead:
        item = ahead.pop()
        if hasattr(item, "detection_items"):
            ahead += item.detection_items
        elif item.field:
            yield item.field


def _cell(record: dict[str, Any], field: str) -> str | int | float | None:
    """A field of a record by its dotted name, as it would stand in a table."""
    named = {"gcp.audit.method_name": "protoPayload.methodName"}.get(field, field.removeprefix("data."))
    value: Any = record
    for part in named.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if isinstance(value, dict | list):
        return json.dumps(value, separators=(",", ":"))
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str | int | float) else None
