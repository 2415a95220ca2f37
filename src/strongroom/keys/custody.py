"""Key custody: root key and life key > patient key > a content key and a metadata key for each version of each document.

* Every key is random and wrapped under the one above it, bound to what it is for; nothing is derived from an id.
* No key of a document or of its metadata comes out without a receipt that covers exactly that version: `RELEASED` for
  content, `LISTED` for metadata, `OPENED` for both keys of a version that is being written, `REENCRYPTING` for the
  keys that a version has and those that it will have.
* The patient key itself never comes out.
* A patient whose life key is destroyed is closed for good, in every copy (`life.py`).

What may have to wait for the root key is a coroutine; with a patient key that is held, or a root key in this process,
none of them waits. The receipt is checked before anything is asked of the root key.

Custody keeps no database: wrapped keys come in as arguments.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from strongroom.audit.receipt import Receipt, ReceiptSeal
from strongroom.clock import MINUTE, Clock
from strongroom.envelope import small
from strongroom.envelope.binding import bind
from strongroom.errors import Tampered
from strongroom.ids import DocumentId, PatientId
from strongroom.keys.life import LifeKeys, life_of, open_in, seal_in
from strongroom.keys.recovery import RecoveryPublic
from strongroom.keys.root import RootKey
from strongroom.secret import Secret
from strongroom.tlog.entry import Op

CACHE_TIME = 5 * MINUTE
CACHE_SIZE = 4_096
"""Patient keys held in the clear: those of the patients active within minutes, 32 bytes each."""


class Subject(msgspec.Struct, frozen=True, gc=False):
    """A patient and their wrapped key."""

    patient: PatientId
    wrapped: bytes
    key_version: int = 1


@dataclass(frozen=True, slots=True)
class NewPatient:
    """A patient's key, wrapped under the root key and to the recovery key; both sealed under the life key."""

    wrapped: bytes
    recovery: bytes


@dataclass(frozen=True, slots=True)
class WrittenKeys:
    """The two keys of a version that is being written."""

    content: Secret
    metadata: Secret


class Prepared:
    """A new version's keys: the wrapped ones to be stored with the log entry, the clear ones locked until its receipt."""

    def __init__(
        self,
        patient: PatientId,
        document: DocumentId,
        version: int,
        wrapped: tuple[bytes, bytes],
        keys: WrittenKeys,
        op: Op,
    ) -> None:
        """`op`: of the entry whose receipt unlocks the clear keys."""
        self.wrapped_content, self.wrapped_metadata = wrapped
        self._of = (patient, document, version)
        self._keys = keys
        self._op = op

    def unlock(self, receipt: Receipt, seal: ReceiptSeal) -> WrittenKeys:
        """The clear keys, once it is on record that they go out. Raises Tampered for any other receipt."""
        patient, document, version = self._of
        _covered(seal, receipt, self._op, patient, [(document, version)])
        return self._keys


@dataclass(frozen=True, slots=True)
class Above:
    """What patient keys are wrapped under."""

    root: RootKey
    recovery: RecoveryPublic
    life: LifeKeys


