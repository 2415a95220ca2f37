"""Who was read, as officers are told it: with names, in pieces that fit a reply, each piece a question of its own.

A list of any length is the sum of its pieces: the first one says how many entries the log had, and the next are asked for
the same log from where the one before ended. So the whole is as exact as if it had been one answer.
"""

from collections.abc import Iterator
from contextlib import closing

from msgspec import Raw, Struct, json

from strongroom.audit.query import Query, Read, Selectors, Window
from strongroom.audit.resolve import Gap
from strongroom.ids import AccountId
from strongroom.keeper.door import Parts

PIECE = 48 * 1_048_576
"""Bytes of the rows of one answer, some 100,000 of them; less than `acts.MAX_ANSWER`."""


class Row(Struct, frozen=True, gc=False):
    """One listing or release. `at` in ms; what is not known by name any more reads as its gap."""

    index: int
    at: int
    op: str
    account: str
    name: str
    patient: str
    session: str | None
    client: str | None
    organisation: str | None
    documents: list[str]
    basis: str | None
    kind: str | None
    bytes: int | None
    delivered: int | None
    complete: bool | None


class Piece(Struct, frozen=True):
    """Rows in the order of the log. `next`: the entry from which the next piece is asked for; None after the last, which
    alone tells the `gaps`.
    """

    log_size: int
    people: int
    rows: list[Raw]
    gaps: list[str]
    next: int | None


def piece(parts: Parts, selectors: Selectors, window: Window) -> Piece:
    """The first rows of a list, to be called in a thread of its own: the question has a connection of its own."""
    rows: list[Raw] = []
    gaps: list[str] = []
    people: set[str] = set()
    room, after = PIECE, None
    with closing(parts.query()) as query:
        for row in _rows(parts, query, selectors, window):
            if isinstance(row, Gap):
                gaps.append(str(row))
                continue
            raw = json.encode(row)
            room -= len(raw) + 1
            if room < 0 and rows:
                after = row.index
                break
            rows.append(Raw(raw))
            people.add(row.patient)
    return Piece(window.size, len(people), rows, gaps, after)


def _rows(parts: Parts, query: Query, selectors: Selectors, window: Window) -> Iterator[Row | Gap]:
    names: dict[AccountId | Gap | None, str] = {}
    for read in query.who_read(selectors, window):
        if isinstance(read, Gap):
            yield read
            continue
        name = names.get(read.account)
        if name is None:
            name = names[read.account] = _name(parts, read.account)
        yield _row(read, name)


def _name(parts: Parts, account: AccountId | Gap | None) -> str:
    if account is None or isinstance(account, Gap):
        return ""
    return parts.veil.try_open(parts.catalog.name_of("account", account), "account", account)


def _row(read: Read, name: str) -> Row:
    return Row(
        index=read.index,
        at=read.t,
        op=read.op.value,
        account=str(read.account),
        name=name,
        patient=str(read.patient),
        session=read.session,
        client=read.client,
        organisation=read.organisation,
        documents=[f"{document}.{version}" for document, version in read.documents],
        basis=read.basis,
        kind=read.kind,
        bytes=read.bytes,
        delivered=read.delivered,
        complete=read.complete,
    )
