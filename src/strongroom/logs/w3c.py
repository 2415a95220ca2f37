"""W3C Extended Log Format: Amazon CloudFront's standard logs, and IIS'.

www.w3.org/TR/WD-logfile; "Standard logging reference" of the CloudFront developer guide; "W3C Logging" of the IIS documentation.
Headings say which fields a line has (#Fields: …), separated by tabs (CloudFront) or blanks (IIS). CloudFront's lines without one
have the fields of 2023; its JSON and Parquet have the same names. Times are UTC. CloudFront escapes values as in addresses, IIS
writes + for a blank.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import unquote

from strongroom.logs import members, web
from strongroom.logs.moment import any_of, iso
from strongroom.logs.record import BEYOND_64_BITS, NO_TIME, NOT_THIS_FORMAT, Read, Unreadable, text

FIELDS = web.FIELDS
CLOUDFRONT: Final = (
    "date", "time", "x-edge-location", "sc-bytes", "c-ip", "cs-method", "cs(Host)", "cs-uri-stem", "sc-status", "cs(Referer)",
    "cs(User-Agent)", "cs-uri-query", "cs(Cookie)", "x-edge-result-type", "x-edge-request-id", "x-host-header", "cs-protocol",
    "cs-bytes", "time-taken", "x-forwarded-for", "ssl-protocol", "ssl-cipher", "x-edge-response-result-type",
    "cs-protocol-version", "fle-status", "fle-encrypted-fields", "c-port", "time-to-first-byte", "x-edge-detailed-result-type",
    "sc-content-type", "sc-content-len", "sc-range-start", "sc-range-end",
)  # fmt: skip
_PLAIN: Final = {
    "cs_User_Agent": "cs(User-Agent)", "cs_user_agent": "cs(User-Agent)", "cs_Referer": "cs(Referer)",
    "cs_referer": "cs(Referer)",
}  # fmt: skip
"""Names of columns where only letters and underscores may be."""
_NEEDED: Final = frozenset({"c-ip", "cs-uri-stem", "sc-status"})
_FORWARDED: Final = frozenset({"x-forwarded-for", "cs(x-forwarded-for)"})
_STATUS: Final = re.compile(r"[0-9]{1,3}|-")
_SIZE: Final = re.compile(r"[0-9]{1,40}|-")


def heading(first: bytes) -> Callable[[bytes], Read] | None:
    """How to read the lines below this first one; None when it is no heading of such a log."""
    log = _Log()
    return (
        log.parse
        if first.startswith((b"#Version: ", b"#Software: ", b"#Fields: ")) and log.parse(first) == []
        else None
    )


class _Log:
    """Headings stand before the lines, and again where a server began anew or files were joined."""

    def __init__(self) -> None:
        self._names: tuple[str, ...] = ()

    def parse(self, unit: bytes) -> Read:
        """One line."""
        line = text(unit)
        if line.startswith("#"):
            if line.startswith("#Fields: "):
                self._names = tuple(line.removeprefix("#Fields: ").split())
            return []
        cells = line.split("\t") if "\t" in line else line.split(" ")
        return _row(dict(zip(self._names, cells, strict=True))) if len(cells) == len(self._names) else NOT_THIS_FORMAT


def parse(unit: bytes) -> Read:
    """One line of CloudFront's without a heading before it, or an object with the same names."""
    if unit.startswith(b"{"):
        entry = members.decode(unit)
        if isinstance(entry, Unreadable):
            return entry
        said = {
            _PLAIN.get(name, name.replace("_", "-")): members.word(entry, name) or _digits(entry, name)
            for name in entry
        }
        return _row({name: value for name, value in said.items() if value})
    cells = text(unit).split("\t")
    if len(cells) != len(CLOUDFRONT) or not re.fullmatch(r"\d{4}-\d\d-\d\d", cells[0]):
        return NOT_THIS_FORMAT
    return _row(dict(zip(CLOUDFRONT, cells, strict=True)))


def _row(said: Mapping[str, str]) -> Read:
    if not set(said) >= _NEEDED:
        return NOT_THIS_FORMAT
    told = {name: "" if value == "-" else value for name, value in said.items()}
    status, written = told["sc-status"] or "0", told.get("sc-bytes") or "0"
    if not _STATUS.fullmatch(status) or not _SIZE.fullmatch(written) or not told["c-ip"]:
        return NOT_THIS_FORMAT
    time = iso(f"{told['date']}T{told['time']}Z") if told.get("date") and told.get("time") else _stamp(told)
    if time is None:
        return NO_TIME
    size = web.whole(written)
    if size is None:
        return BEYOND_64_BITS
    query = told.get("cs-uri-query", "")
    agent = _plain(told.get("cs(User-Agent)", "")) or ("-" if "cs(User-Agent)" in told else "")
    return web.row(
        time=time, address=told["c-ip"], forwarded=_plain(_forwarded(told)),
        user=told.get("cs-username", ""), method=told.get("cs-method", ""),
        target_=told["cs-uri-stem"] + (f"?{query}" if query else ""), agent=agent,
        referrer=_plain(told.get("cs(Referer)", "")), status=int(status), size=size,
    )  # fmt: skip


def _forwarded(told: Mapping[str, str]) -> str:
    """X-Forwarded-For: a column of CloudFront's, and one that is added to IIS' by its own name."""
    return next((value for name, value in told.items() if name.lower() in _FORWARDED), "")


def _stamp(told: Mapping[str, str]) -> int | None:
    """CloudFront's `timestamp`: seconds since 1970."""
    written = told.get("timestamp", told.get("timestamp(ms)", ""))
    return any_of(float(written)) if re.fullmatch(r"\d{1,15}(?:\.\d{1,9})?", written) else None


def _digits(entry: members.Members, name: str) -> str:
    value = members.number(entry, name)
    return "" if value is None else str(value)


def _plain(value: str) -> str:
    """A header as it was sent: CloudFront escapes what it escaped once more."""
    return unquote(unquote(value)) if "%" in value else value.replace("+", " ")
