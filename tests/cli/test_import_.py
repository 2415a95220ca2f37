"""`import`: existing documents, resumable and verified."""

from collections.abc import Callable
from pathlib import Path

import pytest

Type = Callable


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Three files."""
    folder = tmp_path / "scans"
    folder.mkdir()
    for name in ("a", "b", "c"):
        (folder / f"{name}.txt").write_text(f"scan {name}\n")
    return folder


def test_rows_become_documents(strongroom: Type, patient: str, scans: Path) -> None:
    """Every good row is a document with its title, date and type; started again, nothing is put in twice."""
    table = scans.parent / "map.csv"
    table.write_text(
        f"file,patient,title,type,category,date\na.txt,{patient},Scan A,18842-5,,2019-03-02\nb.txt,{patient},,,,\n"
    )
    assert strongroom("import", scans, "--map", table, "--dry-run", "--json").json["rows"] == 2
    first = strongroom("import", scans, "--map", table, "--json")
    assert (first.code, first.json["put"], first.json["skipped"]) == (0, 2, 0)
    found = {one["title"]: one for one in strongroom("ls", "--json").json["documents"]}
    assert (found["Scan A"]["type"], found["Scan A"]["date"]) == ("18842-5", "2019-03-02T00:00:00Z")
    assert "b.txt" in found
    again = strongroom("import", scans, "--map", table, "--json").json
    assert (again["put"], again["skipped"]) == (0, 2)


def test_it_goes_on_where_it_stopped(strongroom: Type, patient: str, scans: Path) -> None:
    """A journal with a cut last line counts for the lines before it."""
    table = scans.parent / "map.csv"
    table.write_text(f"file,patient\na.txt,{patient}\n")
    assert strongroom("import", scans, "--map", table, "--json").json["put"] == 1
    table.write_text(f"file,patient\na.txt,{patient}\nb.txt,{patient}\nc.txt,{patient}\n")
    with (scans.parent / "map.csv.journal").open("a") as journal:
        journal.write('{"row": "0123')
    told = strongroom("import", scans, "--map", table, "--json").json
    assert (told["put"], told["skipped"]) == (2, 1)


def test_problems_are_told_by_line(strongroom: Type, patient: str, scans: Path) -> None:
    """Each bad row is one sentence with its line, is left out whole, and the good ones go in; exit code 1."""
    (scans / "empty.txt").touch()
    (scans / "page.png").write_text("<html>")
    rows = ["c.txt,{p},", "nope.txt,{p},", "../map.csv,{p},", "empty.txt,{p},", "a.txt,not a patient,", "a.txt,{p},secret",
            "page.png,{p},", f"a.txt,{'z' * 26},", "a.txt,{p},,extra"]  # fmt: skip
    table = scans.parent / "map.csv"
    table.write_text("file,patient,category\n" + "\n".join(row.format(p=patient) for row in rows) + "\n")
    told = strongroom("import", scans, "--map", table, "--json")
    assert (told.code, told.json["put"]) == (1, 1)
    assert [one["line"] for one in told.json["problems"]] == [3, 4, 5, 6, 7, 8, 9, 10]
    assert "line 3:" in strongroom("import", scans, "--map", table).out


@pytest.mark.parametrize(
    "text", ["", "file,patient\n", "path,patient\na,b\n", "file\na\n", "file,patient,colour\na,b,c\n"]
)
def test_tables_that_are_none(strongroom: Type, scans: Path, text: str) -> None:
    """A table without rows, or with another heading, is refused before anything is sent."""
    table = scans.parent / "map.csv"
    table.write_text(text)
    assert strongroom("import", scans, "--map", table).code == 2


def test_it_stops_when_everything_fails(
    strongroom: Type, patient: str, scans: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token that lapsed stops it after twenty rows instead of failing every one of a long table."""
    table = scans.parent / "map.csv"
    table.write_text("file,patient,title\n" + "".join(f"a.txt,{patient},t{number}\n" for number in range(60)))
    monkeypatch.setenv("STRONGROOM_TOKEN", "nonsense")
    stopped = strongroom("import", scans, "--map", table)
    assert (stopped.code, "line 21" in stopped.err) == (3, True)
