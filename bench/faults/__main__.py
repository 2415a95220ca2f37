"""`python -m bench.faults`: measure every fault, and write `docs/reliability.md`; `--render`: of what was measured last."""

import re

import click
import msgspec

from bench.faults import FAULTS, measured
from bench.faults.fault import Result
from bench.faults.page import MEASURED, read, write


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--render", is_flag=True, help="Measure nothing: write the page anew of docs/reliability.json.")
@click.option("--again", metavar="PATTERN", help="Measure only the faults whose names have it; keep the other rows.")
def main(*, render: bool, again: str | None) -> None:
    """Measure every fault, and write docs/reliability.md.

    \b
    Example:
      .venv/bin/python -m bench.faults --again "HSM|bucket"
    """
    if render:
        write(read(), FAULTS)
        return
    chosen = [fault for fault in FAULTS if again is None or re.search(again, fault.name)]
    result = measured("full", chosen, say=lambda line: click.echo(line, err=True))
    write(result if again is None or not MEASURED.exists() else merged(read(), result), FAULTS)


def merged(old: Result, new: Result) -> Result:
    """The rows of both, the newer where both have one; what was acknowledged in either, and what did not hold in either."""
    rows = {row.name: row for row in (*old.rows, *new.rows)}
    return msgspec.structs.replace(
        new,
        rows=[rows[fault.name] for fault in FAULTS if fault.name in rows],
        released=old.released + new.released,
        listed=old.listed + new.listed,
        uploads=old.uploads + new.uploads,
        broken=old.broken + new.broken,
    )


if __name__ == "__main__":
    main()
