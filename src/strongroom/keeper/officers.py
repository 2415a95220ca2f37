"""Officers' acts: verified, checked against the table of who may do what, logged, done.

Every act has a function of its own below `_ACTS`, taking the arguments as they were signed. An act is logged before it is
done where it changes something, and refused acts are logged too.
"""

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import msgspec

from strongroom.audit import event
from strongroom.audit.query import FOREVER as ALWAYS
from strongroom.audit.query import Selectors, Window
from strongroom.budget.freeze import Freeze
from strongroom.clock import DAY, Millis
from strongroom.errors import Conflict, Malformed, StrongroomError, UsageError, where
from strongroom.identity.officers import Officers, Signed
from strongroom.identity.refusal import Refusal
from strongroom.ids import AccountId, DocumentId, OrganisationId, PatientId, SessionId, new_id
from strongroom.keeper import destroying, disclosures, effects, logkey, rotating
from strongroom.keeper.acts import (
    MAX_ANSWER,
    OFFICER,
    RULES,
    Act,
    ActDone,
    ActRefused,
    ActReply,
    Health,
    Move,
    OfficersReply,
    OfficersRequest,
    Take,
    Which,
)
from strongroom.keeper.arguments import Arguments, Outcome, by, number, optional, signers, target, text
from strongroom.keeper.door import Door
from strongroom.keeper.officers_people import PeopleActs, check_patient
from strongroom.keeper.reencrypting import Reencrypting, Wanted
from strongroom.keeper.registering import Registering
from strongroom.keeper.schema import NOBODY
from strongroom.keeper.watching import watch_freeze
from strongroom.keys.custody import Subject

log = logging.getLogger("strongroom.keeper")

MAX_DECOYS = 10_000
ROTATIONS = 5
"""Times that the rotation of a patient's key begins anew when a document is written meanwhile."""
MAX_OVERLAP = 90
"""Days for which an old key of the log signs beside the new one."""
_FRAME = 1_024
"""Bytes of a reply around its result."""

SELECTORS: dict[str, Callable[[str], Any]] = {
    "account": AccountId,
    "client": str,
    "document": DocumentId,
    "organisation": OrganisationId,
    "patient": PatientId,
    "session": SessionId,
}
"""What lists of disclosures are narrowed by."""

Advance = Callable[[int], None]


