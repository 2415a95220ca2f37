"""Who read what? Exact lists from the log. Same selectors, same size of the log, same list, for anyone, later.

`Listed` and `Released` entries are a complete upper bound on disclosure, because each was durable before a key was in
the clear. `Delivered` entries only refine it and never take anybody off a list.

Not here: names of people (the keeper's database), and whether the log is what was signed (`start.py`, `verify.py`).
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from operator import itemgetter
from typing import Any

import msgspec

from strongroom.audit.compose import Cover, reveal
from strongroom.audit.effect import SqlValue
from strongroom.audit.pseudonym import HIDDEN, Naming, month_at, month_span
from strongroom.audit.resolve import Gap, Resolver
from strongroom.audit.sqlite_reader import Reader
from strongroom.errors import UsageError
from strongroom.ids import AccountId, DocumentId, OrganisationId, PatientId, SessionId
from strongroom.tlog.entry import Entry, Op, parse

DISCLOSURES = frozenset({Op.LISTED, Op.RELEASED})
"""What makes somebody affected."""
HISTORY = DISCLOSURES | {
    Op.DELEGATED,
    Op.DELETED,
    Op.DEPOSITED,
    Op.GLASS,
    Op.RELABELLED,
    Op.RELATED,
    Op.SHARED,
    Op.UNDELETED,
    Op.UNRELATED,
    Op.WITHHELD,
}
"""What a patient is shown of their own record."""
FOREVER = 2**62
"""Milliseconds; after every time there is."""

BATCH = 2_048
"""Entries of a list whose names are looked up together."""

_Found = tuple[tuple[Any, ...], Entry]
"""A row of `_COLUMNS`, and the entry in it."""
_COLUMNS = "e.idx, e.t, e.body, e.actor, e.patient"
_DELIVERY = """, (select d.body from log_entry d
    where d.ref = e.idx and d.op = 'delivered' and d.idx < :size order by d.idx desc limit 1)"""
_DRIVERS = (
    ("session", Naming.SESSION),
    ("patient", Naming.PATIENT),
    ("actor", Naming.ACCOUNT),
    ("client", Naming.CLIENT),
    ("organisation", Naming.ORGANISATION),
)
"""Columns to search by, the most selective first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selectors:
    """Whose reading, or the reading of what. Several narrow the list: all must fit.

    A document alone means going through all entries of the time; with its patient an index serves.
    """

    patient: PatientId | None = None
    account: AccountId | None = None
    session: SessionId | None = None
    client: str | None = None
    organisation: OrganisationId | None = None
    document: DocumentId | None = None

    def __post_init__(self) -> None:
        """Raises UsageError when nothing is selected: everything is asked for by naming it."""
        if not (self.named() or self.document):
            msg = "Say whose or which reading is asked for."
            raise UsageError(msg, advice="Give a patient, account, session, client, organisation or document.")

    def named(self) -> list[tuple[str, Naming, str]]:
        """(column, kind, real) of what is selected by name, the most selective first."""
        values: dict[str, str | None] = {
            "session": self.session,
            "patient": self.patient,
            "actor": self.account,
            "client": self.client,
            "organisation": self.organisation,
        }
        return [(column, kind, real) for column, kind in _DRIVERS if (real := values[column])]


@dataclass(frozen=True, slots=True)
class Window:
    """Times from `since` up to but not including `until` (milliseconds), in the first `size` entries of the log, from the
    one with index `first` on.
    """

    size: int
    since: int = 0
    until: int = FOREVER
    first: int = 0


class Read(msgspec.Struct, frozen=True, gc=False):
    """One entry, its names resolved; a struct, because there may be a million on a list.

    `delivered` and `complete` are the app's word, None when it said nothing.
    """

    index: int
    t: int
    op: Op
    account: AccountId | Gap | None
    patient: PatientId | Gap | None
    session: str | None
    client: str | None
    organisation: OrganisationId | None
    documents: tuple[tuple[DocumentId | Gap, int], ...]
    bytes: int | None
    delivered: int | None
    complete: bool | None
    basis: str | None
    kind: str | None
    reason: str | None
    purpose: str | None
    details: str | Gap | None = None
    action: str | None = None


@dataclass(frozen=True, slots=True)
class Affected:
    """One patient on a list: how many listings and releases, the first and the last time (milliseconds)."""

    patient: PatientId | Gap
    listed: int
    released: int
    first: int
    last: int


class _Said(msgspec.Struct, frozen=True, gc=False):
    """What of a delivery's entry is on a list. Everything else in it is passed over."""

    bytes: int | None = None
    complete: bool | None = None


_SILENCE = _Said()
_delivery = msgspec.json.Decoder(_Said)


