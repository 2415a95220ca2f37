"""The form of a backup, and the stream in which everything but the documents is sealed.

    DIR/backup.json     store, id, time, the backup's own key wrapped to the recovery key: all that is readable
    DIR/store.sealed    a tar, sealed as documents are (Cobblestone-256): databases, published log, keys, settings; the
                        manifest is its last member
    DIR/life.json, DIR/life.sealed
                        the life keys of patients, in the same form and under a key of their own: a part that is renewed
                        when a patient's key is destroyed (`strongroom backup --renew`)
    DIR/objects/        ciphertext of documents as it lies in the object store, under its random names

Whoever has a backup and not the recovery key learns the store's name, when it was made, and how many documents of which
sizes there are.
"""

import hashlib
import io
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

import msgspec

from strongroom.envelope import small
from strongroom.envelope.binding import bind
from strongroom.envelope.sealed import Opener, Sealer
from strongroom.errors import Malformed, OperationError, Tampered, Unavailable, UsageError
from strongroom.ids import new_id
from strongroom.keys.recovery import RecoveryPrivate, RecoveryPublic
from strongroom.secret import Secret

HEADER, SEALED, OBJECTS = "backup.json", "store.sealed", "objects"
LIFE_HEADER, LIFE_SEALED = "life.json", "life.sealed"
MANIFEST = "manifest.json"
PIECE = 1_048_576
MAX_HEADER = 65_536
MAX_MANIFEST = 256 * 1_048_576
FORM = "strongroom-backup/1"


class Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`backup.json`. `made` in milliseconds; `key` in hex."""

    form: str
    store: str
    id: str
    made: int
    key: str


class Member(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file inside."""

    path: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a backup holds. `objects` is None where the bucket's own replication keeps the ciphertext."""

    members: tuple[Member, ...]
    log_size: int
    checkpoint: str
    objects: int | None
    object_bytes: int


@dataclass
class Writer:
    """Writes `store.sealed`. Nothing of it is on the disk in the clear."""

    sealer: Sealer
    file: IO[bytes]
    members: list[Member] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._tar = tarfile.open(mode="w|", fileobj=_Sealing(self.sealer, self.file), bufsize=PIECE)  # noqa: SIM115  # finish

    def add(self, path: str, content: bytes) -> None:
        """A small file."""
        self._add(path, len(content), io.BytesIO(content))

    def add_file(self, path: str, source: Path) -> None:
        """A file that does not change any more."""
        with source.open("rb") as file:
            self._add(path, source.stat().st_size, file)

    def finish(self, manifest: Callable[[tuple[Member, ...]], Manifest]) -> Manifest:
        """Write the manifest and close the stream."""
        made = manifest(tuple(self.members))
        self.add(MANIFEST, msgspec.json.encode(made))
        self._tar.close()
        self.file.write(self.sealer.finish())
        self.file.flush()
        return made

    def _add(self, path: str, size: int, source: IO[bytes]) -> None:
        entry = tarfile.TarInfo(path)
        entry.size, entry.mode = size, 0o600
        hashed = _Hashing(source)
        self._tar.addfile(entry, hashed)
        self.members.append(Member(path=path, size=size, sha256=hashed.digest.hexdigest()))


def begin(store: str, now: int, recovery: RecoveryPublic, file: IO[bytes]) -> tuple[Header, Writer]:
    """A new backup's header, and the stream into `file`."""
    key, ident = small.new_key(), new_id()
    wrapped = recovery.wrap(key, _bound(store, ident))
    header = Header(form=FORM, store=store, id=ident, made=now, key=wrapped.hex())
    return header, Writer(Sealer(key, _context(store, ident)), file)


def read_header(backup: Path, name: str = HEADER) -> Header:
    """A header. Raises UsageError when there is no backup, Malformed."""
    try:
        raw = (backup / name).read_bytes()
    except OSError as error:
        msg = f"There is no backup in {backup}."
        raise UsageError(msg, advice="Name the directory that `strongroom backup --to` made.") from error
    try:
        header = msgspec.json.decode(raw[:MAX_HEADER], type=Header)
        bytes.fromhex(header.key)
    except (msgspec.MsgspecError, ValueError) as error:
        msg = "The backup's header is damaged."
        raise Malformed(msg) from error
    if header.form != FORM:
        msg = f"The backup is of another form than {FORM}."
        raise Malformed(msg, advice="Use the version of Strongroom that made it, or a newer one.")
    return header


