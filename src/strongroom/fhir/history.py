"""Searching AuditEvent: the accesses to one record, newest first, from the keeper's own log.

Parameters: `patient` (or `entity`, which for a patient means the same), `date`, `_count`, `_page`. Nothing else narrows
the answer: a log that can be filtered by who or what is a log in which something can be overlooked.
"""

import re
from dataclasses import dataclass

from strongroom.fhir.criteria import Moment
from strongroom.fhir.fault import Fault, Unreadable
from strongroom.fhir.search import MAX_COUNT, MAX_PARAMETERS, Pairs

DEFAULT_COUNT = 50


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """A search of the log, read. `since` is included, `until` is not; milliseconds."""

    patient: str | None
    since: int | None
    until: int | None
    count: int
    page: str
    used: tuple[tuple[str, str], ...]


def parse_history(pairs: Pairs, *, strict: bool) -> HistoryQuery:
    """The search that `pairs` ask for. Raises Unreadable (400)."""
    if len(pairs) > MAX_PARAMETERS:
        raise Unreadable(Fault("too-costly", f"A search has at most {MAX_PARAMETERS} parameters."))
    given = [(name, value) for name, value in pairs if name in _KNOWN]
    if strict and len(given) + sum(name in {"_format", "_pretty"} for name, _ in pairs) < len(pairs):
        raise Unreadable(Fault("not-supported", "AuditEvent is searched by patient and date only."))
    if any(not value for _, value in given):
        raise Unreadable(Fault("value", "A search parameter has no value."))
    since, until = _bounds([value for name, value in given if name == "date"])
    used = tuple(pair for pair in given if pair[0] != "_page")
    return HistoryQuery(_patient(given), since, until, _count(given), dict(given).get("_page", ""), used)


_KNOWN = frozenset({"_count", "_page", "date", "entity", "patient"})


def _patient(given: Pairs) -> str | None:
    named = {value.removeprefix("Patient/") for name, value in given if name in {"entity", "patient"}}
    if len(named) > 1 or any("," in one for one in named):
        raise Unreadable(Fault("not-supported", "A search is within one patient."))
    return next(iter(named), None)


def _count(given: Pairs) -> int:
    text = dict(given).get("_count", str(DEFAULT_COUNT))
    if re.fullmatch(r"[0-9]{1,9}", text) is None:
        raise Unreadable(Fault("value", "_count is a number of events."))
    return max(1, min(int(text), MAX_COUNT))


def _bounds(dates: list[str]) -> tuple[int | None, int | None]:
    """The narrowest span that all `dates` leave. An event is a moment, so each prefix is a bound or two."""
    since, until = [], []
    for moment in map(Moment.read, dates):
        if moment.prefix not in _BOUNDS:
            raise Unreadable(Fault("not-supported", "This comparison of dates is not offered for AuditEvent."))
        lower, upper = _BOUNDS[moment.prefix]
        if lower:
            since.append(getattr(moment.asked, lower))
        if upper:
            until.append(getattr(moment.asked, upper))
    return max(since, default=None), min(until, default=None)


_BOUNDS = {
    "eq": ("start", "end"),
    "ge": ("start", ""),
    "gt": ("end", ""),
    "sa": ("end", ""),
    "le": ("", "end"),
    "lt": ("", "start"),
    "eb": ("", "start"),
}
"""Prefix to the edge of the asked span that bounds from below, and the one that bounds from above."""