class Custody:
    """All unwrapping there is."""

    def __init__(self, store: str, above: Above, seal: ReceiptSeal, clock: Clock, held: int = CACHE_SIZE) -> None:
        """`store` is the store's name: a wrapped key of one store opens nothing in another. `held`: patient keys that may
        be in the clear at once; 0: the root key is asked each time.
        """
        self._size = held
        self._store = store
        self._root = above.root
        self._recovery = above.recovery
        self._life = above.life
        self._seal = seal
        self._clock = clock
        self._cache: dict[Subject, tuple[Secret, int]] = {}  # with when each expires; the oldest stands first
        self._asked: dict[Subject, asyncio.Task[Secret]] = {}  # what the root key was asked and has not answered

    async def new_patient(self, patient: PatientId) -> NewPatient:
        """A key for a new patient. Raises Unavailable when the root key is away."""
        return await self._wrapped(small.new_key(), patient, 1)

    async def prepare(self, subject: Subject, document: DocumentId, version: int, op: Op = Op.OPENED) -> Prepared:
        """Keys for a version to be written, or with `op` REENCRYPTING to be written anew. Raises Unavailable, Tampered."""
        above = await self._patient_key(subject)
        keys = WrittenKeys(small.new_key(), small.new_key())
        wrapped = (
            small.seal(above, keys.content.reveal(), key_bound("content", subject.patient, document, version)),
            small.seal(above, keys.metadata.reveal(), key_bound("metadata", subject.patient, document, version)),
        )
        return Prepared(subject.patient, document, version, wrapped, keys, op)

    def open_written(self, prepared: Prepared, receipt: Receipt) -> WrittenKeys:
        """The keys of a version whose opening is on record. Raises Tampered."""
        return prepared.unlock(receipt, self._seal)

    async def reopen(
        self, receipt: Receipt, subject: Subject, document: DocumentId, version: int, wrapped: tuple[bytes, bytes]
    ) -> WrittenKeys:
        """Both keys that a version has, so that it can be re-encrypted. Raises Tampered, Unavailable.

        `wrapped`: its content key, its metadata key.
        """
        _covered(self._seal, receipt, Op.REENCRYPTING, subject.patient, [(document, version)])
        above = await self._patient_key(subject)
        content, metadata = (
            Secret(small.open_sealed(above, sealed, key_bound(purpose, subject.patient, document, version)))
            for purpose, sealed in zip(("content", "metadata"), wrapped, strict=True)
        )
        return WrittenKeys(content, metadata)

    async def release(
        self, receipt: Receipt, subject: Subject, document: DocumentId, version: int, wrapped: bytes
    ) -> Secret:
        """The content key of one version. Raises Tampered for a receipt that does not cover it; Unavailable."""
        _covered(self._seal, receipt, Op.RELEASED, subject.patient, [(document, version)])
        above = await self._patient_key(subject)
        return Secret(small.open_sealed(above, wrapped, key_bound("content", subject.patient, document, version)))

    async def listing(
        self, receipt: Receipt, subject: Subject, rows: Sequence[tuple[DocumentId, int, bytes]]
    ) -> list[Secret]:
        """Metadata keys of versions of one patient, in order. Raises Tampered, Unavailable; all or none."""
        _covered(
            self._seal, receipt, Op.LISTED, subject.patient, [(document, version) for document, version, _ in rows]
        )
        if not rows:
            return []
        above = await self._patient_key(subject)
        bound = [
            (wrapped, key_bound("metadata", subject.patient, document, version)) for document, version, wrapped in rows
        ]
        return [Secret(key) for key in small.open_all(above, bound)]

    async def rotate(
        self, subject: Subject, rows: Sequence[tuple[DocumentId, int, bytes, bytes]]
    ) -> tuple[NewPatient, list[tuple[bytes, bytes]]]:
        """A new key for a patient: the key itself, wrapped, and every version's (content, metadata) keys under it.

        `rows`: document, version, wrapped content key, wrapped metadata key. Raises Tampered, Malformed, Unavailable.
        """
        old, new = await self._patient_key(subject), small.new_key()
        moved = []
        for document, version, content, metadata in rows:
            both = []
            for purpose, wrapped in (("content", content), ("metadata", metadata)):
                bound = key_bound(purpose, subject.patient, document, version)
                both.append(small.seal(new, small.open_sealed(old, wrapped, bound), bound))
            moved.append((both[0], both[1]))
        return await self._wrapped(new, subject.patient, subject.key_version + 1), moved

    def use(self, root: RootKey) -> None:
        """From here on wrap under, and unwrap with, this root key; it must open what is stored."""
        self._root = root

    async def rewrap(self, rows: Sequence[tuple[PatientId, bytes, int]]) -> list[bytes]:
        """Patients' keys (patient, wrapped key, version of the key) under the newest root key, in order.

        Raises Tampered, Malformed, Unavailable; all or none.
        """
        return await asyncio.gather(*[self._rewrapped(*row) for row in rows])

    def destroy(self, patient: PatientId | None, life: bytes) -> None:
        """Destroy a life key: nothing opens the patient's key, or any copy of it, again. Raises Unavailable."""
        if patient is not None:
            self.forget(patient)
        self._life.destroy(life, self._clock.now())

    def forget(self, patient: PatientId) -> None:
        """Hold this patient's key in the clear no longer."""
        for held in [subject for subject in self._cache if subject.patient == patient]:
            del self._cache[held]
        for asked in [subject for subject in self._asked if subject.patient == patient]:
            del self._asked[asked]  # whoever waits is answered; the key is not held

    def expire(self) -> None:
        """Hold no key in the clear whose time is over. Asking for any key does so too; this is for quiet hours."""
        now = self._clock.now()
        while self._cache:
            oldest = next(iter(self._cache))
            if now < self._cache[oldest][1]:
                return
            del self._cache[oldest]

    async def _patient_key(self, subject: Subject) -> Secret:
        self.expire()
        if (cached := self._cache.get(subject)) is not None:
            return cached[0]
        bound = patient_bound(self._store, subject.patient, subject.key_version)
        wrapped = open_in(self._life, subject.wrapped, bound)
        if not self._root.distant:
            return self._hold(subject, self._root.unwrap(wrapped, bound))
        # Many questions about one patient at once are one question to the HSM; who goes away takes nobody's answer along.
        task = self._asked.get(subject)
        if task is None:
            task = self._asked[subject] = asyncio.create_task(self._fetch(subject, wrapped, bound))
        return await asyncio.shield(task)

    async def _fetch(self, subject: Subject, wrapped: bytes, bound: bytes) -> Secret:
        me = asyncio.current_task()
        try:
            key = await self._root.unwrap_soon(wrapped, bound)
            if self._asked.get(subject) is not me:  # it was forgotten meanwhile
                return key
            return self._hold(subject, key)
        finally:
            if self._asked.get(subject) is me:
                del self._asked[subject]

    def _hold(self, subject: Subject, key: Secret) -> Secret:
        if self._size:
            while len(self._cache) >= self._size:
                del self._cache[next(iter(self._cache))]
            self._cache[subject] = (key, self._clock.now() + CACHE_TIME)
        return key

    async def _rewrapped(self, patient: PatientId, wrapped: bytes, version: int) -> bytes:
        bound = patient_bound(self._store, patient, version)
        inner = open_in(self._life, wrapped, bound)
        key = await self._root.unwrap_soon(inner, bound)
        return seal_in(self._life.get(life_of(wrapped)), await self._root.wrap_soon(key, bound), bound)

    async def _wrapped(self, key: Secret, patient: PatientId, version: int) -> NewPatient:
        bound, life = patient_bound(self._store, patient, version), self._life.spare()
        wrapped = await self._root.wrap_soon(key, bound)
        return NewPatient(seal_in(life, wrapped, bound), seal_in(life, self._recovery.wrap(key, bound), bound))


def patient_bound(store: str, patient: PatientId, version: int) -> bytes:
    """What a patient key is bound to."""
    return bind("patient-key", store, patient, str(version))


def key_bound(purpose: str, patient: PatientId, document: DocumentId, version: int) -> bytes:
    """What a version's content or metadata key is bound to."""
    return bind("document-key", purpose, document, patient, str(version))


def _covered(
    seal: ReceiptSeal, receipt: Receipt, op: Op, patient: PatientId, wanted: Sequence[tuple[DocumentId, int]]
) -> None:
    seal.check(receipt)
    if receipt.op is not op or receipt.patient != patient or not set(wanted) <= receipt.covers:
        msg = "A receipt does not cover the key that was asked for."
        raise Tampered(msg)
