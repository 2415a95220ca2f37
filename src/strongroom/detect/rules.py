"""Rule files to detections: ours, and those that are given. A rule that cannot run is named with the reason, and the rest run."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from strongroom.detect import correlation, folds, sliding
from strongroom.detect.detection import ABOUT, Base, Detection, simple
from strongroom.detect.fields import CannotRun, logs_of, resolver
from strongroom.detect.parts import Parts
from strongroom.errors import UsageError
from strongroom.logs.record import COLUMNS
from strongroom.sigma.parse import parse
from strongroom.sigma.rule import All, Correlation, Fault, Filter, Head, Kind, Rule
from strongroom.sigma.sql import Resolve, bare, literal, where

_HERE: Final = Path(__file__).resolve()
OURS: Final = next(
    (place for place in (_HERE.parents[3] / "rules", _HERE.parent / "rules") if place.is_dir()), _HERE.parent / "rules"
)
"""Our own rules: `rules/` of the checkout, or its copy in the installed package."""
EVENTS: Final = ".events.yml"
"""How the file ends that holds what a rule must match and what it must leave alone."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """A rule that does not run, where it stands, and why."""

    file: str
    title: str
    reason: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class Loaded:
    """What rule files gave."""

    detections: tuple[Detection, ...]
    rules: tuple[tuple[str, Rule | Correlation], ...]  # with the file
    stopped: tuple[Stopped, ...]


def files(places: Iterable[Path]) -> list[Path]:
    """The rule files of files and directories. Raises UsageError for a place that is none."""
    found: list[Path] = []
    for place in places:
        if place.is_dir():
            found += sorted(path for path in place.rglob("*.yml") if not path.name.endswith(EVENTS))
        elif place.is_file():
            found.append(place)
        else:
            raise UsageError(f"There are no rules at {place}.")
    return found


def load(paths: Iterable[Path]) -> Loaded:
    """Every rule of these files, compiled."""
    rules: list[tuple[str, Rule | Correlation]] = []
    filters: list[tuple[str, Filter]] = []
    stopped: list[Stopped] = []
    for path in paths:
        for one in parse(path.read_text(encoding="utf-8", errors="backslashreplace")):
            if isinstance(one, Fault):
                stopped.append(Stopped(str(path), one.title, one.reason, one.line))
            elif isinstance(one, Filter):
                filters.append((str(path), one))
            else:
                rules.append((str(path), one))
    rules, idle = _filtered(rules, filters)
    stopped += idle
    single = {key: rule for _, rule in rules if isinstance(rule, Rule) for key in (rule.head.id, rule.name) if key}
    detections, used = [], _used(rules)
    for file, rule in rules:
        try:
            detection = _correlated(rule, single) if isinstance(rule, Correlation) else _single(rule)
        except CannotRun as error:
            stopped.append(Stopped(file, rule.head.title, str(error)))
            continue
        # A rule that a correlation is made of is a part of it and no detection of its own.
        if isinstance(rule, Correlation) or not {rule.head.id, rule.name} & used:
            detections.append(detection)
    return Loaded(tuple(detections), tuple(rules), tuple(stopped))


def _filtered(
    rules: list[tuple[str, Rule | Correlation]], filters: list[tuple[str, Filter]]
) -> tuple[list[tuple[str, Rule | Correlation]], list[Stopped]]:
    """The rules with the conditions of the filters that concern them, and the filters that concern none."""
    told: list[tuple[str, Rule | Correlation]] = []
    busy: set[int] = set()
    for file, rule in rules:
        mine = [at for at, (_, one) in enumerate(filters) if isinstance(rule, Rule) and one.concerns(rule)]
        busy.update(mine)
        parts = (filters[at][1].condition for at in mine)
        whole = replace(rule, condition=All((rule.condition, *parts))) if mine and isinstance(rule, Rule) else rule
        told.append((file, whole))
    idle = [
        Stopped(file, one.title, "It is a filter of rules that are not among those that were given.")
        for at, (file, one) in enumerate(filters)
        if at not in busy
    ]
    return told, idle


def _used(rules: list[tuple[str, Rule | Correlation]]) -> set[str]:
    return {key for _, rule in rules if isinstance(rule, Correlation) for key in rule.rules}


def _single(rule: Rule) -> Detection:
    about = _about(rule.head)
    base = simple(f"({_condition(rule)}) AND {about} IS NOT NULL", _names(rule), g=about, about=about)
    sql = f"SELECT about, time AS fired, event FROM ({base.sql})"
    return Detection(rule.head, sql, bases=(base,), fold=sliding.Single, parts=Parts((), sql))


def _correlated(rule: Correlation, single: dict[str, Rule]) -> Detection:
    if not rule.rules:
        raise CannotRun("It names no rules.")
    missing = [key for key in rule.rules if key not in single]
    if missing:
        raise CannotRun(
            f"It is made of {missing[0]}, which is not among the rules about single events that were given: chains of "
            "correlations do not run."
        )
    if correlation.never(rule):
        raise CannotRun(
            "Only a window in which nothing happened would meet it, and windows end at an event. That a log fell silent is told "
            "without a rule."
        )
    parts = [_part(rule, which, key, single[key]) for which, key in enumerate(rule.rules)]
    whole = correlation.parts(rule, " UNION ALL ".join(part.sql for part in parts))
    bases = tuple(correlation.weighed(rule, part) for part in parts)
    return Detection(rule.head, whole.sql, bases=bases, fold=folds.fold_of(rule), parts=whole)


def _part(rule: Correlation, which: int, key: str, part: Rule) -> Base:
    resolve = resolver(logs_of(part.logsource))
    aliases = {name: dict(mapping) for name, mapping in rule.aliases}
    keys = [resolve(_alias(aliases[field], key, field) if field in aliases else field) for field in rule.group_by]
    group = f"concat_ws(chr(31), {', '.join(keys)})" if keys else "''"
    known = " AND ".join(f"{sql} IS NOT NULL" for sql in keys) or "true"
    about = _about(rule.head)
    columns = dict(zip(correlation.NAMES, (group, about, str(which), _counted(rule, resolve)), strict=True))
    return simple(f"({_condition(part)}) AND {known} AND {about} IS NOT NULL", _names(part), **columns)


def _alias(mapping: dict[str, str], key: str, name: str) -> str:
    if key not in mapping:
        raise CannotRun(f"Its alias {name} says nothing of the rule {key}.")
    return mapping[key]


def _counted(rule: Correlation, resolve: Resolve) -> str:
    """What is counted: a field, or several together; where one of them is not there, nothing."""
    if rule.kind in {Kind.EVENT_COUNT, Kind.TEMPORAL, Kind.TEMPORAL_ORDERED} or not rule.fields:
        return "'1'"
    if len(rule.fields) == 1:
        one = resolve(rule.fields[0])
        return one if rule.kind is Kind.VALUE_COUNT else bare(one)  # what is added is a number
    return "(" + " || chr(31) || ".join(resolve(field) for field in rule.fields) + ")"


def _condition(rule: Rule) -> str:
    names = ", ".join(map(literal, _names(rule)))
    return f'"metadata.log_name" IN ({names}) AND {where(rule.condition, resolver(logs_of(rule.logsource)))}'


def _names(rule: Rule) -> tuple[str, ...]:
    return tuple(log.value for log in logs_of(rule.logsource))


_CALLED: Final = {"src_endpoint.ip": "address", "dst_endpoint.ip": "to", "http_request.url.path": "path"}
"""Columns that findings are about, in words that a person says."""


def _about(head: Head) -> str:
    """Whom a hit is about: the principal, or the columns that the rule names in `strongroom.by`."""
    if not head.by:
        return ABOUT
    unknown = [name for name in head.by if name not in COLUMNS]
    if unknown:
        raise CannotRun(f"It is about {unknown[0]}, which is no column.")
    return " || ' ' || ".join(f"""'{_CALLED.get(name, name)} ' || CAST("{name}" AS VARCHAR)""" for name in head.by)
