"""JSON access logs in which the operator says what fields mean: who asked stands in a field that no server calls so.

    [fields]
    principal = "token.sub"        # a name, or names of objects inside each other joined by dots

All else is as `access_json` reads it.
"""

from typing import Any, Final

from strongroom.logs import access_json, members
from strongroom.logs.formats import Format
from strongroom.logs.log_format import FIELDS, Names, owned
from strongroom.logs.record import Row, Unreadable, text

_PLACES: Final = {"principal": "remote_user", "address": "remote_addr", "forwarded": "x_forwarded_for"}
"""What is known of a request by these names."""


def format_of(names: Names) -> Format:
    """How lines of such a log are read."""

    def parse(unit: bytes) -> Row | Unreadable:
        entry = access_json.decoded(unit)
        if isinstance(entry, Unreadable):
            return entry
        told = {name: _at(entry, where) for name, where in names.items()}
        row = access_json.row(entry | {place: told[name] for name, place in _PLACES.items() if told.get(name)})
        if isinstance(row, Unreadable):
            return row
        return (*owned(row, told.get("document", ""), told.get("patient", "")), told.get("session") or None)

    return Format("log-fields", "an access log in JSON by your names of fields", FIELDS, parse, "json")


def _at(entry: dict[str, Any], where: str) -> str:
    """What stands at a name or at names joined by dots; empty where nothing does."""
    value = members.at(entry, where)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    said = value if isinstance(value, str) else ""
    return "" if said in {"-", "--"} else text(said.encode("utf-8", "backslashreplace"))
