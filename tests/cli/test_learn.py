"""`gateway learn`: from logs or a description to a file that the gateway reads."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import typed
from tests.gateway.portals import PORTALS, lines

Type = Callable


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A packed access log of a portal."""
    path = tmp_path / "access.log.gz"
    path.write_bytes(gzip.compress("\n".join(lines(PORTALS[0], 600, seed=5)).encode()))
    return path


def test_a_draft_is_written_and_the_gateway_reads_it(log: Path, tmp_path: Path) -> None:
    """With the real commands: learn, then check; what is there is not overwritten."""
    out = tmp_path / "gateway.toml"
    told = typed("gateway", "learn", log, "--out", out)
    assert told.code == 0
    assert told.out.endswith(f"look for DECIDE in {out}.\n")
    checked = typed("gateway", "--upstream", "http://127.0.0.1:1", "--config", out, "--check")
    assert checked.code == 0
    assert "letters-letter: GET HEAD /letters/{letter:int} document letter" in checked.out
    assert typed("gateway", "learn", log, "--out", out).code == 3


def test_json_tells_routes_and_questions(log: Path) -> None:
    """For whoever goes on with it by program."""
    told = typed("gateway", "learn", log, "--json").json
    assert told["schema"] == "strongroom/gateway-learn/v1"
    assert told["questions"] == 1 + sum(len(one["ask"]) for one in told["routes"])
    assert {one["path"]: one["shows"] for one in told["routes"]}["/letters"] is True
    assert told["text"].startswith("# Drafted by")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "one of them"),
        (("x.log", "--openapi", "x"), 2, "one of them"),
        (("none.log",), 2, "no file at none.log"),
        (("text",), 2, "not a log of web requests"),
        (("--openapi", "text"), 2, "OpenAPI"),
        (("--openapi", "none"), 3, "cannot be read"),
        (("one.log",), 3, "nothing to draft"),
        (("one.log", "--least", "0"), 2, "at least 1"),
    ],
)
def test_what_cannot_be_learned_from_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], code: int, said: str
) -> None:
    """Each with its exit code and what to do."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text").write_text("hello\n" * 20)
    (tmp_path / "one.log").write_text(next(lines(PORTALS[0], 1, seed=1)) + "\n")
    told = typed("gateway", "learn", *arguments)
    assert (told.code, told.out) == (code, "")
    assert said in told.err


def test_a_gateway_without_a_portal_is_no_command(tmp_path: Path) -> None:
    """`--upstream` is asked for, except to learn."""
    told = typed("gateway", "--config", tmp_path / "gateway.toml")
    assert told.code == 2
    assert "--upstream" in told.err
