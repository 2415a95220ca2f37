"""The reference model: what each operation may answer, and what it changes, one waiting point at a time.

An operation begins (all that the door does before it first waits), and goes on once for each thing that it waits for. The
model is told what was answered and says whether that is permitted here: a `Contradiction` says it is not. Where more than
one way leads to an answer (a log that fails before or after one of two entries), `choices` says how many there are.
"""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bench.model.counts import Breach, Charged, breaches, entered, without
from bench.model.policy import Asker, Policy
from bench.model.state import ABSENT, NOBODY, FreezeKey, Memo, Paper, State, Town
from strongroom.audit.denials import SINGLE
from strongroom.budget.probes import LIMIT
from strongroom.budget.rules import Consequence, Rules, Scope
from strongroom.budget.scope import Kind
from strongroom.clock import DAY, HOUR, SECOND
from strongroom.keeper.writing import TICKET_LIFE

if TYPE_CHECKING:
    from collections.abc import Callable

SEARCH, READ, WRITE = "search", "read", "write"
UNAVAILABLE = "unavailable"


class Contradiction(Exception):
    """The model does not permit this answer at this place."""


@dataclass(frozen=True, slots=True)
class Op:
    """One operation of one actor."""

    number: int
    kind: str
    who: str = ""
    session: str = ""
    """As the keeper names it."""
    mfa: bool = True
    fresh: bool = True
    shown: int = 0
    """When the second factor was shown."""
    patient: str = ""
    document: str = ""
    version: int | None = None
    start: int = 0
    length: int | None = None
    party: str = ""
    category: str = ""
    until: int = 0
    flag: bool = False
    """Lift (withhold), full (delegate), reason (glass), minute (tick)."""
    ticket: str = ""
    name: str = ""
    by: int = 0
    """Milliseconds that pass."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was answered. `why`: ok, or the reason that was told."""

    why: str
    shown: tuple[tuple[str, int], ...] = ()
    """(document, version) of every key that was given."""
    more: bool = False
    advice: str = ""
    retry: int | None = None
    until: int = 0
    ticket: str = ""
    receipt: int | None = None
    durable: bool = False
    """Whether its entry is in the log: as the receipt says, or, where none was given, as was found there."""


