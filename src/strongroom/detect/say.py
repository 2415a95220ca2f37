"""Findings in sentences, for a person who has ten minutes. Text from a log is made harmless before it is shown."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from strongroom.detect.finding import Finding, Reason
from strongroom.detect.group import Campaign
from strongroom.detect.suppress import Suppressed

_LONGEST: Final = 200
"""Characters of a log's text that are shown at once."""
NAMED: Final = 4
"""Countries that are named; more are counted."""
_LOW: Final = ("informational", "low")
_HONEST: Final = 3
"""Honest things that are named: those of the heaviest reasons."""


def harmless(text: str, longest: int = _LONGEST) -> str:
    """Text from a log for a terminal: what is not printable (escapes, line ends, marks that turn text round) is shown as \\x1b."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[: longest + 1])
    return shown if len(text) <= longest else shown[:longest] + "…"


def when(t: int) -> str:
    """UTC, to the second. A time that no calendar has is said as a number."""
    try:
        return datetime.fromtimestamp(t / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (OverflowError, ValueError, OSError):
        return f"{t} ms"


def between(first: int, last: int) -> str:
    """From one to the other; the day is said once where it is the same."""
    begin, end = when(first), when(last)
    same = first <= last and begin[:11] == end[:11] and " " in begin
    return begin if begin == end else f"{begin} to {end[11:] if same else end}"


def size(bytes_: float) -> str:
    """Bytes in the unit that fits."""
    for unit in ("B", "kB", "MB", "GB"):
        if bytes_ < 1000:  # noqa: PLR2004  # of the units
            return f"{bytes_:.0f} {unit}" if unit == "B" else f"{bytes_:.1f} {unit}"
        bytes_ /= 1000
    return f"{bytes_:.1f} TB"


def count(number: int, one: str, many: str = "") -> str:
    """1 document, 2 documents."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def headline(finding: Finding) -> str:
    """Who, what, when: one line."""
    people = "" if finding.people is None else f" of {count(finding.people, 'person', 'people')}"
    given = max(reason.given for reason in finding.reasons)
    nothing = (
        f"{count(given, 'answer')} at addresses that the mapping does not name"
        if given
        else f"{size(finding.bytes)} went out, and no document"
        if finding.bytes
        else "nothing left by these requests"
    )
    left = f"{count(finding.documents, 'document')}{people}" if finding.documents else nothing
    bytes_ = f", {size(finding.bytes)}" if finding.documents and finding.bytes else ""
    return f"{harmless(finding.about)}: {left}{bytes_}"


def sentences(finding: Finding) -> Iterator[str]:
    """Everything a person needs to judge it, the most important first."""
    yield f"{between(finding.first, finding.last)} UTC, {count(finding.events, 'event')}{_from(finding)}."
    low = [one for one in finding.reasons if finding.level not in _LOW and one.level in _LOW]
    for reason in finding.reasons:
        if reason in low:
            continue
        own = (reason.first, reason.last) != (finding.first, finding.last)
        yield f"{reason.detection.head.title}: {detail(reason, f', {between(reason.first, reason.last)}' if own else '')}"
    if low:
        yield f"Of a low level besides: {'; '.join(reason.detection.head.title for reason in low)}."
    yield loss(finding)
    honest = list(dict.fromkeys(one for reason in finding.reasons for one in reason.detection.head.honest))[:_HONEST]
    if honest:
        yield f"It could be honest: {'; or '.join(honest)}."


def campaign(one: Campaign) -> str:
    """Several findings as one."""
    people = "" if one.people is None else f" of {count(one.people, 'person', 'people')}"
    return (
        f"{len(one.findings)} findings are one campaign: {count(one.documents, 'document')}{people}, "
        f"{count(one.principals, 'principal')} from {count(one.addresses, 'address', 'addresses')}, "
        f"{when(one.first)} to {when(one.last)} UTC; {count(one.lost, 'document')} had left when the first of them would have "
        f"fired, {when(one.fired)} UTC [{', '.join(one.findings[:5])}{', …' if len(one.findings) > 5 else ''}]."  # noqa: PLR2004  # as many as fit into a line
    )


def loss(finding: Finding) -> str:
    """How much was gone when the first detection would have fired."""
    apart = (
        f" There are {finding.moments:,} such moments, a day or more apart; this is the one in which most left."
        if finding.moments > 1
        else ""
    )
    if not finding.documents:
        return f"This would first have fired at {when(finding.fired)} UTC.{apart}"
    # None of them in the tables that were given: then it is not known whose they were, which is not nobody's.
    people = f" of {count(finding.lost_people, 'person', 'people')}" if finding.lost_people else ""
    return (
        f"{count(finding.lost, 'document')}{people} had left when this would first have fired, {when(finding.fired)} UTC; "
        f"{finding.documents - finding.lost:,} {'more by the end' if finding.moments == 1 else 'more in all'}.{apart}"
    )


def suppression(one: Suppressed) -> str:
    """What was quietened, by whom, why and until when."""
    left = f", {count(one.documents, 'document')}" if one.documents else ""
    return (
        f"{harmless(one.about)}: {one.title}: {count(one.events, 'event')}{left}. {harmless(one.by.reason)} "
        f"({harmless(one.by.author)}, until {one.by.until})"
    )


def detail(reason: Reason, seen: str = "") -> str:
    """What a detection saw, when (`seen`), and with which limits."""
    note = seen + (f" (limit: {reason.detection.note})" if reason.detection.note else "")
    match reason.detection.shape:
        case "walk":
            missed = f", {reason.missed:,} of them denied or not there" if reason.missed else ""
            span = f" from {reason.first_number} to {reason.last_number}" if reason.first_number is not None else ""
            text = f"{count(reason.asked, 'id')}{span} on {harmless(reason.route)}{missed}{note}"
        case "wide" | "foreign":
            text = f"{count(reason.documents, 'document')}{note}"
        case "egress":
            text = f"{count(reason.events, 'answer')}{note}"
        case "rule":
            left = f", {count(reason.documents, 'document')}" if reason.documents else ""
            text = f"{count(reason.events, 'event')}{left}{note}"
    return f"{text}."


def _from(finding: Finding) -> str:
    where = f" in {_countries(finding.countries)}" if finding.countries else ""
    if finding.addresses > 1:
        return f" from {count(finding.addresses, 'address', 'addresses')}{where}"
    return where


def _countries(codes: tuple[str, ...]) -> str:
    """A few by their codes, many by their number."""
    return ", ".join(codes) if len(codes) <= NAMED else count(len(codes), "country", "countries")
