"""What hunts read: lines of logs, records of clouds, tables and rules, all written by others; some by those who are hunted.

Every unit is a row or a reason and never an error; what is a row can be stored as it is; a unit opens again where it is said to
stand; and how a stream is cut into blocks changes nothing.
"""

from collections.abc import Callable
from contextlib import suppress

from bench.fuzz.lines import FILES
from bench.fuzz.target import Target, must
from strongroom.detect.fields import CannotRun, logs_of, resolver
from strongroom.logs import (
    access,
    access_json,
    alb,
    cloudtrail,
    cloudtrail_table,
    formats,
    guess,
    log_fields,
    network,
    ocsf,
    proxies,
    read,
    s3_access,
    table,
)
from strongroom.logs.datagrams import datagrams
from strongroom.logs.exporter import WAITING, Exporter
from strongroom.logs.log_format import FIELDS as LOG_FORMAT
from strongroom.logs.log_format import Misfit, format_of
from strongroom.logs.ocsf_flow import line
from strongroom.logs.record import COLUMNS, Row, Unreadable
from strongroom.logs.route import target
from strongroom.logs.strongroom_log import entries
from strongroom.logs.units import elements, lines, records
from strongroom.sigma.parse import parse
from strongroom.sigma.rule import Rule
from strongroom.sigma.sql import where

TABLE: table.Columns = {"time": ("t",), "principal": ("p",), "document": ("d",), "status": ("s",), "bytes": ("b",)}
TRAIL = b"Event name,Event time,Event source,Source IP address,User identity,Request parameters\n"
_BOUNDS = {"BIGINT": (-(2**63), 2**63), "INTEGER": (-(2**31), 2**31), "UBIGINT": (0, 2**64)}


def storable(fields: tuple[str, ...], row: Row) -> None:
    """Raises AssertionError unless every value is of its column's type and within its bounds."""
    must(len(fields) == len(row), "a row has a value for each field")
    for field, value in zip(fields, row, strict=True):
        kind = COLUMNS[field]
        if value is None:
            continue
        if kind == "VARCHAR":
            must(isinstance(value, str) and value.encode("utf-8") is not None, f"{field} is text that can be stored")
        else:
            low, high = _BOUNDS[kind]
            must(type(value) is int and low <= value < high, f"{field} is a number that can be stored")


def _reader(format_parse: formats.Parse, fields: tuple[str, ...]) -> Callable[[bytes], None]:
    def run(data: bytes) -> None:
        found = format_parse(data)
        if not isinstance(found, Unreadable):
            for row in found if isinstance(found, list) else [found]:
                if not isinstance(row, Unreadable):
                    storable(fields, row)

    return run


def _file(name: str) -> Target:
    """Whole files in a format, headings and all."""
    format_ = formats.NAMES[name]
    fields = (*read.RECORD, *format_.fields)

    def run(data: bytes) -> None:
        account = read.Account()
        for batch in read.rows([data], format_, 0, account):
            for row in batch:
                storable(fields, row)

    return Target(f"hunt-{name}", run, "json" if format_.unit == "json" else "bytes", _WORDS.get(name, ()))


_OWN = frozenset({"access", "access-json", "alb", "s3-access", "cloudtrail", "cloudtrail-lines", "cloudtrail-table"})
"""Formats whose units have targets of their own."""
_WORDS = {
    "vpc-flow": ("srcaddr dstaddr start bytes", " NODATA", " SKIPDATA", " egress ACCEPT OK"),
    "zeek-conn": ("#fields\t", "#separator \\x09", "conn_state", "\\x09", "-\t"),
}


def hunt_table(data: bytes) -> None:
    """A table by a mapping, and one of CloudTrail's, under their headings and without."""
    for format_, heading in ((table.format_of(TABLE), b"t,p,d,s,b\n"), (formats.NAMES["cloudtrail-table"], TRAIL)):
        for whole in (heading + data, data):
            account = read.Account()
            for batch in read.rows([whole], format_, 0, account):
                for row in batch:
                    storable((*read.RECORD, *format_.fields), row)
    cloudtrail_table.reader(data)


def hunt_units(data: bytes) -> None:
    """Lines, elements, datagrams, entries."""
    for cut in (lines, elements, records, datagrams, entries):
        whole, pieces = list(cut([data])), list(cut([data[at : at + 3] for at in range(0, len(data), 3)]))
        must(whole == pieces, "blocks change nothing")
        for offset, length, unit in whole:
            must(unit is None or data[offset : offset + length] == unit, "a unit stands where it is said to stand")


def hunt_exporter(data: bytes) -> None:
    """Datagrams that one exporter sends, each behind two bytes of its length: what is read is written as the same flow."""
    exporter, at = Exporter(), 0
    while at + 2 <= len(data):
        length = int.from_bytes(data[at : at + 2])
        unit, at = data[at + 2 : at + 2 + length], at + 2 + length
        for row in exporter.take(unit):
            storable(network.FIELDS, row)
            again = ocsf.parse(line(row, "192.0.2.1").rstrip(b"\n"))
            must(isinstance(again, tuple), "a flow's line is a flow")
        must(exporter.take(unit) == [], "a datagram counts once")
    must(exporter.waiting <= WAITING, "what waits is bounded")


