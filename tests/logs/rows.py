"""What a format's reader makes of bytes, for tests to look at."""

from typing import Any

import msgspec

from strongroom.logs import read
from strongroom.logs.formats import NAMES
from strongroom.logs.record import Unreadable

Row = dict[str, Any]


def rows(data: bytes, name: str) -> list[Row]:
    """All rows of a file by column. Nothing in it may be unreadable."""
    account, format_ = read.Account(), NAMES[name]
    found = [row[len(read.RECORD) :] for batch in read.rows([data], format_, 0, account) for row in batch]
    assert account.unreadable == {}
    return [dict(zip(format_.fields, row, strict=True)) for row in found]


def one(entry: object, name: str) -> Row:
    """The only row of a JSON object."""
    (found,) = rows(msgspec.json.encode(entry), name)
    return found


def reason(entry: object, name: str) -> Unreadable:
    """Why a JSON object, or a line, is none."""
    found = NAMES[name].parse(entry if isinstance(entry, bytes) else msgspec.json.encode(entry))
    if isinstance(found, list):
        (found,) = found
    assert isinstance(found, Unreadable), found
    return found


def some(row: Row, *names: str) -> list[Any]:
    """Values of a row."""
    return [row[name] for name in names]
