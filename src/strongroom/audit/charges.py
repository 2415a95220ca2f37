"""What the log says was disclosed, for the ledger to count again after a start. Budget state is a function of the log.

Not here: the counting (`budget.ledger`), and probes, which begin anew with a start.
"""

from collections.abc import Iterator

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
        for at, body, actor, patient, session in self._reader.rows(_SELECT, (index,)):
            entry = decode(body)
            if entry.kind is None and entry.op not in DISCLOSURES:
                continue  # written before such acts were charged
            found = self._disclosure(at, entry, (actor, patient, session))
            if found is None:
                self.gaps += 1
            else:
                yield at, found

    def _disclosure(self, index: int, entry: Entry, numbers: tuple[int | None, ...]) -> Disclosure | None:
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
