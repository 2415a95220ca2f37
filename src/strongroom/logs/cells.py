"""The cells of one line of CSV. Cells that hold an end of line are not read: a line is a unit."""

import csv
import io
from collections.abc import Callable

from strongroom.logs.record import NOT_THIS_FORMAT, Read, text

MARK = b"\xef\xbb\xbf"
"""A byte-order mark, which some programs put before the first line."""


def cells(line: bytes) -> list[str] | None:
    """The cells; None for what is no line of CSV."""
    try:
        found = list(csv.reader(io.StringIO(text(line), newline=""), strict=True))
    except csv.Error:
        return None
    return None if len(found) > 1 else found[0] if found else []


def below(first: bytes, names: list[str], row: Callable[[dict[str, str]], Read]) -> Callable[[bytes], Read]:
    """How to read lines below a heading of these names. Where files were joined the heading comes again."""

    def parse(unit: bytes) -> Read:
        if unit == first:
            return []
        found = cells(unit)
        return row(dict(zip(names, found, strict=True))) if found and len(found) == len(names) else NOT_THIS_FORMAT

    return parse