@dataclass
class Spec:
    """The model of one store. `broken`: the policy permits everything to everybody."""

    town: Town
    rules: Rules
    network: str
    glass: int
    """How long break-glass stays open, in milliseconds."""
    broken: bool = False
    _policy: Policy = field(init=False)

    def __post_init__(self) -> None:
        self._policy = Policy(self.town)
        self._steps: dict[str, Callable[[State, Op, Memo, Seen, int], Memo | None]] = {
            "written": self._written, "denied": self._denied, "told": self._told, "spent": self._spent,
            "spent-told": self._spent_told, "queue": self._queue, "frozen": self._frozen, "lifted": self._lifted,
            "ticking": self._ticking, "ticked": self._ticked, "logged-out": self._logged_out,
            "opened": self._opened, "deposited": self._deposited,
        }  # fmt: skip

    def begin(self, s: State, op: Op, seen: Seen) -> None:
        """All that happens before `op` first waits. Changes `s`; raises Contradiction."""
        start: Callable[[State, Op, Seen], Memo | None] = getattr(self, f"_begin_{op.kind}")
        self._keep(s, op, start(s, op, seen))

    def choices(self, memo: Memo, seen: Seen) -> int:
        """How many ways there are to go on."""
        if seen.why != UNAVAILABLE:
            return 1
        return 2 if memo.stage in {"denied", "spent", "ticking"} or (memo.stage == "written" and seen.durable) else 1

    def go_on(self, s: State, op: Op, seen: Seen, choice: int = 0) -> None:
        """What happens when `op` need not wait any longer. Changes `s`; raises Contradiction."""
        memo = s.pending.pop(op.number)
        self._keep(s, op, self._steps[memo.stage](s, op, memo, seen, choice))

    def _keep(self, s: State, op: Op, memo: Memo | None) -> None:
        if memo is not None:
            s.pending[op.number] = memo
            return
        s.done.add(op.number)
        if s.opening == op.number:
            s.opening = None

    # ---- reading ----------------------------------------------------------------------------------------------------

    def _begin_release(self, s: State, op: Op, seen: Seen) -> Memo | None:
        paper = s.papers.get(op.document, ABSENT)
        size = max(0, min(paper.size - op.start, paper.size if op.length is None else op.length))
        return self._one(s, op, seen, "release", READ, size)

    def _begin_one(self, s: State, op: Op, seen: Seen) -> Memo | None:
        return self._one(s, op, seen, "list", SEARCH, None)

    def _one(self, s: State, op: Op, seen: Seen, action: str, route: str, size: int | None) -> Memo | None:
        if op.session in s.revoked:
            return self._must(seen.why == "login")
        paper = s.papers.get(op.document, ABSENT)
        verdict = "yes" if self.broken else self._say(s, op, action, paper.patient, paper)
        if verdict != "yes" or not paper.written or op.version not in {None, 1}:
            return self._deny(s, op, seen, route, verdict if verdict != "yes" else "no", op.document)
        if seen.why == "ok" and seen.shown != ((op.document, 1),):
            raise Contradiction
        if size is None:
            return self._disclose(s, op, seen, route, paper.patient)
        return self._disclose(s, op, seen, route, paper.patient, document=op.document, version=1, size=size)

    def _begin_page(self, s: State, op: Op, seen: Seen) -> Memo | None:
        if op.session in s.revoked:
            return self._must(seen.why == "login")
        patient = op.patient if op.patient in self.town.born else NOBODY
        verdict = "yes" if self.broken else self._say(s, op, "list", patient, None)
        if verdict != "yes":
            return self._deny(s, op, seen, SEARCH, verdict, f"patient {op.patient}")
        rows = sorted(
            ident
            for ident, paper in s.papers.items()
            if paper.patient == patient and paper.written and not paper.decoy and ident > op.document
            and (self.broken or self._say(s, op, "list", patient, paper) == "yes")
        )  # fmt: skip
        limit = op.length or 0
        if seen.why == "ok" and (seen.shown, seen.more) != (tuple((row, 1) for row in rows[:limit]), len(rows) > limit):
            raise Contradiction
        return self._disclose(s, op, seen, SEARCH, patient)

    # ---- changing ---------------------------------------------------------------------------------------------------

    def _begin_delete(self, s: State, op: Op, seen: Seen) -> Memo | None:
        return self._upon(s, op, seen, "delete")

    def _begin_relabel(self, s: State, op: Op, seen: Seen) -> Memo | None:
        return self._upon(s, op, seen, "relabel")

    def _upon(self, s: State, op: Op, seen: Seen, action: str) -> Memo | None:
        if op.session in s.revoked:
            return self._must(seen.why == "login")
        paper = s.papers.get(op.document, ABSENT)
        verdict = "yes" if self.broken else self._say(s, op, action, paper.patient, paper)
        if verdict != "yes":
            return self._deny(s, op, seen, WRITE, verdict, op.document)
        return self._disclose(s, op, seen, WRITE, paper.patient, document=op.document)

    def _begin_share(self, s: State, op: Op, seen: Seen) -> Memo | None:
        return self._relate(s, op, seen, "share")

    def _begin_delegate(self, s: State, op: Op, seen: Seen) -> Memo | None:
        return self._relate(s, op, seen, "delegate")

    def _begin_withhold(self, s: State, op: Op, seen: Seen) -> Memo | None:
        return self._relate(s, op, seen, "withhold")

    def _relate(self, s: State, op: Op, seen: Seen, action: str) -> Memo | None:
        if op.session in s.revoked:
            return self._must(seen.why == "login")
        verdict = "yes" if self.broken else self._say(s, op, action, op.patient, None)
        if verdict != "yes":
            return self._deny(s, op, seen, WRITE, verdict, f"{action} {op.patient}")
        return self._disclose(s, op, seen, WRITE, op.patient)

    def _begin_glass(self, s: State, op: Op, seen: Seen) -> Memo | None:
        return self._must(seen.why == "login") if op.session in s.revoked else Memo("queue", s.now)

    def _queue(self, s: State, op: Op, memo: Memo, seen: Seen, _choice: int) -> Memo | None:
        self._must(s.opening is None)
        s.opening = op.number
        asker = self._asker(op)
        verdict = "yes" if self.broken else self._policy.say_glass(s, asker, memo.at, op.patient, reason=op.flag)
        if verdict != "yes":
            return self._deny(s, op, seen, WRITE, verdict, f"glass {op.patient}", at=memo.at)
        kind = Kind.GLASS if asker.login.kind == "clinician" else None
        if seen.why == "ok":
            self._must(seen.until == memo.at + self.glass)
        return self._disclose(s, op, seen, WRITE, op.patient, at=memo.at, kind=kind)

    def _begin_deposit(self, s: State, op: Op, seen: Seen) -> Memo | None:
        """Not charged: it discloses nothing."""
        if op.session in s.revoked:
            return self._must(seen.why == "login")
        verdict = "yes" if self.broken else self._say(s, op, "deposit", op.patient, None, op.category)
        if verdict != "yes":
            return self._deny(s, op, seen, WRITE, verdict, op.patient)
        kind = self._policy.kind(s, self._asker(op).login, op.patient, s.now)
        if frozen := self._frozen_for(s, op, kind, WRITE):
            return self._must(seen.why == frozen)
        self._must(seen.why in {"ok", UNAVAILABLE})
        return self._append(s, seen, Memo("opened", s.now))

    def _opened(self, s: State, op: Op, memo: Memo, seen: Seen, _choice: int) -> Memo | None:
        if seen.why == UNAVAILABLE:
            s.open = False
            return None
        [(document, _)] = seen.shown
        s.papers[document] = Paper(op.patient, op.category, "pending", 0)
        s.tickets[seen.ticket] = (document, memo.at)
        return None

    def _begin_deposited(self, s: State, op: Op, seen: Seen) -> Memo | None:
        document, opened = s.tickets.get(op.ticket, ("", 0))
        if not document or s.now - opened > TICKET_LIFE:
            return self._must(seen.why == "absent")
        if s.papers[document].state != "pending":
            return self._repeat(s, op, document, seen)
        self._must(seen.why in {"ok", "conflict", UNAVAILABLE})
        return self._append(s, seen, Memo("deposited", s.now, told=(document,)))

    def _repeat(self, s: State, op: Op, document: str, seen: Seen) -> Memo | None:
        """Finishing twice: the same is fine, anything else is not."""
        return self._must(seen.why == ("ok" if s.papers[document].size == (op.length or 0) else "conflict"))

    def _deposited(self, s: State, op: Op, memo: Memo, seen: Seen, _choice: int) -> Memo | None:
        if s.papers[memo.told[0]].state != "pending" and seen.why != UNAVAILABLE:  # somebody was faster
            return self._repeat(s, op, memo.told[0], seen)
        self._must(seen.why != "conflict")
        if seen.why == "ok" or seen.durable:
            s.papers[memo.told[0]] = replace(s.papers[memo.told[0]], state="available", size=op.length or 0)
        s.open = s.open and seen.why == "ok"
        return None

    # ---- sessions and freezes ---------------------------------------------------------------------------------------

    def _begin_logout(self, s: State, op: Op, seen: Seen) -> Memo | None:
        if op.session in s.revoked:
            return self._must(seen.why == "login")
        self._must(seen.why in {"ok", UNAVAILABLE})
        return self._append(s, seen, Memo("logged-out", s.now))

    def _logged_out(self, s: State, op: Op, _memo: Memo, seen: Seen, _choice: int) -> Memo | None:
        if seen.why == "ok":
            s.revoked.add(op.session)
        elif seen.durable:
            s.ending.add(op.session)
        s.open = s.open and seen.why == "ok"
        return None

    def _begin_step_up(self, s: State, op: Op, seen: Seen) -> Memo | None:
        if op.session in s.revoked:
            return self._must(seen.why == "login")
        key = ("account", self._asker(op).login.account, True)
        shown = op.shown // SECOND * SECOND
        if not (op.mfa and op.fresh) or (key in s.freezes and shown + SECOND <= s.freezes[key]):
            return self._must(seen.why == "step-up")
        if key not in s.freezes:
            return self._must(seen.why == "ok")
        return self._lift(s, seen, [key])

    def _begin_unfreeze(self, s: State, op: Op, seen: Seen) -> Memo | None:
        keys = [key for key in ((op.category, op.name, False), (op.category, op.name, True)) if key in s.freezes]
        return self._lift(s, seen, keys) if keys else self._must(seen.why == "nothing")

    def _lift(self, s: State, seen: Seen, keys: list[FreezeKey]) -> Memo | None:
        lifted = {key: s.freezes.pop(key) for key in keys}
        self._must(seen.why in {"ok", UNAVAILABLE})
        memo = self._append(s, seen, Memo("lifted", s.now, told=(lifted, self._offer(s))))
        if memo is None:
            s.freezes |= lifted
        return memo

    def _lifted(self, s: State, _op: Op, memo: Memo, seen: Seen, _choice: int) -> Memo | None:
        lifted, number = memo.told
        if seen.why == UNAVAILABLE:
            s.freezes |= lifted
            s.open = False
        else:
            s.kept = max(s.kept, number)
        return None

    def _begin_freeze(self, s: State, op: Op, seen: Seen) -> Memo | None:
        s.freezes[op.category, op.name, False] = s.now
        self._must(seen.why in {"ok", UNAVAILABLE})
        return self._append(s, seen, Memo("frozen", s.now, told=(self._offer(s),)))

    def _frozen(self, s: State, _op: Op, memo: Memo, seen: Seen, _choice: int) -> Memo | None:
        if seen.why == UNAVAILABLE:
            s.open = False
        else:
            s.kept = max(s.kept, memo.told[0])
        return None

    # ---- time and the keeper's own second ---------------------------------------------------------------------------

    def _begin_pass(self, s: State, op: Op, _seen: Seen) -> None:
        s.now += op.by

    def _begin_tick(self, s: State, _op: Op, _seen: Seen) -> Memo:
        return Memo("ticking", s.now)

    def _ticking(self, s: State, op: Op, memo: Memo, seen: Seen, choice: int) -> Memo | None:
        """Whatever failed, the log may be open again before something else did."""
        if seen.why == "ok" or choice:
            s.open = True
            for one in s.adrift:
                s.charges.append(entered(s.charges, one))
            s.adrift = []
            s.revoked |= s.ending
        return Memo("ticked", memo.at) if seen.why == "ok" and op.flag else None

    def _ticked(self, s: State, _op: Op, _memo: Memo, _seen: Seen, _choice: int) -> None:
        s.snapshot = list(s.charges)
        s.snapshots += 1

    # ---- the steps that they share ----------------------------------------------------------------------------------

    def _asker(self, op: Op) -> Asker:
        return Asker(self.town.logins[op.who], op.mfa, op.fresh)

    def _say(
        self, s: State, op: Op, action: str, patient: str, paper: Paper | None, category: str | None = None
    ) -> str:
        return self._policy.say(s, self._asker(op), s.now, action, patient, paper=paper, category=category)

    @staticmethod
    def _must(holds: bool) -> Memo | None:  # noqa: FBT001  # reads as a sentence
        """Nothing follows; or it cannot be."""
        if not holds:
            raise Contradiction
        return None

    def _append(self, s: State, seen: Seen, memo: Memo) -> Memo | None:
        """Wait for the log; or, where it takes nothing, there is one answer."""
        return memo if s.open else self._must(seen.why == UNAVAILABLE)

    def _disclose(
        self, s: State, op: Op, seen: Seen, route: str, patient: str, *, document: str | None = None, version: int = 0,
        size: int = 0, at: int | None = None, kind: Kind | None = None,
    ) -> Memo | None:  # fmt: skip
        """Freezes, then the charge, then the entry."""
        now, who = s.now if at is None else at, self._asker(op).login
        stands = self._policy.kind(s, who, patient, now)
        if frozen := self._frozen_for(s, op, stands, route):
            return self._must(seen.why == frozen)
        organisation = self._policy.organisation(who.account, patient, now) if who.kind == "clinician" else None
        names = (op.session, who.account, "cli", organisation, self.network, None, "")  # no network is declared
        charge = Charged(op.number, now, kind or stands, patient, document, version, size, names)
        counted = entered(s.charges, charge)
        found = breaches(s.charges, charge, self.rules.all, counted.t)
        if found:
            return self._begin_spent(s, op, seen, counted, found)
        self._must(seen.why in {"ok", UNAVAILABLE, "conflict"})
        memo = self._append(s, seen, Memo("written", now, counted))
        if memo is not None:
            s.charges.append(counted)
        return memo

    def _written(self, s: State, op: Op, memo: Memo, seen: Seen, choice: int) -> None:
        """`choice`: it was not the entry that failed, but an alarm behind it."""
        possible = self._is_possible(s, op, memo)
        if seen.why == "ok" or seen.durable:
            self._must(possible)
            self._change(s, op, memo)
        if seen.why != "ok" and not choice:
            # Undone newest first, and counted again in the order of the log: so each goes before those that are there.
            s.adrift[:0] = [one for one in s.charges if one.number == op.number and seen.durable]
            s.charges = without(s.charges, op.number)
        if seen.why == "conflict":
            self._must(not possible)
        elif seen.why == UNAVAILABLE and (possible or op.kind != "glass"):
            s.open = False

    def _is_possible(self, s: State, op: Op, memo: Memo) -> bool:
        """Whether the change that goes with the entry can be made: else that entry alone is not written."""
        if op.kind == "delete":
            return s.papers.get(op.document, ABSENT).state == "available"
        same = (self.town.logins[op.who].account, op.patient, memo.at)
        return op.kind != "glass" or all((one[0], one[1], one[3]) != same for one in s.glass)

    def _change(self, s: State, op: Op, memo: Memo) -> None:
        """What the entry's transaction changes besides."""
        match op.kind:
            case "delete":
                s.papers[op.document] = replace(s.papers[op.document], state="deleted")
            case "relabel":
                s.papers[op.document] = replace(s.papers[op.document], category=op.category)
            case "share":
                s.shares[op.patient, op.party] = (memo.at, op.until)
            case "delegate":
                level, since = "full" if op.flag else "read", memo.at
                before = s.delegations.get((op.party, op.patient), ("", "", 0, 0))
                if before[0] == level and before[3] > memo.at:  # what goes on keeps its beginning
                    since = before[2]
                s.delegations[op.party, op.patient] = (level, "grant", since, op.until)
            case "withhold" if op.flag:
                s.withheld.pop((op.patient, op.party, op.category), None)
            case "withhold":
                s.withheld[op.patient, op.party, op.category] = op.length == 1
            case "glass":
                account = self.town.logins[op.who].account
                organisation = self._policy.organisation(account, op.patient, memo.at)
                s.glass.append((account, op.patient, organisation, memo.at, memo.at + self.glass))

    # ---- denials ----------------------------------------------------------------------------------------------------

    def _deny(
        self, s: State, op: Op, seen: Seen, route: str, verdict: str, named: str, *, at: int | None = None
    ) -> Memo | None:
        """Told singly twenty times an hour; ids asked for in vain are counted; absent and forbidden are one."""
        memo = Memo("denied", s.now if at is None else at, told=(route, verdict, named))
        if self._is_told_singly(s, op, memo.at):
            return self._append(s, seen, memo)
        return self._denied(s, op, memo, seen, 1)

    def _denied(self, s: State, op: Op, memo: Memo, seen: Seen, choice: int) -> Memo | None:
        route, verdict, named = memo.told
        account = self._asker(op).login.account
        if seen.why == UNAVAILABLE and not choice:
            s.open = False
            return None
        if verdict == "no" and self._probe(s, account, named, memo.at):
            s.freezes["session", op.session, True] = memo.at
            return self._append(s, seen, replace(memo, stage="told", told=(*memo.told, self._offer(s))))
        return self._tell(s, op, seen, route, verdict)

    def _told(self, s: State, op: Op, memo: Memo, seen: Seen, _choice: int) -> Memo | None:
        route, verdict, _, number = memo.told
        if seen.why == UNAVAILABLE:
            s.open = False
            return None
        s.kept = max(s.kept, number)
        return self._tell(s, op, seen, route, verdict)

    def _tell(self, s: State, op: Op, seen: Seen, route: str, verdict: str) -> Memo | None:
        if verdict != "no":
            return self._must(seen.why == verdict)
        nothing = "empty" if op.kind == "page" else "absent"
        return self._must(seen.why == (self._frozen_for(s, op, Kind.OWN, route) or nothing))

    def _is_told_singly(self, s: State, op: Op, at: int) -> bool:
        account = self._asker(op).login.account
        until, count = s.denied.get(account, (0, 0))
        if at >= until:
            until, count = at + HOUR, 0
        s.denied[account] = (until, count + 1)
        return count < SINGLE

    def _probe(self, s: State, account: str, named: str, at: int) -> bool:
        at = max([at, *(t for _, _, t in s.probes)])
        s.probes = [one for one in s.probes if one[2] > at - HOUR]
        known = {what for who, what, _ in s.probes if who == account}
        if len(known) < LIMIT or named in known:
            s.probes.append((account, named, at))
            known.add(named)
        return len(known) >= LIMIT

    # ---- spent budgets ----------------------------------------------------------------------------------------------

    def _begin_spent(self, s: State, op: Op, seen: Seen, charge: Charged, found: list[Breach]) -> Memo | None:
        self._must(seen.why in {"spent", UNAVAILABLE})
        stern = [one for one in found if one.rule.consequence is Consequence.FREEZE] or found
        named = stern
        if seen.why == "spent":
            named = [one for one in stern if _sentence(one) == seen.advice[: seen.advice.find(". ")]]
            self._must(bool(named) and self._fits_when_told(s, charge, seen.retry))
        memo = Memo("spent", charge.at, told=(named[0],))
        if self._is_told_singly(s, op, charge.at):
            return self._append(s, seen, memo)
        return self._spent(s, op, memo, seen, 1)

    def _fits_when_told(self, s: State, charge: Charged, retry: int | None) -> bool:
        """Whether it fits `retry` seconds later and not a second earlier; None: never."""

        def fits(later: int) -> bool:
            return not breaches(s.charges, charge, self.rules.all, charge.t + later, charge.t)

        if retry is None:
            return not fits(3_660 * DAY)
        return fits(retry * SECOND) and not fits((retry - 1) * SECOND)

    def _spent(self, s: State, _op: Op, memo: Memo, seen: Seen, choice: int) -> Memo | None:
        [breach] = memo.told
        if seen.why == UNAVAILABLE and not choice:
            s.open = False
            return None
        if breach.rule.consequence is not Consequence.FREEZE:
            return self._must(seen.why == "spent")
        s.freezes[breach.rule.scope.value, breach.name, True] = memo.at
        return self._append(s, seen, replace(memo, stage="spent-told", told=(self._offer(s),)))

    def _spent_told(self, s: State, _op: Op, memo: Memo, seen: Seen, _choice: int) -> None:
        if seen.why == UNAVAILABLE:
            s.open = False
        else:
            s.kept = max(s.kept, memo.told[0])

    # ---- freezes ----------------------------------------------------------------------------------------------------

    def _offer(self, s: State) -> int:
        number = max(s.offered, default=0) + 1
        s.offered[number] = dict(s.freezes)
        return number

    def _frozen_for(self, s: State, op: Op, kind: Kind, route: str) -> str:
        """What somebody is told who meets a freeze; empty where there is none. An officer's comes first."""
        account = self._asker(op).login.account
        targets = [("session", op.session), ("account", account), ("client", "cli"), ("class", route)]
        if kind not in {Kind.OWN, Kind.CARE}:
            targets.append(("module", "strangers"))
        for target in targets:
            if (*target, False) in s.freezes:
                return "frozen"
            if (*target, True) in s.freezes:
                return "step-up" if target[0] == "account" else "frozen"
        return ""


_WORDS = {
    Scope.SESSION: "This session", Scope.ACCOUNT: "This login", Scope.CLIENT: "This app",
    Scope.ORGANISATION: "This organisation", Scope.NETWORK: "This network", Scope.MODULE: "The module",
}  # fmt: skip


def _sentence(breach: Breach) -> str:
    """The first sentence that the asker reads."""
    rule = breach.rule
    span = f"{rule.window // HOUR} h" if rule.window <= DAY else f"{rule.window // DAY} days"
    return f"{_WORDS[rule.scope]} has used {breach.used} of {breach.limit} {rule.dimension.name.lower()} in {span}"
