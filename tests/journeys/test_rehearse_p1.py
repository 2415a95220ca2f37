"""The rehearsal of P1, quick form, for real: every promise of every condition."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from click.testing import CliRunner

from strongroom.cli.rehearse import command


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[dict[str, object]], str]:
    """The runs as JSON, and the timeline."""
    svg = tmp_path_factory.mktemp("rehearsal") / "p1.svg"
    done = CliRunner().invoke(command, ["P1", "--quick", "--patients", "60", "--json", "--svg", str(svg)])
    assert done.exception is None, done.stderr
    shape = json.loads(done.stdout)
    assert shape["playbook"] == "P1"
    return shape["runs"], Path(svg).read_text()


@pytest.mark.parametrize("condition", ["guards-on", "hostile-app", "copied-stores", "app-mints"])
def test_nothing_is_lost_while_authorization_stands(
    report: tuple[list[dict[str, object]], str], condition: str
) -> None:
    """No person listed, no document read: with stolen logins, an owned app, copied stores, forged tokens."""
    runs = [run for run in report[0] if run["condition"] == condition]
    assert runs
    assert all((run["people_listed"], run["people_lost"], run["documents_lost"]) == (0, 0, 0) for run in runs)


def test_five_people_a_login_when_authorization_is_broken(report: tuple[list[dict[str, object]], str]) -> None:
    """Also without misses and decoys, and also after thirty patient days; and it is not nothing, or nothing was tested."""
    runs = [run for run in report[0] if run["condition"] == "authorization-broken"]
    assert {run["rate"] for run in runs} == {"max", "patient"}
    for run in runs:
        assert 0 < int(str(run["people_lost"])) <= 5 * int(str(run["logins"]))
        assert run["stopped_by"] == "account budget"


def test_a_hostile_app_gets_what_its_live_users_may_read(report: tuple[list[dict[str, object]], str]) -> None:
    """With twenty users active, an owned app reads theirs and no others'."""
    [run] = [run for run in report[0] if run["condition"] == "hostile-app-live"]
    assert 0 < int(str(run["people_lost"])) <= int(str(run["bound"]))


def test_the_stores_list_is_the_haul_and_honest_people_go_on(report: tuple[list[dict[str, object]], str]) -> None:
    """In every run the log names exactly what was got, and nobody honest was refused."""
    assert all(run["list_equals_haul"] for run in report[0])
    assert sum(int(str(run["honest_requests"])) for run in report[0]) >= 1_000
    assert [run for run in report[0] if run["honest_refused"]] == []


def test_the_timeline_is_a_picture(report: tuple[list[dict[str, object]], str]) -> None:
    """Well-formed SVG with a title, a description, and no script."""
    root = ET.fromstring(report[1])  # noqa: S314  # our own picture
    names = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert {"title", "desc", "rect", "text"} <= names
    assert "script" not in names
