"""Ages, periods, quotas and standing. Plain functions without fixtures: test_mutants.py runs them upon wrong relations too.

Everything is reached through the one name `relations`, which is then another module.
"""

from datetime import UTC, date, datetime

import pytest

from strongroom.authz import relations
from strongroom.authz.facts import Care, Category, Glass, Quota, Standing
from strongroom.clock import DAY, Millis
from strongroom.errors import Malformed

NOW = Millis(1_800_000_000_000)


def at(year: int, month: int, day: int, hour: int = 0) -> Millis:
    """A moment in UTC."""
    return Millis(int(datetime(year, month, day, hour, tzinfo=UTC).timestamp()) * 1000)


def delegation(
    *, full: bool = True, ground: str = "grant", since: int = NOW - 1, until: int = NOW + 1
) -> relations.Delegation:
    """A delegation that is live at NOW, unless told otherwise."""
    return relations.Delegation(full, relations.Ground(ground), since, until)


def standing(given: relations.Delegation | None, *, born: date | None = None, now: Millis = NOW) -> Standing:
    """The standing of a login that is not the patient's own."""
    return relations.standing(own=False, delegation=given, born=born, now=now)


def test_a_period_has_its_first_moment_and_not_its_last() -> None:
    """Since <= now < until, to the millisecond."""
    live = [relations.is_live(10, 12, Millis(now)) for now in (9, 10, 11, 12, 13)]
    assert live == [False, True, True, False, False]
    assert not relations.is_live(10, 10, Millis(10))


def test_age_is_completed_years() -> None:
    """The birthday itself counts from its first hour (UTC); the day before does not."""
    born = date(2010, 6, 15)
    moments = [at(2026, 6, 14, 23), at(2026, 6, 15), at(2026, 6, 16), at(2026, 5, 20), at(2026, 7, 1)]
    assert [relations.age(born, now) for now in moments] == [15, 16, 16, 15, 16]
    assert relations.age(born, at(2010, 6, 15)) == 0


def test_who_was_born_on_29_february_has_birthday_on_1_march() -> None:
    """And on 29 February where there is one."""
    born = date(2008, 2, 29)
    moments = [at(2024, 2, 28, 23), at(2024, 2, 29), at(2025, 2, 28, 23), at(2025, 3, 1)]
    assert [relations.age(born, now) for now in moments] == [15, 16, 16, 17]


def test_a_birth_date_is_read_or_refused() -> None:
    """No date is None; another form raises and does not repeat what it read."""
    assert relations.parse_born(None) is None
    assert relations.parse_born("2010-06-15") == date(2010, 6, 15)
    for text in ("", "15.6.2010", "2010-02-30", "somebody"):
        with pytest.raises(Malformed, match="does not parse") as raised:
            relations.parse_born(text)
        assert not text or text not in str(raised.value)


def test_the_own_login_is_the_owner() -> None:
    """Whatever delegations there are besides, ended ones too."""
    ended = delegation(since=NOW - 2, until=NOW - 1)
    for given in (None, delegation(), ended):
        assert relations.standing(own=True, delegation=given, born=None, now=NOW) is Standing.OWNER


def test_without_a_delegation_a_person_is_a_stranger() -> None:
    """And until it begins, to the millisecond."""
    assert standing(None) is Standing.STRANGER
    assert standing(delegation(since=NOW + 1, until=NOW + 2)) is Standing.STRANGER
    assert standing(delegation(since=NOW)) is Standing.DELEGATE_FULL


def test_a_delegation_over_is_lapsed_and_not_strange() -> None:
    """From its last millisecond on."""
    assert standing(delegation(until=NOW)) is Standing.LAPSED
    assert standing(delegation(since=NOW - 2, until=NOW - 1)) is Standing.LAPSED


def test_a_delegation_reaches_as_far_as_it_says() -> None:
    """Full or reading."""
    assert standing(delegation(full=True)) is Standing.DELEGATE_FULL
    assert standing(delegation(full=False)) is Standing.DELEGATE_READ


def test_a_parent_reads_until_the_sixteenth_birthday() -> None:
    """Not a day longer, whatever the period says; carers and the patient's own delegates are not bound by age."""
    born = date(2010, 6, 15)
    before, on = at(2026, 6, 14, 23), at(2026, 6, 15)
    for ground, then in (
        ("parent", Standing.LAPSED),
        ("carer", Standing.DELEGATE_FULL),
        ("grant", Standing.DELEGATE_FULL),
    ):
        given = delegation(ground=ground, since=0, until=at(2100, 1, 1))
        assert standing(given, born=born, now=before) is Standing.DELEGATE_FULL
        assert standing(given, born=born, now=on) is then
        assert standing(given, born=date(1990, 1, 1), now=on) is then


def test_a_parent_of_a_child_without_a_birth_date_has_no_standing() -> None:
    """An unknown age is no young age."""
    assert standing(delegation(ground="parent")) is Standing.LAPSED
    assert standing(delegation(ground="carer")) is Standing.DELEGATE_FULL


def test_a_delegation_is_established_after_a_day() -> None:
    """To the millisecond; none is never established."""
    assert not relations.is_established(None, NOW)
    assert not relations.is_established(delegation(since=NOW - DAY + 1), NOW)
    assert relations.is_established(delegation(since=NOW - DAY), NOW)
    assert relations.is_established(delegation(since=NOW - 2 * DAY), NOW)


def test_a_share_reaches_further_than_a_practice() -> None:
    """So it wins where both are live."""
    assert relations.care(practice=False, shared=False) is Care.NONE
    assert relations.care(practice=True, shared=False) is Care.PRACTICE
    assert relations.care(practice=False, shared=True) is Care.SHARE
    assert relations.care(practice=True, shared=True) is Care.SHARE


def test_the_empty_word_withholds_the_record() -> None:
    """Otherwise only the category named; the record as a whole is not withheld by a category."""
    nothing, record, notes = frozenset[str](), frozenset({""}), frozenset({"sensitive"})
    for category in (None, *Category):
        assert not relations.is_withheld(nothing, category)
        assert relations.is_withheld(record, category)
        assert relations.is_withheld(notes, category) is (category is Category.SENSITIVE)


def test_the_glass_closes_by_itself() -> None:
    """From the last millisecond on; never broken is closed."""
    assert relations.glass(None, NOW) is Glass.NONE
    assert relations.glass(NOW + 1, NOW) is Glass.LIVE
    assert relations.glass(NOW, NOW) is Glass.NONE
    assert relations.glass(NOW - 1, NOW) is Glass.NONE


def test_three_openings_an_account_and_ten_an_organisation() -> None:
    """The next one needs a second person; an agreement is not used up where it is not needed. Who works nowhere always does."""
    assert (relations.OPENINGS_ACCOUNT, relations.OPENINGS_ORGANISATION) == (3, 10)
    within = [(0, 0), (2, 0), (0, 9), (2, 9)]
    used_up = [(3, 0), (4, 0), (0, 10), (0, 11), (3, 9), (2, 10), (3, 10)]
    for agreed, beyond in ((False, Quota.USED_UP), (True, Quota.AGREED)):
        assert {relations.quota(*counts, works=True, agreed=agreed) for counts in within} == {Quota.WITHIN}
        assert {relations.quota(*counts, works=True, agreed=agreed) for counts in used_up} == {beyond}
        assert {relations.quota(*counts, works=False, agreed=agreed) for counts in within + used_up} == {beyond}
