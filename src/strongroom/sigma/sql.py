"""A condition as an SQL expression that is true or false and never null.

The caller says what SQL stands for a field. Plain SQL but for functions that DuckDB has and others name differently
(`regexp_matches`, `try_cast`, `split_part`, `contains`, `starts_with`, `ends_with`, and those on lists by which an IPv6 address is
written out); every text from a rule is a quoted literal.
"""

import re
from collections.abc import Callable, Iterator
from ipaddress import IPv4Network, IPv6Network
from typing import Final

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
)

Resolve = Callable[[str | None], str]
"""Field -> an SQL expression of type text; None -> the text in which keywords are looked for. Raises for an unknown one."""

_BYTE: Final = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_CAST: Final = re.compile(r'CAST\(("[^"]+") AS VARCHAR\)')
_PLACES: Final[dict[tuple[object, ...], str]] = {
    (Wildcard.MANY, str, Wildcard.MANY): "contains",
    (str, Wildcard.MANY): "starts_with",
    (Wildcard.MANY, str): "ends_with",
}
"""What a pattern looks for, by its wildcards -> a function that does the same as LIKE, in a fraction of its time."""
_LONGEST: Final = 1_000
"""Characters of patterns that are looked for together."""
_TAKEN_FOR: Final = {"i": "\u0130", "k": "\u212a"}
_ESCAPED: Final = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})


def literal(text: str) -> str:
    """`text` as an SQL literal."""
    quoted = "'" + text.replace("'", "''") + "'"
    return quoted.replace("\0", "' || chr(0) || '") if "\0" in text else quoted


def where(condition: Condition, resolve: Resolve) -> str:
    """The expression. Raises what `resolve` raises."""
    match condition:
        case All(of):
            return "(" + " AND ".join(sorted((where(part, resolve) for part in of), key=_dear)) + ")"
        case Some(of):
            return "(" + " OR ".join(_any(of, resolve)) + ")"
        case Not(of):
            return f"(NOT {where(of, resolve)})"
        case Match(field, value):
            if field is None and isinstance(value, Pattern):
                value = Pattern((Wildcard.MANY, *value.parts, Wildcard.MANY), cased=value.cased)
            return f"coalesce({_test(resolve(field), value, resolve)}, false)"


def _dear(test: str) -> bool:
    """Whether it takes a record apart: an engine then looks only at those that all other tests leave."""
    return "json_extract_string(" in test


def _any(of: tuple[Condition, ...], resolve: Resolve) -> Iterator[str]:
    """Alternatives. Patterns of one field are looked for together, which takes as long as one of them does."""
    together: dict[str | None, list[str]] = {}
    for part in of:
        pattern = _sought(part)
        if isinstance(part, Match) and pattern and sum(map(len, together.get(part.field, ()))) < _LONGEST:
            together.setdefault(part.field, []).append(pattern)
        else:
            yield where(part, resolve)
    for field, patterns in together.items():
        yield f"coalesce(regexp_matches({resolve(field)}, {literal('(?s)' + '|'.join(patterns))}), false)"


def _sought(part: Condition) -> str | None:
    """A pattern as a regular expression to search for; None for what is none, or cannot be written as one exactly."""
    if not isinstance(part, Match) or not isinstance(part.value, Pattern):
        return None
    parts, cased = [one for one in part.value.parts if one != ""], part.value.cased
    if part.field is None:
        parts = [Wildcard.MANY, *parts, Wildcard.MANY]
    if any(not cased and not one.isascii() for one in parts if not isinstance(one, Wildcard)):
        return None
    # By identity: a text of one asterisk is equal to the wildcard.
    begins = bool(parts) and parts[0] is Wildcard.MANY
    ends = len(parts) > begins and parts[-1] is Wildcard.MANY
    written = "".join(
        {Wildcard.MANY: ".*", Wildcard.ONE: "."}[one]
        if isinstance(one, Wildcard)
        else "".join(_letter(letter, cased=cased) for letter in one)
        for one in parts[begins : len(parts) - ends]
    )
    return ("" if begins else r"\A") + written + ("" if ends else r"\z")


