"""A condition by the words of the specification, on one event: slow, short, and the measure for the SQL."""

import re
from ipaddress import ip_address

from strongroom.sigma.rule import (
    All,
    Compare,
    Condition,
    Exists,
    Match,
    Not,
    Number,
    Pattern,
    Regex,
    Same,
    Some,
    Value,
    Wildcard,
    Within,
)  # fmt: skip

Event = dict[str, str | None]


def holds(condition: Condition, event: Event) -> bool:
    """Whether an event matches."""
    match condition:
        case All(of):
            return all(holds(part, event) for part in of)
        case Some(of):
            return any(holds(part, event) for part in of)
        case Not(of):
            return not holds(of, event)
        case Match(field, value):
            if field is None:
                return _found(value, "\n".join(text for text in event.values() if text is not None))
            return _test(event.get(field), value, event)


def _found(value: Value, text: str) -> bool:
    assert isinstance(value, Pattern)
    return _pattern(Pattern((Wildcard.MANY, *value.parts, Wildcard.MANY), cased=value.cased), text)


def _test(text: str | None, value: Value, event: Event) -> bool:
    if isinstance(value, Exists):
        return (text is not None) is value.there
    if text is None:
        return False
    match value:
        case Pattern():
            return _pattern(value, text)
        case Number() | Compare():
            return _compared(_number(text), value)
        case Regex(pattern, flags):
            known = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}
            return re.search(pattern, text, sum(known[flag] for flag in flags)) is not None
        case Within(network):
            try:
                return ip_address(text) in network
            except ValueError:
                return False
        case Same(field):
            return text == event.get(field)
    raise AssertionError(value)


def _compared(found: int | None, value: Number | Compare) -> bool:
    if found is None:
        return False
    if isinstance(value, Number):
        return found == value.value
    bound = value.bound
    return {"<": found < bound, "<=": found <= bound, ">": found > bound, ">=": found >= bound}[value.sign]


def _pattern(pattern: Pattern, text: str) -> bool:
    sides = {Wildcard.MANY: ".*", Wildcard.ONE: "."}
    form = "".join(sides[p] if isinstance(p, Wildcard) else re.escape(p) for p in pattern.parts)
    return re.fullmatch(form, text, re.DOTALL | (0 if pattern.cased else re.IGNORECASE)) is not None


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"-?[0-9]{1,30}", text) else None
