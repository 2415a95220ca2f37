"""The door. One order, for everything that leaves.

The steps; docs/architecture.md has them as a table:

1. identify   the user's own token and the signed context
2. look up    the facts, in one statement; an unknown document is nobody's document
3. decide     Permit or Deny
4. charge     every budget at once, or none
5. append     durable before anything is opened
6. unwrap     against the receipt

Fails closed: whatever goes wrong in a step ends in `Refused`, and no later step runs. `Door` holds the parts and the
steps; `reading`, `writing` and `relating` are the requests, each written as these steps.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from strongroom.audit import event
from strongroom.audit.denials import DenialCollapser
from strongroom.audit.effect import Effect
from strongroom.audit.log import Log
from strongroom.audit.query import Query
from strongroom.audit.receipt import Receipt
from strongroom.authz.facts import Action, Case
from strongroom.authz.policy import Deny, Permit, Reason
from strongroom.budget.freeze import Bounds, Freeze, FreezeList, RouteClass, Target, Upon
from strongroom.budget.ledger import Charge, Ledger
from strongroom.budget.probes import Failures, Probes
from strongroom.budget.scope import Disclosure, Kind, Scopes
from strongroom.budget.spent import Alarm, Spent
from strongroom.clock import Clock, Millis
from strongroom.errors import Unavailable
from strongroom.identity.context import ContextVerifier
from strongroom.identity.issuers import Issuers
from strongroom.identity.network import Declared, network_of
from strongroom.identity.refusal import Refusal
from strongroom.identity.sessions import Revoked
from strongroom.identity.token import Verified, Verifier
from strongroom.ids import AccountId, DocumentId, OrganisationId, PatientId
from strongroom.keeper import effects, facts
from strongroom.keeper.pens import Pens
from strongroom.keeper.protocol import Asking, Refused
from strongroom.keeper.rows import AccountRow
from strongroom.keeper.sqlite import Catalog
from strongroom.keeper.veil import Veil
from strongroom.keys.custody import Custody
from strongroom.keys.ring import Roots

NETWORK_UNKNOWN = "unknown"
SIGNER = (
    "Compare the clocks of the app's machine and the keeper's; put its signer's context.key back, and start that again."
)
FREEZES = "freezes"
"""Name of the freeze list among the snapshots beside the log."""


class Asked(msgspec.Struct, frozen=True, gc=False):
    """A request whose sender is known: step 1 is done."""

    now: Millis
    verified: Verified
    login: bytes
    """Keyed hash of issuer and subject."""
    network: str
    purpose: str


@dataclass(frozen=True, slots=True)
class Settings:
    """What the configuration says. Times in milliseconds."""

    glass: int
    deletion_delay: int
    watch: Bounds


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything the door works with. Made in one place (`wiring`)."""

    clock: Clock
    contexts: ContextVerifier
    verifier: Verifier
    issuers: Issuers
    networks: Declared
    revoked: Revoked
    catalog: Catalog
    veil: Veil
    decide: Callable[[Case], Permit | Deny]
    policy: str
    """First 16 hex digits of the SHA-256 of the published policy."""
    ledger: Ledger
    probes: Probes
    failures: Failures
    freezes: FreezeList
    log: Log
    query: Callable[[], Query]
    """A question to the log as it is now: what it has resolved is kept for one question only."""
    custody: Custody
    roots: Roots
    pens: Pens
    settings: Settings


TELLABLE = {
    Reason.MFA: ("mfa", "Sign in with a second factor."),
    Reason.STEP_UP: ("step-up", "Show your second factor again, then repeat the request within five minutes."),
    Reason.REASON: ("reason", "Break-glass needs a reason."),
    Reason.SECOND_PERSON: ("second-person", "A privacy officer must agree first."),
}
"""Reasons that tell nothing about a document that the asker might not see. All others are `absent`."""

ROUTES = {
    Action.LIST: RouteClass.SEARCH,
    Action.RELEASE: RouteClass.READ,
    Action.HISTORY: RouteClass.READ,
}
"""Route class of each action, for freezes; what is not here writes."""


