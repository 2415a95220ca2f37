"""YAML to rules, correlations and faults, through pySigma. One bad rule never takes the others of its file with it."""

import math
from collections.abc import Iterator
from typing import Any, Final, Literal

import yaml
from sigma import conditions as they
from sigma.collection import SigmaCollection
from sigma.correlations import (
    CorrelationConditionAND,
    CorrelationConditionNOT,
    CorrelationConditionOR,
    SigmaCorrelationCondition,
    SigmaCorrelationRule,
    SigmaExtendedCorrelationCondition,
    SigmaRuleReference,
)
from sigma.exceptions import SigmaError
from sigma.filters import SigmaFilter
from sigma.rule import SigmaRule
from sigma.rule.base import SigmaRuleBase
from sigma.types import (
    Placeholder,
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaString,
    SpecialChars,
)

from strongroom.sigma.rule import (
    FLAGS,
    LEVELS,
    All,
    Compare,
    Condition,
    Correlation,
    Exists,
    Extended,
    Fault,
    Filter,
    Head,
    Joined,
    Kind,
    Level,
    Logsource,
    Match,
    Matched,
    Not,
    Number,
    Parsed,
    Pattern,
    Regex,
    Rule,
    Same,
    Sign,
    Some,
    Value,
    Wildcard,
    Within,
)

MAX_FILE: Final = 1024 * 1024
"""Bytes of one file of rules; the largest of SigmaHQ has some 40 kB."""
_SIGNS: Final[dict[str, Sign]] = {"LT": "<", "LTE": "<=", "GT": ">", "GTE": ">=", "EQ": "=", "NEQ": "<>"}
_ORDER: Final = {"LT", "LTE", "GT", "GTE"}
_DEPTH: Final = 50
"""Conditions within conditions."""


class Unsupported(Exception):
    """The rule is Sigma, and asks for something that is not done here. The message is the reason that is shown."""


