"""The cells of one line of CSV. Cells that hold an end of line are not read: a line is a unit."""

import csv
import io
from collections.abc import Callable
from typing import Final

from strongroom.logs.record import NOT_THIS_FORMAT, Read, text

MARK = b"\xef\xbb\xbf"
"""A byte-order mark, which some programs put before the first line."""


DELIMITERS: Final = ",;\t|"
"""What stands between cells: a comma, and what spreadsheets write where a comma is in numbers."""


def cells(line: bytes, delimiter: str = ",") -> list[str] | None:
    """The cells; None for what is no line of CSV."""
    try:
        found = list(csv.reader(io.StringIO(text(line), newline=""), delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    return None if len(found) > 1 else found[0] if found else []


def divided(first: bytes) -> tuple[list[str], str]:
    """The names in a heading and what stands between them: that of which it has most. No names where it is no line of CSV."""
    found = [(cells(first, delimiter) or [], delimiter) for delimiter in DELIMITERS]
    return max(found, key=lambda one: len(one[0]))


def below(
    first: bytes, names: list[str], row: Callable[[dict[str, str]], Read], delimiter: str = ","
) -> Callable[[bytes], Read]:
    """How to read lines below a heading of these names. Where files were joined the heading comes again."""

    def parse(unit: bytes) -> Read:
        if unit == first:
            return []
        found = cells(unit, delimiter)
        return row(dict(zip(names, found, strict=True))) if found and len(found) == len(names) else NOT_THIS_FORMAT

    return parse
