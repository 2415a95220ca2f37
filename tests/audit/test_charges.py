"""Budget state is a function of the log: what was charged comes back as it was."""

import sqlite3
from contextlib import closing

import pytest

from strongroom.audit import event, pseudonym
from strongroom.audit.charges import Charges
from strongroom.audit.log import Log
from strongroom.budget.scope import Disclosure
from strongroom.clock import Millis
from strongroom.errors import Tampered
from tests.audit.conftest import GROUND, START, Store, disclosure

SHOWN = disclosure(START + 1, document=None, version=0, size=0)
READ = disclosure(START + 2)
ELSEWHERE = disclosure(START + 3, patient="other", document="unknown", account="bert", session="session-2")


def write(log: Log, *disclosures: Disclosure) -> None:
    """Listings and releases, and other entries between them."""
    for what in disclosures:
        log.append_now(event.started(what.at, "ff"))
        listed = what.document is None
        log.append_now(event.listed(what, GROUND, ()) if listed else event.released(what, GROUND, charged=1))


def test_every_charge_comes_back(store: Store, log: Log) -> None:
    """With its index, in order, equal in every field; later ones alone when asked so."""
    store.documents = {"pat": ["doc"], "other": ["unknown"]}
    write(log, SHOWN, READ, ELSEWHERE)
    charges = Charges(store.reader(), store.resolver())
    assert list(charges.since(0)) == [(1, SHOWN), (3, READ), (5, ELSEWHERE)]
    assert list(charges.since(4)) == [(5, ELSEWHERE)]
    assert charges.gaps == 0


def test_a_document_that_is_no_longer_known(store: Store, log: Log) -> None:
    """It is still one document: the same stand-in each time, another for another."""
    write(log, READ, READ, disclosure(document="second"))
    documents = [what.document for _, what in Charges(store.reader(), store.resolver()).since(0)]
    assert documents[0] == documents[1]
    assert documents[0] not in (None, "doc", documents[2])


@pytest.mark.parametrize(
    "erasing", [pseudonym.erase_patient("pat"), pseudonym.erase_account("anna"), pseudonym.erase_months("2026-02")]
)
def test_what_was_erased_is_counted_as_a_gap(store: Store, log: Log, erasing: tuple[event.Draft, ...]) -> None:
    """A charge without its person cannot be made; how many there are is told."""
    write(log, SHOWN, READ)
    log.append_now(event.started(Millis(START), "ff"), erasing)  # type: ignore[arg-type]  # effects
    charges = Charges(store.reader(), store.resolver())
    assert list(charges.since(0)) == []
    assert charges.gaps == 2


def test_an_erased_network_is_a_gap(store: Store, log: Log) -> None:
    """Every name of the charge is needed."""
    write(log, READ)
    with closing(sqlite3.connect(store.place.database)) as db, db:
        db.execute("update log_name set real = null where kind = 'network'")
    charges = Charges(store.reader(), store.resolver())
    assert (list(charges.since(0)), charges.gaps) == ([], 1)


@pytest.mark.parametrize("sql", [
    """update log_entry set body = cast(replace(cast(body as text), '"kind":"own"', '"kind":"odd"') as blob)""",
    """update log_entry set body = cast(replace(cast(body as text), '"client":"portal",', '') as blob)""",
])  # fmt: skip
def test_a_disclosure_that_no_keeper_wrote(store: Store, log: Log, sql: str) -> None:
    """It is named; it is not guessed at."""
    write(log, READ)
    with closing(sqlite3.connect(store.place.database)) as db, db:
        db.execute("drop trigger log_entry_stays")
        db.execute(sql)
    with pytest.raises(Tampered, match="Entry 1"):
        list(Charges(store.reader(), store.resolver()).since(0))
