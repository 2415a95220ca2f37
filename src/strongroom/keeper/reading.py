"""Requests that disclose: release, list, history; what a login may know of itself; and the app's word on deliveries."""

import asyncio
from collections import OrderedDict
from contextlib import closing

from strongroom.audit import event
from strongroom.audit.query import Read, Window
from strongroom.audit.resolve import Gap
from strongroom.authz.facts import Action, Asker, Case, Category, Document, State
from strongroom.authz.policy import Deny, Permit, Reason
from strongroom.budget.ledger import Charge
from strongroom.budget.scope import Disclosure, Scopes
from strongroom.ids import AccountId, PatientId
from strongroom.keeper import effects, facts
from strongroom.keeper.acts import OFFICER
from strongroom.keeper.door import Asked, Door
from strongroom.keeper.protocol import (
    Access,
    Accesses,
    Deliveries,
    Done,
    History,
    Known,
    List,
    Listed,
    Refused,
    Release,
    Released,
    Reply,
    Row,
    WhoAmI,
)
from strongroom.keeper.rows import AccountRow, DocumentRow, SubjectRow, VersionRow
from strongroom.keys.custody import Subject
from strongroom.tlog.entry import Op

MAX_RELEASES = 65_536
"""Releases whose delivery may still be reported; the oldest are forgotten first, and then count as wholly delivered."""

AVAILABLE = State.AVAILABLE.value

ANY_DOCUMENT = Document(Category.NORMAL, State.AVAILABLE)
"""Stands for a patient's record when the question is whether the asker may list in it at all."""


