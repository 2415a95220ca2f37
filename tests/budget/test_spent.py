"""What a budget says."""

import pytest

from strongroom.budget.freeze import Target, Upon
from strongroom.budget.ledger import Charge, Ledger
from strongroom.budget.rules import Consequence
from strongroom.budget.scope import Kind
from strongroom.budget.spent import Spent
from strongroom.budget.table import DEFAULTS
from strongroom.clock import DAY, Millis
from tests.budget.scenes import PERMIT, START, listing, read, scopes

RULES = {rule.name: rule for rule in DEFAULTS.all}


@pytest.mark.parametrize(("wait", "seconds"), [(0, 0), (1, 1), (999, 1), (1_000, 1), (1_001, 2), (DAY, 86_400)])
def test_retry_is_rounded_up(wait: int, seconds: int) -> None:
    """Whoever waits the seconds that were named has waited long enough."""
    rule = RULES["account-own-bytes-24h"]
    assert Spent(rule, "A", 1, 1, Millis(START), Millis(START + wait), None).retry == seconds


def test_waiting_does_not_always_help() -> None:
    """What is larger than the whole limit is refused without a time."""
    spent = Ledger().charge(PERMIT, read(START, Kind.STRANGER, scopes("A"), "p", size=2 << 30))
    assert isinstance(spent, Spent)
    assert (spent.until, spent.retry) == (None, None)
    assert spent.sentence == "This login has used 0 of 1073741824 bytes in 24 h. Waiting does not help."


@pytest.mark.parametrize(
    ("name", "span"),
    [
        ("network-stranger-people-1h", "1 h"),
        ("account-stranger-people-24h", "24 h"),
        ("account-care-people-30d", "30 days"),
        ("account-stranger-people-365d", "365 days"),
    ],
)
def test_says_how_long_the_window_is(name: str, span: str) -> None:
    """Hours up to a day, days beyond."""
    assert f"of 5 people in {span}. It fits" in Spent(RULES[name], "", 5, 5, Millis(0), Millis(1), None).sentence


def test_a_freeze_says_how_it_ends() -> None:
    """The sentence names what was reached, what is frozen and until when, and nobody."""
    ledger, who = Ledger(), scopes("A")
    for patient in "pqr":
        assert isinstance(ledger.charge(PERMIT, listing(START, Kind.STRANGER, who, patient)), Charge)
    spent = ledger.charge(PERMIT, listing(START, Kind.STRANGER, who, "s"))
    assert isinstance(spent, Spent)
    assert spent.freeze == Target(Upon.ACCOUNT, "A")
    assert spent.sentence == (
        "This login has used 3 of 3 people in 24 h. The account is frozen until a fresh second factor or an officer."
        " It fits again from 2026-01-02T00:00:00.000Z."
    )


@pytest.mark.parametrize("name", [rule.name for rule in DEFAULTS.all if rule.consequence is not Consequence.ALARM])
def test_no_sentence_names_anybody(name: str) -> None:
    """Whoever reads a refusal learns no login, session or network from it."""
    spent = Spent(RULES[name], "SOMEBODY", 5, 5, Millis(START), Millis(START + 1), None)
    assert "SOMEBODY" not in spent.sentence
    assert spent.sentence.startswith(("This ", "The module "))


def test_an_alarm_is_raised_once_for_each_passing() -> None:
    """The second stranger raises it, the third does not; a day later, when it had fallen, it rises again."""
    ledger, who = Ledger(), scopes("A")
    raised = []
    for at, patient in ((START, "p"), (START, "q"), (START, "r"), (START + DAY, "p"), (START + DAY, "q")):
        answer = ledger.charge(PERMIT, listing(at, Kind.STRANGER, who, patient))
        assert isinstance(answer, Charge)
        raised.append([(alarm.rule.name, alarm.name, alarm.used, alarm.limit) for alarm in answer.alarms])
    passed = [("account-stranger-people-24h-alarm", "A", 2, 1)]
    assert raised == [[], passed, [], [], passed]
