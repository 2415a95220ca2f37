"""NetFlow v5 and v9 (RFC 3954) and IPFIX (RFC 7011, files: RFC 5655): a file of datagrams, one behind the other.

Fields of v9 and IPFIX are told by templates, which stand in the stream before their data and may come again. Counts are as they
were exported: where a router samples, they are of the sample. A record that counts the way back too has both (RFC 5103, and Cisco's
initiator and responder).
"""

import ipaddress
from collections.abc import Callable, Iterator
from typing import Final

from strongroom.logs import network
from strongroom.logs.datagrams import extent
from strongroom.logs.record import CUT_OFF, NO_TIME, NOT_THIS_FORMAT, Read, Row, Unreadable

FIELDS = network.FIELDS
NO_TEMPLATE: Final = Unreadable("flows whose template did not come before them")
MAX_TEMPLATES: Final = 4_096
"""Templates of one file. Exporters have some ten each."""
MAX_FIELDS: Final = 1_024
"""Fields of one template: a record of more fits into no datagram."""

_V5_HEADER, _V5_RECORD, _V9_HEADER, _IPFIX_HEADER = 24, 48, 20, 16
_VARIABLE: Final = 65_535
_REVERSE: Final = 29_305  # the enterprise number of RFC 5103
_WRAP: Final = 2**32  # milliseconds after which an exporter's uptime begins anew
_END: Final = 253_402_300_800_000  # the year 10000
_BIG: Final = 255  # a length of this begins a longer one

Field = tuple[int, int, int]
"""(enterprise, number, length)."""
Values = dict[tuple[int, int], bytes]


class Flows:
    """One stream of datagrams: what its templates have told so far."""

    def __init__(self) -> None:
        self._templates: dict[tuple[int, int, int], tuple[Field, ...]] = {}

    def parse(self, unit: bytes) -> Read:
        """One datagram: its flows, and what of it could not be read."""
        length = extent(unit)
        if length != len(unit):
            return NOT_THIS_FORMAT if length is not None or unit[:1] != b"\0" else CUT_OFF
        version = int.from_bytes(unit[:2])
        if version == 5:  # noqa: PLR2004  # the version
            return list(_v5(unit))
        found: list[Row | Unreadable] = []
        for number, content in _sets(unit, _V9_HEADER if version == 9 else _IPFIX_HEADER):  # noqa: PLR2004  # the version
            if number in {0, 2}:
                self._learn(unit, version, content)
            elif number in {1, 3}:
                self._learn_options(unit, version, content)
            elif number > _BIG:
                found += self._flows(unit, version, number, content)
        return found

    def _source(self, unit: bytes, version: int, number: int) -> tuple[int, int, int]:
        """A template's name: the version, the exporter's number of the source, and the template's own."""
        at = 16 if version == 9 else 12  # noqa: PLR2004  # the version
        return version, int.from_bytes(unit[at : at + 4]), number

    def _learn(self, unit: bytes, version: int, content: bytes) -> None:
        at = 0
        while at + 4 <= len(content):
            number, count = int.from_bytes(content[at : at + 2]), int.from_bytes(content[at + 2 : at + 4])
            at += 4
            fields: list[Field] = []
            for _ in range(min(count, MAX_FIELDS)):
                kind, length, enterprise = (
                    int.from_bytes(content[at : at + 2]),
                    int.from_bytes(content[at + 2 : at + 4]),
                    0,
                )
                at += 4
                if version == 10 and kind & 0x8000:  # noqa: PLR2004  # the version, and the bit of an enterprise's number
                    kind, enterprise = kind & 0x7FFF, int.from_bytes(content[at : at + 4])
                    at += 4
                fields.append((enterprise, kind, length))
            if at > len(content) or number <= _BIG or count > MAX_FIELDS:
                return
            self._keep(self._source(unit, version, number), tuple(fields))
            if not fields:  # withdrawn
                self._templates.pop(self._source(unit, version, number), None)

    def _learn_options(self, unit: bytes, version: int, content: bytes) -> None:
        """Records by these templates are about the exporter, and no flows. One stands in a set, padding behind it."""
        number = int.from_bytes(content[:2])
        if number > _BIG:
            self._keep(self._source(unit, version, number), ())

    def _keep(self, name: tuple[int, int, int], fields: tuple[Field, ...]) -> None:
        if name in self._templates or len(self._templates) < MAX_TEMPLATES:
            self._templates[name] = fields

    def _flows(self, unit: bytes, version: int, number: int, content: bytes) -> Iterator[Row | Unreadable]:
        template = self._templates.get(self._source(unit, version, number))
        if not template:
            if template is None:
                yield NO_TEMPLATE
            return
        clock = _Clock(unit, version)
        at = 0
        least = sum(1 if length == _VARIABLE else length for _, _, length in template)
        while least and at + least <= len(content):
            values: Values = {}
            for enterprise, kind, length in template:
                if length == _VARIABLE:
                    length, at = _told(content, at)  # noqa: PLW2901  # the length that the record itself tells
                values[enterprise, kind] = content[at : at + length]
                at += length
            if at > len(content):
                yield CUT_OFF
                return
            row = _row(values, clock)
            if row is not None:
                yield row


