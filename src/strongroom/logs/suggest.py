"""The columns of a table that nobody described, guessed by their names and values: whoever looks for a thief may know neither.

    {"at": "2025-12-29T09:00:00Z", "actor": {"id": "ann", "role": "clinician"}, "document": {"uuid": "5f0c…"}, "ip": "192.0.2.1"}
    columns = { time = "at", principal = "actor.id", document = "document.uuid", address = "ip" }

A guess is given only where a time, somebody who reads and something that is read were found. It is told, and never taken without
being asked for: what an operator calls "user" may be the portal's own.
"""

import re
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from itertools import islice
from typing import Any, Final

from strongroom.logs import members, table
from strongroom.logs.cells import MARK, cells, divided
from strongroom.logs.record import Unreadable, text

_ROWS: Final = 200
_NAMES: Final = 200
"""Columns of a row that are looked at."""
_DEPTH: Final = 4
_SHARE: Final = 0.9
"""Part of a column's values that must look like what it is taken for."""
_SEVERAL: Final = 4
"""One in so many rows names a document: signing in does not."""

_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_CALLED: Final = {
    "time": "time timestamp date datetime ts at when created occurred recorded zeit datum zeitpunkt",
    "patient": "patient patienten mrn nhi pid subject",
    "principal": "user username account actor principal login caller employee staff requester reader who operator upn email "
    "benutzer nutzer konto mitarbeiter kennung anwender",
    "document": "document documents doc dokument befund file filename record report letter study image attachment binary object "
    "resource item case akte brief",
    "address": "ip address addr remote client host",
    "agent": "agent browser ua",
    "status": "status code",
    "bytes": "bytes size length",
}  # fmt: skip
"""Words that columns are called by."""
_NEVER: Final = {
    "principal": "agent role roles type kind ip address addr group country department time date",
    "document": "type kind time date version action class category status",
    "patient": "type kind class",
}
_IDS: Final = frozenset("id uuid uid guid name key number no nr ref reference sub".split())

Values = dict[str, list[str]]
"""A column's name -> what its first rows hold, blanks left out."""


def columns(sample: bytes) -> table.Columns:
    """What is known of a row -> its column, by a file's first bytes; empty where too little is told."""
    found, rows = _values(sample)
    told: table.Columns = {}
    for what, looks in _LOOKS.items():
        fitting = [
            (score, -place, name)
            for place, (name, values) in enumerate(found.items())
            if (score := _score(what, name)) > 0 and (name,) not in told.values() and _all(looks, values)
        ]
        if fitting:
            told[what] = (max(fitting)[2],)
    if "patient" in told and "document" not in told:
        told["document"] = told["patient"]
    if not set(table.NEEDED) <= set(told) or len(found[told["document"][0]]) * _SEVERAL < rows:
        return {}
    return {known: told[known] for known in table.KNOWN if known in told}


def written(told: table.Columns) -> str:
    """The line of a mapping that says it."""
    return f"columns = {{ {', '.join(f'{what} = {_quoted(name)}' for what, (name,) in told.items())} }}"


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _score(what: str, name: str) -> int:
    """How well a column's name says what it holds; the last of its words says most."""
    words = [word.lower() for word in _WORDS.findall(name)]
    if not words or set(words) & set(_NEVER.get(what, "").split()):
        return 0
    called = set(_CALLED[what].split())
    if not called & set(words):
        return 0
    ends = words[-1] in _IDS and what in _NEVER
    return 2 + 2 * (words[-1] in called) + 3 * ends + (what == "time" and words[-1].startswith("time"))


def _all(looks: Callable[[str], bool], values: list[str]) -> bool:
    return bool(values) and sum(map(looks, values)) >= _SHARE * len(values)


def _address(value: str) -> bool:
    try:
        ip_address(value)
    except ValueError:
        return False
    return True


def _number(value: str) -> bool:
    return value.isascii() and value.removesuffix(".0").isdigit()


def _named(value: str) -> bool:
    return 0 < len(value) <= 256 and not _address(value) and table.moment(value) is None  # noqa: PLR2004  # a name


_LOOKS: Final[dict[str, Callable[[str], bool]]] = {
    "time": lambda value: table.moment(value) is not None,
    "address": _address,
    "patient": lambda value: 0 < len(value) <= 256,  # noqa: PLR2004  # a name
    "document": lambda value: 0 < len(value) <= 1_024,  # noqa: PLR2004  # a path
    "principal": _named,
    "status": lambda value: _number(value) and len(value.removesuffix(".0")) == 3,  # noqa: PLR2004  # digits
    "bytes": _number,
    "agent": bool,
}
"""In the order in which columns are given away."""


def _values(sample: bytes) -> tuple[Values, int]:
    lines = [line.rstrip(b"\r") for line in sample.removeprefix(MARK).split(b"\n")[:-1] if line.strip()]
    found: Values = {}
    rows = 0
    for row in islice(_rows(lines), _ROWS):
        rows += 1
        for name, value in islice(row, _NAMES):
            if value not in {"", "-"}:
                found.setdefault(name, []).append(value)
    return found, rows


def _rows(lines: list[bytes]) -> Iterable[Iterable[tuple[str, str]]]:
    if not lines:
        return
    if lines[0].startswith(b"{"):
        for line in lines:
            entry = members.decode(line)
            if not isinstance(entry, Unreadable):
                yield _flat(entry, "", 1)
        return
    names, delimiter = divided(lines[0])
    for line in lines[1:]:
        said = cells(line, delimiter) or []
        if len(said) == len(names):
            yield zip(names, said, strict=True)


def _flat(entry: dict[str, Any], before: str, depth: int) -> Iterable[tuple[str, str]]:
    for name, value in entry.items():
        where = f"{before}{name}"
        if isinstance(value, dict) and depth < _DEPTH:
            yield from _flat(value, f"{where}.", depth + 1)
        elif isinstance(value, str | int | float) and not isinstance(value, bool):
            yield text(where.encode("utf-8", "backslashreplace")), str(value)
