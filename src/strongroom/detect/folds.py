"""Which fold says in a watch what a correlation's SQL says in a hunt."""

import math
from collections.abc import Callable

from strongroom.detect import ending, sliding
from strongroom.detect.correlation import at_once
from strongroom.detect.detection import Fold
from strongroom.sigma.rule import Correlation, Kind


def fold_of(rule: Correlation) -> Callable[[], Fold]:
    """How a watch does this correlation."""
    return _at_once(rule) if at_once(rule) else _at_the_end(rule)


def _at_once(rule: Correlation) -> Callable[[], Fold]:
    window, rules, bound, above = rule.window, len(rule.rules), rule.at_least, rule.sign == ">"
    least = max(1, math.floor(bound) + 1 if above else math.ceil(bound))
    folds: dict[Kind, Callable[[], Fold]] = {
        Kind.TEMPORAL: lambda: sliding.Together(window, rules),
        Kind.TEMPORAL_ORDERED: lambda: sliding.Chain(window, rules),
        Kind.EVENT_COUNT: lambda: sliding.Events(window, least),
        Kind.VALUE_COUNT: lambda: sliding.Values(window, least),
        Kind.VALUE_SUM: lambda: sliding.Amounts(window, bound, above=above),
    }
    return folds[rule.kind]


def _at_the_end(rule: Correlation) -> Callable[[], Fold]:
    kind, window, sign, bound = rule.kind, rule.window, rule.sign, rule.at_least
    if rule.condition is not None:
        condition, rules = rule.condition, len(rule.rules)
        return lambda: ending.Met(window, rules, condition)
    if kind is Kind.EVENT_COUNT:
        return lambda: ending.Fewer(window, sign, bound)
    if kind is Kind.VALUE_COUNT:
        return lambda: ending.FewerValues(window, sign, bound)
    if kind in {Kind.VALUE_SUM, Kind.VALUE_AVG}:
        return lambda: ending.Sums(window, sign, bound, average=kind is Kind.VALUE_AVG)
    return lambda: ending.Ranks(window, sign, bound, rule.ranked)
