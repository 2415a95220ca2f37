"""NetFlow and IPFIX, in datagrams that are made by the RFCs."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.fuzz.lines import FILES, flowset
from bench.fuzz.logs import storable
from strongroom.logs import netflow, read
from strongroom.logs.datagrams import datagrams
from strongroom.logs.formats import NAMES, recognise
from strongroom.logs.record import CUT_OFF, NO_TIME, NOT_THIS_FORMAT, Row, Unreadable
from strongroom.logs.templates import MAX_HELD
from tests.logs.rows import rows, some

FIVE, NINE, TEN = (unit for _, _, unit in datagrams([FILES["netflow"]]) if unit)
NAMED = ("src_endpoint.ip", "src_endpoint.port", "dst_endpoint.ip", "dst_endpoint.port", "connection_info.protocol_num",
         "traffic.bytes_out", "traffic.packets_out")  # fmt: skip
V4 = bytes((10, 0, 1, 5))


def ipfix(fields: tuple[tuple[int, int], ...], *values: bytes, exported: int = 1_766_998_861) -> bytes:
    """A message with a template of these fields and one record."""
    told = struct.pack(">HH", 300, len(fields)) + b"".join(struct.pack(">HH", *field) for field in fields)
    sets = flowset(2, told) + flowset(300, b"".join(values))
    return struct.pack(">HHIII", 10, 16 + len(sets), exported, 1, 7) + sets


def flows(*units: bytes) -> list[Row | Unreadable]:
    """What one stream of datagrams gives."""
    parse = netflow.parser()
    found: list[Row | Unreadable] = []
    for unit in units:
        read_ = parse(unit)
        found += read_ if isinstance(read_, list) else [read_]
    return found


def one(unit: bytes) -> dict[str, object]:
    """The only flow of a datagram."""
    (found,) = flows(unit)
    assert isinstance(found, tuple), found
    return dict(zip(netflow.FIELDS, found, strict=True))


def test_three_versions_tell_the_same_flow() -> None:
    """And the third tells what came back; nfdump reads these bytes alike."""
    five, nine, ten = rows(FILES["netflow"], "netflow")
    for found in (five, nine, ten):
        assert some(found, *NAMED) == ["10.0.1.5", 443, "203.0.113.9", 50_000, 6, 24_928, 20]
    assert some(five, "time", "end_time", "traffic.bytes_in") == [1_766_998_800_250, 1_766_998_860_250, None]
    assert some(nine, "time", "end_time", "traffic.bytes_in") == [1_766_998_800_000, 1_766_998_860_000, None]
    assert some(ten, "time", "end_time", "traffic.bytes_in") == [1_766_998_800_250, 1_766_998_860_250, 980]
    for unit in (FIVE, NINE, TEN):
        found_ = recognise(unit)
        assert found_ is not None
        assert found_.name == "netflow"


def test_an_uptime_that_began_anew() -> None:
    """After 49 days: what began before counts from before."""
    began = 24 + 24
    unit = FIVE[:began] + struct.pack(">I", 2**32 - 1_000) + FIVE[began + 4 :]
    assert one(unit)["time"] == 1_766_998_799_250
    assert flows(FIVE[:8] + bytes(8) + FIVE[16:]) == [NO_TIME]


def test_data_waits_for_its_template() -> None:
    """Within one stream, by source: what comes before is counted, what comes after is read."""
    head = TEN[:16]
    told = TEN[16 : 16 + int.from_bytes(TEN[18:20])]
    data = TEN[16 + len(told) :]

    def message(source: int, *sets: bytes) -> bytes:
        length = 16 + sum(map(len, sets))
        return head[:2] + struct.pack(">H", length) + head[4:12] + struct.pack(">I", source) + b"".join(sets)

    found = flows(message(7, data), message(7, told), message(7, data), message(8, data))
    assert [isinstance(one, tuple) for one in found] == [False, True, False]
    assert found[0] == found[2] == netflow.NO_TEMPLATE
    withdrawn = flowset(2, struct.pack(">HH", 256, 0))
    assert flows(message(7, told, withdrawn, data)) == [netflow.NO_TEMPLATE]


def test_what_an_exporter_says_of_itself_is_no_flow() -> None:
    """Options, and records without addresses."""
    options = flowset(3, struct.pack(">HHHHHHH", 257, 2, 1, 149, 4, 34, 4)) + flowset(257, bytes(8))
    assert flows(struct.pack(">HHIII", 10, 16 + len(options), 1, 1, 7) + options) == []
    assert flows(ipfix(((1, 4),), bytes(4))) == []


V6 = bytes.fromhex("20010db8000000000000000000000007")
ENDS = ((27, 16), (28, 16))


@pytest.mark.parametrize(
    ("fields", "values", "time", "end"),
    [
        ((150, 4), (struct.pack(">I", 1_766_998_800),), 1_766_998_800_000, None),
        ((152, 8), (struct.pack(">Q", 1_766_998_800_250),), 1_766_998_800_250, None),
        ((154, 8), (struct.pack(">II", 1_766_998_800 + 2_208_988_800, 2**30),), 1_766_998_800_250, None),
        ((156, 8), (struct.pack(">II", 1_766_998_800 + 2_208_988_800, 2**31),), 1_766_998_800_500, None),
        ((158, 4), (struct.pack(">I", 2_000_000),), 1_766_998_859_000, None),
        ((7, 2), (bytes(2),), 1_766_998_861_000, None),
    ],
)
def test_times(fields: tuple[int, int], values: tuple[bytes, ...], time: int, end: int | None) -> None:
    """In seconds and finer, before the export, and that of the export where there is no other."""
    found = one(ipfix((*ENDS, fields), V6, V6, *values))
    assert (found["time"], found["end_time"]) == (time, end)
    assert found["src_endpoint.ip"] == "2001:db8::7"


def test_uptimes_in_ipfix() -> None:
    """Are read where the message tells when the exporter began."""
    fields = (*ENDS, (22, 4), (21, 4), (160, 8))
    found = one(ipfix(fields, V6, V6, struct.pack(">IIQ", 250, 500, 1_766_998_800_000)))
    assert (found["time"], found["end_time"]) == (1_766_998_800_250, 1_766_998_800_500)
    assert one(ipfix(fields[:4], V6, V6, struct.pack(">II", 250, 500)))["time"] == 1_766_998_861_000


@pytest.mark.parametrize(
    ("field", "value", "action"),
    [((233, 1), b"\3", 2), ((233, 1), b"\1", 1), ((89, 1), b"\x40", 1), ((89, 1), b"\x80", 2), ((89, 1), b"\0", None)],
)
def test_what_was_denied(field: tuple[int, int], value: bytes, action: int | None) -> None:
    """By a firewall's event or a router's forwarding status."""
    assert one(ipfix((*ENDS, field), V6, V6, value))["action_id"] == action


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        (b"", NOT_THIS_FORMAT),
        (b"GET / HTTP/1.1", NOT_THIS_FORMAT),
        (FIVE[:-1], CUT_OFF),
        (FIVE + b"\0", NOT_THIS_FORMAT),
        (ipfix(((8, 3), (12, 4)), bytes(3), V4), NOT_THIS_FORMAT),
        (ipfix((*ENDS, (152, 8)), V6, V6, b"\xff" * 8), NO_TIME),
        (ipfix((*ENDS, (82, 65_535)), V6, V6, b"\xff\xff\xff"), CUT_OFF),
    ],
)
def test_what_cannot_be_read_has_a_reason(unit: bytes, expected: Unreadable) -> None:
    """Half datagrams, addresses of other lengths, times that are none, values that are longer than what there is."""
    assert flows(unit) == [expected]


def test_a_name_of_any_length() -> None:
    """Short or long."""
    long = b"\xff" + struct.pack(">H", 300) + b"x" * 300
    assert one(ipfix((*ENDS, (82, 65_535), (7, 2)), V6, V6, long, b"\1\xbb"))["src_endpoint.port"] == 443


def test_templates_are_bounded() -> None:
    """However many a stranger sends."""
    parse = netflow.Flows()
    for source in range(MAX_HELD // 11 + 5):
        parse.parse(TEN[:12] + struct.pack(">I", source) + TEN[16:])
    assert len(parse.templates) == MAX_HELD // 11
    huge = struct.pack(">HH", 300, 2_000) + bytes(8_000)
    assert parse.parse(struct.pack(">HHIII", 10, 20 + len(huge), 1, 1, 7) + flowset(2, huge)) == []


@given(st.integers(0, len(FILES["netflow"])), st.binary(max_size=8))
def test_nothing_raises(place: int, junk: bytes) -> None:
    """Junk in any place; what is read can be stored."""
    data, account = FILES["netflow"], read.Account()
    for batch in read.rows([data[:place] + junk + data[place + len(junk) :]], NAMES["netflow"], 0, account):
        for row in batch:
            storable((*read.RECORD, *netflow.FIELDS), row)
