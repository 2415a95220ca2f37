"""Zeek's conn.log, http.log and files.log, by "Zeek Log Formats" and the reference of each log in Zeek's documentation.

TSV with headings (#fields …), or a JSON object a line. Bytes are those of `orig_ip_bytes` and `resp_ip_bytes`, which count packets
that were seen: `resp_bytes` comes from TCP's sequence numbers, and one forged packet makes gigabytes of it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from strongroom.logs import members, network, web
from strongroom.logs.forms import shape
from strongroom.logs.moment import any_of
from strongroom.logs.record import (
    BEYOND_64_BITS,
    INT64_MAX,
    NO_TIME,
    NOT_THIS_FORMAT,
    NOT_THIS_LOG,
    Act,
    Kind,
    Log,
    Read,
    Row,
    Unreadable,
    text,
)

FILE_FIELDS: Final = (
    "time", "metadata.log_name", "metadata.uid", "status_id", "act", "principal", "principal.kind", "src_endpoint.ip",
    "dst_endpoint.ip", "traffic.bytes_out", "route", "document", "number",
)  # fmt: skip
_ESCAPED: Final = re.compile(r"\\x([0-9a-fA-F]{2})")
_SEPARATOR: Final = re.compile(r"#separator (\\x[0-9a-fA-F]{2}|\S)")
_FORWARDED: Final = re.compile(r"X-FORWARDED-FOR -> (?:.*, ?)?([0-9a-fA-F:.]{2,45})", re.DOTALL)
_STATUS: Final = range(1000)
_LONGEST: Final = 1_000_000_000  # seconds of a connection: thirty years
Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Zeek:
    """One of Zeek's logs: its name, the columns it fills, how an entry becomes a row, and words that its files hold."""

    path: str
    fields: tuple[str, ...]
    row: Callable[[Entry], Row | Unreadable]
    marks: tuple[bytes, ...]

    def heading(self, first: bytes) -> Callable[[bytes], Read] | None:
        """How to read the lines below this first one, if it is the first of a log in TSV."""
        found = _SEPARATOR.fullmatch(text(first))
        if found is None:
            return None
        return _Table(self, _ESCAPED.sub(_character, found[1])).parse

    def parse(self, unit: bytes) -> Read:
        """One object. A shipper's `_path` tells which log it is of."""
        entry = members.decode(unit)
        if isinstance(entry, Unreadable):
            return entry
        return NOT_THIS_LOG if entry.get("_path", self.path) != self.path else self.row(entry)


class _Table:
    """A log in TSV: headings stand before the rows, and again where files were joined."""

    def __init__(self, log: Zeek, separator: str) -> None:
        self._log = log
        self._separator = separator
        self._empty, self._unset = "(empty)", "-"
        self._names: list[str] = []
        self._other = False

    def parse(self, unit: bytes) -> Read:
        """One line."""
        line = text(unit)
        if line.startswith("#"):
            return self._told(line)
        cells = line.split(self._separator)
        if self._other:
            return NOT_THIS_LOG
        if len(cells) != len(self._names):
            return NOT_THIS_FORMAT
        return self._log.row(
            {
                name: _ESCAPED.sub(_character, cell) if "\\x" in cell else "" if cell == self._empty else cell
                for name, cell in zip(self._names, cells, strict=True)
                if cell != self._unset
            }
        )

    def _told(self, line: str) -> Read:
        name, *values = line.split(self._separator)
        if name == "#fields":
            self._names = values
        elif name == "#path":
            self._other = values != [self._log.path]
        elif name == "#unset_field" and values:
            self._unset = values[0]
        elif name == "#empty_field" and values:
            self._empty = values[0]
        return NOT_THIS_LOG if name == "#path" and self._other else []


def _conn(entry: Entry) -> Row | Unreadable:
    if "id.orig_h" not in entry or "id.resp_h" not in entry or "conn_state" not in entry:
        return NOT_THIS_FORMAT
    time = _time(entry)
    if time is None:
        return NO_TIME
    took = _seconds(entry.get("duration"))
    here, there = _truth(entry.get("local_orig")), _truth(entry.get("local_resp"))
    direction = None if here is None or there is None else _DIRECTIONS[here, there]
    count = {
        name: network.whole(entry.get(name)) for name in ("orig_ip_bytes", "resp_ip_bytes", "orig_pkts", "resp_pkts")
    }
    return network.row(
        time=time, end=None if took is None else time + took, uid=members.word(entry, "uid") or None,
        source=members.word(entry, "id.orig_h"), source_port=network.whole(entry.get("id.orig_p")),
        target=members.word(entry, "id.resp_h"), target_port=network.whole(entry.get("id.resp_p")),
        protocol=network.PROTOCOLS.get(members.word(entry, "proto")), direction=direction, action=None,
        sent=count["orig_ip_bytes"], received=count["resp_ip_bytes"],
        packets=count["orig_pkts"], packets_back=count["resp_pkts"],
    )  # fmt: skip


