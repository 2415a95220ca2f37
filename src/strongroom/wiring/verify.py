"""Verifying a stopped store from end to end: the log, and every version of every document, opened and thrown away.

Nothing is disclosed: plain text is counted and dropped. It needs the root key, which is why it is an operator's command on
the machine and not a request.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from strongroom.audit import verify as published
from strongroom.audit.files import CHECKPOINT, Directory
from strongroom.audit.sqlite_reader import Reader
from strongroom.audit.sqlite_rows import Tick, differences
from strongroom.audit.start import check_details, check_entries, check_published, check_stored
from strongroom.config import Config, Layout
from strongroom.documents.blobs import Blobs
from strongroom.envelope import small
from strongroom.envelope.binding import content_context, metadata_context
from strongroom.envelope.sealed import Opener
from strongroom.errors import Malformed, StrongroomError, Tampered, Unavailable
from strongroom.fhir.resource import decode_stored
from strongroom.ids import DocumentId, PatientId
from strongroom.keys.custody import key_bound, patient_bound
from strongroom.keys.life import open_in
from strongroom.keys.root import RootKey
from strongroom.keys.sqlite import LifeFile
from strongroom.secret import Secret
from strongroom.wiring.app import open_blobs
from strongroom.wiring.place import log_keys
from strongroom.wiring.root import open_root
from strongroom.wiring.secrets import cover_of, open_secrets

Say = Callable[[str], None]
EVERY = 1_000
_VERSIONS = """
select d.patient, p.wrapped, p.key_version, v.document, v.version, v.content_type, v.size, v.sealed_size,
  v.wrapped_content, v.wrapped_metadata, v.edition
from version v join document d on d.id = v.document join patient p on p.id = d.patient
where v.state = 'available' and d.erased is null order by d.patient, v.document, v.version
"""


@dataclass(frozen=True, slots=True)
class _Version:
    patient: PatientId
    wrapped: bytes
    key_version: int
    document: DocumentId
    version: int
    content_type: str
    size: int
    sealed_size: int
    wrapped_content: bytes
    wrapped_metadata: bytes
    edition: int


@dataclass(slots=True)
class Found:
    """What was verified, and what does not hold: one sentence each, with ids and without titles."""

    log_size: int = 0
    patients: int = 0
    versions: int = 0
    bytes: int = 0
    failures: list[str] = field(default_factory=list)


def verify_store(config: Config, layout: Layout, say: Say) -> Found:
    """Verify all of it, to the end even when something fails. Raises ConfigError when it cannot begin."""
    found = verify_records(config, layout, say)
    try:
        asyncio.run(_documents(config, layout, found, say))
    except Unavailable as error:
        found.failures.append(f"documents: {error.message}")
    return found


def verify_records(config: Config, layout: Layout, say: Say) -> Found:
    """The log and the databases, without opening a document."""
    found, root = Found(), open_root(config, layout)
    _log(layout, found, say)
    _stored(config, layout, root, found, say)
    found.failures += rows_wrong(config, layout, root)
    found.failures += [sentence for path in (layout.catalogue, layout.life) for sentence in _pages(path)]
    return found


def _log(layout: Layout, found: Found, say: Say) -> None:
    try:
        verifier = log_keys(layout)
        found.log_size = published.verify(Directory(layout.log).read, verifier).size
    except OSError as error:
        found.failures.append(f"log: its public key cannot be read ({error.strerror})")
    except StrongroomError as error:
        found.failures.append(f"log: {error.message}")
    else:
        say(f"Log: {found.log_size} entries hold")


def _stored(config: Config, layout: Layout, root: RootKey, found: Found, say: Say) -> None:
    """The entries in the keeper's database, which the keeper itself reads: each one as it was written, all as published,
    with their details; and the pages of the file.
    """
    cover, before = cover_of(open_secrets(layout.secrets, config.store.name, root)), len(found.failures)
    try:
        verifier = log_keys(layout)
        with closing(Reader.open(layout.database)) as reader:
            raw = Directory(layout.log).read(CHECKPOINT)
            for look in (
                reader.check_pages,
                lambda: check_entries(reader, check_published(reader, raw, verifier)),
                lambda: check_entries(reader, None),
                lambda: check_stored(reader, verifier),
                lambda: check_details(reader, cover),
            ):
                try:
                    look()
                except StrongroomError as error:
                    found.failures.append(f"keeper.db: {error.message}")
    except StrongroomError as error:
        found.failures.append(f"keeper.db: {error.message}")
    except OSError as error:
        found.failures.append(f"keeper.db: {error.strerror}")
    found.failures[before:] = dict.fromkeys(found.failures[before:])
    if len(found.failures) == before:
        say("Database: the entries are those that were published")


def rows_wrong(config: Config, layout: Layout, root: RootKey, tick: Tick | None = None) -> list[str]:
    """Where the rows of the keeper's database are not those that its log tells of, a sentence each. Of one moment, also
    while the keeper runs.
    """
    tag = cover_of(open_secrets(layout.secrets, config.store.name, root)).tag
    try:
        with closing(sqlite3.connect(f"{layout.database.as_uri()}?mode=ro", uri=True, isolation_level=None)) as db:
            db.execute("begin")
            return [f"keeper.db: {sentence}" for sentence in differences(db, tag, tick)]
    except sqlite3.Error as error:
        return [f"keeper.db: it cannot be read ({getattr(error, 'sqlite_errorname', 'error')})"]


def _pages(path: Path) -> Iterator[str]:
    """SQLite's own check of a file: an index that leads elsewhere changes no row, and every answer."""
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
            wrong = [row[0] for row in db.execute("pragma integrity_check(1)") if row[0] != "ok"]
    except sqlite3.Error as error:
        wrong = [getattr(error, "sqlite_errorname", "error")]
    yield from (f"{path.name}: the file is damaged ({one})" for one in wrong)


