"""Requests that change documents: deposit (new or superseding), finish, delete, relabel. Nothing is ever overwritten."""

from strongroom.audit import event
from strongroom.authz.facts import Action, Case, Category
from strongroom.authz.policy import Deny
from strongroom.budget.scope import Disclosure
from strongroom.clock import DAY
from strongroom.errors import Conflict
from strongroom.ids import DocumentId, PatientId, new_id
from strongroom.keeper import effects, facts
from strongroom.keeper.door import Asked, Door
from strongroom.keeper.protocol import Delete, Deposit, Deposited, Done, Opened, Refused, Relabel, Reply
from strongroom.keeper.reading import AVAILABLE, PURPOSES, case_of, subject_of
from strongroom.keeper.rows import AccountRow, DocumentRow, SubjectRow, VersionRow
from strongroom.tlog.entry import Op

TICKET_LIFE = DAY
"""Time within which an opened deposit can be finished: a slow line and a large scan."""
MAX_PLAIN = 2**40
"""Bytes a version may claim to have; the app's own limit is far below."""

CATEGORIES = frozenset(category.value for category in Category)
MALFORMED = Refused(why="malformed", advice="Category is one of normal, sensitive, clinician-only.")


class Writing:
    """The requests that write."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._parts = door.parts

    async def deposit(self, request: Deposit) -> Reply:
        """Keys to write one version: of a new document, or superseding one. Numbers as in `door`."""
        if request.category not in CATEGORIES or not request.content_type:
            return MALFORMED
        asked = self._door.identify(request.asking)  # 1
        if isinstance(asked, Refused):
            return asked
        if request.document is not None:
            return await self._supersede(asked, request, request.document)
        account, subject = self._parts.catalog.of_patient(asked.login, request.patient, asked.now)  # 2
        return await self._open(asked, request, account, subject, None)

    async def _supersede(self, asked: Asked, request: Deposit, wanted: str) -> Reply:
        account, subject, row = self._parts.catalog.of_document(asked.login, wanted, asked.now)  # 2
        return await self._open(asked, request, account, subject, row)

    async def _open(
        self, asked: Asked, request: Deposit, account: AccountRow, subject: SubjectRow, row: DocumentRow | None
    ) -> Reply:
        door, parts = self._door, self._parts
        action = Action.DEPOSIT if row is None else Action.SUPERSEDE
        scopes = door.scopes(asked, account, facts.organisation(account, subject))
        named = request.patient if row is None else request.document or ""
        attempt = door.attempt(asked, scopes, action, document=None if row is None else named)
        if row is None:
            wish = facts.Wish(asked.now, asked.purpose, Category(request.category))
            case = Case(action, facts.asker(asked.verified, account, subject, wish), None)
        else:
            case = case_of(action, asked, account, subject, row, parts.catalog.version(row.id, row.newest))
        decision = parts.decide(case)  # 3
        if row is not None and row.decoy:
            return await door.decoy(attempt, decision)
        if isinstance(decision, Deny):
            return await door.deny(attempt, decision, named)
        if stopped := door.stopped(scopes, facts.kind(account, subject, asked.now), action, asked.now):
            return stopped
        if row is not None and (request.expected != row.newest or request.patient != subject.patient):
            return Refused(why="conflict", advice="Somebody wrote a newer version. Read it, then try again.")
        document = row.id if row is not None else DocumentId(new_id())
        version = parts.catalog.last_version(document) + 1
        ticket = new_id()
        prepared = await parts.custody.prepare(subject_of(subject), document, version)
        changes = [
            effects.open_version(
                document,
                version,
                request.content_type,
                asked.now,
                scopes.account,
                prepared.wrapped_content,
                prepared.wrapped_metadata,
                (subject.patient, subject.key_version),
            ),
            effects.open_ticket(
                ticket, 0 if row is None else row.newest, (document, version), scopes.account, asked.now
            ),
        ]
        if row is None:
            changes.insert(0, effects.insert_document(document, subject.patient, request.category))
        draft = event.Draft(
            t=asked.now, op=Op.OPENED, actor=scopes.account, patient=subject.patient, network=scopes.network,
            session=scopes.session, client=scopes.client, organisation=scopes.organisation, document=document,
            version=version, action=action.value, basis=decision.basis.value,
            purpose=asked.purpose or PURPOSES[decision.basis.value], policy=parts.policy,
        )  # fmt: skip
        try:
            receipt = await parts.log.append(draft, changes)  # 5
        except Conflict:  # two began in the same moment and took the same number, or the patient's key was rotated
            return Refused(why="conflict", advice="Somebody else is writing a new version of this document just now.")
        keys = parts.custody.open_written(prepared, receipt)  # 6
        return Opened(
            ticket=ticket, document=document, version=version, patient=subject.patient, key=keys.content.reveal(),
            metadata_key=keys.metadata.reveal(),
        )  # fmt: skip

    async def deposited(self, request: Deposited) -> Reply:
        """The version's bytes are durable: from this commit on it can be read. May be repeated."""
        parts = self._parts
        now = parts.clock.now()
        found = parts.catalog.ticket(request.ticket)
        if found is None or not 0 <= request.size <= MAX_PLAIN or not 0 < request.sealed_size <= 2 * MAX_PLAIN:
            return Refused(why="absent")
        document, version = found.document, found.version
        row = parts.catalog.version(document, version)
        patient = parts.catalog.patient_of(document)
        if row is None or patient is None or now - found.opened > TICKET_LIFE:
            return Refused(why="absent")
        if row.state == AVAILABLE:
            return _repeated(row, request)
        draft = event.Draft(
            t=now, op=Op.DEPOSITED, actor=found.account, patient=patient, document=document, version=version,
            bytes=request.size,
        )  # fmt: skip
        change = effects.finish_version(document, version, found.upon, request.size, request.sealed_size)
        try:
            receipt = await parts.log.append(draft, change)
        except Conflict:
            now_there = parts.catalog.version(document, version)
            if now_there is not None and now_there.state == AVAILABLE:
                return _repeated(now_there, request)
            return Refused(why="conflict", advice="Somebody wrote or deleted it meanwhile. Read it, then try again.")
        return Done(receipt=receipt.index)

    async def delete(self, request: Delete) -> Reply:
        """A tombstone: out of every list at once; keys and bytes stay until the delay is over."""
        return await self._change(Action.DELETE, Op.DELETED, request)

    async def relabel(self, request: Relabel) -> Reply:
        """Another category, for the policy from the next request on."""
        if request.category not in CATEGORIES:
            return MALFORMED
        return await self._change(Action.RELABEL, Op.RELABELLED, request)

    async def _change(self, action: Action, op: Op, request: Delete | Relabel) -> Reply:
        door, parts = self._door, self._parts
        asked = door.identify(request.asking)  # 1
        if isinstance(asked, Refused):
            return asked
        account, subject, row = parts.catalog.of_document(asked.login, request.document, asked.now)  # 2
        scopes = door.scopes(asked, account, facts.organisation(account, subject))
        attempt = door.attempt(asked, scopes, action, document=request.document)
        version = parts.catalog.version(row.id, row.newest)
        decision = parts.decide(case_of(action, asked, account, subject, row, version))  # 3
        if row.decoy:
            return await door.decoy(attempt, decision)
        if isinstance(decision, Deny):
            return await door.deny(attempt, decision, request.document)
        kind = facts.kind(account, subject, asked.now)
        if stopped := door.stopped(scopes, kind, action, asked.now):
            return stopped
        if isinstance(request, Relabel):
            change, told = effects.relabel(row.id, request.category), request.category
        else:
            change, told = effects.delete_document(row.id, asked.now), None
        full = door.attempt(asked, scopes, action, patient=PatientId(subject.patient), document=row.id)
        draft = event.done(op, full, decision.basis.value, kind=kind, details=told)
        # Charged like a reading: were it free, a broken policy would let one thief delete, hide or unlock everybody's.
        what = Disclosure(asked.now, kind, scopes, subject.patient, row.id, 0, 0)
        try:
            receipt = await door.disclose(decision, what, lambda _: draft, [change])  # 4, 5
        except Conflict:
            return Refused(why="conflict", advice="The document changed meanwhile. Read it again.")
        return receipt if isinstance(receipt, Refused) else Done(receipt=receipt.index)


def _repeated(row: VersionRow, request: Deposited) -> Reply:
    """The answer when the version was finished before."""
    same = (row.size, row.sealed_size) == (request.size, request.sealed_size)
    return Done() if same else Refused(why="conflict", advice="This deposit was finished with other sizes.")