def hunt_sample(data: bytes) -> None:
    """Recognition, and reading in what was recognised: every unit is counted once."""
    format_ = formats.recognise(data)
    if format_ is not None:
        account = read.Account()
        rows = sum(len(batch) for batch in read.rows([data], format_, 0, account))
        must(rows == account.events, "events are counted")
        tables = sum(table_.num_rows for table_ in read.tables([data], format_, 0, read.Account()))
        must(rows == tables, "columns are the same events")


def hunt_log_format(data: bytes) -> None:
    """A format string by an operator, and below it a line by anybody."""
    string, _, line = data.partition(b"\n")
    with suppress(Misfit):
        _reader(format_of(string.decode("utf-8", "replace")).parse, LOG_FORMAT)(line)


def hunt_guess(data: bytes) -> None:
    """The format string of lines that nobody described."""
    guessed = guess.string(data)
    if guessed:
        must(formats.fitting(format_of(guessed), data) is not None, "what is guessed reads the lines")


def hunt_fields(data: bytes) -> None:
    """An access log in JSON of which an operator named fields."""
    _reader(_NAMED.parse, _NAMED.fields)(data)


def hunt_forwarded(data: bytes) -> None:
    """What anybody writes for whom they ask, behind a proxy of whom the operator knows the networks."""
    said = data.decode("utf-8", "backslashreplace")
    known = _PROXIES.client("192.0.2.9", said)
    must(known == "192.0.2.9" or not _PROXIES.among(known), "who asked is no proxy")
    must(
        _PROXIES.client("192.0.2.9", f"203.0.113.7, {said}, 198.51.100.4") == "198.51.100.4", "the last one is believed"
    )


def hunt_route(data: bytes) -> None:
    """Addresses."""
    path, _, query = data.decode("utf-8", "replace").partition("?")
    found = target(path, query)
    must(found.number is None or 0 <= found.number < 2**63, "a number fits")
    must(found.number is None or "{" in found.route, "a number is one that stands in the address")
    must(found.document is None or "{" in found.route, "a document has an id")


def hunt_rules(data: bytes) -> None:
    """Rules: parsed, and as SQL where they can be."""
    for one in parse(data.decode("utf-8", "replace")):
        if isinstance(one, Rule):
            try:
                sql = where(one.condition, resolver(logs_of(one.logsource)))
            except CannotRun:
                continue
            must(sql.count("'") % 2 == 0, "quotes are closed")


_NAMED = log_fields.format_of({"principal": "token.sub", "forwarded": "xff", "document": "doc", "session": "sid"})
_PROXIES = proxies.read(["192.0.2.0/24", "2001:db8::/32"])
_JSON = (
    "eventName",
    "eventTime",
    "eventSource",
    "userIdentity",
    "requestParameters",
    "bucketPolicy",
    "Statement",
    "Principal",
)
_WEB = ("remote_addr", "request_uri", "status", "time", "request", "headers", "body_bytes_sent", "2025-12-29T22:00:00Z")
_RULE = (
    "title: ",
    "logsource:",
    "category: webserver",
    "detection:",
    "condition: ",
    "|contains",
    "|re",
    "|cidr",
    "correlation:",
)

TARGETS = (
    Target(
        "hunt-access", _reader(access.parse, access.FIELDS), words=('" 200 ', "[29/Dec/2025:22:00:00 +1300]", " - - ")
    ),
    Target("hunt-access-json", _reader(access_json.parse, access_json.FIELDS), "json", _WEB),
    Target("hunt-alb", _reader(alb.parse, alb.FIELDS), words=("https ", '" "', "2025-12-29T09:00:00Z", ":443/")),
    Target(
        "hunt-s3", _reader(s3_access.parse, s3_access.FIELDS), words=("REST.GET.OBJECT", "[29/Dec/2025:22:00:00 +0000]")
    ),
    Target("hunt-cloudtrail", _reader(cloudtrail.parse, cloudtrail.FIELDS), "json", _JSON),
    *(_file(format_.name) for format_ in formats.FORMATS if format_.name in FILES and format_.name not in _OWN),
    Target("hunt-table", hunt_table, words=("2025-12-29", "{'a': 1}", '""')),
    Target("hunt-units", hunt_units, words=("\r\n", '{"Records":[', "},{")),
    Target("hunt-exporter", hunt_exporter),
    Target("hunt-sample", hunt_sample, words=('{"Records":[', "eventName", "[29/Dec/2025:22:00:00 +1300]")),
    Target(
        "hunt-log-format",
        hunt_log_format,
        words=("$remote_addr", "$msec", "%{%Y-%m-%d}t", '"%r"', "$status", "%U%q", "%>s"),
    ),
    Target(
        "hunt-guess", hunt_guess, words=("[29/Dec/2025:22:00:00 +1300]", '"GET / HTTP/1.1" 200 ', "203.0.113.9", "rt=")
    ),
    Target("hunt-fields", hunt_fields, "json", (*_WEB, "token", "sub", "xff", "doc")),
    Target("hunt-forwarded", hunt_forwarded, words=("for=", "192.0.2.1", "[2001:db8::1]:80", ", ", "unknown")),
    Target("hunt-route", hunt_route, words=("%2f", "/2025/12/", "?id=", "&page=")),
    Target("hunt-rules", hunt_rules, words=_RULE, limit=1_024),
)
