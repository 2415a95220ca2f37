"""Requests that change who may read: withhold, share, delegate, break-glass; and stepping up; logging out."""

import asyncio
from collections.abc import Callable

from strongroom.audit import event
from strongroom.audit.effect import Effect
from strongroom.authz import relations
from strongroom.authz.facts import Action, Case
from strongroom.authz.policy import Deny, Obligation, Reason
from strongroom.budget.scope import Disclosure, Kind
from strongroom.clock import DAY, SECOND, YEAR, Millis
from strongroom.ids import AccountId, PatientId
from strongroom.keeper import effects, facts
from strongroom.keeper.door import Asked, Door
from strongroom.keeper.protocol import (
    BreakGlass,
    Delegate,
    Done,
    Glass,
    Logout,
    Refused,
    Reply,
    Share,
    StepUp,
    Withhold,
)
from strongroom.keeper.schema import NOBODY
from strongroom.keeper.writing import CATEGORIES, MALFORMED
from strongroom.tlog.entry import Op

MAX_PERIOD = 5 * YEAR
"""No share or delegation lasts longer without being given again."""
Changes = Callable[[Millis], list[Effect]]
AGAIN = Refused(why="step-up", advice="Show your second factor again, then repeat this within five minutes.")
NO_PARTY = Refused(
    why="malformed",
    advice="There is nobody of this name to give it to: a clinician or organisation, or a person's login.",
)
NEVER = Refused(why="malformed", advice="`until` lies in the future, at most five years ahead; 0 ends it.")


