"""What the log says was disclosed, for the ledger to count again after a start. Budget state is a function of the log.

Not here: the counting (`budget.ledger`), and probes, which begin anew with a start.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from strongroom.audit.pseudonym import month_at
from strongroom.audit.resolve import Gap, Resolver
from strongroom.audit.sqlite_reader import Reader
from strongroom.budget.scope import Disclosure, Kind, Scopes
from strongroom.clock import Millis
from strongroom.errors import Tampered
from strongroom.ids import AccountId, DocumentId, OrganisationId, PatientId, SessionId
from strongroom.tlog.entry import Entry, Op, decode

_SELECT = (
    "select idx, body, actor, patient, session from log_entry"
    " where idx >= ? and op in ('listed', 'released', 'shared', 'delegated', 'withheld', 'glass', 'deleted', 'relabelled')"
    " order by idx"
)
BATCH = 2_048
"""Entries whose names are looked up together."""
DISCLOSURES = frozenset({Op.LISTED, Op.RELEASED})


class Charges:
    """Disclosures in the order of the log. `gaps` counts those that cannot be charged because a name was erased."""

    def __init__(self, reader: Reader, resolver: Resolver) -> None:
        self._reader = reader
        self._resolver = resolver
        self.gaps = 0

    def since(self, index: int) -> Iterator[tuple[int, Disclosure]]:
        """(index, disclosure) of every listing, release and charged act from `index` on, as it was charged then.

        A document that is no longer known is named by its keyed hash, so that repeated reads of it still count as one.
        Raises Tampered when an entry says what no keeper wrote.
        """
        rows = self._reader.rows(_SELECT, (index,))
        while batch := list(islice(rows, BATCH)):
            entries = [decode(body) for _, body, *_ in batch]
            self._expect(batch, entries)
            for (at, _, *numbers), entry in zip(batch, entries, strict=True):
                if entry.kind is None and entry.op not in DISCLOSURES:
                    continue  # written before such acts were charged
                found = self._disclosure(at, entry, numbers)
                if found is None:
                    self.gaps += 1
                else:
                    yield at, found

    def _expect(self, batch: Sequence[tuple[Any, ...]], entries: Sequence[Entry]) -> None:
        """Have everybody and everything of a batch looked up at once."""
        resolver = self._resolver
        resolver.expect_names(number for row in batch for number in row[2:])
        pairs = (
            (resolver.who(row[0], row[3], entry.patient), month_at(entry.t))
            for row, entry in zip(batch, entries, strict=True)
            if entry.document is not None
        )
        resolver.expect_documents({(patient, month) for patient, month in pairs if isinstance(patient, str)})

    def _disclosure(self, index: int, entry: Entry, numbers: Sequence[int | None]) -> Disclosure | None:
        shown = (entry.actor, entry.patient, entry.session)
        names = [self._resolver.who(index, number, one) for number, one in zip(numbers, shown, strict=True)]
        if entry.network is None or entry.client is None or None in names:
            raise _strange(index)
        network = self._resolver.network(entry.t, entry.network)
        account, patient, session = names
        if not (isinstance(account, str) and isinstance(patient, str) and isinstance(session, str)):
            return None
        if isinstance(network, Gap):
            return None
        organisation = None if entry.organisation is None else OrganisationId(entry.organisation)
        return Disclosure(
            at=Millis(entry.t),
            kind=_kind(index, entry),
            scopes=Scopes(SessionId(session), AccountId(account), entry.client, organisation, network),
            patient=PatientId(patient),
            document=self._document(patient, entry),
            version=entry.version or 0,
            size=entry.bytes or 0,
        )

    def _document(self, patient: str, entry: Entry) -> DocumentId | None:
        if entry.document is None:
            return None
        found = self._resolver.document(patient, entry.t, entry.document)
        return DocumentId(found.shown) if isinstance(found, Gap) else found


def _kind(index: int, entry: Entry) -> Kind:
    try:
        return Kind(entry.kind)
    except ValueError as error:
        raise _strange(index) from error


def _strange(index: int) -> Tampered:
    return Tampered(f"Entry {index} is a disclosure that no keeper wrote like this.")
