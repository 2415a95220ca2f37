"""`strongroom import`: existing documents, one row of a table each, through the API like everybody else's."""

import csv
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from strongroom.cli.common import Told, emit, json_option
from strongroom.cli.http import CATEGORIES, Api, Order, open_api, reach_options
from strongroom.errors import OperationError, StrongroomError, Unavailable, UsageError
from strongroom.ids import is_fhir_id

COLUMNS = ("file", "patient", "title", "type", "category", "date")
NEEDED = ("file", "patient")
MAX_PROBLEMS_IN_A_ROW = 20
"""Then it stops: a token that lapsed or a patient list of another store would fail every row."""
EVERY = 100


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table, and what it asks for; `name` is what the journal knows it by."""

    line: int
    name: str
    order: Order


@dataclass(slots=True)
class Tally:
    """How it went."""

    put: int = 0
    skipped: int = 0
    bytes: int = 0


@click.command("import")
@click.argument("directory", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--map", "table", required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False),
              help=f"CSV in UTF-8 with a heading: {','.join(COLUMNS)}. Files are named below DIRECTORY.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Look at every row and file, and put nothing in.")
@reach_options
@json_option
def command(  # one parameter an option
    *,
    directory: Path,
    table: Path,
    dry_run: bool,
    base: str | None,
    token: str | None,
    store: Path | None,
    as_json: bool,
) -> None:
    """Put every file of the table in, as one who may deposit for these patients.

    Each document is compared with its file when it is kept, and then written into a journal beside the table: start it again
    after whatever stopped it, and it goes on behind the last. Rows with problems are listed and left out whole.

    \b
    Example:
      strongroom import scans/ --map scans.csv
    """
    rows, problems = _read(table, directory)
    tally = Tally()
    if not dry_run:
        with open_api(base, token, store) as api:
            _put(api, rows, table.with_name(f"{table.name}.journal"), tally, problems)
    problems.sort(key=lambda one: int(one["line"]))
    text = [f"  line {one['line']}: {one['sentence']}" for one in problems]
    text.append(f"{tally.put} put in ({tally.bytes} bytes), {tally.skipped} were there, {len(problems)} problems"
                f"{f', {len(rows)} rows could be put in' if dry_run else ''}.")  # fmt: skip
    shape = {"put": tally.put, "skipped": tally.skipped, "bytes": tally.bytes, "rows": len(rows), "problems": problems}
    emit("import", shape, as_json=as_json, text="\n".join(text))
    if problems:
        raise Told(f"{len(problems)} rows have problems.", advice="Mend them and start it again.")


def _read(table: Path, directory: Path) -> tuple[list[Row], list[dict[str, Any]]]:
    """The rows that can be used, and the problems of those that cannot. Raises UsageError for a table that is none."""
    rows: list[Row] = []
    problems: list[dict[str, Any]] = []
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            _check_heading(reader.fieldnames or ())
            for cells in reader:
                try:
                    rows.append(_row(reader.line_num, cells, directory))
                except UsageError as error:
                    problems.append({"line": reader.line_num, "sentence": error.message})
    except (csv.Error, UnicodeDecodeError) as error:
        msg = f"The table is not CSV in UTF-8: {error}"
        raise UsageError(msg) from error
    if not rows and not problems:
        msg = "The table has no rows."
        raise UsageError(msg)
    return rows, problems


def _check_heading(names: Any) -> None:
    unknown, missing = sorted(set(names) - set(COLUMNS)), sorted(set(NEEDED) - set(names))
    if unknown or missing:
        msg = f"The table's heading is not right: {f'unknown {unknown}' if unknown else f'missing {missing}'}."
        raise UsageError(msg, advice=f"Its columns are {','.join(COLUMNS)}; only file and patient are needed.")


def _row(line: int, cells: dict[str, str | None], directory: Path) -> Row:
    """Raises UsageError with what is wrong with the row."""
    said = {name: (cells.get(name) or "").strip() for name in COLUMNS}
    path = (directory / said["file"]).resolve()
    if None in cells or not said["file"]:
        raise UsageError("It has too many cells, or names no file.")
    if not path.is_relative_to(directory.resolve()) or not path.is_file():
        raise UsageError("There is no such file below the directory.")
    if path.stat().st_size == 0:
        raise UsageError("The file is empty.")
    if not is_fhir_id(said["patient"]):
        raise UsageError("The patient is no patient id.")
    category = said["category"] or "normal"
    if category not in CATEGORIES:
        raise UsageError(f"The category is none of {', '.join(CATEGORIES)}.")
    order = Order(path, said["patient"], said["title"], said["type"] or None, category, said["date"] or None)
    return Row(line, hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:32], order)


def _put(api: Api, rows: list[Row], journal: Path, tally: Tally, problems: list[dict[str, Any]]) -> None:
    """Put the rows in that the journal does not have. Raises OperationError after too many problems in a row."""
    done = set(_done(journal))
    in_a_row = 0
    try:
        handle = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    except OSError as error:
        msg = f"The journal {journal} cannot be written: {error.strerror}."
        raise Unavailable(msg, advice="It lies beside the table, so that it can go on after a stop.") from error
    with os.fdopen(handle, "w") as file:
        for row in rows:
            if row.name in done:
                tally.skipped += 1
                continue
            try:
                kept = api.put(row.order)
            except StrongroomError as error:
                in_a_row += 1
                problems.append({"line": row.line, "sentence": error.message})
                if in_a_row == MAX_PROBLEMS_IN_A_ROW:
                    msg = f"Stopped at line {row.line}: {in_a_row} problems in a row, the last: {error.message}"
                    raise OperationError(
                        msg, advice=error.advice or "Start it again; what is kept is not put in twice."
                    ) from error
                continue
            in_a_row = 0
            done.add(row.name)
            file.write(json.dumps({"row": row.name, "document": kept.document, "sha256": kept.sha256}) + "\n")
            file.flush()
            os.fsync(file.fileno())
            tally.put += 1
            tally.bytes += kept.size
            if tally.put % EVERY == 0:
                click.echo(f"  {tally.put + tally.skipped} of {len(rows)}", err=True)


def _done(journal: Path) -> Iterator[str]:
    """The rows that are kept. A last line that a crash cut is passed over: its document is put in again."""
    if not journal.exists():
        return
    for line in journal.read_text().splitlines():
        try:
            yield str(json.loads(line)["row"])
        except (ValueError, KeyError, TypeError):
            continue
