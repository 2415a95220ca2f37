"""Freezes: what they stop, what they leave alone, and who lifts them."""

from itertools import permutations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.budget.freeze import STICKS, STRANGERS, Bounds, Freeze, FreezeList, RouteClass, Target, Upon
from strongroom.budget.rules import PROTECTED
from strongroom.budget.scope import Kind
from strongroom.clock import HOUR, Millis
from strongroom.errors import Malformed
from strongroom.ids import AccountId
from tests.budget.scenes import START, scopes

NOW = Millis(START)
WHO = scopes("A", session="s", client="portal", organisation="practice")
ELSE = scopes("B", session="t", client="app", organisation="hospital")
TARGETS = {
    Upon.SESSION: Target(Upon.SESSION, "s"),
    Upon.ACCOUNT: Target(Upon.ACCOUNT, "A"),
    Upon.CLIENT: Target(Upon.CLIENT, "portal"),
    Upon.ORGANISATION: Target(Upon.ORGANISATION, "practice"),
    Upon.CLASS: Target(Upon.CLASS, "read"),
    Upon.MODULE: Target(Upon.MODULE, STRANGERS),
}


def frozen(target: Target, **more: object) -> FreezeList:
    """A list with this one freeze by an officer."""
    return FreezeList([Freeze(target, "seen on the news", NOW, "officer", **more)])  # type: ignore[arg-type]  # until only


@pytest.mark.parametrize("upon", Upon)
@pytest.mark.parametrize("kind", Kind)
def test_stops_what_it_is_upon(upon: Upon, kind: Kind) -> None:
    """A freeze stops every request of what it is upon; that of the module leaves owners and live care alone."""
    answer = frozen(TARGETS[upon]).check(WHO, kind, RouteClass.READ, NOW)
    assert (answer is None) is (upon is Upon.MODULE and kind in PROTECTED)


@pytest.mark.parametrize("upon", [Upon.SESSION, Upon.ACCOUNT, Upon.CLIENT, Upon.ORGANISATION])
@pytest.mark.parametrize("route", RouteClass)
def test_leaves_everybody_else_alone(upon: Upon, route: RouteClass) -> None:
    """Another login, in another session, app and organisation goes on."""
    freezes = frozen(TARGETS[upon])
    assert freezes.check(ELSE, Kind.STRANGER, route, NOW) is None
    assert freezes.check(WHO, Kind.OWN, route, NOW) is not None


def test_a_login_without_organisation_or_app_goes_on() -> None:
    """Freezes of organisations and apps are no matter of those who have none."""
    freezes = FreezeList([Freeze(TARGETS[upon], "", NOW, "officer") for upon in (Upon.CLIENT, Upon.ORGANISATION)])
    assert freezes.check(scopes("A", client=""), Kind.STRANGER, RouteClass.READ, NOW) is None


@pytest.mark.parametrize("route", RouteClass)
def test_a_class_is_frozen_by_itself(route: RouteClass) -> None:
    """Freezing one route class leaves the others open."""
    freezes = frozen(Target(Upon.CLASS, route.value))
    assert [freezes.check(WHO, Kind.OWN, other, NOW) is not None for other in RouteClass] == [
        other is route for other in RouteClass
    ]


def test_it_ends_on_time() -> None:
    """A freeze with an end holds until the millisecond before it, and is then forgotten."""
    freezes = frozen(TARGETS[Upon.SESSION], until=Millis(NOW + HOUR))
    assert freezes.check(WHO, Kind.OWN, RouteClass.READ, Millis(NOW + HOUR - 1)) is not None
    assert freezes.check(WHO, Kind.OWN, RouteClass.READ, Millis(NOW + HOUR)) is None
    assert freezes.all(Millis(NOW + HOUR - 1)) != ()
    assert freezes.all(Millis(NOW + HOUR)) == ()
    assert freezes._freezes == {}


def test_a_second_factor_lifts_the_budgets_freeze_only() -> None:
    """Step-up lifts what a budget froze, not the officer's freeze of the same account, and no session."""
    account, session = TARGETS[Upon.ACCOUNT], TARGETS[Upon.SESSION]
    ours, officers = Freeze(account, "account-own-people-24h", NOW), Freeze(account, "called us", NOW, "officer")
    decoy = Freeze(session, "decoy", NOW)
    for order in permutations([ours, officers, decoy]):
        freezes = FreezeList(order)
        assert freezes.of_account(AccountId("A")) == ours
        assert freezes.step_up(AccountId("A"), NOW) == ours
        assert freezes.of_account(AccountId("A")) is None
        assert freezes.step_up(AccountId("A"), NOW) is None
        assert set(freezes.all(NOW)) == {officers, decoy}


