"""The list of formats, and which of them a file is written in: the one that reads most of its first lines."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from strongroom.logs import (
    access,
    access_columns,
    access_json,
    alb,
    aws_waf,
    azure_flow,
    azure_monitor,
    azure_storage,
    azure_traffic,
    azure_web,
    cloudflare,
    cloudtrail,
    cloudtrail_columns,
    cloudtrail_table,
    envoy,
    fhir_audit,
    gcp,
    gcs_usage,
    haproxy,
    m365,
    modsecurity,
    netflow,
    network,
    nextcloud,
    nfdump,
    ocsf,
    s3_access,
    strongroom_log,
    vpc_flow,
    vpc_flow_columns,
    w3c,
    zeek,
)
from strongroom.logs.batch import Columns, Taken
from strongroom.logs.datagrams import datagrams
from strongroom.logs.record import NOT_THIS_FORMAT, Read, Row, Unreadable
from strongroom.logs.units import is_document, lines, some_elements
from strongroom.logs.wrapped import CARRIERS, Unwrap

Parse = Callable[[bytes], Read]
Many = Callable[[Sequence[bytes]], Taken]

Kind = Literal["lines", "document", "datagrams", "entries"]
_CUT: Final = {"lines": lines, "datagrams": datagrams, "entries": strongroom_log.entries}

SAMPLE: Final = 256 * 1024
"""Bytes at a file's beginning by which it is recognised."""
_LINES: Final = 200
"""Units of the sample that are tried."""
_SHARE: Final = 0.5
"""Part of them that must be readable: mixed files are read with what is foreign in them counted."""


@dataclass(frozen=True, slots=True)
class Format:
    """One format. `heading` tells by the first unit how the others are read, and is None where they need no telling.

    `unit` is "json" where records stand a line each or in one document, whichever a file has. `marks` are words that every
    sample of the format holds; without them it is not tried. `columns` reads pieces of whole lines as columns, where the format is
    worth it, and says of each line that it takes exactly what `parse` says.
    `many` does the same of units that are cut already, such as records in one document.
    `below` gives such a reader by the first unit, for a format with a heading. `start` makes a parser for one file, where it learns
    as it goes.
    """

    name: str
    what: str
    fields: tuple[str, ...]
    parse: Parse
    unit: Literal["lines", "document", "json", "datagrams", "entries"] = "lines"
    heading: Callable[[bytes], Parse | None] | None = None
    marks: tuple[bytes, ...] = ()
    columns: Callable[[bytes], Columns] | None = None
    many: Many | None = None
    start: Callable[[], Parse] | None = None
    below: Callable[[bytes], Callable[[bytes], Columns]] | None = None


def _headless(_: bytes) -> Unreadable:
    return Unreadable("a table without its first line")


def _zeek(log: zeek.Zeek) -> Format:
    what = f"Zeek's {log.path}.log"
    return Format(f"zeek-{log.path}", what, log.fields, log.parse, heading=log.heading, marks=log.marks)


def _json(name: str, what: str, fields: tuple[str, ...], parse: Parse, *marks: bytes) -> Format:
    return Format(name, what, fields, parse, "json", marks=marks)


def _table(name: str, what: str, fields: tuple[str, ...], heading: Callable[[bytes], Parse | None]) -> Format:
    return Format(name, what, fields, _headless, heading=heading)


