"""What one exporter sends, in the order that networks bring it."""

import struct
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from bench.fuzz.lines import FILES, flowset
from strongroom.logs import exporter, network, read
from strongroom.logs.datagrams import datagrams
from strongroom.logs.exporter import DOMAINS, REMEMBERED, WAITING, Exporter
from strongroom.logs.formats import NAMES
from strongroom.logs.record import Row

FIVE, NINE, TEN = (unit for _, _, unit in datagrams([FILES["netflow"]]) if unit)
FIELDS = ((8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (1, 4))
TOLD = flowset(2, struct.pack(">HH", 300, len(FIELDS)) + b"".join(struct.pack(">HH", *field) for field in FIELDS))
AT = 1_766_998_800


def ipfix(number: int, *sets: bytes, domain: int = 7) -> bytes:
    """A message."""
    return struct.pack(">HHIII", 10, 16 + sum(map(len, sets)), AT, number, domain) + b"".join(sets)


def flow(port: int) -> bytes:
    """The bytes of one."""
    return bytes((10, 0, 1, 5, 203, 0, 113, 9)) + struct.pack(">HHBI", 443, port, 6, 24_928)


def data(*ports: int, template: int = 300) -> bytes:
    """A set of flows."""
    return flowset(template, b"".join(map(flow, ports)))


def nine(number: int, *sets: bytes) -> bytes:
    """A datagram of v9."""
    return struct.pack(">HHIIII", 9, 1, 60_000, AT, number, 7) + b"".join(sets)


def five(number: int, flows: int, rate: int = 0) -> bytes:
    """A datagram of v5."""
    header = struct.pack(">HHIIIIBBH", 5, flows, 60_000, AT, 0, number, 0, 0, rate)
    return header + FIVE[24:] * flows


def ports(rows: list[Row]) -> list[int]:
    """The clients' ports."""
    return [row[network.FIELDS.index("dst_endpoint.port")] for row in rows]


def test_data_waits_for_its_template() -> None:
    """Only what needs it; what needs none is read at once, and nothing is read twice."""
    one = Exporter()
    assert ports(one.take(ipfix(0, data(1)))) == []
    assert ports(one.take(ipfix(1, data(2), data(9, template=301)))) == []
    assert one.waiting > 0
    assert ports(one.take(ipfix(3, data(3), TOLD, data(4)))) == [4, 1, 2, 3]
    assert ports(one.take(ipfix(5, data(5)))) == [5]
    assert ports(one.take(ipfix(6, TOLD.replace(struct.pack(">HH", 300, 6), struct.pack(">HH", 301, 6))))) == [9]
    assert (one.waiting, one.told.flows, one.told.given_up, one.told.unreadable) == (0, 6, 0, {})


def test_what_waits_too_much_is_given_up() -> None:
    """The oldest first, and counted."""
    one, size = Exporter(), len(ipfix(0, data(*range(3_000))))
    for at in range(WAITING // size + 3):
        one.take(ipfix(at * 3_000, data(*range(3_000))))
    assert one.waiting <= WAITING
    assert one.told.given_up == 3
    assert len(one.take(ipfix(0, TOLD))) == WAITING // size * 3_000


def test_a_datagram_counts_once() -> None:
    """However often the network brings it; the same flow in another datagram is another."""
    one = Exporter()
    told = [*(ipfix(at, TOLD, data(1)) for at in range(4)), FIVE, NINE]
    for unit in (*told, *told, FIVE):
        one.take(unit)
    assert (one.told.datagrams, one.told.flows, one.told.twice) == (13, 6, 7)
    assert one.told.lost_flows == 0


def test_numbers_tell_what_was_lost() -> None:
    """Flows by v5 and IPFIX, datagrams by v9; one that comes late was not lost."""
    one = Exporter()
    for number, flows in ((0, 30), (30, 2), (62, 5)):
        one.take(five(number, flows))
    assert one.told.lost_flows == 30
    one.take(five(32, 20))
    assert one.told.lost_flows == 10
    for unit in (ipfix(0, TOLD, data(1, 2)), ipfix(2, data(3)), ipfix(8, data(4))):
        one.take(unit)
    assert one.told.lost_flows == 15
    for number in (2**32 - 1, 0, 4):
        one.take(nine(number))
    assert (one.told.lost_datagrams, one.told.lost_flows) == (3, 15)
    one.take(nine(2))
    assert one.told.lost_datagrams == 2


def test_an_exporter_that_begins_anew_has_lost_nothing() -> None:
    """Nor one that counts to the end of the datagram, nor without what it says of itself; nor one whose template is missing."""
    one = Exporter()
    for unit in (
        five(90_000, 30),
        five(0, 30),
        five(30, 1),
        ipfix(2**31, data(1)),
        ipfix(5, TOLD, data(2)),
        ipfix(6, data(3)),
    ):
        one.take(unit)
    assert one.told.lost_flows == 0
    options = flowset(3, struct.pack(">HHHHHHH", 301, 2, 1, 149, 4, 34, 4))
    about = flowset(301, struct.pack(">II", 7, 1))
    other = Exporter()
    number, sizes = 0, (24, 32, 32, 24, 32, 24, 24, 32)
    for size in sizes:
        number += size
        other.take(ipfix(number, TOLD, options, about if size == 24 else b"", data(*range(size))))
    assert (other.told.flows, other.told.lost_flows) == (sum(sizes), 0)


def test_sampled_counts_are_multiplied() -> None:
    """By the rate of a v5 datagram, or of an option; the highest is known."""
    one = Exporter()
    sent = network.FIELDS.index("traffic.bytes_out")
    assert one.take(five(0, 1, 0x4000 | 100))[0][sent] == 2_492_800
    assert one.told.rate == 100
    options = flowset(3, struct.pack(">HHHHHHH", 301, 2, 1, 149, 4, 34, 4)) + flowset(301, struct.pack(">II", 7, 1_000))
    assert one.take(ipfix(0, TOLD, options, data(1)))[0][sent] == 24_928_000
    assert one.take(ipfix(2, data(1), domain=8)) == []
    assert one.told.rate == 1_000


def test_an_exporter_may_have_many_parts() -> None:
    """And no more than so many are followed."""
    one = Exporter()
    for domain in range(DOMAINS + 50):
        one.take(ipfix(0, TOLD, data(1), domain=domain))
    assert len(one._next) == DOMAINS


STREAM = [
    ipfix(0, TOLD, data(1, 2)),
    ipfix(2, data(3)),
    ipfix(3, data(4, 5), data(6, template=301)),
    ipfix(6, TOLD.replace(struct.pack(">HH", 300, 6), struct.pack(">HH", 301, 6)), data(7, template=301)),
    ipfix(0, data(8), domain=8),
    ipfix(1, TOLD, domain=8),
    five(0, 2),
    five(2, 3),
    NINE,
]
ALL = Counter(row for unit in STREAM for row in Exporter().take(unit))


@given(st.permutations(STREAM), st.lists(st.sampled_from(STREAM), max_size=9), st.data())
def test_any_order_and_any_copies_give_the_same_flows(
    order: list[bytes], copies: list[bytes], chance: st.DataObject
) -> None:
    """Whatever comes first, whatever comes again."""
    for copy in copies:
        order.insert(chance.draw(st.integers(0, len(order))), copy)
    one = Exporter()
    found = Counter(row for unit in order for row in one.take(unit))
    first = Exporter()
    assert found == Counter(row for unit in STREAM for row in first.take(unit))
    assert found >= ALL
    assert (one.told.twice, one.told.flows, one.waiting) == (len(copies), 14, 0)


@given(st.sampled_from(STREAM), st.integers(0, 200))
def test_a_datagram_that_is_cut_is_no_other(unit: bytes, at: int) -> None:
    """Byte by byte: what is read of a part is read of the whole; the rest is a reason, or was none."""
    one, whole = Exporter(), Exporter()
    whole.take(ipfix(0, TOLD))
    one.take(ipfix(0, TOLD))
    part = one.take(unit[:at])
    assert Counter(part) <= Counter(whole.take(unit))
    assert one.told.datagrams == 2


@given(
    st.lists(st.binary(max_size=80) | st.sampled_from(STREAM), max_size=12), st.integers(0, 60), st.binary(max_size=6)
)
def test_nothing_raises(units: list[bytes], place: int, junk: bytes) -> None:
    """Junk, and junk in the middle of what is none; what waits and what is remembered stays within bounds."""
    one = Exporter()
    for unit in units:
        one.take(unit[:place] + junk + unit[place + len(junk) :])
        one.take(unit)
    assert one.waiting <= WAITING
    assert len(one._before) <= REMEMBERED
    assert exporter.FAR > exporter.LATE


def test_files_and_datagrams_are_read_alike() -> None:
    """The decoder is one."""
    file = [row for batch in read.rows([FILES["netflow"]], NAMES["netflow"], 0, read.Account()) for row in batch]
    assert [row for unit in (FIVE, NINE, TEN) for row in Exporter().take(unit)] == [
        row[len(read.RECORD) :] for row in file
    ]
