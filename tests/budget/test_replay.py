"""The theft that the project is about, on the ledger alone: every permit granted, and patience added."""

import pytest

from strongroom.budget.bound import people_bound
from strongroom.budget.freeze import Freeze, FreezeList, RouteClass
from strongroom.budget.ledger import Charge, Ledger
from strongroom.budget.scope import Kind
from strongroom.budget.table import DEFAULTS
from strongroom.clock import DAY, HOUR, SECOND, YEAR
from tests.budget.scenes import PERMIT, START, listing, read, scopes


def steal(logins: int, days: int, *, frozen: bool) -> dict[str, list[tuple[int, str]]]:
    """What each of `logins` gets that tries three people each day, list and letter, from a new address each day."""
    ledger, freezes = Ledger(), FreezeList()
    met: dict[str, list[tuple[int, str]]] = {f"login {number}": [] for number in range(logins)}
    for day in range(days):
        for person in range(3):
            for account, people in met.items():
                at = START + day * DAY + person * HOUR
                who = scopes(account, session=f"{account} {day}", network=f"10.{day % 256}.{person}.1/32")
                victim = f"victim {day} {person} of {account}"
                for what in (listing(at, Kind.STRANGER, who, victim), read(at, Kind.STRANGER, who, victim)):
                    if frozen and freezes.check(who, what.kind, RouteClass.READ, what.at):
                        continue
                    answer = ledger.charge(PERMIT, what)
                    if isinstance(answer, Charge):
                        people.append((at, victim))
                    elif answer.freeze is not None:
                        freezes.freeze(Freeze(answer.freeze, answer.rule.name, what.at))
    return met


@pytest.mark.parametrize("logins", [1, 5, 20])
def test_five_people_a_login_in_400_days(logins: int) -> None:
    """Three a day for 400 days with authorization broken: five people a login, then the account is frozen."""
    met = steal(logins, 400, frozen=True)
    assert [len({victim for _, victim in people}) for people in met.values()] == [5] * logins


def test_five_people_a_login_in_any_365_days() -> None:
    """Should somebody lift the freeze each day, it is still five in any 365 days, and within the bound in 400."""
    (people,) = steal(1, 400, frozen=False).values()
    for end, _ in people:
        assert len({victim for t, victim in people if end - YEAR < t <= end}) <= 5
    assert 5 < len({victim for _, victim in people}) <= people_bound(DEFAULTS, 1, 400 * DAY)


@pytest.mark.parametrize(("logins", "addresses", "people"), [(1, 1, 3), (5, 5, 15), (100, 1, 60), (5_000, 5_000, 300)])
def test_as_fast_as_possible(logins: int, addresses: int, people: int) -> None:
    """Within the first hour: three a login, sixty an address, three hundred an app, whichever is least."""
    ledger, met = Ledger(), set()
    for number in range(max(4 * logins, 400)):
        who = scopes(f"login {number % logins}", network=f"address {number % addresses}")
        what = read(START + number * SECOND // 10, Kind.STRANGER, who, f"victim {number}")
        if isinstance(ledger.charge(PERMIT, what), Charge):
            met.add(what.patient)
    assert len(met) == people


def test_apps_of_their_own_gain_up_to_the_module() -> None:
    """With an app and an address for each login it is six hundred people in an hour, and not one more."""
    ledger, met = Ledger(), set()
    for number in range(3_000):
        who = scopes(f"login {number}", client=f"app {number}", network=f"address {number}")
        what = listing(START + number * SECOND, Kind.STRANGER, who, f"victim {number}")
        if isinstance(ledger.charge(PERMIT, what), Charge):
            met.add(what.patient)
    assert len(met) == 600 == people_bound(DEFAULTS, 3_000, HOUR - 1)