def key_of(header: Header, paper: RecoveryPrivate) -> Secret:
    """The backup's key. Raises Tampered for another recovery key."""
    return paper.unwrap(bytes.fromhex(header.key), _bound(header.store, header.id))


def unpack(backup: Path, header: Header, key: Secret, root: Path, name: str = SEALED) -> Manifest:
    """Write every file below `root`, where none of them is, and compare them with the manifest.

    Raises Tampered, Malformed.
    """
    found: list[Member] = []
    manifest: Manifest | None = None
    try:
        with (backup / name).open("rb") as sealed:
            plain = _Opening(Opener(key, _context(header.store, header.id)), sealed)
            with tarfile.open(mode="r|", fileobj=plain, bufsize=PIECE) as tar:
                for entry in tar:
                    content = tar.extractfile(entry)
                    if content is None or manifest is not None:
                        raise _unsafe()
                    if entry.name == MANIFEST:
                        manifest = msgspec.json.decode(content.read(MAX_MANIFEST), type=Manifest)
                    else:
                        found.append(_write(entry, content, root))
            plain.drain()
    except (tarfile.TarError, msgspec.MsgspecError) as error:
        msg = "The sealed part of the backup is not one."
        raise Malformed(msg) from error
    except OSError as error:
        msg = f"The backup cannot be read, or the store not written: {error.strerror}."
        raise Unavailable(msg) from error
    if manifest is None or manifest.members != tuple(found):
        msg = "The backup's files are not those of its manifest."
        raise Tampered(msg)
    return manifest


def _write(entry: tarfile.TarInfo, content: IO[bytes], root: Path) -> Member:
    path = PurePosixPath(entry.name)
    if not entry.isreg() or path.is_absolute() or ".." in path.parts or not path.parts:
        raise _unsafe()
    place = root / path
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    hashed, size = hashlib.sha256(), 0
    with place.open("xb") as file:
        place.chmod(0o600)
        while piece := content.read(PIECE):
            hashed.update(piece)
            size += len(piece)
            file.write(piece)
    return Member(path=entry.name, size=size, sha256=hashed.hexdigest())


def copied(source: Path, target: Path) -> int:
    """Copy one object, which never changes; gives its bytes. Raises OperationError."""
    size = 0
    try:
        with source.open("rb") as reading, opened(target) as writing:
            for piece in iter(lambda: reading.read(PIECE), b""):
                writing.write(piece)
                size += len(piece)
    except OSError as error:
        msg = f"An object could not be copied: {error.strerror}."
        raise OperationError(msg, advice="Look at the disk of the target.") from error
    return size


def opened(target: Path) -> IO[bytes]:
    """A new file, and the folder it is in."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return target.open("xb")


def objects_in(folder: Path) -> Iterator[Path]:
    """Every object in a folder of them, as paths below it; what is being written is passed over."""
    for sub in sorted(folder.iterdir()):
        if sub.is_dir():
            for one in sorted(sub.iterdir()):
                if one.is_file() and "#" not in one.name:  # obstore's name for what is not whole yet
                    yield one.relative_to(folder)


def _bound(store: str, ident: str) -> bytes:
    return bind("backup-key", store, ident)


def _context(store: str, ident: str) -> bytes:
    return bind("backup", store, ident)


def _unsafe() -> Malformed:
    return Malformed("The backup holds a file that no backup holds.")


class _Sealing(io.RawIOBase):
    def __init__(self, sealer: Sealer, file: IO[bytes]) -> None:
        self._sealer, self._file = sealer, file

    def writable(self) -> bool:
        return True

    def write(self, plain: object) -> int:
        raw = bytes(plain)  # type: ignore[call-overload]  # tarfile hands bytes
        self._file.write(self._sealer.update(raw))
        return len(raw)


class _Opening(io.RawIOBase):
    def __init__(self, opener: Opener, file: IO[bytes]) -> None:
        self._opener, self._file, self._left, self._ended = opener, file, bytearray(), False

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        while not self._ended and len(self._left) < size:
            cipher = self._file.read(PIECE)
            self._left += self._opener.update(cipher) if cipher else self._opener.finish()
            self._ended = not cipher
        given = bytes(self._left[:size])
        del self._left[:size]
        return given

    def drain(self) -> None:
        """To the end: only there it is known that nothing is missing."""
        while self.read(PIECE):
            pass


class _Hashing(io.RawIOBase):
    def __init__(self, source: IO[bytes]) -> None:
        self._source, self.digest = source, hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        piece = self._source.read(size)
        self.digest.update(piece)
        return piece
