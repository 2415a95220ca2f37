"""`strongroom rules`."""

import json
from pathlib import Path

import pytest

from strongroom.detect import rules
from tests.cli.test_hunt import run


def test_the_list_names_every_detection(capsys: pytest.CaptureFixture[str]) -> None:
    """Rules and what no rule can express, with their levels and tags."""
    assert run("rules", "list", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == "strongroom/rules-list/v1"
    assert found["stopped"] == []
    titles = {one["title"] for one in found["detections"]}
    assert {"Ids were asked for in a row", "A store or a copy of one was made public"} <= titles


def test_the_list_says_which_cannot_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And why."""
    (tmp_path / "r.yml").write_text("title: Old\nlogsource: {product: dos}\ndetection: {s: {a: b}, condition: s}\n")
    assert run("rules", "list", tmp_path) == 0
    assert "Old: Logs of dos are not read yet." in capsys.readouterr().out


def test_the_test_passes_a_rule_that_holds(capsys: pytest.CaptureFixture[str]) -> None:
    """With the count of cases."""
    assert run("rules", "test", rules.OURS / "aws" / "key_disabled.yml") == 0
    assert "4 cases, 4 hold, 0 do not." in capsys.readouterr().out


def test_the_test_fails_a_rule_that_does_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1, and the case is named."""
    ours = rules.OURS / "aws" / "key_disabled"
    (tmp_path / "r.yml").write_text(ours.with_suffix(".yml").read_text().replace("key-disabled", "made-public"))
    (tmp_path / "r.events.yml").write_text(ours.with_suffix(".events.yml").read_text())
    assert run("rules", "test", tmp_path) == 1
    assert "disabled: must match and does not" in capsys.readouterr().out
