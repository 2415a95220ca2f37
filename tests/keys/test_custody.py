"""Key custody: no key without a receipt that covers exactly it, and no wrapped key in another's place."""

import asyncio
import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from strongroom.audit.receipt import Receipt, ReceiptSeal
from strongroom.clock import ManualClock
from strongroom.errors import Tampered, Unavailable
from strongroom.ids import DocumentId, PatientId
from strongroom.keys import custody as custody_module
from strongroom.keys.custody import CACHE_TIME, Above, Custody, Prepared, Subject
from strongroom.keys.file import FileRootKey
from strongroom.keys.life import life_of, open_in
from strongroom.keys.recovery import RecoveryPrivate
from strongroom.keys.sqlite import LifeFile
from strongroom.secret import Secret
from strongroom.tlog.entry import Op

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

PATIENT, DOCUMENT = PatientId("p"), DocumentId("d")


@dataclass
class CountingRoot:
    """The root key of a store, that counts and can be away."""

    inner: FileRootKey
    unwraps: int = 0
    away: bool = False
    distant: bool = False
    gate: asyncio.Event | None = None
    """Until it is set, a distant root key does not answer."""
    asked: int = 0
    """How often a distant one was asked."""
    warning: str = ""

    def wrap(self, key: Secret, bound: bytes) -> bytes:
        """As the file's."""
        return self.inner.wrap(key, bound)

    def unwrap(self, wrapped: bytes, bound: bytes) -> Secret:
        """As the file's, unless it is away."""
        self.unwraps += 1
        if self.away:
            msg = "away"
            raise Unavailable(msg)
        return self.inner.unwrap(wrapped, bound)

    async def wrap_soon(self, key: Secret, bound: bytes) -> bytes:
        """As the file's."""
        return self.wrap(key, bound)

    async def unwrap_soon(self, wrapped: bytes, bound: bytes) -> Secret:
        """After the gate."""
        self.asked += 1
        if self.gate is not None:
            await self.gate.wait()
        return self.unwrap(wrapped, bound)

    async def is_asked(self) -> None:
        """Returns when a distant one is."""
        while not self.asked:  # noqa: ASYNC110  # nothing tells of it
            await asyncio.sleep(0)


class Now:
    """Custody, each question on a loop of its own."""

    def __init__(self, inner: Custody) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.inner, name)
        if not inspect.iscoroutinefunction(found):
            return found
        asked: Callable[..., Awaitable[Any]] = found

        async def one(arguments: tuple[Any, ...]) -> Any:
            return await asked(*arguments)

        return lambda *arguments: asyncio.run(one(arguments))


@dataclass
class Vault:
    """Custody with everything around it."""

    root: CountingRoot
    seal: ReceiptSeal
    clock: ManualClock
    custody: Any
    paper: RecoveryPrivate
    life: LifeFile

    def receipt(
        self, op: Op, version: int = 1, patient: PatientId = PATIENT, document: DocumentId = DOCUMENT
    ) -> Receipt:
        """As the log would issue it."""
        return self.seal.issue(1, bytes(32), op, patient, frozenset({(document, version)}))

    def subject(self, patient: PatientId = PATIENT) -> Subject:
        """A new patient."""
        return Subject(patient, self.custody.new_patient(patient).wrapped)


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    """One store's custody."""
    root, seal, clock = CountingRoot(FileRootKey.create(tmp_path / "root.key")), ReceiptSeal(), ManualClock()
    paper = RecoveryPrivate.generate()
    LifeFile.create(tmp_path / "life.db")
    life = LifeFile(tmp_path / "life.db")
    return Vault(root, seal, clock, Now(Custody("s", Above(root, paper.public(), life), seal, clock)), paper, life)


def test_keys_go_through_prepare_release_and_listing(vault: Vault) -> None:
    """What the writer got is what the reader gets, content and metadata apart."""
    subject = vault.subject()
    prepared = vault.custody.prepare(subject, DOCUMENT, 1)
    written = vault.custody.open_written(prepared, vault.receipt(Op.OPENED))
    assert written.content != written.metadata
    released = vault.custody.release(vault.receipt(Op.RELEASED), subject, DOCUMENT, 1, prepared.wrapped_content)
    assert released == written.content
    rows = [(DOCUMENT, 1, prepared.wrapped_metadata)]
    assert vault.custody.listing(vault.receipt(Op.LISTED), subject, rows) == [written.metadata]
    assert vault.custody.listing(vault.receipt(Op.LISTED), subject, []) == []


@pytest.mark.parametrize("op", [op for op in Op if op is not Op.RELEASED])
def test_no_other_event_releases_a_key(vault: Vault, op: Op) -> None:
    """A listing, a denial, an officer's act: none of them is a release."""
    subject = vault.subject()
    prepared = vault.custody.prepare(subject, DOCUMENT, 1)
    with pytest.raises(Tampered):
        vault.custody.release(vault.receipt(op), subject, DOCUMENT, 1, prepared.wrapped_content)


