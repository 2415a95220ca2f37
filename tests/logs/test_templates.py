"""What exporters tell of themselves."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.logs.templates import MAX_FIELDS, MAX_RATES, Rate, Templates, Values, number

NINE, TEN = (9, 7), (10, 7)
OUR = (8, 4), (12, 4), (1, 4)


def template(number_: int, *fields: tuple[int, int]) -> bytes:
    """One of data."""
    return struct.pack(">HH", number_, len(fields)) + b"".join(struct.pack(">HH", *field) for field in fields)


def test_templates_are_known_by_domain_and_number() -> None:
    """And come again with other fields, and go; padding and numbers of sets end nothing and begin nothing."""
    told = Templates()
    told.learn(NINE, 0, template(256, *OUR) + template(257, (8, 4)) + b"\0\0")
    first = told.of(NINE, 256)
    assert first is not None
    assert (first.fields, first.least, first.options) == (((0, 8, 4), (0, 12, 4), (0, 1, 4)), 12, False)
    assert told.of(NINE, 257) is not None
    assert told.of((9, 8), 256) is None
    told.learn(NINE, 0, template(256, (8, 4), (82, 65_535)))
    again = told.of(NINE, 256)
    assert again is not None
    assert again.least == 5
    told.learn(TEN, 2, template(300, (8, 4)) + template(300))
    assert told.of(TEN, 300) is None
    for set_, content in (
        (2, template(300, *OUR)),
        (0, template(255, *OUR)),
        (0, template(258, *OUR)[:-1]),
        (1, b"\1\2\0\4\0"),
    ):
        told.learn(NINE, set_, content)
    assert (len(told), told.learned) == (2, 4)
    told.learn(TEN, 2, template(301, *((8, 4),) * (MAX_FIELDS + 1)))
    assert told.of(TEN, 301) is None


def test_options_have_scopes() -> None:
    """v9 numbers them by themselves and counts in bytes, IPFIX among the fields; an enterprise's fields have its number."""
    told = Templates()
    told.learn(NINE, 1, struct.pack(">HHH4H", 256, 4, 4, 2, 4, 34, 4) + bytes(2))
    told.learn(TEN, 3, struct.pack(">HHH2H2HI", 256, 2, 1, 149, 4, 0x8005, 2, 4_242))
    nine, ten = told.of(NINE, 256), told.of(TEN, 256)
    assert nine is not None
    assert ten is not None
    assert (nine.fields, nine.options) == (((-1, 2, 4), (0, 34, 4)), True)
    assert (ten.fields, ten.options) == (((0, 149, 4), (4_242, 5, 2)), True)


def word(value: int) -> bytes:
    """Four bytes."""
    return struct.pack(">I", value)


@pytest.mark.parametrize(
    ("option", "rate"),
    [
        ({(0, 34): word(100)}, 100),
        ({(0, 50): word(64)}, 64),
        ({(0, 305): word(1), (0, 306): word(99)}, 100.0),
        ({(0, 309): word(2), (0, 310): word(2_000)}, 1_000.0),
        ({(0, 311): struct.pack(">d", 0.25)}, 4.0),
        ({(0, 311): struct.pack(">f", 0.5)}, 2.0),
        ({(0, 34): word(0)}, 1),
        ({(0, 34): b"\xff" * 9}, 1),
        ({(0, 305): word(0), (0, 306): word(99)}, 1),
        ({(0, 309): word(2), (0, 310): b"\xff" * 400}, 1),
        ({(0, 309): word(5), (0, 310): word(2)}, 1),
        ({(0, 311): struct.pack(">d", 0.0)}, 1),
        ({(0, 311): struct.pack(">d", float("nan"))}, 1),
        ({(0, 311): bytes(3)}, 1),
        ({(0, 42): word(7)}, 1),
    ],
)
def test_rates(option: Values, rate: Rate) -> None:
    """In each way in which they are told; what makes no sense is none."""
    told = Templates()
    told.told(TEN, option)
    assert told.rate(TEN, {(0, 8): bytes(4)}) == rate
    assert told.rate((10, 8), {}) == 1


def test_the_most_particular_rate_holds() -> None:
    """What a flow says itself, then its sampler's, its interface's, its domain's."""
    told = Templates()
    told.told(NINE, {(0, 34): word(10)})
    told.told(NINE, {(-1, 2): word(3), (0, 34): word(20)})
    told.told(NINE, {(-1, 1): word(1), (0, 48): b"\2", (0, 50): word(30)})
    told.told(NINE, {(0, 302): word(9), (0, 34): word(40)})
    assert told.rate(NINE, {}) == told.rate(NINE, {(0, 10): word(4)}) == told.rate(NINE, {(0, 48): b"\0"}) == 10
    assert told.rate(NINE, {(0, 10): word(3)}) == told.rate(NINE, {(0, 10): word(1), (0, 14): word(3)}) == 20
    assert told.rate(NINE, {(0, 48): b"\2", (0, 10): word(3)}) == 30
    assert told.rate(NINE, {(0, 302): word(9)}) == 40
    assert told.rate(NINE, {(0, 302): word(9), (0, 34): word(50)}) == 50


def test_what_is_remembered_is_bounded() -> None:
    """Rates and beginnings, however many a stranger tells."""
    told = Templates()
    for at in range(MAX_RATES + 9):
        told.told((10, at), {(0, 34): word(5), (0, 160): word(9)})
    assert told.rate((10, MAX_RATES - 1), {}) == 5
    assert told.rate((10, MAX_RATES), {}) == 1
    assert len(told.began) == MAX_RATES
    told.told((10, 0), {(0, 34): word(6), (0, 160): word(8)})
    assert (told.rate((10, 0), {}), told.began[10, 0]) == (6, 8)


@given(st.sampled_from([NINE, TEN]), st.integers(0, 3), st.binary(max_size=200))
def test_nothing_raises(domain: tuple[int, int], set_: int, junk: bytes) -> None:
    """And nothing is a template that has no fields, or takes no bytes at all to have."""
    told = Templates()
    told.learn(domain, set_, junk)
    assert number({}, (0, 1)) is None
    assert len(told) <= told.learned
