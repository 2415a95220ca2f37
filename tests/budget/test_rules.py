"""What a table of limits may not say, and how it is overridden."""

from dataclasses import replace

import pytest

from strongroom.budget.rules import Consequence, Rule, Rules, Scope
from strongroom.budget.scope import Kind
from strongroom.budget.table import DEFAULTS
from strongroom.budget.window import Dimension
from strongroom.clock import HOUR
from strongroom.errors import ConfigError

STRANGER = frozenset({Kind.STRANGER})
GOOD = Rule(
    name="network-stranger-people-1h", scope=Scope.NETWORK, counts=STRANGER, refuses=STRANGER, window=HOUR,
    dimension=Dimension.PEOPLE, limit=60, consequence=Consequence.REFUSE, why="",
)  # fmt: skip


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"counts": STRANGER | {Kind.OWN}, "refuses": frozenset({Kind.OWN})}, "reads of others"),
        ({"counts": STRANGER | {Kind.CARE}, "refuses": STRANGER | {Kind.CARE}}, "reads of others"),
        ({"consequence": Consequence.FREEZE}, "freeze many"),
        ({"refuses": STRANGER | {Kind.GLASS}}, "does not count"),
        ({"refuses": frozenset()}, "or be an alarm"),
        ({"consequence": Consequence.ALARM}, "or be an alarm"),
        ({"limit": -1}, "limit of 0 or more"),
        ({"window": 0}, "limit of 0 or more"),
        ({"counts": frozenset(), "refuses": frozenset(), "consequence": Consequence.ALARM}, "limit of 0 or more"),
    ],
)
def test_no_rule_may_say_this(change: dict[str, object], says: str) -> None:
    """A rule that would make the budgets a weapon, or mean nothing, is never made."""
    with pytest.raises(ConfigError, match=says):
        replace(GOOD, **change)  # type: ignore[arg-type]  # a table of changes to different fields


@pytest.mark.parametrize("scope", [scope for scope in Scope if scope not in {Scope.SESSION, Scope.ACCOUNT}])
@pytest.mark.parametrize("kind", [Kind.OWN, Kind.CARE])
def test_no_shared_scope_refuses_owners_or_care(scope: Scope, kind: Kind) -> None:
    """In no shared scope can a rule that refuses OWN or CARE be written down."""
    with pytest.raises(ConfigError, match="reads of others"):
        replace(GOOD, scope=scope, counts=frozenset({kind}), refuses=frozenset({kind}))


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("dimension", Dimension)
def test_every_kind_is_bounded_by_its_account_in_every_dimension(kind: Kind, dimension: Dimension) -> None:
    """A table without an account limit on any dimension of any kind is no table."""
    kept = [
        rule
        for rule in DEFAULTS.all
        if not (rule.scope is Scope.ACCOUNT and rule.dimension is dimension and kind in rule.refuses)
    ]
    with pytest.raises(ConfigError, match=f"No account limit on {dimension.name.lower()} of kind {kind.value}"):
        Rules(kept)


def test_the_empty_table_refuses() -> None:
    """No rules, no ledger."""
    with pytest.raises(ConfigError):
        Rules([])


def test_names_are_different() -> None:
    """Two rules of one name could not be told apart by an override."""
    with pytest.raises(ConfigError, match="one name"):
        Rules([*DEFAULTS.all, GOOD])


def test_an_override_moves_one_limit_and_nothing_else() -> None:
    """The named rule has the new limit; all else, and the table it came from, are as before."""
    changed = DEFAULTS.with_limits({"network-stranger-people-1h": 90, "account-own-people-24h": 0})
    moved = {new.name: (old.limit, new.limit) for old, new in zip(DEFAULTS.all, changed.all, strict=True) if old != new}
    assert moved == {"network-stranger-people-1h": (60, 90), "account-own-people-24h": (12, 0)}
    assert changed.layout == DEFAULTS.layout


def test_limits_reach_to_nothing_and_a_hundredfold() -> None:
    """Both ends are allowed: 0 lets nothing through, and 100 times the default is the most."""
    changed = DEFAULTS.with_limits({"account-own-people-24h": 1_200, "account-stranger-people-24h": 0})
    limits = {rule.name: rule.limit for rule in changed.all}
    assert (limits["account-own-people-24h"], limits["account-stranger-people-24h"]) == (1_200, 0)


def test_a_shared_rule_may_be_removed() -> None:
    """-1 takes a shared rule away."""
    removed = DEFAULTS.with_limits({"network-stranger-people-1h": -1})
    assert {rule.name for rule in DEFAULTS.all} - {rule.name for rule in removed.all} == {"network-stranger-people-1h"}


@pytest.mark.parametrize("name", [rule.name for rule in DEFAULTS.all if rule.scope is Scope.ACCOUNT])
def test_no_account_rule_may_be_removed(name: str) -> None:
    """Neither by -1 nor by a number so large that it is no limit."""
    with pytest.raises(ConfigError, match="cannot be removed"):
        DEFAULTS.with_limits({name: -1})
    with pytest.raises(ConfigError, match="must be 0 to"):
        DEFAULTS.with_limits({name: 10**15})


def test_every_account_limit_at_once_may_not_be_removed() -> None:
    """An override that leaves a login without any limit is refused whole."""
    with pytest.raises(ConfigError):
        DEFAULTS.with_limits({rule.name: -1 for rule in DEFAULTS.all})


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ({"account-own-people-1d": 5}, "no budget rule 'account-own-people-1d'"),
        ({"account-own-people-24h": -2}, "must be 0 to 1200"),
        ({"account-own-people-24h": 1_201}, "must be 0 to 1200"),
        ({"account-own-people-24h": True}, "whole number"),
        ({"account-own-people-24h": 1.5}, "whole number"),
        ({"account-own-people-24h": "12"}, "whole number"),
    ],
)
def test_a_wrong_override_says_what_is_wrong(override: dict[str, int], says: str) -> None:
    """The message names the rule and what is allowed, and the advice where to read on."""
    with pytest.raises(ConfigError, match=says) as caught:
        DEFAULTS.with_limits(override)
    assert "docs/budgets.md" in caught.value.advice


def test_rules_of_one_window_share_it() -> None:
    """Rules that count the same kinds in the same scope for the same time need one window between them."""
    names = {gauge.layout: len(gauge.rules) for gauge in DEFAULTS.of(Kind.STRANGER)}
    assert names["account stranger 86400000 sums"] == 5
    assert names["account stranger 31536000000 people"] == 1
    assert len(DEFAULTS.gauges) < len(DEFAULTS.all)