async def _documents(config: Config, layout: Layout, found: Found, say: Say) -> None:
    root, blobs, patient, key = open_root(config, layout), open_blobs(config, layout), None, Secret(b"")
    lives = LifeFile(layout.life)
    for one in _versions(layout):
        if one.patient != patient:
            patient = one.patient
            key = _patient_key(config.store.name, root, lives, one, found)
        found.versions += 1
        if len(key):
            try:
                found.bytes += await _open(layout, blobs, key, one)
            except StrongroomError as error:
                found.failures.append(f"document {one.document} version {one.version}: {error.message}")
        if found.versions % EVERY == 0:
            say(f"Documents: {found.versions}")
    lives.close()
    say(f"Documents: {found.versions} versions of {found.patients} patients")


def _patient_key(store: str, root: RootKey, lives: LifeFile, one: _Version, found: Found) -> Secret:
    found.patients += 1
    bound = patient_bound(store, one.patient, one.key_version)
    try:
        return root.unwrap(open_in(lives, one.wrapped, bound), bound)
    except StrongroomError as error:
        found.failures.append(f"patient {one.patient}: {error.message}")
        return Secret(b"")


async def _open(layout: Layout, blobs: Blobs, key: Secret, one: _Version) -> int:
    """Open one version, metadata and bytes. Raises Tampered, Malformed, Unavailable."""
    metadata, blob = _catalogued(layout, one)
    of = (one.patient, one.document, one.version)
    metadata_key = Secret(small.open_sealed(key, one.wrapped_metadata, key_bound("metadata", *of)))
    decode_stored(small.open_sealed(metadata_key, metadata, metadata_context(*of)))
    content_key = Secret(small.open_sealed(key, one.wrapped_content, key_bound("content", *of)))
    opener = Opener(content_key, content_context(*of, one.content_type))
    size = sealed = 0
    async for cipher in blobs.get(blob):
        sealed += len(cipher)
        size += len(opener.update(cipher))
    size += len(opener.finish())
    if (size, sealed) != (one.size, one.sealed_size):
        msg = "It is of another length than was recorded."
        raise Tampered(msg)
    return size


def _catalogued(layout: Layout, one: _Version) -> tuple[bytes, str]:
    try:
        with closing(sqlite3.connect(f"{layout.catalogue.as_uri()}?mode=ro", uri=True)) as db:
            row = db.execute(
                "select metadata, blob, due from entry where document = ? and version = ? and edition = ?",
                (one.document, one.version, one.edition),
            ).fetchone()
    except sqlite3.Error as error:
        raise _away(error) from error
    if row is None:
        msg = "The catalogue does not have it."
        raise Malformed(msg)
    if row[2] is not None:
        msg = "The catalogue says of the edition that is read that it may be taken away."
        raise Tampered(msg)
    return bytes(row[0]), str(row[1])


def _versions(layout: Layout) -> Iterator[_Version]:
    try:
        with closing(sqlite3.connect(f"{layout.database.as_uri()}?mode=ro", uri=True)) as db:
            for row in db.execute(_VERSIONS):
                yield _Version(*row)
    except sqlite3.Error as error:
        raise _away(error) from error


def _away(error: sqlite3.Error) -> Unavailable:
    return Unavailable(f"A database cannot be read ({getattr(error, 'sqlite_errorname', 'error')}).")
