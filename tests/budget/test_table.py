"""The limits as they come."""

import re

import pytest

from strongroom.budget.rules import Consequence, Scope
from strongroom.budget.scope import Kind
from strongroom.budget.table import DEFAULTS, WINDOWS
from strongroom.clock import DAY, HOUR, MONTH, YEAR

RULES = {rule.name: rule for rule in DEFAULTS.all}


@pytest.mark.parametrize(
    ("name", "limit", "consequence"),
    [
        ("account-own-documents-24h", 2_000, Consequence.FREEZE),
        ("account-own-people-24h", 12, Consequence.FREEZE),
        ("account-stranger-people-24h", 3, Consequence.FREEZE),
        ("account-stranger-people-365d", 5, Consequence.FREEZE),
        ("account-stranger-documents-24h", 40, Consequence.FREEZE),
        ("account-care-people-24h-alarm", 80, Consequence.ALARM),
        ("account-care-people-24h", 250, Consequence.FREEZE),
        ("account-care-people-30d", 2_500, Consequence.FREEZE),
        ("account-care-documents-24h", 2_000, Consequence.FREEZE),
        ("network-stranger-people-1h", 60, Consequence.REFUSE),
        ("module-any-documents-1h", 600, Consequence.REFUSE),
    ],
)
def test_the_promised_limits(name: str, limit: int, consequence: Consequence) -> None:
    """The figures that the threat model and the README rest on; changing one is a decision."""
    assert (RULES[name].limit, RULES[name].consequence) == (limit, consequence)


def test_the_breaker_counts_no_own_reads() -> None:
    """Owners and delegates neither fill the module's window nor are refused by it; only its limit is learned."""
    breaker = RULES["module-any-documents-1h"]
    assert (breaker.scope, breaker.window) == (Scope.MODULE, HOUR)
    assert Kind.OWN not in breaker.counts
    assert breaker.refuses == {Kind.STRANGER}
    assert [rule.name for rule in DEFAULTS.all if rule.learned] == [breaker.name]


def test_windows_are_the_four() -> None:
    """1 h, 24 h, 30 d and 365 d, and each is used."""
    assert list(WINDOWS) == [HOUR, DAY, MONTH, YEAR]
    assert {rule.window for rule in DEFAULTS.all} == set(WINDOWS)


def test_names_can_be_written_in_toml_without_quotes() -> None:
    """A rule's name is a bare key, and says what the rule says."""
    for rule in DEFAULTS.all:
        assert re.fullmatch(r"[a-z0-9-]+", rule.name)
        assert rule.name.startswith(f"{rule.scope.value}-")
        assert rule.dimension.name.lower() in rule.name.split("-")
        assert WINDOWS[rule.window] in rule.name.split("-")


def test_every_rule_gives_its_reason() -> None:
    """No number stands without what it is based on."""
    assert all(rule.why.endswith(".") for rule in DEFAULTS.all)
