"""`./up bench [NAME …] [--scale small|full] [--json]`. Exit code 0: every goal met; 1: one missed; 2: no such bench;
78: the machine lacks what the bench needs, and how to get it is said.
"""

import importlib
import os
import sys
from pathlib import Path
from typing import get_args

import click
from rich.console import Console
from rich.table import Table

from bench import BENCHES, CACHE, EACH, PART, Part, Scale
from bench.report import Report
from strongroom.errors import ConfigError


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1)
@click.option(
    "--cache",
    type=click.Path(path_type=Path, file_okay=False),
    envvar=CACHE,
    help="Where large stores are kept between benches. Default: ~/.cache/strongroom-bench.",
)
@click.option(
    "--part",
    envvar=PART,
    metavar="N/OF",
    help="Of crash, fuzz and tamper: a part of them, with a chance of its own. The sum of all parts is the whole.",
)
@click.option(
    "--minutes",
    envvar=EACH,
    type=click.FloatRange(0, min_open=True),
    help="Of fuzz: minutes of CPU for each target, in place of what the scale has. Ten each before a release.",
)
@click.option("--remove-cache", is_flag=True, help="Remove the large stores that are kept there, at the end.")
@click.option("--scale", type=click.Choice(get_args(Scale)), default="small", show_default=True)
@click.option(
    "--json", "as_json", is_flag=True, help="One object a bench, one a line; the shape stands in bench/report.py."
)
def main(
    names: tuple[str, ...],
    scale: Scale,
    cache: Path | None,
    part: str | None,
    minutes: float | None,
    *,
    as_json: bool,
    remove_cache: bool,
) -> None:
    """Measure; without a NAME, list what there is to measure."""
    if cache is not None:
        os.environ[CACHE] = str(cache.absolute())
    if part is not None:
        try:
            Part.parse(part)
        except ValueError:
            raise click.BadParameter("A part is, for example, 2/5: the second of five.", param_hint="--part") from None
        os.environ[PART] = part
    if minutes is not None:
        os.environ[EACH] = str(minutes)
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        raise click.UsageError(f"There is no bench {', '.join(unknown)}. The benches: {', '.join(BENCHES) or 'none'}.")
    if not names and not remove_cache:
        _list()
        return
    try:
        reports = [_measure(name, scale, as_json=as_json) for name in names]
    finally:
        if remove_cache:
            importlib.import_module("bench.scale").remove()
    sys.exit(0 if all(report.holds for report in reports) else 1)


def _measure(name: str, scale: Scale, *, as_json: bool) -> Report:
    entry = BENCHES[name]
    seconds = Part.asked().share(entry.full if scale == "full" else entry.small)
    click.echo(f"{name}: {entry.what}; about {seconds} s.", err=True)
    try:
        report = Report(name, tuple(importlib.import_module(f"bench.{name}").run(scale)))
    except ConfigError as error:
        click.echo(f"{error.message} {error.advice}", err=True)
        sys.exit(error.exit_code)
    if as_json:
        click.echo(report.to_json())
    else:
        report.show(Console())
    return report


def _list() -> None:
    table = Table("bench", "measures", "small, s", "full, s")
    for name, entry in BENCHES.items():
        table.add_row(name, entry.what, str(entry.small), str(entry.full))
    Console().print(table)


if __name__ == "__main__":
    main(prog_name="./up bench")
