"""`strongroom rules convert`, in its real environment, and `strongroom rules lint`."""

import json
from pathlib import Path
from typing import Any

import pytest

from strongroom.cli import converting
from strongroom.detect import rules
from tests.cli.test_hunt import run

DENIED = rules.OURS / "web" / "documents_denied.yml"
PUBLIC = rules.OURS / "aws" / "made_public.yml"


@pytest.fixture(scope="module")
def converts() -> Path:
    """The environment of the lock, made once on a machine."""
    return converting.install()


def asked(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> dict[str, Any]:
    """What a conversion says as JSON."""
    assert run("rules", "convert", *arguments, "--json") == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_splunk_gets_its_own_fields_and_is_told_what_changes(
    converts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A correlation as a search over CIM's fields, with what its windows are; what has no field there, with its reason."""
    found = asked(capsys, "-t", "splunk", DENIED, PUBLIC)
    assert found["schema"] == "strongroom/rules-convert/v1"
    denied, public = found["rules"]
    assert "status IN (401, 403, 404, 410) uri_path=*" in denied["queries"][0]
    assert "stats dc(uri_path) as value_count by _time user" in denied["queries"][0]
    assert "windows by the clock" in denied["note"]
    assert (public["queries"], public["reason"]) == (
        [],
        "It asks for meaning: computed by the hunt, and no field there.",
    )


@pytest.mark.parametrize("target", sorted(converting.targets()))
def test_every_target_answers_for_every_rule(converts: Path, capsys: pytest.CaptureFixture[str], target: str) -> None:
    """A query or a reason, never both and never neither; and something can be said everywhere."""
    found = asked(capsys, "-t", target)
    assert len(found["rules"]) == len({one["id"] for one in found["rules"]}) >= 10
    assert all(bool(one["queries"]) != bool(one["reason"]) for one in found["rules"])
    assert any(one["queries"] for one in found["rules"])


@pytest.mark.parametrize("target", ["sentinel", "lucene"])
def test_targets_without_correlations_say_so(converts: Path, capsys: pytest.CaptureFixture[str], target: str) -> None:
    """Their parts alone would match single events, and are not written."""
    (denied,) = asked(capsys, "-t", target, DENIED)["rules"]
    assert (denied["queries"], denied["correlation"]) == ([], "value_count")
    assert "correlation" in denied["reason"]


def test_files_are_written_into_a_new_directory(
    converts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One a rule that can be said; what is there is left as it is."""
    assert run("rules", "convert", "-t", "spl", DENIED, PUBLIC, "--out", tmp_path / "new") == 0
    (written,) = (tmp_path / "new").iterdir()
    assert written.read_text().startswith(
        "# One login asked for many documents that are denied or do not exist\n\n# counts in"
    )
    told = capsys.readouterr().out
    assert "not converted: A store or a copy of one was made public: It asks for meaning" in told
    assert "2 rules: 1 converted, 1 cannot be said there." in told
    assert run("rules", "convert", "-t", "splunk", DENIED, "--out", tmp_path / "new") == 2


def test_queries_are_shown_to_people(converts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the title and what changes above."""
    assert run("rules", "convert", "-t", "elastic", DENIED) == 0
    out = capsys.readouterr().out
    assert (
        "# One login asked for many documents that are denied or do not exist\n# value_count: counts in windows" in out
    )
    assert "stats value_count=count_distinct(url.path) by timebucket, user.name" in out


def test_nothing_is_downloaded_unasked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without the environment it says how to make it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert run("rules", "convert", "-t", "splunk", DENIED) == 3
    assert "strongroom rules convert --install" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_installing_is_said_and_done_once(converts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same lock is the same environment."""
    assert run("rules", "convert", "--install") == 0
    assert str(converts) in capsys.readouterr().out


def test_a_lock_that_cannot_be_met_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And leaves nothing that looks whole."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "lock.txt").write_text("pyyaml==6.0.4 --hash=sha256:" + "0" * 64 + "\n")
    monkeypatch.setattr(converting, "LOCK", tmp_path / "lock.txt")
    assert run("rules", "convert", "--install") == 3
    assert not converting.installed()


@pytest.mark.parametrize("arguments", [["-t", "cobol"], []])
def test_a_language_is_needed(arguments: list[str]) -> None:
    """One that is known."""
    assert run("rules", "convert", *arguments) == 2


def test_lint_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1 for an error; 0 for our own rules."""
    (tmp_path / "r.yml").write_text(
        "title: x\nlogsource: {category: webserver}\ndetection: {a: {c-ip: x}, condition: a}\n"
    )
    assert run("rules", "lint", tmp_path) == 1
    out = capsys.readouterr().out
    assert "r.yml: x: Its level is none of" in out
    assert "1 files: 1 errors," in out
    assert run("rules", "lint", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["schema"], found["errors"], found["remarks"]) == ("strongroom/rules-lint/v1", 0, [])
