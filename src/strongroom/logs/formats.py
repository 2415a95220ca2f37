"""The list of formats, and which of them a file is written in: the one that reads most of its first lines."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from strongroom.logs import access, access_json, alb, cloudtrail, cloudtrail_table, s3_access
from strongroom.logs.record import Row, Unreadable
from strongroom.logs.units import Unit, lines

Parse = Callable[[bytes], Row | Unreadable]

SAMPLE: Final = 256 * 1024
"""Bytes at a file's beginning by which it is recognised."""
_LINES: Final = 200
"""Units of the sample that are tried."""
_SHARE: Final = 0.5
"""Part of them that must be readable: mixed files are read with what is foreign in them counted."""


@dataclass(frozen=True, slots=True)
class Format:
    """One format. `parse` is None for a table: its first line tells how the others are read (`heading`)."""

    name: str
    what: str
    fields: tuple[str, ...]
    parse: Parse
    unit: Literal["lines", "document"] = "lines"
    heading: Callable[[bytes], Parse | None] | None = None


def _headless(_: bytes) -> Unreadable:
    return Unreadable("a table without its first line")


FORMATS: Final = (
    Format("access", "nginx or Apache access log (common, combined)", access.FIELDS, access.parse),
    Format("access-json", "access log in JSON lines", access_json.FIELDS, access_json.parse),
    Format("alb", "AWS load balancer access log", alb.FIELDS, alb.parse),
    Format("s3-access", "S3 server access log", s3_access.FIELDS, s3_access.parse),
    Format("cloudtrail", "CloudTrail, a JSON document", cloudtrail.FIELDS, cloudtrail.parse, unit="document"),
    Format("cloudtrail-lines", "CloudTrail, a record a line", cloudtrail.FIELDS, cloudtrail.parse),
    Format(
        "cloudtrail-table", "CloudTrail, a CSV table", cloudtrail_table.FIELDS, _headless, heading=cloudtrail_table.reader
    ),
)  # fmt: skip
"""In the order in which they are preferred when two read the same share."""
NAMES: Final = {format_.name: format_ for format_ in FORMATS}


def recognise(sample: bytes) -> Format | None:
    """The format that reads most of the sample; None when none reads half of it."""
    start = sample.lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"[") or b'"Records"' in start[:200]:
        return NAMES["cloudtrail"] if b'"eventName"' in sample or b'"Records"' in start[:200] else None
    found: list[Unit] = []
    for unit in lines([sample]):
        found.append(unit)
        if len(found) > _LINES:
            break
    units = [raw for _, _, raw in (found[:-1] if len(found) > 1 and not sample.endswith(b"\n") else found) if raw]
    best, most = None, 0.0
    for format_ in FORMATS:
        share = _share(format_, units)
        if format_.unit == "lines" and share > most:
            best, most = format_, share
    return best if most >= _SHARE else None


def _share(format_: Format, units: list[bytes]) -> float:
    parse = format_.parse
    if format_.heading:
        headed = format_.heading(units[0]) if units else None
        if headed is None:
            return 0.0
        parse, units = headed, units[1:]
        if not units:
            return 1.0
    if not units:
        return 0.0
    return sum(not isinstance(parse(unit), Unreadable) for unit in units) / len(units)
