"""Rule files: ours all run and prove themselves; others' run unchanged, or say why not."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from strongroom.detect import rules
from strongroom.detect.duckdb import Engine
from strongroom.detect.hunt import run
from strongroom.errors import UsageError
from strongroom.logs import formats
from strongroom.logs import read as reading
from tests.detect.conftest import Scene, read

RULES = Path(__file__).parents[2] / "rules"

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
        for events in reading.tables([log.encode()], format_, 0, reading.Account()):
            engine.take(events)
        run(loaded.detections, engine, [])
        counted = dict(engine.rows("SELECT detection, count(*) FROM hit GROUP BY ALL"))
    return {one.head.title: counted[one.head.id] for one in loaded.detections if one.head.id in counted}


def asked(one: object) -> set[str]:
    """The fields that a detection of a rule file asks for."""
    if isinstance(one, list):
        return {field for part in one for field in asked(part)}
    return {str(field).partition("|")[0] for field in one} if isinstance(one, dict) else set()


def test_fields_of_web_servers_have_a_name_in_every_target() -> None:
    """Or are said to have none: a query about a field that nobody has is an alert that never comes."""
    fields = set[str]()
    for path in (RULES / "web").glob("*.yml"):
        for rule in yaml.safe_load_all(path.read_text()) if not path.name.endswith(".events.yml") else ():
            detection = {name: part for name, part in rule.get("detection", {}).items() if name != "condition"}
            fields |= {field for part in detection.values() for field in asked(part)}
            correlation = rule.get("correlation", {})
            counted = correlation["condition"].get("field") if isinstance(correlation.get("condition"), dict) else None
            fields |= {*correlation.get("group-by", ()), *([counted] if counted else [])}
    ours = {"route"}  # the converter says so of each
    targets = tomllib.loads((RULES / "targets.toml").read_text())
    lacking = {name: fields - ours - set(said["web"]) for name, said in targets.items() if "web" in said}
    assert not any(lacking.values()), lacking
    assert len(lacking) >= 4


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


def loaded(folder: Path, *documents: dict[str, Any]) -> rules.Loaded:
    """These documents, a file each."""
    for number, document in enumerate(documents):
        (folder / f"{number}.yml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return rules.load(rules.files([folder]))


SEEN: dict[str, Any] = {
    "title": "Seen", "id": "0d1a6a4e-0000-4000-8000-00000000000a", "name": "seen", "level": "low",
    "logsource": {"category": "webserver"}, "detection": {"s": {"cs-method": "GET"}, "condition": "s"},
}  # fmt: skip
OURS: dict[str, Any] = {
    "title": "Not ours", "logsource": {"category": "webserver"},
    "filter": {"rules": ["seen"], "ours": {"c-ip|cidr": ["192.0.2.0/24", "2001:db8::/32"]}, "condition": "not ours"},
}  # fmt: skip


def addresses(scene: Scene, found: rules.Loaded) -> list[str]:
    """Whose events the detections hit."""
    run(found.detections, scene.engine, [])
    sql = 'SELECT "src_endpoint.ip" FROM hit JOIN event ON event.rowid = event ORDER BY 1'
    return [row[0] for row in scene.engine.rows(sql)]


def test_a_filter_narrows_the_rules_it_names(tmp_path: Path, scene: Scene) -> None:
    """Also from another file; one that concerns no rule is told."""
    for address in ("192.0.2.7", "198.51.100.1", "2001:db8::1", "2001:db9::1"):
        scene.add(read(1, 1, **{"src_endpoint.ip": address, "http_request.http_method": "GET"}))
    assert addresses(scene, loaded(tmp_path, SEEN, OURS)) == ["198.51.100.1", "2001:db9::1"]
    idle = loaded(tmp_path, {**SEEN, "name": "other"}, OURS)
    assert [one.reason for one in idle.stopped] == ["It is a filter of rules that are not among those that were given."]


def test_an_alias_joins_fields_of_different_names(tmp_path: Path, scene: Scene) -> None:
    """The same value under the name that each rule has for it; a rule that the alias leaves out is said."""
    other = {**SEEN, "name": "named", "id": "0d1a6a4e-0000-4000-8000-00000000000b",
             "detection": {"s": {"cs-method": "PUT"}, "condition": "s"}}  # fmt: skip
    both: dict[str, Any] = {
        "title": "Both", "level": "low", "correlation": {
            "type": "temporal", "rules": ["seen", "named"], "group-by": ["who"], "timespan": "1m",
            "aliases": {"who": {"seen": "c-ip", "named": "cs-username"}},
        },
    }  # fmt: skip
    scene.add(read(1, 1, **{"src_endpoint.ip": "ann", "http_request.http_method": "GET"}))
    scene.add(read(2, 2, **{"actor.user.name": "ann", "http_request.http_method": "PUT"}))
    scene.add(read(3, 3, **{"actor.user.name": "bob", "http_request.http_method": "PUT"}))
    found = loaded(tmp_path, SEEN, other, both)
    assert found.stopped == ()
    assert len(addresses(scene, found)) == 2
    half = {"title": "Half", "correlation": {**both["correlation"], "aliases": {"who": {"seen": "c-ip"}}}}
    assert [one.reason for one in loaded(tmp_path, SEEN, other, half).stopped] == [
        "Its alias who says nothing of the rule named."
    ]


def test_several_fields_are_counted_together(tmp_path: Path, scene: Scene) -> None:
    """Combinations; an event without one of the fields is none of those that are counted."""
    count = {
        "title": "Many", "level": "low", "correlation": {
            "type": "value_count", "rules": ["seen"], "group-by": ["principal"], "timespan": "1m",
            "condition": {"gte": 3, "field": ["c-ip", "cs-uri-stem"]},
        },
    }  # fmt: skip
    for at, (address, path) in enumerate([("a", "x"), ("a", "y"), ("a", "x"), ("b", None), ("b", "x")]):
        more = {"src_endpoint.ip": address, "http_request.url.path": path, "http_request.http_method": "GET"}
        scene.add(read(1, at, **more))
    found = loaded(tmp_path, SEEN, count)
    assert [one[1] for one in scene.hits(found.detections[0])] == [4_000] * 4


def test_what_only_an_empty_window_would_meet_is_said_not_to_run(tmp_path: Path) -> None:
    """Windows end at an event: such a rule could never fire, and whoever gave it believes that it watches."""
    silent = {"title": "S", "correlation": {
        "type": "event_count", "rules": ["seen"], "timespan": "1m", "condition": {"lt": 1}}}  # fmt: skip
    found = loaded(tmp_path, SEEN, silent)
    assert [one.reason[:38] for one in found.stopped] == ["Only a window in which nothing happene"]
    assert found.detections == ()


def test_a_chain_of_correlations_is_said_not_to_run(tmp_path: Path) -> None:
    """Until it does."""
    chain = {"title": "Chain", "correlation": {"type": "temporal", "rules": ["many"], "timespan": "1m"}}
    many = {"title": "M", "name": "many", "correlation": {
        "type": "event_count", "rules": ["seen"], "timespan": "1m", "condition": {"gte": 1}}}  # fmt: skip
    assert "chains of correlations do not run" in loaded(tmp_path, SEEN, many, chain).stopped[0].reason