def test_a_second_factor_of_another_lifts_nothing() -> None:
    """Step-up is about one's own account."""
    freezes = FreezeList([Freeze(TARGETS[Upon.ACCOUNT], "budget", NOW)])
    assert freezes.step_up(AccountId("B"), NOW) is None
    assert freezes.check(WHO, Kind.OWN, RouteClass.READ, NOW) is not None


def test_an_officer_lifts_both() -> None:
    """Unfreezing lifts whatever is upon it and says what that was; doing it again lifts nothing."""
    account = TARGETS[Upon.ACCOUNT]
    ours, officers = Freeze(account, "budget", NOW), Freeze(account, "called us", NOW, "officer")
    freezes = FreezeList([ours, officers])
    assert freezes.unfreeze(account, NOW) == (officers, ours)
    assert freezes.unfreeze(account, NOW) == ()
    assert freezes.check(WHO, Kind.OWN, RouteClass.READ, NOW) is None


def test_says_who_and_until_when_and_nothing_else() -> None:
    """The sentence is true and names no reason, no rule and nobody."""
    account = FreezeList([Freeze(TARGETS[Upon.ACCOUNT], "account-own-people-24h", NOW)])
    answer = account.check(WHO, Kind.OWN, RouteClass.READ, NOW)
    assert answer is not None
    assert answer.by_step_up
    assert answer.sentence == (
        "This account was frozen automatically at 2026-01-01T00:00:00.000Z. A fresh second factor lifts it."
    )
    session = FreezeList([Freeze(TARGETS[Upon.SESSION], "decoy", NOW)])
    answer = session.check(WHO, Kind.OWN, RouteClass.READ, NOW)
    assert answer is not None
    assert not answer.by_step_up
    assert answer.sentence == (
        "This session was frozen automatically at 2026-01-01T00:00:00.000Z. An officer can lift it."
    )
    answer = frozen(TARGETS[Upon.CLIENT], until=Millis(NOW + HOUR)).check(WHO, Kind.OWN, RouteClass.READ, NOW)
    assert answer is not None
    assert not answer.by_step_up
    assert answer.sentence == (
        "This client was frozen by an officer at 2026-01-01T00:00:00.000Z."
        " It ends at 2026-01-01T01:00:00.000Z or when an officer lifts it."
    )
    answer = frozen(TARGETS[Upon.MODULE]).check(WHO, Kind.STRANGER, RouteClass.READ, NOW)
    assert answer is not None
    assert answer.sentence == (
        "The module was frozen by an officer at 2026-01-01T00:00:00.000Z. An officer can lift it."
    )


@pytest.mark.parametrize("upon", [Upon.CLIENT, Upon.ORGANISATION, Upon.CLASS, Upon.MODULE])
def test_no_budget_freezes_what_many_use(upon: Upon) -> None:
    """Freezes that nobody ordered are upon one login only."""
    with pytest.raises(ValueError, match="officer"):
        Freeze(TARGETS[upon], "budget", NOW)


def test_nonsense_is_refused() -> None:
    """Freezes of nothing, of no class, of everybody, and backwards in time are not made."""
    for upon, name in ((Upon.SESSION, ""), (Upon.CLASS, "everything"), (Upon.MODULE, "everybody")):
        with pytest.raises(ValueError, match=r"."):
            Target(upon, name)
    with pytest.raises(ValueError, match="ends after"):
        Freeze(TARGETS[Upon.SESSION], "budget", NOW, until=NOW)


BOUNDS = Bounds(2, 3, 4 * HOUR)