class _Clock:
    """Times of flows: since 1970, or since the exporter began, which a v9 datagram tells."""

    def __init__(self, unit: bytes, version: int) -> None:
        since = 8 if version == 9 else 4  # noqa: PLR2004  # the version
        self.exported = int.from_bytes(unit[since : since + 4]) * 1000
        self.began = self.exported - int.from_bytes(unit[4:8]) if version == 9 else None  # noqa: PLR2004  # the version

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
        since = values.get((0, uptime))
        if since is None:
            return None
        began = values.get((0, 160))  # systemInitTimeMilliseconds
        base = self.began if began is None else int.from_bytes(began)
        return None if base is None else base + int.from_bytes(since)


def _v5(unit: bytes) -> Iterator[Row | Unreadable]:
    uptime, seconds, nanos = (int.from_bytes(unit[at : at + 4]) for at in (4, 8, 12))
    began = seconds * 1000 + nanos // 1_000_000 - uptime
    for at in range(_V5_HEADER, len(unit), _V5_RECORD):
        record = unit[at : at + _V5_RECORD]

        def number(place: int, length: int, record: bytes = record) -> int:
            return int.from_bytes(record[place : place + length])

        first, last = (since - _WRAP if since > uptime else since for since in (number(24, 4), number(28, 4)))
        yield network.row(
            time=began + first, end=began + last, uid=None, source=_address(record[0:4]),
            source_port=number(32, 2), target=_address(record[4:8]), target_port=number(34, 2), protocol=record[38],
            direction=None, action=None, sent=number(20, 4), received=None, packets=number(16, 4), packets_back=None,
        ) if began + first >= 0 else NO_TIME  # fmt: skip


def _row(values: Values, clock: _Clock) -> Row | Unreadable | None:
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
        _count(values, (0, delta), (0, total), (0, first)) for delta, total, first in ((1, 85, 231), (2, 86, 298))
    )
    received, back = (_count(values, (_REVERSE, delta), (0, answer)) for delta, answer in ((1, 232), (2, 299)))
    return network.row(
        time=time, end=end, uid=None, source=_address(source),
        source_port=_count(values, (0, 7)), target=_address(target), target_port=_count(values, (0, 11)),
        protocol=_count(values, (0, 4)), direction=None, action=_action(values),
        sent=sent, received=received, packets=packets, packets_back=back,
    )  # fmt: skip


def _action(values: Values) -> int | None:
    """What a firewall's event (233) or a router's forwarding status (89) says."""
    event, status = _count(values, (0, 233)), _count(values, (0, 89))
    if event is not None:
        return network.DENIED if event == 3 else network.ALLOWED  # noqa: PLR2004  # flow denied
    if status is None:
        return None
    return {1: network.ALLOWED, 2: network.DENIED}.get(status >> 6)


def _count(values: Values, *names: tuple[int, int]) -> int | None:
    return next((int.from_bytes(values[name]) for name in names if name in values), None)


def _sets(unit: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    while at + 4 <= len(unit):
        number, length = int.from_bytes(unit[at : at + 2]), int.from_bytes(unit[at + 2 : at + 4])
        if length < 4:  # noqa: PLR2004  # the set's own header
            return
        yield number, unit[at + 4 : at + length]
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
