"""NetFlow v5 and v9 (RFC 3954) and IPFIX (RFC 7011, files: RFC 5655): a file of datagrams, one behind the other.

Fields of v9 and IPFIX are told by templates (`templates`), which stand in the stream before their data and may come again. Where a
router samples and tells at which rate, counts are multiplied by it: estimates. A record that counts the way back too has both
(RFC 5103, and Cisco's initiator and responder).
"""

import ipaddress
from collections.abc import Callable, Collection, Iterator
from typing import Final

from strongroom.logs import network
from strongroom.logs.datagrams import extent
from strongroom.logs.record import CUT_OFF, INT64_MAX, NO_TIME, NOT_THIS_FORMAT, Read, Row, Unreadable
from strongroom.logs.templates import Domain, Rate, Template, Templates, Values, number

FIELDS = network.FIELDS
NO_TEMPLATE: Final = Unreadable("flows whose template did not come before them")

_V5_HEADER, _V5_RECORD, _V9_HEADER, _IPFIX_HEADER = 24, 48, 20, 16
_VARIABLE: Final = 65_535
_REVERSE: Final = 29_305  # the enterprise number of RFC 5103
_WRAP: Final = 2**32  # milliseconds after which an exporter's uptime begins anew
_END: Final = 253_402_300_800_000  # the year 10000
_BIG: Final = 255  # a length of this begins a longer one; sets of templates and options have numbers up to it
_INTERVAL: Final = 0x3FFF  # of v5's last field: one packet in so many; the two bits before say how they are chosen


class Flows:
    """One stream of datagrams: what it has told of itself so far, and of the last datagram what its reader may want to know."""

    def __init__(self) -> None:
        self.templates = Templates()
        self.missing: dict[int, int] = {}
        """Its sets, counted from 0, whose templates had not come, and these templates' numbers."""
        self.records: int | None = 0
        """How many records of data it had; None: not known, for a template is missing."""
        self.options = 0
        """How many of these were about the exporter itself."""
        self.rate: Rate = 1
        """The highest rate by which its counts were multiplied."""

    def parse(self, unit: bytes, only: Collection[int] | None = None) -> Read:
        """One datagram: its flows, and what of it could not be read. `only`: of these sets alone."""
        length = extent(unit)
        self.missing, self.records, self.options, self.rate = {}, 0, 0, 1
        if length != len(unit):
            return NOT_THIS_FORMAT if length is not None or unit[:1] != b"\0" else CUT_OFF
        version = int.from_bytes(unit[:2])
        if version == 5:  # noqa: PLR2004  # the version
            return list(self._v5(unit))
        domain = domain_of(unit)
        found: list[Row | Unreadable] = []
        for at, (set_, content) in enumerate(_sets(unit, _V9_HEADER if version == 9 else _IPFIX_HEADER)):  # noqa: PLR2004  # the version
            if only is not None and at not in only:
                continue
            if set_ <= _BIG:
                self.templates.learn(domain, set_, content)
                continue
            template = self.templates.of(domain, set_)
            if template is None:
                self.missing[at] = set_
                found.append(NO_TEMPLATE)
            else:
                found += self._data(unit, domain, template, content)
        if self.missing:
            self.records = None
        return found

    def _data(self, unit: bytes, domain: Domain, template: Template, content: bytes) -> Iterator[Row | Unreadable]:
        clock = _Clock(unit, domain[0], self.templates.began.get(domain))
        for values in _records(template, content):
            if values is None:
                yield CUT_OFF
                return
            self.records = (self.records or 0) + 1
            if template.options:
                self.options += 1
                self.templates.told(domain, values)
                continue
            rate = self.templates.rate(domain, values)
            row = _row(values, clock, rate)
            if row is not None:
                self.rate = max(self.rate, rate)
                yield row

    def _v5(self, unit: bytes) -> Iterator[Row | Unreadable]:
        uptime, seconds, nanos = (int.from_bytes(unit[at : at + 4]) for at in (4, 8, 12))
        began = seconds * 1000 + nanos // 1_000_000 - uptime
        self.rate = rate = max(int.from_bytes(unit[22:24]) & _INTERVAL, 1)
        self.records = (len(unit) - _V5_HEADER) // _V5_RECORD
        for at in range(_V5_HEADER, len(unit), _V5_RECORD):
            record = unit[at : at + _V5_RECORD]

            def of(place: int, length: int, record: bytes = record) -> int:
                return int.from_bytes(record[place : place + length])

            first, last = (since - _WRAP if since > uptime else since for since in (of(24, 4), of(28, 4)))
            yield network.row(
                time=began + first, end=began + last, uid=None, source=_address(record[0:4]),
                source_port=of(32, 2), target=_address(record[4:8]), target_port=of(34, 2), protocol=record[38],
                direction=None, action=None, sent=of(20, 4) * rate, received=None, packets=of(16, 4) * rate, packets_back=None,
            ) if began + first >= 0 else NO_TIME  # fmt: skip


def domain_of(unit: bytes) -> Domain:
    """Which part of its exporter a datagram is from: the version, and the part's number."""
    version = int.from_bytes(unit[:2])
    at, length = {5: (20, 2), 9: (16, 4)}.get(version, (12, 4))
    return version, int.from_bytes(unit[at : at + length])


