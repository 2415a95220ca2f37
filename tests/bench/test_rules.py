"""The bench of rules by others: it counts what it says it counts, and a disagreement is one."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from bench import rules
from strongroom.errors import ConfigError

RULE = """
title: A log was stopped
id: 0d1a6a4e-0000-4000-8000-000000000001
status: test
logsource: {product: aws, service: cloudtrail}
detection:
  stopped: {eventName: StopLogging, userIdentity.type|startswith: iam}
  condition: stopped
"""
OTHER = "title: Old\nlogsource: {product: dos}\ndetection: {s: {a: b}, condition: s}\n"


def event(name: str, **more: Any) -> dict[str, Any]:
    """A line of the set."""
    log = {"eventTime": "2025-12-29T09:00:00Z", "eventName": name, "eventSource": "cloudtrail.amazonaws.com",
           "userIdentity": {"type": "IAMUser"}, **more}  # fmt: skip
    return {"rule": "x", "log_types": ["AWS.CloudTrail"], "test": "t", "expected": True, "log": log}


@pytest.fixture
def supplied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two rules and four events, one of which nobody can read, and one of another log."""
    (tmp_path / "rules" / "cloud").mkdir(parents=True)
    (tmp_path / "rules" / "cloud" / "a.yml").write_text(RULE, encoding="utf-8")
    (tmp_path / "rules" / "cloud" / "b.yml").write_text(OTHER, encoding="utf-8")
    (tmp_path / "panther_labelled_events").mkdir()
    events = [event("StopLogging"), event("StartLogging"), event("StopLogging", eventTime="soon"),
              {**event("StopLogging"), "log_types": None}]  # fmt: skip
    with gzip.open(tmp_path / "panther_labelled_events" / "rule_test_events.jsonl.gz", "wt") as file:
        file.writelines(json.dumps(one) + "\n" for one in events)
    monkeypatch.setenv(rules.NAMED, str(tmp_path / "rules"))
    monkeypatch.setenv("STRONGROOM_TESTDATA", str(tmp_path))
    return tmp_path


def figures() -> dict[str, tuple[float, float | None, bool | None]]:
    """What it prints."""
    return {one.name: (one.value, one.against, one.holds) for one in rules.run("small")}


def test_what_loads_runs_and_agrees(supplied: Path) -> None:
    """Of two rules one runs; of three records two are read; both engines say the same of each."""
    found = figures()
    assert found["rules by others that load"] == (2, 2, False)  # of 300 that must
    assert found["rules by others that run"] == (1, 2, None)
    assert found["AWS.CloudTrail: records, read"] == (2, 3, None)
    assert found["AWS.CloudTrail: rule and event pairs that match"] == (1, None, None)
    assert found["AWS.CloudTrail: verdicts alike"] == (2, 2, True)


def test_a_disagreement_is_counted(supplied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backend that selects everything is wrong about one record of two."""
    asked = rules._Asked("0d1a6a4e-0000-4000-8000-000000000001", "SELECT place FROM logs", frozenset({"eventName"}))
    monkeypatch.setattr(rules, "_written", lambda path: [asked] if path.name == "a.yml" else [])
    assert figures()["AWS.CloudTrail: verdicts alike"] == (1, 2, False)


def test_nothing_supplied_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing measured."""
    monkeypatch.delenv(rules.NAMED, raising=False)
    with pytest.raises(ConfigError, match="nothing was measured"):
        list(rules.run("small"))