class Acts:
    """All acts of one store's officers."""

    def __init__(self, door: Door, officers: Officers, advance: Advance | None = None) -> None:
        """`advance` moves a simulated clock; given only in stores that a rehearsal made."""
        self._door = door
        self._parts = door.parts
        self._officers = officers
        self._advance = advance
        self._reencrypting = Reencrypting(self._parts)
        people = PeopleActs(self._parts)
        registering = Registering(self._parts, officers)
        self._acts: dict[str, Callable[[Signed, bytes], Awaitable[Outcome]]] = {
            "agree": self._agree,
            "clock-advance": self._clock_advance,
            "decoys": self._decoys,
            "destroy": self._destroy,
            "destroy-cancel": self._destroy_cancel,
            "destroy-ls": self._destroy_ls,
            "drop-key": self._drop_key,
            "freeze": self._freeze,
            "frozen": self._frozen,
            "grant": self._grant,
            "grant-past": self._grant,
            "officer-add": registering.add,
            "officer-dismiss": registering.dismiss,
            "officer-ls": registering.listing,
            "people-import": people.people_import,
            "people-status": people.people_status,
            "reencrypt": self._reencrypt,
            "reencrypt-plan": self._reencrypt_plan,
            "register-feed": people.register_feed,
            "relation-add": people.relation_add,
            "relation-end": people.relation_end,
            "relation-ls": people.relation_ls,
            "rerun": self._rerun,
            "revoke-session": self._revoke_session,
            "rotate-log": self._rotate_log,
            "rotate-patient": self._rotate_patient,
            "rotate-root": self._rotate_root,
            "rotate-status": self._rotate_status,
            "undelete": self._undelete,
            "unfreeze": self._unfreeze,
            "watch-freeze": partial(watch_freeze, door),
            "who-read": self._who_read,
        }

    async def handle(self, request: OfficersRequest, uid: int) -> OfficersReply:
        """The answer to one request of an operator's user id. Never raises."""
        try:
            if isinstance(request, Health):
                return ActDone(receipt=None, result=_raw({"log_size": self._parts.log.size}))
            if isinstance(request, Take | Move | Which):
                return await self._reencrypting.answer(request)
            return await self._act(request, uid)
        except StrongroomError as error:
            return ActRefused(why=error.message, advice=error.advice)
        except Exception as error:  # noqa: BLE001  # an officer waits; the type and place are told in the keeper's own log
            log.error("an officer's act failed: %s", where(error))
            return ActRefused(why="The act failed inside the keeper.", advice="Look at the keeper's messages.")

    async def _act(self, act: Act, uid: int) -> ActReply:
        now = self._parts.clock.now()
        signed = self._officers.verify(act.body, [(one.officer, one.value) for one in act.signatures], now)
        if isinstance(signed, Refusal):
            await self._log(now, AccountId(f"uid:{uid}"), "refused", signed.because)
            return ActRefused(why=signed.because, advice="Sign again with a registered officer's key.")
        by = AccountId(OFFICER + signed.by[0].name)
        rule = RULES.get(signed.op)
        if rule is None or signed.op not in self._acts:
            return ActRefused(why=f"There is no act {signed.op}.")
        if not signed.has(rule.roles, rule.signatures):
            await self._log(now, by, f"refused {signed.op}", signers(signed))
            roles = " or ".join(sorted(role.value for role in rule.roles))
            return ActRefused(
                why=f"{signed.op} needs {rule.signatures} officer(s) with the role {roles}.",
                advice="Name their key files with --officer, once for each.",
            )
        _matching(act, signed.args)
        receipt, result = await self._acts[signed.op](signed, act.attachment)
        if receipt is None:
            receipt = await self._log(now, by, signed.op, signers(signed))
        return ActDone(receipt=receipt, result=_bounded(_raw(result)))

    async def _log(self, now: Millis, by: AccountId, act: str, details: str) -> int:
        return (await self._parts.log.append(event.officer(now, by, act, details=details))).index

    # ---- freezes and sessions ---------------------------------------------------------------------------------------

    async def _freeze(self, signed: Signed, _attachment: bytes) -> Outcome:
        whom, reason = target(signed.args), text(signed.args, "reason")
        freeze = Freeze(whom, reason, self._parts.clock.now(), by=signed.by[0].name)
        self._parts.freezes.freeze(freeze)
        draft = event.frozen(
            freeze.at, event.Target(whom.upon.value, whom.name), "officer", by=by(signed), details=reason
        )
        return (await self._parts.log.append(draft, [self._door.freezes()])).index, {}

    async def _unfreeze(self, signed: Signed, _attachment: bytes) -> Outcome:
        whom, reason = target(signed.args), text(signed.args, "reason")
        now = self._parts.clock.now()
        lifted = self._parts.freezes.unfreeze(whom, now)
        if not lifted:
            raise UsageError("Nothing is frozen there.", advice="`strongroom freeze --list` shows what is.")

        def again() -> None:
            for freeze in lifted:
                self._parts.freezes.freeze(freeze)

        draft = event.unfrozen(
            now,
            event.Target(whom.upon.value, whom.name),
            "officer",
            by=by(signed),
            details=reason,
        )
        return (await self._parts.log.append(draft, [self._door.freezes()], on_failure=again)).index, {}

    async def _frozen(self, _signed: Signed, _attachment: bytes) -> Outcome:
        rows = [
            {"scope": one.target.upon.value, "name": one.target.name, "why": one.why, "at": one.at, "by": one.by}
            for one in self._parts.freezes.all(self._parts.clock.now())
        ]
        return None, {"frozen": rows}

    async def _revoke_session(self, signed: Signed, _attachment: bytes) -> Outcome:
        session, now = SessionId(text(signed.args, "session")), self._parts.clock.now()
        draft = event.officer(now, by(signed), "revoke-session", target=event.Target("session", session))
        receipt = await self._parts.log.append(draft, [effects.revoke_session(session, now)])
        self._parts.revoked.revoke(session, now)
        return receipt.index, {}

    async def _drop_key(self, signed: Signed, _attachment: bytes) -> Outcome:
        """An issuer's key was stolen. It holds no more from now on: at once, and then written, as a freeze is."""
        url, kid, reason = (text(signed.args, name) for name in ("issuer", "kid", "reason"))
        issuer, now = self._parts.issuers.get(url), self._parts.clock.now()
        thumbprint = None if issuer is None else issuer.drop(kid)
        if thumbprint is None:
            raise UsageError(
                "No pinned issuer of this address has such a key now.",
                advice="The address is the token's `iss`, the key's id the `kid` of its header.",
            )
        target = event.Target("key", thumbprint)
        draft = event.key(now, "drop-key", target, by=by(signed), details=f"{url}: {reason}")
        receipt = await self._parts.log.append(draft, [effects.drop_key(url, thumbprint, now)])
        return receipt.index, {"thumbprint": thumbprint}

    async def _undelete(self, signed: Signed, _attachment: bytes) -> Outcome:
        document, reason = DocumentId(text(signed.args, "document")), text(signed.args, "reason")
        patient = self._parts.catalog.patient_of(document) or NOBODY
        draft = event.undeleted(self._parts.clock.now(), patient, document, by=by(signed), details=reason)
        try:
            receipt = await self._parts.log.append(draft, [effects.undelete_document(document)])
        except Conflict as error:
            raise UsageError(
                "That is no deleted document, or its delay is over and it was erased.",
                advice="`strongroom who-read` and the log say when it was deleted.",
            ) from error
        return receipt.index, {}

    # ---- keys of patients -------------------------------------------------------------------------------------------

    async def _destroy(self, signed: Signed, _attachment: bytes) -> Outcome:
        patient, reason = PatientId(text(signed.args, "patient")), text(signed.args, "reason")
        now = self._parts.clock.now()
        if destroying.asked_within_a_day(self._parts, now) >= destroying.A_DAY:
            raise UsageError(
                f"No more than {destroying.A_DAY} patients' keys can be asked to be destroyed within 24 hours.",
                advice="Ask for the others tomorrow.",
            )
        due = now + destroying.DELAY
        draft = event.key(
            now, "destruction asked", event.Target("patient", patient), by=by(signed),
            details=f"{reason}\n{signers(signed)}",
        )  # fmt: skip
        try:
            receipt = await self._parts.log.append(draft, [effects.ask_destruction(patient, now, due)])
        except Conflict as error:
            raise UsageError("There is no such patient, or the key is destroyed, or that was asked before.") from error
        return receipt.index, {"due": due}

    async def _destroy_cancel(self, signed: Signed, _attachment: bytes) -> Outcome:
        patient, reason, now = PatientId(text(signed.args, "patient")), text(signed.args, "reason"), self._now()
        draft = event.key(now, "destruction cancelled", event.Target("patient", patient), by=by(signed), details=reason)
        try:
            receipt = await self._parts.log.append(draft, [effects.cancel_destruction(patient, now)])
        except Conflict as error:
            raise UsageError("No destruction of this patient's key is waiting.") from error
        return receipt.index, {}

    async def _destroy_ls(self, _signed: Signed, _attachment: bytes) -> Outcome:
        rows = [
            {"patient": one.patient, "asked": one.asked, "due": one.due, "cancelled": one.cancelled, "done": one.done}
            for one in self._parts.catalog.destructions(0)
        ]
        return None, {"destructions": rows}

    async def _rotate_patient(self, signed: Signed, _attachment: bytes) -> Outcome:
        patient, catalog = PatientId(text(signed.args, "patient")), self._parts.catalog
        for _ in range(ROTATIONS):
            key = catalog.key_of(patient)
            if key is None or patient == NOBODY:
                raise UsageError("There is no such patient, or the key is destroyed.")
            rows = catalog.versions_of(patient)
            subject = Subject(patient, *key)
            new, moved = await self._parts.custody.rotate(subject, rows)
            changes = effects.rotate_patient(
                patient, subject.key_version, (new.wrapped, new.recovery),
                [(*row[:3], keys) for row, keys in zip(rows, moved, strict=True)],
            )  # fmt: skip
            draft = event.key(self._now(), "rotated", event.Target("patient", patient), by=by(signed))
            try:
                receipt = await self._parts.log.append(draft, changes)
            except Conflict:  # a version was opened meanwhile; the next look has it
                continue
            self._parts.custody.forget(patient)
            return receipt.index, {"versions": len(rows), "key_version": subject.key_version + 1}
        raise UsageError("The patient's documents are being written to just now.", advice="Try again in a moment.")

    async def _rotate_root(self, signed: Signed, _attachment: bytes) -> Outcome:
        return await rotating.begin(self._parts, by(signed), signers(signed)), {}

    async def _rotate_log(self, signed: Signed, _attachment: bytes) -> Outcome:
        overlap = number(signed.args, "overlap_days", 0)
        if overlap > MAX_OVERLAP:
            raise UsageError(f"Two keys sign beside each other for {MAX_OVERLAP} days at most.")
        index, vkey = await logkey.begin(self._parts, by(signed), signers(signed), overlap * DAY)
        return index, {"vkey": vkey, "until": logkey.standing(self._parts).until}

    async def _rotate_status(self, _signed: Signed, _attachment: bytes) -> Outcome:
        found, pens = await rotating.progress(self._parts), logkey.standing(self._parts)
        return None, {
            "turning": found.turning, "done": found.done, "patients": found.patients,
            "log": {"keys": pens.keys, "until": pens.until},
        }  # fmt: skip

    async def _reencrypt_plan(self, signed: Signed, _attachment: bytes) -> Outcome:
        return None, (await self._reencrypting.plan(self._wanted(signed.args))).told()

    async def _reencrypt(self, signed: Signed, _attachment: bytes) -> Outcome:
        wanted, most = self._wanted(signed.args), number(signed.args, "most", 0)
        details = f"{text(signed.args, 'reason')}\n{signers(signed)}"
        receipt, plan, ticket = await self._reencrypting.begin(wanted, most, by(signed), details)
        return receipt, {**plan.told(), "ticket": ticket}

    def _wanted(self, args: Arguments) -> Wanted:
        whom = self._selectors(args) if any(args.get(name) for name in SELECTORS) else None
        window = Window(self._parts.log.size, number(args, "since", 0), number(args, "until", ALWAYS))
        return Wanted(whom, window, listed=args.get("listed") is True)

    def _now(self) -> Millis:
        return self._parts.clock.now()

    # ---- agreements and service accounts -----------------------------------------------------------------------------

    async def _agree(self, signed: Signed, _attachment: bytes) -> Outcome:
        """A second person agrees that a clinician may break glass once more, for one patient, within an hour."""
        return await self._agreement(signed, "clinician", DAY // 24)

    async def _rerun(self, signed: Signed, _attachment: bytes) -> Outcome:
        """Two people agree that a service may read the past of one patient again, within a day."""
        return await self._agreement(signed, "service", DAY)

    async def _agreement(self, signed: Signed, kind: str, length: int) -> Outcome:
        account, subject = AccountId(text(signed.args, "account")), PatientId(text(signed.args, "patient"))
        now = self._parts.clock.now()
        check_patient(self._parts.catalog, subject)
        # Both acts leave the same row: were it open to any login, the one signature of the one would do for the other.
        if self._parts.catalog.kind_of(account) != kind:
            raise UsageError(f"That is no {kind}'s login.", advice="`agree` is for clinicians, `rerun` for programs.")
        draft = event.officer(
            now, by(signed), signed.op, target=event.Target("account", account), details=signers(signed)
        )
        receipt = await self._parts.log.append(draft, [effects.agree(account, subject, now + length)])
        return receipt.index, {"until": now + length}

    async def _grant(self, signed: Signed, _attachment: bytes) -> Outcome:
        """What a program may read. Makes its login if there is none. `grant-past`: also what was written before."""
        args, now, veil = signed.args, self._parts.clock.now(), self._parts.veil
        issuer, subject = text(args, "issuer"), text(args, "subject")
        digest = veil.login(issuer, subject)
        found = self._parts.catalog.account(digest)
        if found.kind not in {None, "service"}:
            raise UsageError("This login is a person's, not a program's.", advice="A program has a login of its own.")
        account = found.id or AccountId(new_id())
        name = veil.seal(text(args, "name"), "account", account)
        organisation, purpose = OrganisationId(text(args, "organisation")), text(args, "purpose")
        cursor, size = number(args, "cursor", now), number(args, "size", 5_000)
        if signed.op == "grant" and cursor < now - DAY:
            raise UsageError(
                "A grant that begins in the past takes two privacy officers.", advice="That act is `grant-past`."
            )
        until = number(args, "until", now + 365 * DAY)
        changes = [
            effects.update_account(account, None, name)
            if found.id
            else effects.insert_account(account, digest, "service", None, name, None),
            effects.grant(account, organisation, purpose, cursor, size, until),
        ]
        draft = event.granted(now, account, organisation, purpose, until)
        return (await self._parts.log.append(draft, changes)).index, {"account": account}

    # ---- questions --------------------------------------------------------------------------------------------------

    async def _who_read(self, signed: Signed, _attachment: bytes) -> Outcome:
        args = signed.args
        size = min(number(args, "size", self._parts.log.size), self._parts.log.size)
        selectors = self._selectors(args)
        window = Window(size, number(args, "since", 0), number(args, "until", ALWAYS), number(args, "first", 0))
        found = await asyncio.to_thread(disclosures.piece, self._parts, selectors, window)
        return None, msgspec.structs.asdict(found)

    def _selectors(self, args: Arguments) -> Selectors:
        """Whose or which reading is meant. Raises UsageError, also for a patient or document that is not there."""
        selectors = Selectors(**{name: optional(args, name, kind) for name, kind in SELECTORS.items()})
        if selectors.patient and not self._parts.catalog.rows(
            "select 1 from patient where id = ?", (selectors.patient,)
        ):
            raise UsageError(
                "There is no such patient.", advice="An empty list about nobody would look like an answer."
            )
        if selectors.document and self._parts.catalog.patient_of(selectors.document) is None:
            raise UsageError("There is no such document.", advice="Use the id that the store printed.")
        return selectors

    # ---- decoys and rehearsals --------------------------------------------------------------------------------------

    async def _decoys(self, signed: Signed, _attachment: bytes) -> Outcome:
        """Make documents that nobody is ever shown, of a patient that is nobody. They hold nothing."""
        count = number(signed.args, "count", 10)
        if not 1 <= count <= MAX_DECOYS:
            raise UsageError(f"Between 1 and {MAX_DECOYS} decoys at once.")
        made = [DocumentId(new_id()) for _ in range(count)]
        changes = [effects.insert_document(one, NOBODY, "normal", decoy=True) for one in made]
        draft = event.officer(self._parts.clock.now(), by(signed), "decoys", count=count)
        return (await self._parts.log.append(draft, changes)).index, {"decoys": made}

    async def _clock_advance(self, signed: Signed, _attachment: bytes) -> Outcome:
        if self._advance is None:
            raise UsageError("Only stores that a rehearsal made have a clock that can be moved.")
        self._advance(number(signed.args, "by", 0))
        return None, {"now": self._parts.clock.now()}


def _raw(result: dict[str, Any]) -> bytes:
    return msgspec.json.encode(result)


def _bounded(result: bytes) -> bytes:
    if len(result) > MAX_ANSWER - _FRAME:
        raise UsageError("The answer is too long for one reply.", advice="Ask for it in pieces: --since, --until.")
    return result


def _matching(act: Act, args: Arguments) -> None:
    """The attachment is the one that was signed for. Raises Malformed."""
    expected = args.get("attachment", "")
    found = hashlib.sha256(act.attachment).hexdigest() if act.attachment else ""
    if expected != found:
        msg = "The attachment is not the one that was signed."
        raise Malformed(msg)