def _records(template: Template, content: bytes) -> Iterator[Values | None]:
    """The records of a set; None for one that ends in its middle."""
    at = 0
    while template.least and at + template.least <= len(content):
        values: Values = {}
        for enterprise, kind, length in template.fields:
            if length == _VARIABLE:
                length, at = _told(content, at)  # noqa: PLW2901  # the length that the record itself tells
            values[enterprise, kind] = content[at : at + length]
            at += length
        yield values if at <= len(content) else None
        if at > len(content):
            return


class _Clock:
    """Times of flows: since 1970, or since the exporter began, which a v9 datagram tells, and others in a record or an option."""

    def __init__(self, unit: bytes, version: int, told: int | None) -> None:
        since = 8 if version == 9 else 4  # noqa: PLR2004  # the version
        self.exported = int.from_bytes(unit[since : since + 4]) * 1000
        self.uptime = int.from_bytes(unit[4:8]) if version == 9 else None  # noqa: PLR2004  # the version
        self.began = told if self.uptime is None else self.exported - self.uptime

    def of(self, values: Values, seconds: int, uptime: int) -> int | None:
        """The moment told by an information element of seconds or the next ones, which are finer, or by the uptime."""
        for step, divide in ((0, None), (2, 1), (4, None), (6, None)):
            value = values.get((0, seconds + step))
            if value is None:
                continue
            if step in {4, 6}:  # NTP's form: seconds since 1900, and a fraction of 32 bits
                whole, part = int.from_bytes(value[:4]), int.from_bytes(value[4:8])
                return (whole - 2_208_988_800) * 1000 + (part * 1000 >> 32)
            return int.from_bytes(value) * (1000 if divide is None else 1)
        before = values.get((0, seconds + 8))  # microseconds before the export
        if before is not None:
            return self.exported - int.from_bytes(before) // 1000
        since, began = number(values, (0, uptime)), number(values, (0, 160))  # systemInitTimeMilliseconds
        base = self.began if began is None else began
        if since is None or base is None:
            return None
        return base + since - (_WRAP if self.uptime is not None and self.uptime < since < _WRAP else 0)


def _row(values: Values, clock: _Clock, rate: Rate) -> Row | Unreadable | None:
    """A flow; None for a record of something else, such as an exporter's own counters."""
    source, target = (values.get((0, four)) or values.get((0, six)) for four, six in ((8, 27), (12, 28)))
    if source is None or target is None:
        return None
    if len(source) not in {4, 16} or len(target) not in {4, 16}:
        return NOT_THIS_FORMAT
    time = clock.of(values, 150, 22)
    if time is None:
        time = clock.exported
    end = clock.of(values, 151, 21)
    if not 0 <= time < _END or (end is not None and not 0 <= end < _END):
        return NO_TIME
    sent, packets = (
        _scaled(number(values, (0, delta), (0, total), (0, first)), rate)
        for delta, total, first in ((1, 85, 231), (2, 86, 298))
    )
    received, back = (
        _scaled(number(values, (_REVERSE, delta), (0, answer)), rate) for delta, answer in ((1, 232), (2, 299))
    )
    return network.row(
        time=time, end=end, uid=None, source=_address(source),
        source_port=number(values, (0, 7)), target=_address(target), target_port=number(values, (0, 11)),
        protocol=number(values, (0, 4)), direction=None, action=_action(values),
        sent=sent, received=received, packets=packets, packets_back=back,
    )  # fmt: skip


def _scaled(count: int | None, rate: Rate) -> int | None:
    """A count that is beyond 64 bits stays so."""
    return count if count is None or rate == 1 or count > INT64_MAX else round(count * rate)


def _action(values: Values) -> int | None:
    """What a firewall's event (233) or a router's forwarding status (89) says."""
    event, status = number(values, (0, 233)), number(values, (0, 89))
    if event is not None:
        return network.DENIED if event == 3 else network.ALLOWED  # noqa: PLR2004  # flow denied
    if status is None:
        return None
    return {1: network.ALLOWED, 2: network.DENIED}.get(status >> 6)


def _sets(unit: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    while at + 4 <= len(unit):
        set_, length = int.from_bytes(unit[at : at + 2]), int.from_bytes(unit[at + 2 : at + 4])
        if length < 4:  # noqa: PLR2004  # the set's own header
            return
        yield set_, unit[at + 4 : at + length]
        at += length


def _told(content: bytes, at: int) -> tuple[int, int]:
    """(length, where the value begins) of a value that tells its own length."""
    length = content[at] if at < len(content) else 0
    return (int.from_bytes(content[at + 1 : at + 3]), at + 3) if length == _BIG else (length, at + 1)


def _address(raw: bytes) -> str:
    return str(ipaddress.IPv4Address(raw) if len(raw) == 4 else ipaddress.IPv6Address(raw))  # noqa: PLR2004  # bytes of one


def parser() -> Callable[[bytes], Read]:
    """How the datagrams of one file are read."""
    return Flows().parse


def parse(unit: bytes) -> Read:
    """One datagram by itself: its own templates are all that there are."""
    return Flows().parse(unit)