def parse(text: str) -> list[Parsed]:
    """Everything a file of rules holds, in its order. Raises nothing for what the text says."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_FILE:
        return [Fault("", f"The file is larger than {MAX_FILE} bytes.")]
    try:
        _bound(text)
        documents = [document for document in yaml.safe_load_all(text) if document is not None]
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        return [Fault("", f"This is not YAML: {error.problem}.", line)]
    except Unsupported as error:
        return [Fault("", str(error))]
    except (yaml.YAMLError, RecursionError, ValueError):
        return [Fault("", "This is not YAML.")]
    return [parsed for document in documents for parsed in _parsed(document)]


def _bound(text: str) -> None:
    """Raises Unsupported for YAML that is small and means much, or whose depth takes the parser long."""
    opened = 0
    for token in yaml.scan(text):
        if isinstance(token, yaml.AliasToken):
            raise Unsupported("YAML aliases are not read.")
        opened += isinstance(token, yaml.FlowSequenceStartToken | yaml.FlowMappingStartToken)
        opened -= isinstance(token, yaml.FlowSequenceEndToken | yaml.FlowMappingEndToken)
        if opened > _DEPTH:
            raise Unsupported("Its lists are nested too deeply.")


def _parsed(document: Any) -> Iterator[Parsed]:
    if not isinstance(document, dict):
        yield Fault("", "A rule is a mapping with a title, a logsource and a detection.")
        return
    title = str(document.get("title", ""))
    try:
        # References are resolved here, by id and name, over all files: pySigma would do it within one.
        found = SigmaCollection.from_dicts([document], collect_errors=True, resolve_references=False)
        errors = [*found.errors, *(error for one in found.rules for error in one.errors)]
        if errors:
            yield Fault(title, str(errors[0]).split(" in ")[0])
            return
        for one in (*found.rules, *found.filters):
            yield _rule(one) if isinstance(one, SigmaRule) else _other(one)
    except Unsupported as error:
        yield Fault(title, str(error))
    except (SigmaError, RecursionError, TypeError, ValueError, AttributeError, KeyError) as error:
        yield Fault(title, f"pySigma cannot read it: {type(error).__name__}.")


def _rule(one: SigmaRule) -> Rule:
    return Rule(
        head=_head(one), logsource=_logs(one.logsource), condition=_conditions(one.detection.parsed_condition),
        name=one.name or "",
    )  # fmt: skip


def _logs(source: Any) -> Logsource:
    return Logsource(source.category or "", source.product or "", source.service or "")


def _conditions(given: list[Any]) -> Condition:
    conditions = [_condition(condition.parsed, 0) for condition in given]
    if not conditions:
        raise Unsupported("It has no condition.")
    return conditions[0] if len(conditions) == 1 else Some(tuple(conditions))


def _other(one: Any) -> Correlation | Filter:
    if isinstance(one, SigmaFilter):
        given = one.filter.rules
        names = () if isinstance(given, str) else tuple(reference.reference for reference in given)
        return Filter(one.title, _logs(one.logsource), names, _conditions(one.filter.parsed_condition))
    if not isinstance(one, SigmaCorrelationRule):
        raise Unsupported("It is neither a rule, a correlation nor a filter.")
    return _correlation(one)


def _correlation(one: SigmaCorrelationRule) -> Correlation:
    kind = next((kind for kind in Kind if kind.value == one.type.name.lower()), None)
    if kind is None:
        raise Unsupported("It is a correlation of a kind that does not run.")
    rules = tuple(reference.reference for reference in one.rules or [])
    extended: Extended | None = None
    fields: tuple[str, ...] = ()
    sign: Sign = ">="
    bound, percentile = 1.0, 0
    condition = one.condition
    if isinstance(condition, SigmaExtendedCorrelationCondition):
        if kind is Kind.TEMPORAL_ORDERED:
            raise Unsupported("An extended condition of an ordered correlation does not run: no order is said for it.")
        rules = rules or tuple(condition.get_referenced_rules())
        extended = _extended(condition.parsed, rules)
    elif isinstance(condition, SigmaCorrelationCondition):
        sign, bound, percentile = _SIGNS[condition.op.name], condition.count, condition.percentile or 0
        fields = tuple(_listed(condition.fieldref))
    if kind in {Kind.EVENT_COUNT, Kind.VALUE_COUNT} and sign == ">":
        sign, bound = ">=", math.floor(bound) + 1  # more than a count is at least one more
    return Correlation(
        head=_head(one),
        kind=kind,
        rules=rules,
        group_by=tuple(one.group_by or []),
        window=one.timespan.seconds * 1000,
        at_least=bound,
        fields=fields,
        sign=sign,
        percentile=percentile,
        aliases=tuple(
            (name, tuple((reference.reference, field) for reference, field in alias.mapping.items()))
            for name, alias in one.aliases.aliases.items()
        ),
        condition=extended,
    )


def _listed(field: str | list[str] | None) -> list[str]:
    return field if isinstance(field, list) else [field] if field else []


def _extended(item: Any, rules: tuple[str, ...]) -> Extended:
    joins: dict[type, Literal["and", "or", "not"]] = {
        CorrelationConditionAND: "and",
        CorrelationConditionOR: "or",
        CorrelationConditionNOT: "not",
    }
    if isinstance(item, SigmaRuleReference):
        if item.reference not in rules:
            raise Unsupported(f"Its condition names the rule {item.reference}, which is not among its rules.")
        return Matched(rules.index(item.reference))
    by = joins[type(item)]
    return Joined(by, tuple(_extended(part, rules) for part in item.args))


def _head(one: SigmaRuleBase) -> Head:
    own = one.custom_attributes.get("strongroom", {})
    by = own.get("by", ()) if isinstance(own, dict) else ()
    level: Level = next((level for level in LEVELS if one.level and one.level.name.lower() == level), "medium")
    return Head(
        id=str(one.id) if one.id else (one.name or one.title),
        title=one.title,
        level=level,
        description=" ".join((one.description or "").split()),
        honest=tuple(str(reason) for reason in one.falsepositives or ()),
        tags=tuple(str(tag) for tag in one.tags),
        by=(by,) if isinstance(by, str) else tuple(str(name) for name in by),
    )


def _condition(item: Any, depth: int) -> Condition:
    if depth > _DEPTH:
        raise Unsupported("Its condition is nested too deeply.")
    match item:
        case they.ConditionAND() | they.ConditionOR():
            parts = tuple(_condition(part, depth + 1) for part in item.args)
            if not parts:
                raise Unsupported("A part of its condition is empty.")
            return All(parts) if isinstance(item, they.ConditionAND) else Some(parts)
        case they.ConditionNOT():
            return Not(_condition(item.args[0], depth + 1))
        case they.ConditionFieldEqualsValueExpression():
            return _match(item.field, item.value)
        case they.ConditionValueExpression():
            return _match(None, item.value)
    raise Unsupported(f"A condition of the kind {type(item).__name__} does not run.")


def _match(field: str | None, value: Any) -> Condition:
    match value:
        case SigmaExpansion():
            return Some(tuple(_match(field, one) for one in value.values))
        case SigmaNull():
            return Match(field, Exists(there=False))
        case _:
            return Match(field, _value(value))


def _value(value: Any) -> Value:
    match value:
        case SigmaString():
            return Pattern(_parts(value), cased=isinstance(value, SigmaCasedString))
        case SigmaNumber():
            return Number(value.number)
        case SigmaBool():
            return Pattern(("true" if value.boolean else "false",))
        case SigmaExists():
            return Exists(value.exists)
        case SigmaFieldReference() if not (value.starts_with or value.ends_with):
            return Same(value.field)
        case SigmaRegularExpression():
            given = "".join(value.sigma_to_re_flag[flag] for flag in value.flags)
            return Regex(str(value.regexp), frozenset(flag for flag in FLAGS if flag in given))
        case SigmaCIDRExpression():
            return Within(value.network)
        case SigmaCompareExpression() if value.op.name in _ORDER:
            return Compare(_SIGNS[value.op.name], value.number.number)
    raise Unsupported(f"A value of the kind {type(value).__name__} does not run: {str(value)[:60]}.")


def _parts(value: SigmaString) -> tuple[str | Wildcard, ...]:
    parts: list[str | Wildcard] = []
    for part in value.s:
        if isinstance(part, Placeholder):
            raise Unsupported(f"The placeholder %{part.name}% has no value here.")
        wild = {SpecialChars.WILDCARD_MULTI: Wildcard.MANY, SpecialChars.WILDCARD_SINGLE: Wildcard.ONE}
        parts.append(wild[part] if isinstance(part, SpecialChars) else part)
    return tuple(parts)
