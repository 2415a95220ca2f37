"""Datagrams that stand one behind the other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.fuzz.lines import FILES
from strongroom.logs.datagrams import LONGEST, datagrams, extent

STREAM = FILES["netflow"]
FIVE, NINE, TEN = (unit for _, _, unit in datagrams([STREAM]) if unit)


def test_each_version_ends_where_it_says() -> None:
    """By count, by sets, by length; and a unit stands where it is said to stand."""
    assert [unit[:2] for unit in (FIVE, NINE, TEN)] == [b"\0\5", b"\0\t", b"\0\n"]
    assert FIVE + NINE + TEN == STREAM
    assert [(at, length) for at, length, _ in datagrams([STREAM])] == [
        (0, len(FIVE)), (len(FIVE), len(NINE)), (len(FIVE) + len(NINE), len(TEN)),
    ]  # fmt: skip


@given(st.lists(st.sampled_from([FIVE, NINE, TEN]), max_size=6), st.integers(1, 9))
def test_any_order_and_any_blocks(units: list[bytes], step: int) -> None:
    """Streams may be mixed, and blocks change nothing."""
    data = b"".join(units)
    assert [unit for _, _, unit in datagrams([data])] == units
    assert list(datagrams([data[at : at + step] for at in range(0, len(data), step)])) == list(datagrams([data]))


@given(st.binary(max_size=200))
def test_junk_is_one_unit(junk: bytes) -> None:
    """Nothing is lost, whatever the bytes."""
    found = list(datagrams([FIVE + junk]))
    assert sum(length for _, length, _ in found) == len(FIVE) + len(junk)
    assert b"".join(unit or b"" for _, _, unit in found) == FIVE + junk


def test_much_junk_is_let_go() -> None:
    """It is told how much it was, and is not held."""
    assert list(datagrams([b"junk" * 5_000] * 50)) == [(0, 1_000_000, None)]


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\0", b"\0\7" + bytes(50), FIVE[:-1], b"\0\5\0\0" + bytes(20), NINE[:-1], TEN[:-1], b"\0\n\0\1" + bytes(20),
        NINE + b"\0\3\0\4", NINE + b"\1\0\0\1", b"\0\5\xff\xff" + bytes(LONGEST),
    ],
)  # fmt: skip
def test_what_is_no_datagram(data: bytes) -> None:
    """Half ones, other versions, no records, sets that none may have or that are shorter than themselves."""
    assert extent(data) is None