def _http(entry: Entry) -> Row | Unreadable:
    address = members.word(entry, "id.orig_h")
    if not address or "id.resp_h" not in entry or "trans_depth" not in entry:
        return NOT_THIS_FORMAT
    time = _time(entry)
    if time is None:
        return NO_TIME
    status, size = members.number(entry, "status_code") or 0, members.number(entry, "response_body_len") or 0
    if status not in _STATUS or size > INT64_MAX:
        return BEYOND_64_BITS
    return web.row(
        time=time, address=_forwarded(entry) or address, user=members.word(entry, "username"), method=members.word(entry, "method"),
        target_=members.word(entry, "uri"), agent=members.word(entry, "user_agent"),
        referrer=members.word(entry, "referrer"), status=status, size=max(size, 0),
    )  # fmt: skip


def _forwarded(entry: Entry) -> str:
    """For whom a proxy says that it asks: the last address of X-Forwarded-For, which is the one that the proxy itself saw."""
    said = entry.get("proxied")
    values = said.split(",X-") if isinstance(said, str) else said if isinstance(said, list) else []
    found = [
        _FORWARDED.fullmatch(value if value.startswith("X-") else f"X-{value}")
        for value in values
        if isinstance(value, str)
    ]
    return next((one[1] for one in found if one), "")


def _file(entry: Entry) -> Row | Unreadable:
    """A file that was seen: from whom, to whom, how much of it. Older versions name the hosts in sets."""
    if "fuid" not in entry or "seen_bytes" not in entry:
        return NOT_THIS_FORMAT
    time = _time(entry)
    if time is None:
        return NO_TIME
    size = members.number(entry, "seen_bytes") or 0
    if not 0 <= size <= INT64_MAX:
        return BEYOND_64_BITS
    giver, taker = _host(entry.get("tx_hosts")), _host(entry.get("rx_hosts"))
    if not giver and "id.orig_h" in entry:
        from_began = _truth(entry.get("is_orig"))
        began, other = members.word(entry, "id.orig_h"), members.word(entry, "id.resp_h")
        giver, taker = (began, other) if from_began else (other, began)
    name = members.word(entry, "filename")
    form, number = shape(name)
    return (
        *(time, Log.NETWORK_FILE.value, members.word(entry, "fuid") or None, 1, Act.READ.value),
        *(taker or "nobody", Kind.ADDRESS.value, giver or None, taker or None, size),
        *(form or name or None, name or None, number),
    )


def _time(entry: Entry) -> int | None:
    """`ts`: seconds with a fraction, in TSV as text; ISO 8601 where JSON was so configured."""
    written = entry.get("ts")
    if isinstance(written, str) and re.fullmatch(r"\d{1,15}(?:\.\d{1,9})?", written):
        written = float(written)
    return any_of(written)


def _seconds(written: object) -> int | None:
    if isinstance(written, str) and re.fullmatch(r"\d{1,9}(?:\.\d{1,9})?", written):
        written = float(written)
    return int(written * 1000) if isinstance(written, int | float) and 0 <= written < _LONGEST else None


def _truth(written: object) -> bool | None:
    return {"T": True, "F": False, True: True, False: False}.get(written) if isinstance(written, str | bool) else None


def _host(written: object) -> str:
    """The first of a set of addresses."""
    if isinstance(written, list):
        written = written[0] if written else ""
    return text(written.split(",")[0].encode("utf-8", "backslashreplace")) if isinstance(written, str) else ""


def _character(found: re.Match[str]) -> str:
    return chr(int(found[1], 16))


_DIRECTIONS: Final = {
    (False, True): network.INBOUND, (True, False): network.OUTBOUND, (True, True): network.LATERAL, (False, False): None,
}  # fmt: skip
CONN: Final = Zeek("conn", network.FIELDS, _conn, (b"conn_state", b"id.orig_h"))
HTTP: Final = Zeek("http", web.FIELDS, _http, (b"trans_depth", b"id.orig_h"))
FILES: Final = Zeek("files", FILE_FIELDS, _file, (b"fuid", b"seen_bytes"))
