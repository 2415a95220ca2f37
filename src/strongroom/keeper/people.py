"""Taking in an organisation's feed: each relation decided by the policy, logged, and written in one transaction with it.

A feed speaks for its own patients only. A patient that another organisation brought in stays out of reach until an officer
adds the relation: otherwise any practice could enrol the whole country. Nor does it speak for others' logins: it may relate
them to its own patients, and changes neither name nor patient of a login that another organisation's feed brought. What a
patient or an officer gave or ended by hand, no feed changes. Whatever a feed says against that is a problem, and is told.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from strongroom.audit import event
from strongroom.audit.effect import Effect
from strongroom.authz.facts import Action, Case, Feed
from strongroom.authz.policy import Deny
from strongroom.clock import Millis
from strongroom.errors import Conflict
from strongroom.fhir import people
from strongroom.ids import AccountId, OrganisationId, PatientId, new_id
from strongroom.keeper import effects
from strongroom.keeper.door import Parts
from strongroom.keeper.effects import FOREVER
from strongroom.tlog.entry import Op

BATCH = 256
"""Relations under way at once: one group commit holds about this many."""
NEVER_HERE = "Somebody who left was never here."


@dataclass(slots=True)
class Taken:
    """What became of a feed."""

    organisation: OrganisationId
    sequence: int
    persons: int = 0
    relations: int = 0
    problems: list[people.Problem] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Known:
    """A login as it is here, what this very feed said of it included: several of its records may name the same one."""

    id: AccountId
    kind: str
    patient: PatientId | None
    brought: OrganisationId | None
    name: str


@dataclass(slots=True)
class Intake:
    """One feed on its way in."""

    parts: Parts
    organisation: OrganisationId
    trusted: bool
    now: Millis
    taken: Taken
    patients: dict[str, PatientId] = field(default_factory=dict)
    """The feed's own ids to ours."""
    new: set[PatientId] = field(default_factory=set)
    """Patients made by this very feed. Nothing of theirs is here yet, so it costs nothing to believe how old a relation is."""
    leaving: set[PatientId] = field(default_factory=set)
    """Whom this very feed lets go: it begins nothing for them any more."""
    logins: dict[bytes, Known] = field(default_factory=dict)
    """Logins that this feed named, by their keyed hash."""
    seen: set[bytes] = field(default_factory=set)
    """Keyed identifiers of this feed's patients. One that comes twice cannot be looked up: its patient is on the way."""

    async def run(self, lines: Sequence[bytes]) -> Taken:
        """Take in every record; patients first, since others point to them."""
        records = list(people.read_feed(lines))
        self.taken.problems += [record for record in records if isinstance(record, people.Problem)]
        for kind in (people.OrganisationRecord, people.PatientRecord, people.PractitionerRecord, people.DelegateRecord):
            for batch in _batches([record for record in records if isinstance(record, kind)]):
                await asyncio.gather(*map(self._take, batch))
        return self.taken

    async def _take(self, record: people.Record) -> None:
        match record:
            case people.OrganisationRecord():
                await self._organisation(record)
            case people.PatientRecord():
                await self._patient(record)
            case people.PractitionerRecord():
                await self._practitioner(record)
            case people.DelegateRecord():
                await self._delegate(record)

    async def _organisation(self, record: people.OrganisationRecord) -> None:
        name = self.parts.veil.seal(record.name, "organisation", self.organisation)
        if record.id != self.organisation:
            self._refuse("An organisation other than the feed's own.")
            return
        await self._write(Op.RELATED, None, None, [effects.put_organisation(self.organisation, name, None)])

    async def _patient(self, record: people.PatientRecord) -> None:
        veil, catalog = self.parts.veil, self.parts.catalog
        digests = [veil.identifier(system, value) for system, value in record.identifiers]
        if record.key in self.patients or not self.seen.isdisjoint(digests):
            self._refuse("Two patients of this feed have the same id or identifier; the first was taken.")
            return
        self.seen.update(digests)
        known = {found for digest in digests if (found := catalog.patient_by_identifier(digest)) is not None}
        if len(known) > 1:
            self._refuse("The identifiers of one patient are two people's here.")
            return
        patient = next(iter(known), None)
        own = patient is None or catalog.is_reachable(patient, self.organisation, self.now)
        if not self._permitted(own=own):
            self._refuse(
                "A patient of another organisation, or whom an officer took away: ask the patient, or an officer."
            )
            return
        if patient is None and not record.active:
            self._refuse(NEVER_HERE)
            return
        changes: list[Effect] = []
        if patient is None:
            # Taken before the root key is asked: a second record of this id is refused however long that takes.
            patient = self.patients[record.key] = PatientId(new_id())
            self.new.add(patient)
            key = await self.parts.custody.new_patient(patient)
            name = veil.seal(record.name, "patient", patient)
            changes.append(effects.insert_patient(patient, key.wrapped, key.recovery, record.born, name))
        else:
            changes.append(effects.update_patient(patient, record.born, veil.seal(record.name, "patient", patient)))
        self.patients[record.key] = patient
        changes += [effects.identify(digest, patient) for digest in digests]
        self.taken.persons += 1
        if not record.active:
            self.leaving.add(patient)
            changes.append(effects.end_enrolment(patient, self.organisation, self.now, by_hand=False))
            await self._write(Op.UNRELATED, patient, None, changes, self.now)
            return
        account = None
        if record.login is not None:
            account, renewed = self._login(record.login, "person", record.name, patient)
            changes += renewed
        changes.append(effects.enrol(patient, self.organisation, self.now, FOREVER, by_hand=False))
        await self._write(Op.RELATED, patient, account, changes, FOREVER)

    async def _practitioner(self, record: people.PractitionerRecord) -> None:
        if not self._permitted(own=True):
            self._refuse("The feed is not trusted.")
            return
        if not record.active:
            known = self._known(record.login)
            if known is None:
                self._refuse(NEVER_HERE)
                return
            self.taken.persons += 1
            left = effects.end_membership(known.id, self.organisation, self.now)
            await self._write(Op.UNRELATED, None, known.id, [left])
            return
        account, changes = self._login(record.login, "clinician", record.name)
        if account is None:
            return
        self.taken.persons += 1
        changes.append(effects.join(account, self.organisation, self.now, FOREVER))
        await self._write(Op.RELATED, None, account, changes)

    async def _delegate(self, record: people.DelegateRecord) -> None:
        patient = self.patients.get(record.patient)
        if patient is None or not self._permitted(own=True):
            self._refuse("A relation to a patient who is not in this feed.")
            return
        if not record.active:
            known = self._known(record.login)
            if known is None:
                self._refuse(NEVER_HERE)
                return
            ended = effects.end_fed_delegation(known.id, patient, self.now)
            await self._write(Op.UNRELATED, patient, known.id, [ended], self.now)
            return
        if patient in self.leaving:
            self._refuse("A new relation to a patient who leaves with this feed.")
            return
        account, changes = self._login(record.login, "person", record.name)
        if account is None:
            return
        since, until = record.since or self.now, FOREVER if record.until is None else record.until
        if patient not in self.new:  # else a stolen feed key would make a thief's delegations old, and cheap
            since = max(since, self.now)
        since = max(since, 0)
        ground = "parent" if record.parent else "carer"
        changes.append(effects.feed_delegation(account, patient, ground, since, until, self.now))
        await self._write(Op.RELATED, patient, account, changes, until)

    def _known(self, login: people.Login) -> Known | None:
        veil, catalog = self.parts.veil, self.parts.catalog
        digest = veil.login(login.issuer, login.subject)
        if digest in self.logins:
            return self.logins[digest]
        found = catalog.account(digest)
        if found.id is None:
            return None
        name = veil.try_open(catalog.name_of("account", found.id), "account", found.id)
        return Known(found.id, found.kind or "", found.patient, catalog.brought_by(found.id), name)

    def _login(
        self, login: people.Login, kind: str, name: str, patient: PatientId | None = None
    ) -> tuple[AccountId | None, list[Effect]]:
        """The login's id and what changes about it; None where it is not what the feed takes it for, which is told.

        `patient`: whose own login the feed says it is.
        """
        digest, known = self.parts.veil.login(login.issuer, login.subject), self._known(login)
        if known is None:
            known = Known(AccountId(new_id()), kind, patient, self.organisation, name)
            self.logins[digest] = known
            sealed = self.parts.veil.seal(name, "account", known.id)
            return known.id, [effects.insert_account(known.id, digest, kind, patient, sealed, self.organisation)]
        brought = known.brought == self.organisation
        if known.kind != kind:
            self._refuse(
                "The login is of another kind here: people, staff and programs have a login of their own each."
            )
            return None, []
        if patient not in {None, known.patient} and known.patient is not None:
            self._refuse("The login is somebody else's here, and was not given to this patient: ask an officer.")
            return None, []
        if not brought and name != known.name:
            self._refuse("The name of a login that another organisation brought was not changed.")
        if not brought and patient in {None, known.patient}:
            return known.id, []
        # A carer whom one organisation named may be another's patient: the login gets a patient once, by whoever says it.
        known = self.logins[digest] = replace(
            known, patient=patient or known.patient, name=name if brought else known.name
        )
        sealed = self.parts.veil.seal(known.name, "account", known.id)
        return known.id, [effects.update_account(known.id, patient, sealed)]

    def _permitted(self, *, own: bool) -> bool:
        case = Case(Action.RELATE, Feed(trusted=self.trusted, own_patient=own), None)
        return not isinstance(self.parts.decide(case), Deny)

    def _refuse(self, sentence: str) -> None:
        self.taken.problems.append(people.Problem(0, sentence))

    async def _write(
        self,
        op: Op,
        patient: PatientId | None,
        account: AccountId | None,
        changes: list[Effect],
        until: int | None = None,
    ) -> None:
        target = None if account is None else event.Target("account", account)
        draft = event.Draft(
            t=self.now, op=op, organisation=self.organisation, patient=patient, until=until, target=target
        )
        try:
            await self.parts.log.append(draft, changes)
        except Conflict:  # a guard of one of the changes: see `effects`
            self._refuse("A relation that the patient or an officer gave or ended, a parent's, or none that there is.")
            return
        self.taken.relations += 1


def is_signed(digest: bytes, key: bytes, signature: bytes) -> bool:
    """Whether `signature` is the organisation's over a feed of this SHA-256 (Ed25519)."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, people.signing_bytes(digest))
    except (InvalidSignature, ValueError):
        return False
    return True


def _batches(records: list[people.Record]) -> Iterator[list[people.Record]]:
    for start in range(0, len(records), BATCH):
        yield records[start : start + BATCH]