def test_a_receipt_covers_its_patient_document_and_version_alone(vault: Vault) -> None:
    """And a receipt that was made up, or issued by another keeper, covers nothing."""
    subject = vault.subject()
    prepared = vault.custody.prepare(subject, DOCUMENT, 1)
    good = vault.receipt(Op.RELEASED)
    wrong = [
        vault.receipt(Op.RELEASED, version=2),
        vault.receipt(Op.RELEASED, patient=PatientId("q")),
        vault.receipt(Op.RELEASED, document=DocumentId("e")),
        replace(good, index=2),
        replace(good, tag=bytes(32)),
        ReceiptSeal().issue(1, bytes(32), Op.RELEASED, PATIENT, good.covers),
    ]
    for receipt in wrong:
        with pytest.raises(Tampered):
            vault.custody.release(receipt, subject, DOCUMENT, 1, prepared.wrapped_content)
    with pytest.raises(Tampered):
        vault.custody.open_written(prepared, good)
    with pytest.raises(Tampered):
        vault.custody.listing(vault.receipt(Op.LISTED), subject, [(DOCUMENT, 2, prepared.wrapped_metadata)])


def test_wrapped_keys_do_not_open_in_another_place(vault: Vault, tmp_path: Path) -> None:
    """Swapped between documents, versions, purposes, patients or stores."""
    subject, other = vault.subject(), vault.subject(PatientId("q"))
    one, two = vault.custody.prepare(subject, DOCUMENT, 1), vault.custody.prepare(subject, DOCUMENT, 2)
    for wrapped in (two.wrapped_content, one.wrapped_metadata):
        with pytest.raises(Tampered):
            vault.custody.release(vault.receipt(Op.RELEASED), subject, DOCUMENT, 1, wrapped)
    swapped = Subject(PATIENT, other.wrapped)
    with pytest.raises(Tampered):
        vault.custody.release(vault.receipt(Op.RELEASED), swapped, DOCUMENT, 1, one.wrapped_content)
    elsewhere = Now(Custody("t", Above(vault.root, vault.paper.public(), vault.life), vault.seal, vault.clock))
    with pytest.raises(Tampered):
        elsewhere.release(vault.receipt(Op.RELEASED), subject, DOCUMENT, 1, one.wrapped_content)


def test_a_patient_key_is_held_for_five_minutes_and_no_longer(vault: Vault) -> None:
    """Within them the root key may be away; after them, and after `forget`, it is asked again."""
    subject = vault.subject()
    prepared = vault.custody.prepare(subject, DOCUMENT, 1)

    def release() -> Secret:
        found: Secret = vault.custody.release(
            vault.receipt(Op.RELEASED), subject, DOCUMENT, 1, prepared.wrapped_content
        )
        return found

    release()
    assert vault.root.unwraps == 1
    vault.root.away = True
    vault.clock.advance(CACHE_TIME - 1)
    release()
    vault.clock.advance(1)
    with pytest.raises(Unavailable):
        release()
    vault.root.away = False
    release()
    vault.custody.forget(PATIENT)
    before = vault.root.unwraps
    release()
    assert vault.root.unwraps == before + 1


def test_without_a_cache_every_release_asks_the_root_key(vault: Vault) -> None:
    """With no key to be held, none is, and the root key is asked as often as there are releases."""
    vault.custody.inner._size = 0
    subject = vault.subject()
    prepared = vault.custody.prepare(subject, DOCUMENT, 1)
    before = vault.root.unwraps
    for _ in range(3):
        vault.custody.release(vault.receipt(Op.RELEASED), subject, DOCUMENT, 1, prepared.wrapped_content)
    assert vault.root.unwraps == before + 3
    assert vault.custody._cache == {}


def test_the_cache_is_bounded(vault: Vault) -> None:
    """The oldest key goes first."""
    vault.custody.inner._size = 2
    subjects = [vault.subject(PatientId(name)) for name in "abc"]
    for subject in subjects:
        vault.custody.prepare(subject, DOCUMENT, 1)
    assert vault.root.unwraps == 3
    vault.custody.prepare(subjects[2], DOCUMENT, 1)
    assert vault.root.unwraps == 3
    vault.custody.prepare(subjects[0], DOCUMENT, 1)
    assert vault.root.unwraps == 4


