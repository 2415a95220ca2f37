"""Tables for spreadsheets."""

import csv
import io

import pytest

from strongroom.detect import spreadsheet, walk
from strongroom.detect.finding import findings
from strongroom.detect.hunt import run
from tests.detect.conftest import Scene, read


def rows(lines: list[str]) -> list[dict[str, str]]:
    """As a program reads them."""
    return list(csv.DictReader(io.StringIO("".join(lines))))


def test_findings_and_the_documents_that_left(scene: Scene) -> None:
    """One row a finding; one a document that left, whose it was, how often and where it stands; refusals are none."""
    scene.add(
        *(read(at, at, patient=f"p{at}", status_id=2 if at == 3 else 1) for at in range(12)), read(0, 20, patient="p0")
    )
    found = findings(scene.engine, run([walk.detection()], scene.engine, []))
    (one,) = rows(list(spreadsheet.findings(found, ["a.log"])))
    assert (one["about"], one["documents"], one["people"], one["source"], one["offset"]) == (
        "login ann",
        "11",
        "11",
        "a.log",
        "0",
    )
    assert one["first"] == "1970-01-01 00:00:00"
    left = rows(list(spreadsheet.documents(scene.engine, found, ["a.log"])))
    assert [row["document"] for row in left] == [f"/d/{n}" for n in range(12) if n != 3]
    assert (left[0]["patient"], left[0]["times"], left[0]["bytes"], left[0]["last"]) == (
        "p0",
        "2",
        "2000",
        "1970-01-01 00:00:20",
    )


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@x", '=cmd|" /c calc"!A0', "%0A"])
def test_no_name_is_a_formula(name: str) -> None:
    """What a spreadsheet would compute is text."""
    (cells,) = csv.reader([spreadsheet._line([name, 7, None, "ann"])])
    assert cells == ["'" + name, "7", "", "ann"]


def test_control_characters_are_shown() -> None:
    """No row is broken, no terminal is moved."""
    assert spreadsheet._line(["a\nb\x1b[2J"]) == "a\\nb\\x1b[2J\n"
