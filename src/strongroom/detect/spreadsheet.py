"""Findings, and the documents that left, as CSV for a spreadsheet.

A cell that a spreadsheet would take for a formula begins with an apostrophe: names come out of logs, and so from anybody.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Final

from strongroom.detect import say
from strongroom.detect.detection import SERVED
from strongroom.detect.duckdb import Engine
from strongroom.detect.finding import Finding
from strongroom.sigma.sql import literal

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "|", "%")

FINDINGS: Final = (
    "id", "level", "about", "why", "documents", "people", "bytes", "events", "addresses", "first", "last", "would_have_fired",
    "documents_lost_when_fired", "people_lost_when_fired", "could_be_honest", "source", "offset",
)  # fmt: skip
DOCUMENTS: Final = ("finding", "about", "patient", "document", "first", "last", "times", "bytes", "file", "offset")


def findings(found: Iterable[Finding], sources: list[str]) -> Iterator[str]:
    """A line for each, after the names. Times are UTC."""
    yield _line(FINDINGS)
    for one in found:
        at = one.evidence[0] if one.evidence else None
        honest = dict.fromkeys(word for reason in one.reasons for word in reason.detection.head.honest)
        yield _line((
            one.id, one.level, one.about, "; ".join(reason.detection.head.title for reason in one.reasons), one.documents,
            one.people, one.bytes, one.events, one.addresses, say.when(one.first), say.when(one.last), say.when(one.fired),
            one.lost, one.lost_people, "; ".join(honest), sources[at.source] if at else None, at.offset if at else None,
        ))  # fmt: skip


def documents(engine: Engine, found: Iterable[Finding], sources: list[str]) -> Iterator[str]:
    """A line for each document that left, by finding and time, with the first event that shows it."""
    yield _line(DOCUMENTS)
    for one in found:
        for patient, document, first, last, times, size, source, offset in engine.rows(
            _LEFT.format(literal(one.about))
        ):
            yield _line((
                one.id, one.about, patient, document, say.when(first), say.when(last), times, size, sources[source], offset,
            ))  # fmt: skip


_LEFT: Final = f"""
SELECT patient, document, min(time), max(time), count(*), sum("traffic.bytes_out")::BIGINT,
    arg_min("record.source", time), arg_min("record.offset", time)
FROM (SELECT DISTINCT event FROM hit WHERE about = {{}}) JOIN event ON event.rowid = event
WHERE {SERVED} GROUP BY patient, document ORDER BY min(time), document
"""


def _line(cells: Iterable[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow([_cell(cell) for cell in cells])
    return text.getvalue()


def _cell(cell: object) -> object:
    if not isinstance(cell, str):
        return cell
    shown = say.harmless(cell, 2_000)
    return f"'{shown}" if shown.startswith(_FORMULA) else shown