def test_keys_whose_time_is_over_are_not_held(vault: Vault) -> None:
    """Neither when another key is asked for, nor in a quiet hour in which none is."""
    one, two = vault.subject(), vault.subject(PatientId("q"))
    vault.custody.prepare(one, DOCUMENT, 1)
    vault.clock.advance(CACHE_TIME // 2)
    vault.custody.prepare(two, DOCUMENT, 1)
    vault.clock.advance(CACHE_TIME // 2)
    vault.custody.prepare(two, DOCUMENT, 2)
    assert set(vault.custody._cache) == {two}
    vault.custody.expire()
    assert set(vault.custody._cache) == {two}
    vault.clock.advance(CACHE_TIME // 2)
    vault.custody.expire()
    assert vault.custody._cache == {}


def test_a_held_key_is_held_for_its_own_version_alone(vault: Vault) -> None:
    """Another version of the patient key is another binding, held or not."""
    subject = vault.subject()
    vault.custody.prepare(subject, DOCUMENT, 1)
    with pytest.raises(Tampered):
        vault.custody.prepare(replace(subject, key_version=2), DOCUMENT, 1)


def test_the_recovery_key_opens_a_patients_key(vault: Vault) -> None:
    """It is wrapped twice: under the root key and to the paper; and neither opens without the life key."""
    new = vault.custody.new_patient(PATIENT)
    bound = custody_module.patient_bound("s", PATIENT, 1)
    by_paper = vault.paper.unwrap(open_in(vault.life, new.recovery, bound), bound)
    assert by_paper == vault.root.unwrap(open_in(vault.life, new.wrapped, bound), bound)
    vault.custody.destroy(PATIENT, life_of(new.wrapped))
    for sealed in (new.recovery, new.wrapped):
        with pytest.raises(Tampered, match="destroyed"):
            open_in(vault.life, sealed, bound)


def test_prepared_keys_stay_locked_without_a_receipt(vault: Vault) -> None:
    """Only the wrapped forms can be seen."""
    prepared = vault.custody.prepare(vault.subject(), DOCUMENT, 1)
    assert isinstance(prepared, Prepared)
    with pytest.raises(Tampered):
        prepared.unlock(vault.receipt(Op.LISTED), vault.seal)


def test_a_slow_root_key_is_asked_once_for_a_patient_and_holds_up_nobody_else(vault: Vault) -> None:
    """Everybody who waits for the same patient gets the one answer; whoever goes away takes it from nobody; patients
    whose key is held do not wait.
    """
    subject, held = vault.subject(), vault.subject(PatientId("q"))
    prepared = vault.custody.prepare(subject, DOCUMENT, 1)
    vault.custody.prepare(held, DOCUMENT, 1)
    vault.custody.forget(PATIENT)
    vault.root.distant = True
    before = vault.root.unwraps

    async def whole() -> None:
        custody: Custody = vault.custody.inner
        vault.root.gate = asyncio.Event()

        def release() -> "asyncio.Task[Secret]":
            receipt = vault.receipt(Op.RELEASED)
            return asyncio.ensure_future(custody.release(receipt, subject, DOCUMENT, 1, prepared.wrapped_content))

        one, two, three = release(), release(), release()
        await vault.root.is_asked()
        await custody.prepare(held, DOCUMENT, 2)
        assert not any(task.done() for task in (one, two, three))
        one.cancel()
        vault.root.gate.set()
        assert await two == await three
        assert one.cancelled()

    asyncio.run(whole())
    assert vault.root.unwraps == before + 1


def test_a_receipt_is_checked_before_the_root_key_is_asked(vault: Vault) -> None:
    """Without one not even a slow HSM is troubled."""
    subject = vault.subject()
    prepared = vault.custody.prepare(subject, DOCUMENT, 1)
    vault.custody.forget(PATIENT)
    vault.root.distant = True
    before = vault.root.unwraps
    with pytest.raises(Tampered):
        vault.custody.release(vault.receipt(Op.LISTED), subject, DOCUMENT, 1, prepared.wrapped_content)
    assert vault.root.unwraps == before


def test_a_key_forgotten_while_it_was_asked_for_is_not_held(vault: Vault) -> None:
    """Whoever waited is answered; the next one asks again. A failure is asked again, too."""
    subject = vault.subject()
    vault.root.distant = True

    async def whole() -> None:
        custody: Custody = vault.custody.inner
        vault.root.gate = asyncio.Event()
        waiting = asyncio.ensure_future(custody.prepare(subject, DOCUMENT, 1))
        await vault.root.is_asked()
        custody.forget(PATIENT)
        vault.root.gate.set()
        await waiting
        assert subject not in custody._cache
        vault.root.away = True
        with pytest.raises(Unavailable):
            await custody.prepare(subject, DOCUMENT, 1)
        vault.root.away = False
        await custody.prepare(subject, DOCUMENT, 1)
        assert subject in custody._cache
        assert custody._asked == {}

    asyncio.run(whole())
