"""One document charge per session, version and five minutes."""

import pytest
from msgspec.structs import replace

from strongroom.budget.rereads import PERIOD, Rereads
from strongroom.budget.scope import Kind
from strongroom.ids import DocumentId
from tests.budget.scenes import START, read, scopes

FIRST = read(START, Kind.OWN, scopes("A"), "p")


def test_five_minutes_from_the_charge_on() -> None:
    """Free until, and not at, five minutes after the charge; reading on does not renew it."""
    rereads = Rereads()
    assert rereads.free_until(FIRST, START) is None
    rereads.add(FIRST, START)
    assert rereads.free_until(FIRST, START) == START + PERIOD
    assert rereads.free_until(FIRST, START + PERIOD - 1) == START + PERIOD
    assert rereads.free_until(FIRST, START + PERIOD) is None


@pytest.mark.parametrize(
    "other",
    [
        replace(FIRST, version=2),
        replace(FIRST, document=DocumentId("another")),
        replace(FIRST, scopes=scopes("A", session="another")),
        replace(FIRST, scopes=scopes("B", session="session-of-A")),
    ],
)
def test_another_reading_is_not_free(other: object) -> None:
    """Another version, document, session or login is charged on its own."""
    rereads = Rereads()
    rereads.add(FIRST, START)
    assert rereads.free_until(other, START) is None  # type: ignore[arg-type]  # replace() of a parameter table


def test_old_ones_are_dropped() -> None:
    """Memory holds five minutes and no more."""
    rereads = Rereads()
    for number in range(100):
        rereads.add(replace(FIRST, document=DocumentId(f"{number}")), START + number * PERIOD)
    assert len(rereads._charged) == len(rereads._order) == 1


def test_taking_back_is_the_inverse() -> None:
    """After taking back, also after a newer charge of the same version, all is as before."""
    rereads = Rereads()
    rereads.add(FIRST, START)
    before = rereads.dump(START)
    rereads.add(replace(FIRST, version=2), START + 1)
    rereads.take_back(replace(FIRST, version=2))
    assert rereads.dump(START) == before
    rereads.add(FIRST, START + PERIOD)
    rereads.take_back(FIRST)
    rereads.take_back(FIRST)  # the first one left by itself
    assert rereads.dump(START + PERIOD) == []


def test_a_dump_is_read_back() -> None:
    """What is free stays free over a restart; what is over is left out."""
    rereads = Rereads()
    rereads.add(FIRST, START)
    rereads.add(replace(FIRST, version=2), START + PERIOD - 1)
    assert len(rereads.dump(START + PERIOD)) == 1
    again = Rereads(rereads.dump(START + PERIOD))
    assert again.free_until(FIRST, START + PERIOD) is None
    assert again.free_until(replace(FIRST, version=2), START + PERIOD) == START + 2 * PERIOD - 1
    assert again.dump(START + PERIOD) == rereads.dump(START + PERIOD)
