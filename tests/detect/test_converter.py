"""The program that converts, asked in this process with the backend that pySigma brings for tests."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from strongroom.detect import converter

TEXT = """
title: Denied
name: denied
logsource: {category: webserver}
detection:
  a: {sc-status: 404, cs-method: [GET, HEAD]}
  condition: a
---
title: Many denied
id: 7b0f7c1e-6d52-4e0d-9a51-3f1d2c7a0b12
correlation:
  type: value_count
  rules: [denied]
  group-by: [principal]
  timespan: 1h
  condition: {field: cs-uri-stem, gte: 15}
---
title: Meant
logsource: {product: aws, service: cloudtrail}
detection:
  a: {meaning|contains: made-public}
  condition: a
---
title: Broken
logsource: {category: webserver}
detection:
  a: {sc-status|nope: 404}
  condition: a
"""
ASKED: dict[str, Any] = {
    "backend": "sigma.backends.test:TextQueryTestBackend",
    "attributes": {"loki_parser": "json"},
    "fields": {
        "web": {"sc-status": "status", "principal": "user", "before": "search "},
        "aws": {"meaning": ""},
        "flow": {"dst_port": "dest_port", "values": {"accept": "allowed"}},
        "other": {"act": ""},
    },
}


def answers(path: Path, text: str = TEXT, **more: Any) -> list[dict[str, Any]]:
    """What it says of a file."""
    path.write_text(text, encoding="utf-8")
    return list(converter.of_file(path, {**ASKED, **more}))


def test_parts_are_parts_and_the_rest_is_answered(tmp_path: Path) -> None:
    """A query in the other's names, a reason that names the field, a reason of pySigma's."""
    many, meant, broken = answers(tmp_path / "a.yml")
    assert (many["title"], many["correlation"], many["reason"]) == ("Many denied", "value_count", "")
    (query,) = many["queries"]
    assert query.startswith("search ")
    assert "status=404" in query
    assert "user" in query
    assert "principal" not in query
    assert (meant["queries"], meant["reason"]) == ([], "It asks for meaning: computed by the hunt, and no field there.")
    assert broken["queries"] == []
    assert "nope" in broken["reason"]


def test_a_field_that_is_grouped_by_or_counted_counts_too(tmp_path: Path) -> None:
    """A count by something that is not there would be a count of everything."""
    many, *_ = answers(tmp_path / "a.yml", fields={**ASKED["fields"], "web": {"principal": "", "cs-uri-stem": ""}})
    assert many["reason"] == "It asks for cs-uri-stem, principal: computed by the hunt, and no field there."


FLOW = """
title: Let in
logsource: {category: firewall}
detection:
  a: {dst_port: 5432, action: accept}
  condition: a
"""


def test_values_that_are_written_otherwise_and_kinds_that_are_not_known(tmp_path: Path) -> None:
    """A word of a flow in the other's words; a kind of log of whose fields nothing is known is said and not guessed."""
    (let,) = answers(tmp_path / "a.yml", FLOW)
    assert let["queries"] == ['dest_port=5432 and action="allowed"']
    (lost,) = answers(tmp_path / "a.yml", FLOW, fields={"web": {}})
    assert lost["reason"] == "What logs of the kind flow call their fields there is not known: say it in targets.toml."
    (other,) = answers(tmp_path / "a.yml", FLOW.replace("category: firewall", "product: m365"))
    assert other["queries"] == ['dst_port=5432 and action="accept"']


def test_what_is_no_rule_file_is_said(tmp_path: Path) -> None:
    """Neither is a missing backend the end of the others."""
    (bad,) = answers(tmp_path / "a.yml", "a: [")
    assert bad["reason"] == "This is not YAML."
    many, *_ = answers(tmp_path / "a.yml", backend="sigma.nowhere:Backend")
    assert many["reason"] == "The backend fails: ModuleNotFoundError."
    (lost,) = answers(tmp_path / "a.yml", TEXT.split("---")[1])
    assert lost["queries"] == []
    assert "denied" in lost["reason"]


def test_it_reads_a_question_and_prints_an_answer_a_rule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As JSON, line by line, with the file."""
    (tmp_path / "a.yml").write_text(TEXT, encoding="utf-8")
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps({**ASKED, "files": [str(tmp_path / "a.yml")]})))
    converter.main()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["title"] for line in lines] == ["Many denied", "Meant", "Broken"]
    assert {line["file"] for line in lines} == {str(tmp_path / "a.yml")}
