"""A store to write into, drafts to write, and a cover that can be looked through only with its own hands."""

import asyncio
import functools
import hashlib
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from strongroom.audit import event
from strongroom.audit.compose import Cover
from strongroom.audit.event import Draft, Ground
from strongroom.audit.files import Directory
from strongroom.audit.log import AcceptedRollback, Log, Place
from strongroom.audit.query import Query, Window
from strongroom.audit.receipt import ReceiptSeal
from strongroom.audit.resolve import Resolver
from strongroom.audit.sqlite_reader import Reader
from strongroom.budget.scope import Disclosure, Kind, Scopes
from strongroom.clock import Millis
from strongroom.ids import AccountId, DocumentId, OrganisationId, PatientId, SessionId
from strongroom.tlog.note import Signer, Verifier

START = 1_767_225_600_000
"""2026-01-01T00:00:00Z."""
GROUND = Ground("owner", "PATRQT", "0123456789abcdef")


def on_loop(test: Callable[..., Coroutine[None, None, None]]) -> Callable[..., None]:
    """Run an asynchronous test on a loop of its own."""

    @functools.wraps(test)
    def run(*arguments: object, **named: object) -> None:
        asyncio.run(test(*arguments, **named))

    return run


def make_signer(name: str = "example.org/log") -> Signer:
    """A new Ed25519 key under this name."""
    key = Ed25519PrivateKey.generate()
    return Signer(Verifier(name, key.public_key().public_bytes_raw()), key.sign)


def turned(raw: bytes) -> bytes:
    """A cover for tests: every byte turned over. Doing it twice undoes it."""
    return bytes(byte ^ 0xFF for byte in raw)


def tagged(row: bytes) -> bytes:
    """A keyed hash for tests."""
    return hashlib.sha256(b"key" + row).digest()


def scopes(account: str = "anna", session: str = "session-1", network: str = "203.0.113.7") -> Scopes:
    """What a disclosure is charged to."""
    return Scopes(SessionId(session), AccountId(account), "portal", OrganisationId("clinic"), network)


def disclosure(
    t: int = START, patient: str = "pat", document: str | None = "doc", version: int = 1, account: str = "anna",
    session: str = "session-1", size: int = 252_000,
) -> Disclosure:  # fmt: skip
    """A disclosure to `account`."""
    shown = None if document is None else DocumentId(document)
    return Disclosure(Millis(t), Kind.OWN, scopes(account, session), PatientId(patient), shown, version, size)


def release(t: int = START, patient: str = "pat", document: str = "doc", account: str = "anna",
            session: str = "session-1") -> Draft:  # fmt: skip
    """A release of version 1."""
    return event.released(disclosure(t, patient, document, 1, account, session), GROUND, charged=1)


def listing(t: int = START, patient: str = "pat", documents: tuple[str, ...] = ("doc",), account: str = "anna",
            session: str = "session-1") -> Draft:  # fmt: skip
    """A listing of version 1 of some documents."""
    shown = tuple((DocumentId(one), 1) for one in documents)
    return event.listed(disclosure(t, patient, None, 0, account, session, 0), GROUND, shown)


@dataclass
class Store:
    """A log on disk, opened as often as a test likes; all of it is closed in the end."""

    root: Path
    signer: Signer = field(default_factory=make_signer)
    cover: Cover = field(default_factory=lambda: Cover(turned, turned, tagged))
    documents: dict[str, list[str]] = field(default_factory=dict)
    """By patient: what the keeper would know."""
    _open: list[Log | Reader] = field(default_factory=list)

    @property
    def place(self) -> Place:
        """Where it lives."""
        return Place(self.root / "keeper.db", self.root / "log")

    @property
    def published(self) -> Directory:
        """The published files."""
        return Directory(self.place.directory)

    def create(self) -> "Store":
        """Lay out an empty log."""
        self.root.mkdir(exist_ok=True)
        Log.create(self.place, self.signer)
        return self

    def open(self, *, accept: AcceptedRollback | None = None, patience: float = 30.0) -> Log:
        """Open the log; patient, because the machine of a test may be slow."""
        log = Log.open(self.place, self.signer, self.cover, ReceiptSeal(), accept=accept, patience=patience)
        self._open.append(log)
        return log

    def open_adopting(self) -> Log:
        """Open it and take the rows as they are."""
        log = Log.open(self.place, self.signer, self.cover, ReceiptSeal(), adopt=True, patience=30.0)
        self._open.append(log)
        return log

    def reader(self) -> Reader:
        """Another connection, read-only."""
        reader = Reader.open(self.place.database)
        self._open.append(reader)
        return reader

    def resolver(self) -> Resolver:
        """Names back to people."""
        return Resolver(
            self.reader(),
            lambda patients: [(one, [DocumentId(held) for held in self.documents.get(one, [])]) for one in patients],
        )

    def query(self) -> Query:
        """Questions to the log as it is now."""
        return Query(self.reader(), self.resolver(), self.cover)

    def window(self, **times: int) -> Window:
        """All entries there are."""
        return Window(self.reader().head().frontier.size, **times)

    def close(self) -> None:
        """Close whatever was opened."""
        for one in reversed(self._open):
            one.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty log."""
    made = Store(tmp_path / "keeper").create()
    yield made
    made.close()


@pytest.fixture
def log(store: Store) -> Log:
    """The store's log, open."""
    return store.open()
