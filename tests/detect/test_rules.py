"""Rule files: ours all run and prove themselves; others' run unchanged, or say why not."""

import json
from pathlib import Path

import pytest
import yaml

from strongroom.detect import rules
from strongroom.detect.duckdb import Engine
from strongroom.detect.hunt import run
from strongroom.errors import UsageError
from strongroom.logs import formats, read

OTHERS = """
title: A path traversal was tried
id: 0d1a6a4e-0000-4000-8000-000000000001
status: experimental
author: somebody else
logsource:
  category: webserver
detection:
  select_method:
    cs-method: GET
  select_path:
    cs-uri-query|contains:
      - ../etc/passwd
      - '..%2f'
  filter:
    sc-status: 404
  condition: all of select_* and not filter
falsepositives: [tests]
level: medium
"""
CLOUD = """
title: A database's copy was shared with one account
id: 0d1a6a4e-0000-4000-8000-000000000002
status: test
logsource:
  product: aws
  service: cloudtrail
detection:
  sel:
    eventSource: rds.amazonaws.com
    eventName|startswith: Modify
    requestParameters.attributeName: restore
    userIdentity.sessionContext.attributes.mfaAuthenticated|exists: false
  condition: sel
level: high
"""
COUNTED = """
title: Refused
name: refused
id: 0d1a6a4e-0000-4000-8000-000000000003
status: test
logsource: {category: webserver}
detection:
  sel: {sc-status: 403}
  condition: sel
---
title: Refused in one place, counted in another
id: 0d1a6a4e-0000-4000-8000-000000000004
status: test
correlation:
  type: event_count
  rules: [refused]
  group-by: [c-ip]
  timespan: 1m
  condition: {gte: 3}
level: medium
"""


def line(path: str, status: int = 200) -> str:
    """A request."""
    return f'192.0.2.1 - - [29/Dec/2025:22:00:00 +1300] "GET {path} HTTP/1.1" {status} 5 "-" "-"\n'


def hits(text: str, log: str, folder: Path) -> dict[str, int]:
    """Title -> events hit, of a rule file over a log."""
    (folder / "rule.yml").write_text(text, encoding="utf-8")
    loaded = rules.load([folder / "rule.yml"])
    assert loaded.stopped == ()
    format_ = formats.recognise(log.encode())
    assert format_ is not None
    with Engine() as engine:
        for batch in read.rows([log.encode()], format_, 0, read.Account()):
            engine.add((*read.RECORD, *format_.fields), batch)
        run(loaded.detections, engine, [])
        counted = dict(engine.rows("SELECT detection, count(*) FROM hit GROUP BY ALL"))
    return {one.head.title: counted[one.head.id] for one in loaded.detections if one.head.id in counted}


def test_somebody_elses_web_rule_runs_unchanged(tmp_path: Path) -> None:
    """With Sigma's own taxonomy, several selections and a filter."""
    log = line("/a?f=../etc/passwd") + line("/a?f=../etc/passwd", 404) + line("/a?f=x") + line("/b?f=..%2F..%2f")
    assert hits(OTHERS, log, tmp_path) == {"A path traversal was tried": 2}


def test_somebody_elses_cloud_rule_runs_unchanged(tmp_path: Path) -> None:
    """Fields that have no column are found in the record."""
    record = {
        "eventTime": "2025-12-29T09:00:00Z", "eventSource": "rds.amazonaws.com", "eventName": "ModifyDBSnapshotAttribute",
        "userIdentity": {"type": "IAMUser", "userName": "ann"}, "requestParameters": {"attributeName": "restore"},
    }  # fmt: skip
    other = {**record, "requestParameters": {"attributeName": "x"}}
    log = "".join(json.dumps(one) + "\n" for one in (record, other))
    assert hits(CLOUD, log, tmp_path) == {"A database's copy was shared with one account": 1}


def test_a_correlation_takes_the_place_of_its_rules(tmp_path: Path) -> None:
    """What a correlation counts is no finding of its own."""
    assert hits(COUNTED, line("/a", 403) * 3, tmp_path) == {"Refused in one place, counted in another": 3}
    assert hits(COUNTED, line("/a", 403) * 2, tmp_path) == {}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (OTHERS.replace("cs-uri-query", "CommandLine"), "CommandLine"),
        (OTHERS.replace("category: webserver", "product: windows"), "windows"),
        (COUNTED.replace("rules: [refused]", "rules: [gone]"), "gone"),
        (COUNTED.replace("group-by: [c-ip]", "group-by: [Image]"), "Image"),
        (OTHERS + "strongroom: {by: nothing}\n", "nothing"),
        ("title: [", "not YAML"),
    ],
)
def test_a_rule_that_cannot_run_is_named_with_the_reason(tmp_path: Path, text: str, reason: str) -> None:
    """And with its file; what else is in the file still runs."""
    (tmp_path / "rule.yml").write_text(text, encoding="utf-8")
    loaded = rules.load([tmp_path / "rule.yml"])
    assert [reason in one.reason for one in loaded.stopped] == [True]
    assert loaded.stopped[0].file == str(tmp_path / "rule.yml")


def test_places_of_rules(tmp_path: Path) -> None:
    """Directories to their bottom, but no files of events; a place that is none is a usage error."""
    (tmp_path / "web").mkdir()
    for name in ("a.yml", "web/b.yml", "web/b.events.yml", "README.md"):
        (tmp_path / name).write_text("", encoding="utf-8")
    found = rules.files([tmp_path])
    assert [path.relative_to(tmp_path).as_posix() for path in found] == ["a.yml", "web/b.yml"]
    with pytest.raises(UsageError):
        rules.files([tmp_path / "nowhere"])


def test_our_rules_all_run_and_say_what_they_must() -> None:
    """Each has a different id, a level and a description where it is a finding, and says what honest thing it could be."""
    loaded = rules.load(rules.files([rules.OURS]))
    assert loaded.stopped == ()
    ids = [rule.head.id for _, rule in loaded.rules]
    assert len(ids) == len(set(ids))
    for one in loaded.detections:
        assert one.head.description, one.head.title
        assert one.head.honest, one.head.title
        assert any(tag.startswith("attack.t") for tag in one.head.tags), one.head.title


def test_our_rules_are_yaml_that_others_read() -> None:
    """Our own field stands at the top and nowhere else."""
    for path in rules.files([rules.OURS]):
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            assert set(document) <= {
                "title", "id", "name", "status", "description", "level", "falsepositives", "tags", "logsource", "detection",
                "correlation", "strongroom",
            }  # fmt: skip
