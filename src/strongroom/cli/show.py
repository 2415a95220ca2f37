"""How commands show rows and times to people, and read times from them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

import click

from strongroom.clock import iso

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Characters with which a title could move a terminal's cursor or turn its text around."""


def table(headings: Sequence[str], rows: Iterable[Mapping[str, object]], last: str = "") -> str:
    """Rows as aligned text, a heading above, `last` below. What comes from others loses its control characters."""
    cells = [[_plain(row.get(heading)) for heading in headings] for row in rows]
    head = [heading.replace("_", " ").upper() for heading in headings]
    widths = [max(len(line[at]) for line in [head, *cells]) for at in range(len(headings))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in [head, *cells]
    ]
    return "\n".join([*(lines if cells else []), *([last] if last else [])])


def when(value: object) -> str:
    """Milliseconds as a time people read; `-` for none."""
    return iso(value) if isinstance(value, int) and value > 0 else "-"


def millis(text: str) -> int:
    """An ISO date or time as milliseconds; without a zone UTC is meant. Raises click.BadParameter."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        msg = f"{text[:40]!r} is no time. Write 2026-03-14, or 2026-03-14T02:10:00+00:00."
        raise click.BadParameter(msg) from error
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def _plain(value: object) -> str:
    return "-" if value is None or value == "" else _CONTROL.sub("?", str(value))
