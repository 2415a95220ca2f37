"""The files that a hunt writes beside its answer: a page, OCSF events, tables. Only their owner may read them: they name people."""

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from strongroom.errors import OperationError, UsageError

if TYPE_CHECKING:
    from strongroom.detect.duckdb import Engine
    from strongroom.detect.evidence import Opened
    from strongroom.detect.finding import Finding
    from strongroom.detect.hunt import Result

F = TypeVar("F", bound=Callable[..., object])

OPTIONS = {
    "html": "A page that opens from disk, with drawings.",
    "ocsf": "Every finding as an OCSF Detection Finding, one a line.",
    "csv": "Every finding as a row of a table.",
    "documents": "Every document that left, by finding, as a table (CSV).",
}


def options(function: F) -> F:
    """`--html FILE` and its like."""
    for name, what in reversed(OPTIONS.items()):
        function = click.option(
            f"--{name}", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help=what
        )(function)
    return function


def check(files: dict[str, Path | None]) -> dict[str, Path]:
    """Those that are asked for. Raises UsageError, before anything is read, for one that would overwrite something."""
    asked = {name: path for name, path in files.items() if path is not None}
    for path in asked.values():
        if path.exists():
            raise UsageError(f"{path} exists already.", advice="It is left as it is. Name another file.")
        if not path.absolute().parent.is_dir():
            raise UsageError(f"There is no directory {path.absolute().parent}.", advice="Make it first.")
    if len({path.absolute() for path in asked.values()}) < len(asked):
        raise UsageError("Two reports cannot be one file.")
    return asked


def write(
    asked: dict[str, Path], found: "Result", shown: "list[tuple[Finding, list[Opened]]]", engine: "Engine", answer: str
) -> None:
    """All of them. The page holds the findings that are `shown`, the other files hold every one."""
    from strongroom import __version__
    from strongroom.clock import SystemClock
    from strongroom.detect import ocsf, page, series, spreadsheet, walk
    from strongroom.detect.evidence import opened

    if not asked:
        return
    now, names = SystemClock().now(), [file.source.name for file in found.files]
    if "html" in asked:
        walkers = [one.about for one, _ in shown if any(reason.detection.shape == "walk" for reason in one.reasons)]
        drawn = series.pictures(engine, walkers, walk.HEAD.id)
        _write(asked["html"], [page.page(found, shown, drawn, answer, now)])
    if "ocsf" in asked:
        events = (ocsf.event(one, opened(one.evidence[:1], found.files), __version__, now) for one in found.findings)
        _write(asked["ocsf"], (f"{json.dumps(event)}\n" for event in events))
    if "csv" in asked:
        _write(asked["csv"], spreadsheet.findings(found.findings, names))
    if "documents" in asked:
        _write(asked["documents"], spreadsheet.documents(engine, found.findings, names))


def _write(path: Path, parts: Iterable[str]) -> None:
    """Whole or not at all, and for the owner alone."""
    beside = path.with_name(f".{path.name}.part")
    try:
        private = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(private, "w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            file.writelines(parts)
        beside.rename(path)
    except OSError as error:
        raise OperationError(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        beside.unlink(missing_ok=True)
