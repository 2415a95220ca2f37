"""Members of JSON objects that others wrote, each in the kind that is asked for, or as if it were not there."""

from typing import Any, Final

import msgspec

from strongroom.logs.record import NO_JSON, NOT_THIS_FORMAT, Unreadable, text

Members = dict[str, Any]

_DECODER: Final = msgspec.json.Decoder(Members)
_DIGITS: Final = 40


def decode(unit: bytes) -> Members | Unreadable:
    """One object."""
    try:
        return _DECODER.decode(unit)
    except msgspec.ValidationError:
        return NOT_THIS_FORMAT
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return NO_JSON


def word(entry: Members, *names: str) -> str:
    """The first of these members that is text and not empty, made safe to store; else the empty string."""
    for name in names:
        value = entry.get(name)
        if isinstance(value, str) and value:
            return value if value.isascii() else text(value.encode("utf-8", "backslashreplace"))
    return ""


def inner(entry: Members, *names: str) -> Members:
    """The object at the end of this way; empty when there is none."""
    for name in names:
        value = entry.get(name)
        if not isinstance(value, dict):
            return {}
        entry = value
    return entry


def at(entry: Members, where: str) -> Any:
    """What stands at a name, or at names of objects inside each other joined by dots; None where nothing does."""
    value = entry.get(where)
    if value is None and "." in where:
        value = entry
        for name in where.split("."):
            value = value.get(name) if isinstance(value, dict) else None
    return value


def items(entry: Members, name: str) -> list[Any]:
    """The array of this name; empty when there is none."""
    value = entry.get(name)
    return value if isinstance(value, list) else []


def objects(entry: Members, name: str) -> list[Members]:
    """What in the array of this name is an object."""
    return [one for one in items(entry, name) if isinstance(one, dict)]


def number(entry: Members, *names: str) -> int | None:
    """The first of these members that is a whole number, as such or in digits. Not bounded."""
    for name in names:
        value = entry.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if isinstance(value, float) and value.is_integer():
            return int(value)
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _DIGITS:
            return int(value)
    return None