class Relating:
    """The requests that change relations."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._parts = door.parts
        self._opening = asyncio.Lock()

    async def withhold(self, request: Withhold) -> Reply:
        """The patient withholds the record, or a category of it, from a party or everybody."""
        if request.category and request.category not in CATEGORIES:
            return MALFORMED
        patient = PatientId(request.patient)

        def changes(now: Millis) -> list[Effect]:
            if request.lift:
                return [effects.lift_withholding(patient, request.party, request.category)]
            return [effects.withhold(patient, request.party, request.category, now, ruled_out=request.rule_out_glass)]

        words = f"{'lift ' if request.lift else ''}{request.party or 'everybody'} {request.category or 'record'}"
        there = request.lift or not request.party or self._parts.catalog.is_party(request.party)
        return await self._grant(Action.WITHHOLD, Op.WITHHELD, request, changes, words, None, there=there)

    async def share(self, request: Share) -> Reply:
        """The patient shares the record with a clinician or an organisation, or ends that."""
        patient = PatientId(request.patient)

        def changes(now: Millis) -> list[Effect]:
            if request.until == 0:
                return [effects.end_share(patient, request.party, now)]
            return [effects.share(patient, request.party, now, request.until)]

        there = request.until == 0 or self._parts.catalog.is_party(request.party)
        return await self._grant(Action.SHARE, Op.SHARED, request, changes, request.party, request.until, there=there)

    async def delegate(self, request: Delegate) -> Reply:
        """The patient lets another login act for them, or ends that."""
        patient, account = PatientId(request.patient), AccountId(request.account)

        def changes(now: Millis) -> list[Effect]:
            if request.until == 0:
                return [effects.end_delegation(account, patient, now)]
            level = "full" if request.full else "read"
            return [effects.delegate(account, patient, level, "grant", now, request.until)]

        there = request.until == 0 or self._parts.catalog.kind_of(account) == "person"
        return await self._grant(
            Action.DELEGATE, Op.DELEGATED, request, changes, request.account, request.until, there=there
        )

    async def break_glass(self, request: BreakGlass) -> Reply:
        """Open one patient's record for a while. The patient is told at once, without content."""
        asked = self._door.identify(request.asking)
        if isinstance(asked, Refused):
            return asked
        async with self._opening:  # one after the other: of many at once each would be within the quota
            return await self._open_glass(asked, request)

    async def _open_glass(self, asked: Asked, request: BreakGlass) -> Reply:
        door, parts = self._door, self._parts
        account, subject = parts.catalog.of_patient(asked.login, request.patient, asked.now)
        organisation = facts.organisation(account, subject)
        scopes = door.scopes(asked, account, organisation)
        mine, theirs = parts.catalog.openings(scopes.account, organisation, asked.now - DAY)
        quota = relations.quota(mine, theirs, works=organisation is not None, agreed=subject.agreed)
        wish = facts.Wish(asked.now, "BTG", reason=bool(request.reason.strip()), quota=quota)
        decision = parts.decide(Case(Action.BREAK_GLASS, facts.asker(asked.verified, account, subject, wish), None))
        attempt = door.attempt(asked, scopes, Action.BREAK_GLASS)
        if isinstance(decision, Deny):
            return await door.deny(attempt, decision, f"glass {request.patient}")
        if subject.patient == NOBODY:
            # A missing patient is no secret to somebody who may open any record; the answer is the same as ever.
            return await door.deny(attempt, Deny(Reason.NO_RELATION), f"glass {request.patient}")
        if stopped := door.stopped(scopes, facts.kind(account, subject, asked.now), Action.BREAK_GLASS, asked.now):
            return stopped
        until = asked.now + parts.settings.glass
        agreed = quota.value == "agreed"
        changes = [
            effects.open_glass(scopes.account, subject.patient, organisation, asked.now, until, agreed=agreed),
        ]
        if Obligation.TELL_PATIENT in decision.obligations:
            changes.append(effects.notice(subject.patient, asked.now, "break-glass"))
        full = door.attempt(asked, scopes, Action.BREAK_GLASS, patient=subject.patient)
        kind = Kind.GLASS if account.kind == "clinician" else facts.kind(account, subject, asked.now)
        draft = event.done(Op.GLASS, full, decision.basis.value, kind=kind, until=until, details=request.reason.strip())
        what = Disclosure(asked.now, kind, scopes, subject.patient, None, 0, 0)
        receipt = await door.disclose(decision, what, lambda _: draft, changes)
        return receipt if isinstance(receipt, Refused) else Glass(receipt=receipt.index, until=until)

    async def step_up(self, request: StepUp) -> Reply:
        """A second factor shown after the budgets froze the account lifts that freeze, and nothing else."""
        door, parts = self._door, self._parts
        asked = door.identify(request.asking)
        if isinstance(asked, Refused):
            return asked
        if not asked.verified.fresh:
            return AGAIN
        account = parts.catalog.account(asked.login)
        scopes = door.scopes(asked, account, None)
        frozen, shown = parts.freezes.of_account(scopes.account), asked.verified.auth_time or 0
        # Shown before the freeze it says nothing of who is there now. To the second: tokens tell no more.
        if frozen is not None and shown + SECOND <= frozen.at:
            return AGAIN
        lifted = parts.freezes.step_up(scopes.account, asked.now)
        if lifted is None:
            return Done()
        draft = event.Draft(
            t=asked.now, op=Op.STEPPED_UP, actor=scopes.account, session=scopes.session, client=scopes.client,
            network=scopes.network, reason=lifted.why,
        )  # fmt: skip
        receipt = await parts.log.append(draft, [door.freezes()], on_failure=lambda: parts.freezes.freeze(lifted))
        return Done(receipt=receipt.index)

    async def logout(self, request: Logout) -> Reply:
        """The user's own session is over, the tokens included that would live on for minutes."""
        door, parts = self._door, self._parts
        asked = door.identify(request.asking)
        if isinstance(asked, Refused):
            return asked
        scopes = door.scopes(asked, parts.catalog.account(asked.login), None)
        draft = event.Draft(
            t=asked.now, op=Op.LOGGED_OUT, actor=scopes.account, session=scopes.session, client=scopes.client,
            network=scopes.network,
        )  # fmt: skip
        receipt = await parts.log.append(draft, [effects.revoke_session(scopes.session, asked.now)])
        parts.revoked.revoke(scopes.session, asked.now)
        return Done(receipt=receipt.index)

    async def _grant(  # what differs between the three kinds of grant
        self,
        action: Action,
        op: Op,
        request: Withhold | Share | Delegate,
        changes: Changes,
        party: str,
        until: int | None,
        *,
        there: bool,
    ) -> Reply:
        door, parts = self._door, self._parts
        asked = door.identify(request.asking)
        if isinstance(asked, Refused):
            return asked
        account, subject = parts.catalog.of_patient(asked.login, request.patient, asked.now)
        scopes = door.scopes(asked, account, facts.organisation(account, subject))
        wish = facts.Wish(asked.now, asked.purpose)
        decision = parts.decide(Case(action, facts.asker(asked.verified, account, subject, wish), None))
        if isinstance(decision, Deny):
            return await door.deny(door.attempt(asked, scopes, action), decision, f"{action.value} {request.patient}")
        if until is not None and until != 0 and not asked.now < until <= asked.now + MAX_PERIOD:
            return NEVER
        if not there:  # told to the owner alone: ids of logins are too many to be guessed
            return NO_PARTY
        kind = facts.kind(account, subject, asked.now)
        if stopped := door.stopped(scopes, kind, action, asked.now):
            return stopped
        full = door.attempt(asked, scopes, action, patient=subject.patient)
        draft = event.done(op, full, decision.basis.value, kind=kind, until=until or None, details=party)
        # Widening access is charged like reading: were it free, a broken policy would let a thief appoint themselves.
        what = Disclosure(asked.now, kind, scopes, subject.patient, None, 0, 0)
        receipt = await door.disclose(decision, what, lambda _: draft, changes(asked.now))
        return receipt if isinstance(receipt, Refused) else Done(receipt=receipt.index)
