"""The rules in words, as Markdown: the table in docs/budgets.md."""

from typing import Final

from strongroom.budget.history import DAYS, FACTOR
from strongroom.budget.rules import Consequence, Rule, Rules
from strongroom.budget.scope import Kind
from strongroom.budget.table import GIB, MIB, WINDOWS
from strongroom.budget.window import Dimension

_THEN: Final = {
    Consequence.ALARM: "alarm",
    Consequence.REFUSE: "refused",
    Consequence.FREEZE: "refused, {scope} frozen",
}
_ONE: Final = {Dimension.DOCUMENTS: "document", Dimension.PEOPLE: "person", Dimension.OPENINGS: "opening"}


def table(rules: Rules) -> str:
    """All rules, one a line."""
    lines = ["| rule | counts | allows | in | beyond | why |", "|---|---|---|---|---|---|"]
    return "\n".join([*lines, *map(_line, rules.all)]) + "\n"


def _line(rule: Rule) -> str:
    beyond = _THEN[rule.consequence].format(scope=rule.scope.value)
    if rule.refuses and rule.refuses != rule.counts:
        beyond = f"{_kinds(rule.refuses)} {beyond}; alarm for the others"
    cells = (f"`{rule.name}`", _kinds(rule.counts), _allows(rule), WINDOWS[rule.window], beyond, rule.why)
    return f"| {' | '.join(cells)} |"


def _kinds(kinds: frozenset[Kind]) -> str:
    return ", ".join(kind.value for kind in Kind if kind in kinds)


def _allows(rule: Rule) -> str:
    allows = amount(rule.dimension, rule.limit)
    if rule.learned:
        return f"{FACTOR} times the same hour's most of {DAYS} days, never below {allows}"
    if rule.declared:
        unit = rule.dimension.name.lower() if rule.declared == 1 else amount(rule.dimension, rule.declared)
        return f"{allows}; with a grant of n documents: n{' times' if rule.declared > 1 else ''} {unit}"
    return allows


def amount(dimension: Dimension, number: int) -> str:
    """`number` with its unit, bytes in GiB or MiB where they are whole."""
    if dimension is Dimension.BYTES:
        unit, name = next(((u, n) for u, n in ((GIB, "GiB"), (MIB, "MiB")) if number and not number % u), (1, "bytes"))
        return f"{number // unit:,} {name}"
    if number == 1:
        return f"1 {_ONE[dimension]}"
    return f"{number:,} {dimension.name.lower()}"