class Query:
    """Questions to one log. Not shared between threads."""

    def __init__(self, reader: Reader, resolver: Resolver, cover: Cover | None = None) -> None:
        """`cover` opens the details shown in a patient's history; without it they are not shown."""
        self._reader = reader
        self._resolver = resolver
        self._cover = cover

    def close(self) -> None:
        """Close the reader. Without effect the second time."""
        self._reader.close()

    def who_read(self, selectors: Selectors, window: Window) -> Iterator[Read | Gap]:
        """Every disclosure that fits, in the order of the log; then, as gaps, the names that nobody can attribute."""
        who, month = self._resolver.who, month_at
        for batch in self._batches(selectors, window, _COLUMNS + _DELIVERY):
            whose = [who(row[0], row[4], entry.patient) for row, entry in batch]
            self._resolver.expect_documents(
                {(one, month(row[1])) for one, (row, _) in zip(whose, batch, strict=True) if isinstance(one, str)}
            )
            yield from [self._read(*found, patient) for found, patient in zip(batch, whose, strict=True)]
        yield from self._gaps(selectors, window)

    def people(self, selectors: Selectors, window: Window) -> tuple[Affected | Gap, ...]:
        """Everybody on the list of `who_read`, once, in the order in which they came onto it; then its gaps."""
        counts: dict[str | Gap, list[int]] = {}
        for batch in self._batches(selectors, window, _COLUMNS):
            for (index, t, _, _, number), entry in batch:
                patient = self._resolver.who(index, number, entry.patient) or Gap(Naming.PATIENT, month_at(t))
                count = counts.setdefault(patient, [0, 0, t, t])
                count[entry.op is Op.RELEASED] += 1
                count[2:] = min(count[2], t), max(count[3], t)
        affected = (
            Affected(patient if isinstance(patient, Gap) else PatientId(patient), *count)
            for patient, count in counts.items()
        )
        return (*affected, *self._gaps(selectors, window))

    def history(
        self,
        patient: PatientId,
        window: Window,
        limit: int,
        *,
        before: int | None = None,
        ops: frozenset[Op] = HISTORY,
    ) -> tuple[Read, ...]:
        """The newest `limit` entries about a patient with an index smaller than `before`, newest first."""
        parameters: dict[str, SqlValue] = {
            **_bounds(window),  # of `size` entries: deliveries behind `before` count, too
            "before": FOREVER if before is None else before,
            "limit": limit,
        }
        rows: list[tuple[Any, ...]] = []
        for number in self._reader.numbers(Naming.PATIENT, patient):
            sql = _select(ops, "e.patient = :driver and e.idx < :before order by e.idx desc limit :limit")
            rows += self._reader.rows(sql, {**parameters, "driver": number})
        newest = sorted(rows, key=itemgetter(0), reverse=True)[:limit]
        told = []
        for row in newest:
            entry = parse(row[2])
            told.append(self._read(row, entry, self._resolver.who(row[0], row[4], entry.patient), told=True))
        return tuple(told)

    def versions(
        self, selectors: Selectors | None, window: Window, ops: frozenset[Op]
    ) -> Iterator[tuple[int, DocumentId, int] | Gap]:
        """(index, document, version) of everything that fits and of which a key went out in entries of these kinds, in
        the order of the log; a gap where it is not known any more which. None selects all.
        """
        for batch in self._batches(selectors, window, _COLUMNS, ops):
            whose = [self._resolver.who(row[0], row[4], entry.patient) for row, entry in batch]
            self._resolver.expect_documents(
                {(one, month_at(entry.t)) for one, (_, entry) in zip(whose, batch, strict=True) if isinstance(one, str)}
            )
            for ((index, t, *_), entry), patient in zip(batch, whose, strict=True):
                for name, version in _about(entry):
                    document = self._resolver.document(patient, t, name)
                    yield document if isinstance(document, Gap) else (index, document, version)

    def _batches(
        self, selectors: Selectors | None, window: Window, columns: str, ops: frozenset[Op] = DISCLOSURES
    ) -> Iterator[list[_Found]]:
        """Rows in the order of the log, parsed, all selectors applied; the people of a batch are looked up at once."""
        matching = self._matching(selectors, window, columns, ops)
        while batch := list(islice(matching, BATCH)):
            self._resolver.expect_names(number for row, _ in batch for number in (row[3], row[4]))
            yield batch

    def _matching(
        self, selectors: Selectors | None, window: Window, columns: str, ops: frozenset[Op]
    ) -> Iterator[_Found]:
        shown = self._resolver.shown_as(selectors.document) if selectors is not None and selectors.document else None
        if selectors is None:
            streams = [self._reader.rows(_select(ops, "true order by e.idx", columns), _bounds(window))]
        elif selectors.named():
            streams = self._streams(selectors, window, columns, ops)
        else:
            streams = self._scans(shown or {}, window, columns, ops)
        for row in heapq.merge(*streams, key=itemgetter(0)):
            entry = parse(row[2])
            if shown is None or _shows(entry, shown.get(month_at(entry.t), "")):
                yield row, entry

    def _streams(
        self, selectors: Selectors, window: Window, columns: str, ops: frozenset[Op]
    ) -> list[Iterator[tuple[Any, ...]]]:
        """One stream for each name the most selective selector had; each comes sorted out of its index."""
        driver, *others = [(column, self._reader.numbers(kind, real)) for column, kind, real in selectors.named()]
        # The plus keeps SQLite from searching by these as well. Numbers are our own integers.
        narrowed = "".join(f" and +e.{column} in ({','.join(map(str, numbers))})" for column, numbers in others)
        sql = _select(ops, f"e.{driver[0]} = :driver{narrowed} order by e.idx", columns)
        return [self._reader.rows(sql, {**_bounds(window), "driver": number}) for number in driver[1]]

    def _scans(
        self, shown: dict[str, str], window: Window, columns: str, ops: frozenset[Op]
    ) -> list[Iterator[tuple[Any, ...]]]:
        """One pass over the bodies of each month, for a document without anything else to search by."""
        sql = _select(ops, "instr(e.body, :driver) > 0 order by e.idx", columns)
        spans = [(name.encode(), _clip(window, *month_span(month))) for month, name in shown.items()]
        return [self._reader.rows(sql, {**_bounds(span), "driver": name}) for name, span in spans]

    def _gaps(self, selectors: Selectors, window: Window) -> Iterator[Gap]:
        """Erased names of the selected kinds, in months that touch the window: entries under them may belong here."""
        first, last = month_at(max(window.since, 0)), month_at(min(window.until, _LAST_MONTH) - 1)
        for _, kind, _ in selectors.named():
            if kind in HIDDEN:
                for month, count in self._reader.erased(kind):
                    if first <= month <= last:
                        yield Gap(kind, month, count=count)

    def _read(self, row: tuple[Any, ...], entry: Entry, patient: str | Gap | None, *, told: bool = False) -> Read:
        index, t, _, actor, _, delivery = row
        account: Any = self._resolver.who(index, actor, entry.actor)  # an AccountId or a gap, by the name's kind
        whose: Any = patient  # a PatientId, likewise
        document = self._resolver.document
        said = _SILENCE if delivery is None else _delivery.decode(delivery)
        return Read(
            index=index,
            t=t,
            op=entry.op,
            account=account,
            patient=whose,
            session=entry.session,
            client=entry.client,
            organisation=None if entry.organisation is None else OrganisationId(entry.organisation),
            documents=((document(patient, t, entry.document), entry.version or 0),)
            if entry.document is not None and not entry.documents
            else tuple([(document(patient, t, name), version) for name, version in _about(entry)]),
            bytes=entry.bytes,
            delivered=said.bytes,
            complete=said.complete,
            basis=entry.basis,
            kind=entry.kind,
            reason=entry.reason,
            purpose=entry.purpose,
            details=self._details(index, entry) if told else None,
            action=entry.action,
        )

    def _details(self, index: int, entry: Entry) -> str | Gap | None:
        if entry.details is None or self._cover is None:
            return None
        kept = self._reader.details(index)
        return Gap("details", month_at(entry.t)) if kept is None else reveal(kept, entry.details, self._cover)


_LAST_MONTH = 253_402_300_800_000
"""The end of the year 9999 in milliseconds: no later month has a name."""


def _clip(window: Window, start: int, end: int) -> Window:
    return replace(window, since=max(window.since, start), until=min(window.until, end))


def _bounds(window: Window) -> dict[str, SqlValue]:
    return {"size": window.size, "since": window.since, "until": window.until, "first": window.first}


def _select(ops: frozenset[Op], where: str, columns: str = _COLUMNS + _DELIVERY) -> str:
    listed = ", ".join(f"'{op.value}'" for op in sorted(ops, key=lambda one: one.value))
    return (
        f"select {columns} from log_entry e where e.op in ({listed}) and e.idx >= :first and e.idx < :size"  # noqa: S608  # our own words
        f" and e.t >= :since and e.t < :until and {where}"
    )


def _about(entry: Entry) -> list[tuple[str, int]]:
    """(name, version) of everything an entry is about."""
    named = [(entry.document, entry.version or 0)] if entry.document is not None else []
    split = [one.rpartition(".") for one in entry.documents]
    return named + [(name, int(version)) for name, _, version in split]


def _shows(entry: Entry, name: str) -> bool:
    return any(name == one for one, _ in _about(entry))