FORMATS: Final = (
    Format("access", "nginx or Apache access log (common, combined)", access.FIELDS, access.parse,
           columns=access_columns.columns),
    Format("alb", "AWS load balancer access log", alb.FIELDS, alb.parse),
    Format("s3-access", "S3 server access log", s3_access.FIELDS, s3_access.parse),
    Format("haproxy", "HAProxy's HTTP log", haproxy.FIELDS, haproxy.parse),
    Format("envoy", "Envoy's or Istio's access log as text", envoy.FIELDS, envoy.parse),
    Format("vpc-flow", "AWS VPC flow log", network.FIELDS, vpc_flow.parse, heading=vpc_flow.heading,
           below=vpc_flow_columns.below),
    Format("w3c", "W3C extended log (CloudFront, IIS)", w3c.FIELDS, w3c.parse, heading=w3c.heading),
    *map(_zeek, (zeek.CONN, zeek.HTTP, zeek.FILES)),
    Format("cloudtrail", "CloudTrail, a JSON document", cloudtrail.FIELDS, cloudtrail.parse, "document",
           many=cloudtrail_columns.many),
    Format("cloudtrail-lines", "CloudTrail, a record a line", cloudtrail.FIELDS, cloudtrail.parse,
           many=cloudtrail_columns.many),
    _table("cloudtrail-table", "CloudTrail, a CSV table", cloudtrail_table.FIELDS, cloudtrail_table.reader),
    _json("aws-waf", "AWS WAF log", aws_waf.FIELDS, aws_waf.parse, b'"terminatingRuleId"'),
    _json("azure-storage", "Azure Storage log", azure_storage.FIELDS, azure_storage.parse, b'"Storage'),
    _json("azure-monitor", "Azure activity, sign-in or audit log", azure_monitor.FIELDS, azure_monitor.parse, b"perationName"),
    _json("azure-web", "Azure Front Door or Application Gateway log", azure_web.FIELDS, azure_web.parse, b'"properties"'),
    _json("azure-flow", "Azure NSG or VNet flow log", azure_flow.FIELDS, azure_flow.parse, b'"flowTuples"'),
    _table("azure-traffic", "Azure Traffic Analytics, a CSV table", azure_traffic.FIELDS, azure_traffic.heading),
    _json("gcp", "Google Cloud audit log", gcp.FIELDS, gcp.parse, b'"methodName"'),
    _table("gcs-usage", "Google Cloud Storage usage log", gcs_usage.FIELDS, gcs_usage.heading),
    _json("cloudflare", "Cloudflare Logpush", cloudflare.FIELDS, cloudflare.parse, b'"ClientIP"'),
    _json("modsecurity", "ModSecurity audit log in JSON", modsecurity.FIELDS, modsecurity.parse, b'"transaction"'),
    Format("netflow", "NetFlow or IPFIX", netflow.FIELDS, netflow.parse, "datagrams", start=netflow.parser),
    Format("nfdump", "flows as nfdump prints them", nfdump.FIELDS, nfdump.parse, heading=nfdump.heading),
    Format("nfcapd", "nfcapd's flows", nfdump.FIELDS, nfdump.missing, "datagrams"),
    _json("m365", "Microsoft 365 audit log", m365.FIELDS, m365.parse, b'"Workload"'),
    _table("m365-table", "Microsoft 365 audit log, a CSV table", m365.FIELDS, m365.heading),
    _json("ocsf", "OCSF events", ocsf.FIELDS, ocsf.parse, b'"class_uid"'),
    _json("nextcloud", "Nextcloud's own log", nextcloud.FIELDS, nextcloud.parse, b'"reqId"'),
    Format("strongroom", "Strongroom's log", strongroom_log.FIELDS, strongroom_log.parse, "entries"),
    _json("fhir-audit", "FHIR AuditEvent", fhir_audit.FIELDS, fhir_audit.parse, b'"AuditEvent"'),
    _json("access-json", "access log in JSON", access_json.FIELDS, access_json.parse),
)  # fmt: skip
"""In the order in which they are preferred when two read the same share: the particular before the general."""
NAMES: Final = {format_.name: format_ for format_ in FORMATS}


def recognise(sample: bytes) -> Format | None:
    """The format that reads most of the sample; None when none reads half of it."""
    if sample.startswith(nfdump.MAGIC):
        return NAMES["nfcapd"]
    document = is_document(sample)
    kind: Kind = "document" if document else _binary(sample)
    units = _some(sample, kind)
    kinds = {kind, "json"} if kind in {"lines", "document"} else {kind}
    fitting = (one for one in FORMATS if one.unit in kinds and all(mark in sample for mark in one.marks))
    if document and not units:  # empty, or its first element is longer than the sample
        marked = next((format_ for format_ in fitting if format_.marks), None)
        return marked or (NAMES["cloudtrail"] if b'"Records"' in sample[:200] else None)
    best = _best(fitting, units)
    # An access log's parser takes a carrier's prefix for an address: what says that it is one is believed before.
    carried = _carried(units) if kind == "lines" and (best is None or best.name == "access") else None
    return carried or best