def _letter(letter: str, *, cased: bool) -> str:
    """A letter in either case, and the two of other scripts that lower() takes for one of ours."""
    if cased or not letter.isalpha():
        return letter if letter.isalnum() else f"\\x{{{ord(letter):x}}}"
    return f"[{letter.lower()}{letter.upper()}{_TAKEN_FOR.get(letter.lower(), '')}]"


def _test(column: str, value: Value, resolve: Resolve) -> str:
    match value:
        case Pattern():
            return _pattern(column, value)
        case Number(exact):
            return f"{_number(column, exact)} = {exact!r}"
        case Compare(sign, bound):
            return f"{_number(column, bound)} {sign} {bound!r}"
        case Regex(pattern, flags):
            options = "".join(sorted(flags))
            return f"regexp_matches({column}, {literal(pattern)}, {literal(options or 'c')})"
        case Within(network):
            return _within(column, network)
        case Exists(there):
            return f"{column} IS {'NOT ' if there else ''}NULL"
        case Same(field):
            return f"{column} = {resolve(field)}"


def _within(column: str, network: IPv4Network | IPv6Network) -> str:
    first, last = int(network.network_address), int(network.broadcast_address)
    if isinstance(network, IPv4Network):
        parts = [f"try_cast(split_part({column}, '.', {place}) AS BIGINT)" for place in (1, 2, 3, 4)]
        number = " + ".join(f"{part} * {256 ** (3 - place)}" for place, part in enumerate(parts))
        shape = f"regexp_full_match({column}, '{_BYTE}([.]{_BYTE}){{3}}')"
        return f"({shape} AND ({number}) BETWEEN {first} AND {last})"
    # What stands on either side of :: as hexadecimal digits, and as many zeros between them as make 32.
    sides = [
        f"CASE WHEN {side} = '' THEN '' ELSE array_to_string(list_transform(string_split({side}, ':'), "
        "lambda p: lpad(p, 4, '0')), '') END"
        for side in (f"split_part(lower({column}), '::', {place})" for place in (1, 2))
    ]
    left, right = (f"({side})" for side in sides)
    digits = f"{left} || repeat('0', 32 - length({left}) - length({right})) || {right}"
    shape = f"regexp_full_match(lower({column}), '[0-9a-f:]+') AND {column} LIKE '%:%'"
    return f"({shape} AND {digits} BETWEEN '{first:032x}' AND '{last:032x}')"


def bare(column: str) -> str:
    """The number itself, of a number that stands as text; any other column as it is."""
    found = _CAST.fullmatch(column)
    return found[1] if found else column


def _number(column: str, against: float) -> str:
    number = bare(column)
    return number if number != column and isinstance(against, int) else f"try_cast({number} AS {_type(against)})"


def _pattern(column: str, pattern: Pattern) -> str:
    wild = any(isinstance(part, Wildcard) for part in pattern.parts)
    whole = [part for part in pattern.parts if part != ""]
    kinds = tuple(part if isinstance(part, Wildcard) else str for part in whole)
    if kinds in _PLACES:
        (text,) = (part for part in whole if not isinstance(part, Wildcard))
        left, right = (column, literal(text)) if pattern.cased else (f"lower({column})", f"lower({literal(text)})")
        return f"{_PLACES[kinds]}({left}, {right})"
    sides = {Wildcard.MANY: "%", Wildcard.ONE: "_"}
    if wild:
        text = "".join(sides[p] if isinstance(p, Wildcard) else p.translate(_ESCAPED) for p in pattern.parts)
    else:
        text = "".join(pattern.parts)
    left, right = (column, literal(text)) if pattern.cased else (f"lower({column})", f"lower({literal(text)})")
    return f"{left} LIKE {right} ESCAPE '\\'" if wild else f"{left} = {right}"


def _type(number: float) -> str:
    """Whole numbers are compared exactly, whatever their size."""
    return "HUGEINT" if isinstance(number, int) else "DOUBLE"
