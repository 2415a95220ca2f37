"""The loss, as a number: how many people thieves can reach when every check of authorization is broken."""

from strongroom.budget.rules import Rules, Scope
from strongroom.budget.scope import Kind
from strongroom.budget.window import Dimension

_EVERYONE = frozenset({Scope.ACCOUNT, Scope.MODULE})
"""Scopes that no thief can multiply, beyond the number of logins: sessions, apps and addresses are theirs to choose."""


def people_bound(rules: Rules, logins: int, span: int) -> int:
    """At most so many strangers are reached by `logins` stolen logins within `span` milliseconds, freezes ignored.

    A window of length L with limit n lets in n, and again n each time L has passed: n * (span // L + 1) in all.
    """
    if logins < 0 or span < 0:
        raise ValueError("There are no fewer than no logins, and no time before now.")
    bounds: dict[Scope, list[int]] = {Scope.ACCOUNT: [], Scope.MODULE: []}
    for rule in rules.all:
        if rule.scope in _EVERYONE and rule.dimension is Dimension.PEOPLE and Kind.STRANGER in rule.refuses:
            bounds[rule.scope].append(rule.limit * (span // rule.window + 1))
    return min([logins * min(bounds[Scope.ACCOUNT]), *bounds[Scope.MODULE]])