class Reading:
    """The requests that read."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._parts = door.parts
        self._open: OrderedDict[int, None] = OrderedDict()

    async def who_am_i(self, request: WhoAmI) -> Reply:
        """Which patients this login may name: its own and those it may act for now. Tells nothing of anybody else."""
        asked = self._door.identify(request.asking)
        if isinstance(asked, Refused):
            return asked
        account = self._parts.catalog.account(asked.login)
        delegated: list[PatientId] = []
        if account.id is not None:
            rows = self._parts.catalog.delegated(account.id, asked.now)
            delegated = [patient for patient, born, row in rows if facts.acts(row, born or None, asked.now)]
        return Known(
            account=facts.account_id(asked.login, account),
            kind=account.kind or "person",
            own=(account.patient,) if account.patient is not None else (),
            delegated=tuple(delegated),
            mfa=asked.verified.mfa,
        )

    async def release(self, request: Release) -> Reply:
        """The key of one version. Numbers as in `door`."""
        door = self._door
        asked = door.identify(request.asking)  # 1
        if isinstance(asked, Refused):
            return asked
        found = self._parts.catalog.of_version(asked.login, request.document, request.version, asked.now)  # 2
        account, subject, row, version = found
        scopes = door.scopes(asked, account, facts.organisation(account, subject))
        attempt = door.attempt(asked, scopes, Action.RELEASE, document=request.document)
        decision = self._parts.decide(case_of(Action.RELEASE, asked, account, subject, row, version))  # 3
        if row.decoy:
            return await door.decoy(attempt, decision)
        if isinstance(decision, Deny) or version is None or version.state != AVAILABLE:
            return await door.deny(attempt, _denial(decision), request.document)
        kind = facts.kind(account, subject, asked.now)
        if stopped := door.stopped(scopes, kind, Action.RELEASE, asked.now):
            return stopped
        size = max(0, min(version.size - request.start, version.size if request.length is None else request.length))
        what = Disclosure(asked.now, kind, scopes, subject.patient, row.id, version.version, size)
        ground = self._ground(asked, decision)

        def draft(charge: Charge) -> event.Draft:
            return event.released(what, ground, charged=charge.documents)

        moved = [effects.move_cursor(scopes.account, version.created)] if account.kind == "service" else []
        receipt = await door.disclose(decision, what, draft, moved, facts.declared(subject.grant))  # 4, 5
        if isinstance(receipt, Refused):
            return receipt
        self._remember(receipt.index)
        key = await self._parts.custody.release(  # 6
            receipt, subject_of(subject), row.id, version.version, version.wrapped_content
        )
        return Released(
            receipt=receipt.index,
            document=row.id,
            version=version.version,
            patient=subject.patient,
            content_type=version.content_type,
            size=version.size,
            sealed_size=version.sealed_size,
            updated=version.created,
            key=key.reveal(),
            edition=version.edition,
        )

    async def list_(self, request: List) -> Reply:
        """One document's metadata, or a page of a patient's."""
        if (request.patient is None) is (request.document is None):
            return Refused(why="malformed", advice="A listing names a patient or a document.")
        return await (self.list_one(request) if request.document is not None else self.list_patient(request))

    async def list_one(self, request: List) -> Reply:
        """The metadata key of one version of one document. Numbers as in `door`."""
        door, wanted = self._door, request.document or ""
        asked = door.identify(request.asking)  # 1
        if isinstance(asked, Refused):
            return asked
        found = self._parts.catalog.of_version(asked.login, wanted, request.version, asked.now)  # 2
        account, subject, row, version = found
        scopes = door.scopes(asked, account, facts.organisation(account, subject))
        attempt = door.attempt(asked, scopes, Action.LIST, document=wanted)
        decision = self._parts.decide(case_of(Action.LIST, asked, account, subject, row, version))  # 3
        if row.decoy:
            return await door.decoy(attempt, decision)
        if isinstance(decision, Deny) or version is None or version.state != AVAILABLE:
            return await door.deny(attempt, _denial(decision), wanted)
        return await self._listed(asked, account, subject, scopes, decision, [(row, version)], named=True)

    async def list_patient(self, request: List) -> Reply:
        """Metadata keys of a page of a patient's documents, each decided by itself. Numbers as in `door`.

        An unknown and a foreign patient give the same: no rows.
        """
        door, wanted = self._door, request.patient or ""
        asked = door.identify(request.asking)  # 1
        if isinstance(asked, Refused):
            return asked
        account, subject = self._parts.catalog.of_patient(asked.login, wanted, asked.now)  # 2
        scopes = door.scopes(asked, account, facts.organisation(account, subject))
        wish = facts.Wish(asked.now, asked.purpose)
        record = Case(Action.LIST, facts.asker(asked.verified, account, subject, wish), ANY_DOCUMENT)
        decision = self._parts.decide(record)  # 3
        if isinstance(decision, Deny):
            refused = await door.deny(door.attempt(asked, scopes, Action.LIST), decision, f"patient {wanted}")
            return Listed(receipt=None, rows=()) if refused.why == "absent" else refused
        shown, more = self._page(asked, account, subject, request)
        return await self._listed(asked, account, subject, scopes, decision, shown, more=more)

    async def deliveries(self, request: Deliveries) -> Reply:
        """The app's words, one for each release. Not waited for: they refine a list, and take nobody off it."""
        now = self._parts.clock.now()
        told = [word for word in request.words if self._open.pop(word.receipt, 0) is None]
        drafts = (event.delivered(now, word.receipt, word.bytes, complete=word.complete) for word in told)
        await asyncio.gather(*(self._parts.log.append(draft) for draft in drafts))
        return Done()

    async def history(self, request: History) -> Reply:
        """Who touched a patient's record. For the patient and full delegates; reading it is not charged."""
        door = self._door
        asked = door.identify(request.asking)
        if isinstance(asked, Refused):
            return asked
        account, subject = self._parts.catalog.of_patient(asked.login, request.patient, asked.now)
        scopes = door.scopes(asked, account, facts.organisation(account, subject))
        asker = facts.asker(asked.verified, account, subject, facts.Wish(asked.now, asked.purpose))
        decision = self._parts.decide(Case(Action.HISTORY, asker, None))
        if isinstance(decision, Deny):
            refused = await door.deny(
                door.attempt(asked, scopes, Action.HISTORY), decision, f"history {request.patient}"
            )
            return Accesses(rows=()) if refused.why == "absent" else refused
        kind = facts.kind(account, subject, asked.now)
        if stopped := door.stopped(scopes, kind, Action.HISTORY, asked.now):
            return stopped
        span = Window(self._parts.log.size, request.since or 0, request.until if request.until is not None else 2**62)
        with closing(self._parts.query()) as query:
            found = query.history(subject.patient, span, request.limit + 1, before=request.before)
        hidden = self._hidden(asker, subject.patient)
        rows = tuple(self._access(read, subject.patient, hidden) for read in found[: request.limit])
        return Accesses(rows=rows, more=len(found) > request.limit)

    # ---- what they share --------------------------------------------------------------------------------------------

    def _ground(self, asked: Asked, permit: Permit) -> event.Ground:
        return event.Ground(permit.basis.value, asked.purpose or PURPOSES[permit.basis.value], self._parts.policy)

    def _page(
        self, asked: Asked, account: AccountRow, subject: SubjectRow, request: List
    ) -> tuple[list[tuple[DocumentRow, VersionRow]], bool]:
        """As many permitted rows as asked for, and whether there is one more. What is hidden leaves no gap."""
        shown: list[tuple[DocumentRow, VersionRow]] = []
        decided: dict[tuple[object, ...], bool] = {}

        def may(row: DocumentRow, version: VersionRow) -> bool:
            bearing = facts.bearing(account, row, version)
            if bearing not in decided:
                case = case_of(Action.LIST, asked, account, subject, row, version)
                decided[bearing] = isinstance(self._parts.decide(case), Permit)
            return decided[bearing]

        after = request.after or ""
        while rows := self._parts.catalog.page(subject.patient, after, request.limit + 1):
            for row, version in rows:
                if version is None or not may(row, version):
                    continue
                if len(shown) == request.limit:
                    return shown, True
                shown.append((row, version))
            after = rows[-1][0].id
        return shown, False

    async def _listed(  # the steps 4 to 6 of both kinds of listing
        self,
        asked: Asked,
        account: AccountRow,
        subject: SubjectRow,
        scopes: Scopes,
        permit: Permit,
        shown: list[tuple[DocumentRow, VersionRow]],
        *,
        more: bool = False,
        named: bool = False,
    ) -> Reply:
        door, kind = self._door, facts.kind(account, subject, asked.now)
        if stopped := door.stopped(scopes, kind, Action.LIST, asked.now):
            return stopped
        what = Disclosure(asked.now, kind, scopes, subject.patient, None, 0, 0)
        versions = tuple((row.id, version.version) for row, version in shown)
        draft = event.listed(what, self._ground(asked, permit), versions, named=named)
        receipt = await door.disclose(permit, what, lambda _: draft, (), facts.declared(subject.grant))  # 4, 5
        if isinstance(receipt, Refused):
            return receipt
        wrapped = [(row.id, version.version, version.wrapped_metadata) for row, version in shown]
        keys = await self._parts.custody.listing(receipt, subject_of(subject), wrapped)  # 6
        rows = tuple(
            Row(
                document=row.id,
                version=version.version,
                patient=subject.patient,
                category=row.category,
                state=row.state,
                content_type=version.content_type,
                size=version.size,
                updated=version.created,
                metadata_key=key.reveal(),
                newest=version.version == row.newest,
                edition=version.edition,
            )
            for (row, version), key in zip(shown, keys, strict=True)
        )
        return Listed(receipt=receipt.index, rows=rows, more=more)

    def _remember(self, index: int) -> None:
        self._open[index] = None
        while len(self._open) > MAX_RELEASES:
            self._open.popitem(last=False)

    def _hidden(self, asker: Asker, patient: PatientId) -> frozenset[str]:
        """Documents that the asker may not list: that somebody read is told, and not that they are there."""
        barred = {
            category.value
            for category in Category
            if isinstance(self._parts.decide(Case(Action.LIST, asker, Document(category, State.AVAILABLE))), Deny)
        }
        return frozenset(ident for ident, category in self._parts.catalog.categories(patient) if category in barred)

    def _access(self, read: Read, patient: PatientId, hidden: frozenset[str]) -> Access:
        catalog, veil = self._parts.catalog, self._parts.veil
        account = None if read.account is None or isinstance(read.account, Gap) else AccountId(read.account)
        kind = catalog.kind_of(account) if account else None
        name = veil.try_open(catalog.name_of("account", account), "account", account) if account else ""
        organisation = read.organisation or ""
        known = veil.try_open(catalog.name_of("organisation", organisation), "organisation", organisation)
        return Access(
            index=read.index,
            at=read.t,
            op=read.op.value,
            actor_name=name,
            actor_kind=kind or ("officer" if account is None or account.startswith(OFFICER) else "unknown"),
            organisation_name=known if organisation else "",
            own=account is not None and catalog.own_patient(account) == patient,
            documents=tuple(
                document for document, _ in read.documents if not isinstance(document, Gap) and document not in hidden
            ),
            basis=read.basis or "",
            reason=read.details if isinstance(read.details, str) else "",
            purpose=read.purpose or "",
            bytes=read.delivered if read.delivered is not None else read.bytes,
            complete=read.complete,
            one=read.op is Op.LISTED and read.action == event.READ,
        )


PURPOSES = {
    "break-glass": "BTG",
    "care": "TREAT",
    "delegate": "FAMRQT",
    "feed": "HOPERAT",
    "grant": "TREAT",
    "owner": "PATRQT",
    "unsafe": "",
}
"""PurposeOfUse (HL7 v3 ActReason) when the asker named none, by the basis of the permit."""


def case_of(
    action: Action, asked: Asked, account: AccountRow, subject: SubjectRow, row: DocumentRow, version: VersionRow | None
) -> Case:
    """One question about one version of one document."""
    created, document = version.created if version is not None else None, facts.document(row, version)
    wish = facts.Wish(asked.now, asked.purpose, document.category, created)
    return Case(action, facts.asker(asked.verified, account, subject, wish), document)


def _denial(decision: Permit | Deny) -> Deny:
    """The denial; a permit for a version that is not there cannot be, and is denied if it is."""
    return decision if isinstance(decision, Deny) else Deny(Reason.NOT_AVAILABLE)


def subject_of(subject: SubjectRow) -> Subject:
    """The patient, as key custody wants them."""
    return Subject(subject.patient, subject.wrapped, subject.key_version)