def test_a_watch_is_bounded_whoever_lifts_what_it_froze() -> None:
    """So many in an hour, lifted or not; so many at once; none for a week about whom somebody lifted it."""
    freezes = FreezeList()
    assert isinstance(freezes.ask(AccountId("A"), NOW, BOUNDS), Freeze)
    assert freezes.ask(AccountId("A"), NOW, BOUNDS) == "It is frozen already."
    assert freezes.step_up(AccountId("A"), NOW) is not None
    assert freezes.ask(AccountId("A"), NOW, BOUNDS) == "It was lifted lately."
    assert isinstance(freezes.ask(AccountId("B"), NOW, BOUNDS), Freeze)
    assert "in the last hour" in str(freezes.ask(AccountId("C"), NOW, BOUNDS))
    later = Millis(NOW + HOUR)
    freezes = FreezeList.restore(freezes.snapshot())
    assert freezes.ask(AccountId("A"), later, BOUNDS) == "It was lifted lately."
    assert [isinstance(freezes.ask(AccountId(one), later, BOUNDS), Freeze) for one in "CD"] == [True, True]
    assert "3 are frozen for a watch already" in str(freezes.ask(AccountId("E"), Millis(later + HOUR), BOUNDS))
    assert isinstance(freezes.ask(AccountId("A"), Millis(NOW + STICKS), BOUNDS), Freeze)


def test_a_watch_changes_no_freeze_of_others() -> None:
    """What an officer or a budget froze neither ends earlier for it, nor is lifted by a second factor for it."""
    for by in (None, "officer"):
        before = Freeze(TARGETS[Upon.ACCOUNT], "called us", NOW, by)
        freezes = FreezeList([before])
        assert freezes.ask(AccountId("A"), NOW, BOUNDS) == "It is frozen already."
        assert freezes.all(NOW) == (before,)
    freezes = FreezeList()
    asked = freezes.ask(AccountId("A"), NOW, BOUNDS)
    assert isinstance(asked, Freeze)
    freezes.freeze(Freeze(TARGETS[Upon.ACCOUNT], "budget", NOW))
    freezes.forget(asked)
    assert [one.why for one in freezes.all(NOW)] == ["budget"], "what could not be written takes nobody else's with it"


def test_a_freeze_that_a_watch_asked_for_says_what_ends_it() -> None:
    """A second factor, or time."""
    freezes = FreezeList()
    freezes.ask(AccountId("A"), NOW, BOUNDS)
    answer = freezes.check(WHO, Kind.OWN, RouteClass.READ, NOW)
    assert answer is not None
    assert answer.sentence == (
        "This account was frozen automatically at 2026-01-01T00:00:00.000Z."
        " A fresh second factor lifts it. It ends at 2026-01-01T04:00:00.000Z."
    )


FREEZES = st.builds(
    Freeze,
    st.sampled_from(list(TARGETS.values())),
    st.sampled_from(["probing", "called us"]),
    st.just(NOW),
    st.just("officer"),
    st.none() | st.just(Millis(NOW + HOUR)),
) | st.builds(Freeze, st.sampled_from([TARGETS[Upon.SESSION], TARGETS[Upon.ACCOUNT]]), st.just("probing"), st.just(NOW))


@given(st.lists(FREEZES, max_size=8))
def test_a_snapshot_is_read_back(freezes: list[Freeze]) -> None:
    """What was frozen before a restart is frozen after it, and equal lists have equal bytes."""
    one = FreezeList(freezes)
    again = FreezeList.restore(one.snapshot())
    assert again.all(NOW) == one.all(NOW)
    assert again.snapshot() == one.snapshot() == FreezeList(reversed(one.all(NOW))).snapshot()


def test_a_snapshot_of_the_first_form_is_read() -> None:
    """It knew of no watch."""
    rows = [("account", "A", "budget", NOW, None, None)]
    assert [one.why for one in FreezeList.restore(msgspec.msgpack.encode((1, rows))).all(NOW)] == ["budget"]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        FreezeList().snapshot() + b"\0",
        msgspec.msgpack.encode((2, [])),
        msgspec.msgpack.encode((1, [], [])),
        msgspec.msgpack.encode((3, [], [], [])),
        msgspec.msgpack.encode((1, [("client", "portal", "budget", 1, None, None)])),
        msgspec.msgpack.encode((1, [("everything", "x", "y", 1, "officer", None)])),
    ],
)
def test_a_damaged_snapshot_is_refused(raw: bytes) -> None:
    """A list that is not whole, of another form, or of what nobody can have frozen is not read."""
    with pytest.raises(Malformed):
        FreezeList.restore(raw)
