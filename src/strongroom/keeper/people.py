"""Taking in an organisation's feed: each relation decided by the policy, logged, and written in one transaction with it.

A feed speaks for its own patients only. A patient that another organisation brought in stays out of reach until the patient
shares the record, or an officer adds the relation: otherwise any practice could enrol the whole country.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from strongroom.audit import event
from strongroom.audit.effect import Effect
from strongroom.authz.facts import Action, Case, Feed
from strongroom.authz.policy import Deny
from strongroom.clock import Millis
from strongroom.fhir import people
from strongroom.ids import AccountId, OrganisationId, PatientId, new_id
from strongroom.keeper import effects
from strongroom.keeper.door import Parts
from strongroom.keeper.effects import FOREVER
from strongroom.tlog.entry import Op

BATCH = 256
"""Relations under way at once: one group commit holds about this many."""


@dataclass(slots=True)
class Taken:
    """What became of a feed."""

    organisation: OrganisationId
    sequence: int
    persons: int = 0
    relations: int = 0
    problems: list[people.Problem] = field(default_factory=list)


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
    fresh: dict[tuple[str, str], AccountId] = field(default_factory=dict)
    """Logins that this feed brings: several of its records may name the same one, and must agree on its id."""
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
        own = patient is None or catalog.is_enrolled(patient, self.organisation)
        if not self._permitted(own=own):
            self._refuse("A patient of another organisation: ask the patient to share, or an officer.")
            return
        changes: list[Effect] = []
        if patient is None:
            patient = PatientId(new_id())
            key = self.parts.custody.new_patient(patient)
            name = veil.seal(record.name, "patient", patient)
            changes.append(effects.insert_patient(patient, key.wrapped, key.recovery, record.born, name))
        else:
            changes.append(effects.update_patient(patient, record.born, veil.seal(record.name, "patient", patient)))
        self.patients[record.key] = patient
        changes += [effects.identify(digest, patient) for digest in digests]
        if record.login is not None:
            changes.append(self._login(record.login, "person", patient, record.name))
        until = FOREVER if record.active else self.now
        changes.append(effects.enrol(patient, self.organisation, self.now, until) if record.active
                       else effects.end_enrolment(patient, self.organisation, self.now))  # fmt: skip
        self.taken.persons += 1
        await self._write(Op.RELATED if record.active else Op.UNRELATED, patient, None, changes, until)

    async def _practitioner(self, record: people.PractitionerRecord) -> None:
        if not self._permitted(own=True):
            self._refuse("The feed is not trusted.")
            return
        account = self._account_id(record.login)
        changes = [self._login(record.login, "clinician", None, record.name)]
        changes.append(effects.join(account, self.organisation, self.now, FOREVER) if record.active
                       else effects.end_membership(account, self.organisation, self.now))  # fmt: skip
        self.taken.persons += 1
        await self._write(Op.RELATED if record.active else Op.UNRELATED, None, account, changes)

    async def _delegate(self, record: people.DelegateRecord) -> None:
        patient = self.patients.get(record.patient)
        if patient is None or not self._permitted(own=True):
            self._refuse("A relation to a patient who is not in this feed.")
            return
        account = self._account_id(record.login)
        since, until = max(record.since or self.now, 0), FOREVER if record.until is None else record.until
        changes = [self._login(record.login, "person", None, record.name)]
        if record.active:
            ground = "parent" if record.parent else "carer"
            changes.append(effects.delegate(account, patient, "full", ground, since, until))
        else:
            changes.append(effects.end_delegation(account, patient, self.now))
        await self._write(Op.RELATED if record.active else Op.UNRELATED, patient, account, changes, until)

    def _account_id(self, login: people.Login) -> AccountId:
        found = self.parts.catalog.account(self.parts.veil.login(login.issuer, login.subject))
        if found.id is None:
            return self.fresh.setdefault((login.issuer, login.subject), AccountId(new_id()))
        return found.id

    def _login(self, login: people.Login, kind: str, patient: PatientId | None, name: str) -> Effect:
        account = self._account_id(login)
        digest = self.parts.veil.login(login.issuer, login.subject)
        return effects.put_account(account, digest, kind, patient, self.parts.veil.seal(name, "account", account))

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
        await self.parts.log.append(draft, changes)
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