def _best(fitting: Iterable[Format], units: list[bytes]) -> Format | None:
    """The first of those that read most of them, and at least half. Behind one that reads all nobody is asked."""
    best, most = None, 0.0
    for format_ in fitting:
        share = _share(format_, units)
        if share > most:
            best, most = format_, share
        if most == 1:
            break
    return best if most >= _SHARE else None


def _carried(units: list[bytes]) -> Format | None:
    """The format of lines that somebody carried (`wrapped`)."""
    for how, unwrap in CARRIERS:
        inner = [line for unit in units if (line := unwrap(unit))]
        if len(inner) < _SHARE * len(units) or not inner:
            continue
        fitting = [
            one for one in FORMATS if one.unit in {"lines", "json"} and one.heading is None and one.start is None
        ]
        sample = b"\n".join(inner)
        found = _best([one for one in fitting if all(mark in sample for mark in one.marks)], inner)
        if found is not None:
            return _unwrapped(found, how, unwrap)
    return None


def _unwrapped(format_: Format, how: str, unwrap: Unwrap) -> Format:
    """The same format, carried."""

    def parse(unit: bytes) -> Read:
        line = unwrap(unit)
        return NOT_THIS_FORMAT if line is None else format_.parse(line)

    return replace(format_, what=f"{format_.what}, {how}", parse=parse, unit="lines", columns=None, many=None)


def _binary(sample: bytes) -> Kind:
    if strongroom_log.is_bundle(sample):
        return "entries"
    return "datagrams" if sample[:1] == b"\0" else "lines"


def fitting(format_: Format, sample: bytes) -> Format | None:
    """The format, where it reads at least half of the sample, as it is or carried; else None."""
    units = _some(sample, "lines")
    if _share(format_, units) >= _SHARE:
        return format_
    for how, unwrap in CARRIERS:
        inner = [line for unit in units if (line := unwrap(unit))]
        if inner and len(inner) >= _SHARE * len(units) and _share(format_, inner) >= _SHARE:
            return _unwrapped(format_, how, unwrap)
    return None


def sampled(format_: Format, sample: bytes) -> list[Row]:
    """Some events of a sample of a log of lines, from all of it: at night only machines ask."""
    units = [unit for _, _, unit in lines([sample]) if unit]
    parse = format_.parse
    if format_.heading and units:
        parse, units = format_.heading(units[0]) or parse, units[1:]
    read = map(parse, units[:: 1 + len(units) // _LINES])
    every = [one for found in read for one in (found if isinstance(found, list) else [found])]
    return [one for one in every if not isinstance(one, Unreadable)]


def _some(sample: bytes, kind: Kind) -> list[bytes]:
    """The first whole units of a sample."""
    if kind == "document":
        return some_elements(sample, _LINES)
    found = []
    for _, _, raw in _CUT[kind]([sample]):
        found.append(raw)
        if len(found) > _LINES:
            break
    whole = found[:-1] if len(found) > 1 and not sample.endswith(b"\n") else found
    return [raw for raw in whole if raw]


def _share(format_: Format, units: list[bytes]) -> float:
    """Which part of the units are events. Headings are neither for nor against, unless there is nothing else."""
    if not units:
        return 0.0
    parse = format_.start() if format_.start else format_.parse
    if format_.heading:
        headed = format_.heading(units[0])
        if headed is not None:
            parse, units = headed, units[1:]
        elif parse is _headless:
            return 0.0
    found = [_readable(read) for unit in units if (read := parse(unit)) != []]
    return sum(found) / len(found) if found else 1.0


def _readable(read: Read) -> bool:
    """Whether there is an event in it."""
    return any(not isinstance(one, Unreadable) for one in (read if isinstance(read, list) else (read,)))
