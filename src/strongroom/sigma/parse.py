"""YAML to rules, correlations and faults, through pySigma. One bad rule never takes the others of its file with it."""

from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Any, Final

import yaml
from sigma import conditions as they
from sigma.collection import SigmaCollection
from sigma.correlations import SigmaCorrelationCondition, SigmaCorrelationRule
from sigma.exceptions import SigmaError
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
    Fault,
    Head,
    Kind,
    Level,
    Logsource,
    Match,
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
_SIGNS: Final[dict[str, Sign]] = {"LT": "<", "LTE": "<=", "GT": ">", "GTE": ">="}
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
        if not found.rules:
            yield Fault(title, "Filters are not applied yet.")
        for one in found.rules:
            yield _rule(one) if isinstance(one, SigmaRule) else _correlation(one)
    except Unsupported as error:
        yield Fault(title, str(error))
    except (SigmaError, RecursionError, TypeError, ValueError, AttributeError, KeyError) as error:
        yield Fault(title, f"pySigma cannot read it: {type(error).__name__}.")


def _rule(one: SigmaRule) -> Rule:
    conditions = [_condition(condition.parsed, 0) for condition in one.detection.parsed_condition]
    if not conditions:
        raise Unsupported("It has no condition.")
    source = one.logsource
    return Rule(
        head=_head(one),
        logsource=Logsource(source.category or "", source.product or "", source.service or ""),
        condition=conditions[0] if len(conditions) == 1 else Some(tuple(conditions)),
        name=one.name or "",
    )


def _correlation(one: Any) -> Correlation:
    if not isinstance(one, SigmaCorrelationRule):
        raise Unsupported("It is neither a rule nor a correlation.")
    kinds = {kind.value: kind for kind in Kind}
    written = one.type.name.lower()
    if written not in kinds:
        raise Unsupported(f"Correlations of the type {written} do not run yet.")
    if one.aliases.aliases:
        raise Unsupported("Aliases of fields do not run yet.")
    condition = one.condition
    if not isinstance(condition, SigmaCorrelationCondition):
        raise Unsupported("Extended conditions of a temporal correlation do not run yet.")
    sign = condition.op.name.lower()
    if sign not in {"gt", "gte"} and kinds[written] not in {Kind.TEMPORAL, Kind.TEMPORAL_ORDERED}:
        raise Unsupported(f"A condition with {sign} is about events that did not happen, and does not run yet.")
    if isinstance(condition.fieldref, list):
        raise Unsupported("A count over several fields does not run yet.")
    kind = kinds[written]
    return Correlation(
        head=_head(one),
        kind=kind,
        rules=tuple(reference.reference for reference in one.rules or []),
        group_by=tuple(one.group_by or []),
        window=one.timespan.seconds * 1000,
        # More than a count is at least one more; more than a sum is only known of the sum itself.
        at_least=condition.count + (1 if sign == "gt" and kind is not Kind.VALUE_SUM else 0),
        field=condition.fieldref,
    )


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
        case SigmaCIDRExpression() if isinstance(value.network, IPv4Network):
            return Within(value.network)
        case SigmaCIDRExpression() if value.network.num_addresses == 1:
            return Pattern((str(value.network.network_address),))
        case SigmaCompareExpression() if value.op.name in _SIGNS:
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