class Door:
    """The steps. One per keeper process, on one event loop; nothing in it waits but for the log and an HSM."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.denials = DenialCollapser()
        self._tempted: set[AccountId] = set()
        """Accounts that touched a decoy since the start: a step-up in between makes the second touch no first one."""

    # 1

    def identify(self, asking: Asking) -> Asked | Refused:
        """Who asks, by their own token. Failures before sign-in are counted, not appended. Raises Unavailable when whoever
        signs contexts is not well: that is not the asker's doing.
        """
        parts = self.parts
        now = parts.clock.now()
        context = parts.contexts.verify(asking.context, now)
        if isinstance(context, Refusal):
            parts.failures.see(NETWORK_UNKNOWN, now)
            if context.why == "unavailable":
                raise Unavailable(context.because, advice=SIGNER)
            return Refused(why=context.why)
        network = network_of(context.address, parts.networks)
        verified = parts.verifier.verify(asking.token, asking.proof, context, now)
        if isinstance(verified, Refusal):
            parts.failures.see(network, now)
            return Refused(why=verified.why)
        login = parts.veil.login(verified.issuer, verified.subject)
        return Asked(now, verified, login, network, asking.purpose)

    @staticmethod
    def scopes(asked: Asked, account: AccountRow, organisation: OrganisationId | None) -> Scopes:
        """What this request's disclosures are charged to."""
        return Scopes(
            session=asked.verified.session,
            account=facts.account_id(asked.login, account),
            client=asked.verified.client,
            organisation=organisation,
            network=asked.network,
        )

    def attempt(
        self,
        asked: Asked,
        scopes: Scopes,
        action: Action,
        *,
        patient: PatientId | None = None,
        document: str | None = None,
    ) -> event.Attempt:
        """What is wanted, for the log."""
        return event.Attempt(
            at=asked.now,
            scopes=scopes,
            action=action,
            patient=patient,
            document=None if document is None else DocumentId(document),
            purpose=asked.purpose or None,
            policy=self.parts.policy,
        )

    # 3

    def stopped(self, scopes: Scopes, kind: Kind, action: Action, now: Millis) -> Refused | None:
        """Whether a freeze stands against this. Asked with what the decision was, so that a freeze tells nothing more."""
        frozen = self.parts.freezes.check(scopes, kind, ROUTES.get(action, RouteClass.WRITE), now)
        if frozen is None:
            return None
        return Refused(why="step-up" if frozen.by_step_up else "frozen", advice=frozen.sentence)

    async def deny(self, attempt: event.Attempt, denial: Deny, named: str) -> Refused:
        """Log a denial, charge the probe budget with what was `named`, and answer so that nothing is learned from it."""
        scopes = attempt.scopes
        if self.denials.see(scopes.account, attempt.at):
            receipt = await self.parts.log.append(event.denied(attempt, denial.reason.value))
            self.denials.written(scopes.account, receipt.index)
        if denial.reason not in TELLABLE and self.parts.probes.see(scopes.account, named, attempt.at):
            await self.freeze(Freeze(Target(Upon.SESSION, scopes.session), "probing", attempt.at))
        return self._told(attempt, denial)

    async def decoy(self, attempt: event.Attempt, decision: Permit | Deny) -> Refused:
        """A decoy was touched: nobody was ever shown it. First touch: step up. Second: the session is frozen.

        Answered as anybody else's document is, and in one commit as well: which ones are decoys is not to be learned.
        """
        answer, who = self._told(attempt, decision), attempt.scopes.account
        account, session = Target(Upon.ACCOUNT, who), Target(Upon.SESSION, attempt.scopes.session)
        held = {freeze.target for freeze in self.parts.freezes.all(attempt.at) if freeze.why == "decoy"}
        again = account in held or who in self._tempted
        self._tempted.add(who)
        await asyncio.gather(
            self.parts.log.append(event.decoy(attempt)),
            self.freeze(Freeze(session if again else account, "decoy", attempt.at)),
        )
        return answer

    def _told(self, attempt: event.Attempt, decision: Permit | Deny) -> Refused:
        """What the asker learns of a denial."""
        told = TELLABLE.get(decision.reason) if isinstance(decision, Deny) else None
        if told is not None:
            return Refused(why=told[0], advice=told[1])
        # As OWN: freezes of strangers must not show that this was a stranger's document and not a missing one.
        return self.stopped(attempt.scopes, Kind.OWN, attempt.action, attempt.at) or Refused(why="absent")

    # 4 and 5

    async def disclose(
        self,
        permit: Permit,
        disclosure: Disclosure,
        draft: Callable[[Charge], event.Draft],
        effects_: Sequence[Effect] = (),
        declared: int | None = None,
    ) -> Receipt | Refused:
        """Charge, then append. The charge is undone if the entry turns out not to be in the log."""
        parts = self.parts
        charge = parts.ledger.charge(permit, disclosure, declared=declared)
        if isinstance(charge, Spent):
            return await self._spent(permit, disclosure, charge)
        receipt = await parts.log.append(draft(charge), effects_, on_failure=lambda: parts.ledger.undo([charge]))
        for alarm in charge.alarms:
            await self._alarm(disclosure.at, alarm)
        return receipt

    async def _spent(self, permit: Permit, disclosure: Disclosure, spent: Spent) -> Refused:
        attempt = event.Attempt(
            at=disclosure.at,
            scopes=disclosure.scopes,
            action=permit.action,
            patient=disclosure.patient,
            document=disclosure.document,
            policy=self.parts.policy,
        )
        if self.denials.see(disclosure.scopes.account, disclosure.at):
            await self.parts.log.append(event.refused(attempt, spent.rule.name, disclosure.kind))
        if spent.freeze is not None:
            await self.freeze(Freeze(spent.freeze, spent.rule.name, disclosure.at))
        return Refused(why="spent", advice=spent.sentence, retry=spent.retry)

    async def _alarm(self, at: Millis, alarm: Alarm) -> None:
        target = event.Target(alarm.rule.scope.value, alarm.name or "module")
        await self.parts.log.append(event.alarm(at, alarm.rule.name, target=target))

    # freezes

    async def freeze(self, freeze: Freeze) -> Receipt:
        """It holds from now on, and after a restart. Held before it is written: a failing log must not unfreeze."""
        self.parts.freezes.freeze(freeze)
        target = event.Target(freeze.target.upon.value, freeze.target.name)
        return await self.parts.log.append(
            event.frozen(freeze.at, target, freeze.why, until=freeze.until, details=freeze.by), [self.freezes()]
        )

    def freezes(self) -> Effect:
        """The freeze list as it is now, kept beside the log."""
        return effects.keep_state(FREEZES, self.parts.freezes.snapshot())
