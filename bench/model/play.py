"""One store's life: rounds of operations at once, and after each round everything is held against the model.

After a round (nothing is under way):

1. every receipt names an entry that says what was answered; what failed is looked up in the log, too
2. an order is found in which the model gives exactly these answers (`order.py`)
3. the log tells the same charges as the model, and the ledger is what the log says, byte for byte
4. the freezes are those of the model

At the end, each charge of the log is counted once more against every limit: none may pass one.
"""

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import msgspec

from bench.model.counts import LEARNING_DAYS, REREAD, Charged, breaches, entered, recounted
from bench.model.crowd import Actor, Officer, Shared, Time
from bench.model.house import ENTRIES, NETWORK, House
from bench.model.order import MOST, Call, Unexplained, explain
from bench.model.spec import Op, Seen, Spec
from bench.model.state import FreezeKey, State, read_town
from strongroom.budget.ledger import Ledger
from strongroom.budget.scope import Disclosure, Scopes
from strongroom.budget.table import DEFAULTS
from strongroom.clock import DAY, HOUR, MINUTE, SECOND, Millis
from strongroom.ids import AccountId, DocumentId, OrganisationId, PatientId, SessionId

CONFIG = """\
[store]
name = "model"
demonstration = true

[keeper]
deletion_delay_days = 365

[budget]
"account-own-documents-24h" = 14
"account-own-people-24h" = 4
"account-own-bytes-24h" = 1_000_000
"account-own-openings-24h" = 45
"account-stranger-documents-24h" = 6
"account-stranger-bytes-24h" = 600_000
"account-stranger-openings-24h" = 14
"account-care-people-24h-alarm" = 2
"account-care-people-24h" = 5
"account-care-people-30d" = 8
"account-care-documents-24h" = 14
"account-care-bytes-24h" = 1_000_000
"account-care-openings-24h" = 45
"account-glass-people-24h" = 3
"account-glass-people-30d" = 5
"account-glass-documents-24h" = 5
"account-glass-bytes-24h" = 500_000
"account-glass-openings-24h" = 12
"session-care-people-1h" = 4
"client-stranger-people-1h" = 8
"organisation-stranger-people-24h" = 5
"organisation-glass-people-24h" = 6
"organisation-care-people-1h-alarm" = 4
"network-stranger-people-1h" = 7
"network-care-people-1h-alarm" = 5
"module-stranger-people-1h" = 7
"module-any-documents-1h" = 12
"""
"""Every limit low enough to be met often, by a town of sixteen."""
PEOPLE = (
    "person-1",
    "person-8",
    "person-8",
    "person-9",
    "person-10",
    "person-11",
    "staff-1",
    "staff-1",
    "staff-2",
    "staff-5",
)
"""Who is at work at once; who stands twice has two sessions. One officer and time itself come on top."""
SUBJECTS = (*(f"person-{number}" for number in range(1, 17)), *(f"staff-{number}" for number in range(1, 9)))
IN_SNAPSHOT = -1
"""Stands for the entry of a charge that a snapshot brought back."""
PLACES = ("before", "within", "after")


class Doer(Protocol):
    """One actor."""

    def next(self) -> tuple[Op, str]:
        """What to do, and the session's own name."""

    def told(self, op: Op, seen: Seen) -> None:
        """How it was answered."""


@dataclass
class Tally:
    """What was done, and what did not hold."""

    steps: int = 0
    stores: int = 0
    restarts: int = 0
    spoilt: int = 0
    keys: int = 0
    permits: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    """(operation, answer) -> how often."""
    over: list[str] = field(default_factory=list)
    """Releases beyond a limit."""
    undurable: list[str] = field(default_factory=list)
    """Keys without an earlier durable entry."""
    disagreements: list[str] = field(default_factory=list)
    """Answers, charges, freezes and keys that the model does not permit."""
    undecided: list[str] = field(default_factory=list)
    """Rounds for which the search for an order gave up: neither explained, nor shown to have no explanation."""

    def add(self, other: "Tally") -> None:
        """Count another store in."""
        for name in ("steps", "stores", "restarts", "spoilt", "keys", "permits"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.kinds.update(other.kinds)
        self.over += other.over
        self.undurable += other.undurable
        self.disagreements += other.disagreements
        self.undecided += other.undecided

    @property
    def broken(self) -> int:
        """How much did not hold."""
        return len(self.over) + len(self.undurable) + len(self.disagreements) + len(self.undecided)


class Store:
    """One store, its model, and what was found about it."""

    def __init__(self, root: Path, seed: int, tally: Tally, *, broken: bool) -> None:
        self._dice = random.Random(seed)
        self._seed = seed
        self._tally = tally
        self._broken = broken
        self.house = House(root, SUBJECTS)
        self._rules = DEFAULTS.with_limits(self.house.config.budget)
        self._auditor: tuple[list[Charged], Ledger] = ([], Ledger(self._rules))
        self._disclosed_from = 0
        self._told: list[Charged] = []  # every charge that the log ever told, in its order

    def open(self) -> None:
        """The first start: the model begins with what stands there."""
        self.house.open(broken=self._broken)
        self.town, self.state = read_town(self.house.layout.database, self.house.accounts(), self.house.machine.day)
        glass = self.house.keeper.door.parts.settings.glass
        self.spec = Spec(self.town, self._rules, NETWORK, glass, broken=self._broken)
        self._first = self._size = self.house.keeper.door.parts.log.size
        documents = {patient: [one for one, paper in sorted(self.state.papers.items()) if paper.patient == patient][:8]
                     for patient in self.town.patients}  # fmt: skip
        self.shared = Shared(self.house, self.town, documents)

    def crowd(self) -> list[Doer]:
        """Everybody who works at this store."""
        patients = self.town.patients
        doers: list[Doer] = []
        for subject in PEOPLE:
            login = self.town.logins[subject]
            near = [login.patient] if login.patient else []
            near += [patient for account, patient in self.state.delegations if account == login.account]
            near += [one for one in patients if any(
                name == mine for name, _, _ in self.town.enrolled[one]
                for mine, _, _ in self.town.members.get(login.account, ()))]  # fmt: skip
            far = [one for one in patients if one not in near]
            for some in (near, far):
                self._dice.shuffle(some)
            own = [login.patient] if login.patient else []
            known = (
                [*own, *[one for one in near if one not in own][:4], *far] if not self._broken else [*far[:6], *near]
            )
            doers.append(Actor(self.shared, random.Random(self._dice.random()), subject, known))
        return [*doers, Officer(self.shared, self._dice), Time(self.shared, self._dice)]

    # ---- a round ----------------------------------------------------------------------------------------------------

    async def round(self, doers: Sequence[Doer], each: int) -> None:
        """`each` operations of every actor, all actors at once; then everything is compared."""
        calls: list[Call] = []

        async def work(doer: Doer) -> None:
            for _ in range(each):
                op, sid = doer.next()
                call = await self.house.call(op, sid)
                calls.append(call)
                doer.told(op, call.seen)

        await asyncio.gather(*(work(doer) for doer in doers))
        await self.settle(calls)

    async def settle(self, calls: Sequence[Call]) -> None:
        """Compare. Opens the log again where it is shut."""
        if self.house.keeper.door.parts.log.fault is not None:
            calls = [*calls, await self.house.call(Op(self.shared.next(), "tick"), "")]
        self._tally.steps += len(calls)
        self._tally.kinds.update(f"{one.op.kind} {one.seen.why}" for one in calls)
        rows = self.house.entries(self._size)
        claimed = self._claimed(calls, rows)
        self._size += len(rows)
        calls = [
            replace(one, seen=replace(one.seen, durable=True)) if one.op.number in claimed else one for one in calls
        ]
        found = explain(self.spec, self.state, calls, self._agrees)
        if isinstance(found, Unexplained):
            what = f"no order explains {found.last.op} answered {found.last.seen} ({found.tried} tried)"
            if found.tried >= MOST:
                self._tally.undecided.append(f"seed {self._seed}, step {self.shared.number}: {what}")
            else:
                self._say(what)
            raise Disagreement
        self.state = found
        self.state.done.clear()
        self._compare_charges(claimed)

    def _claimed(
        self, calls: Sequence[Call], rows: Sequence[tuple[int, str, str | None, str | None]]
    ) -> dict[int, int]:
        """Operation -> its entry: as the receipt says, or as is found for what failed."""
        by_index = {row[0]: row for row in rows}
        claimed: dict[int, int] = {}
        for call in calls:
            kind = ENTRIES.get(call.op.kind)
            if kind is None or call.seen.receipt is None or call.seen.why != "ok":
                continue
            row = by_index.get(call.seen.receipt)
            if row is None or row[1] != kind or (row[2] or call.op.session) != call.op.session:
                self._tally.undurable.append(f"seed {self._seed}: {call.op.kind} was told entry {call.seen.receipt}")
            else:
                claimed[call.op.number] = row[0]
        free = [row for row in rows if row[0] not in claimed.values()]
        for call in sorted(calls, key=lambda one: one.asked):
            if call.op.kind in ENTRIES and call.op.number not in claimed and self._may_have_entry(call):
                row = next((one for one in free if self._is_of(one, call)), None)
                if row is not None:
                    claimed[call.op.number] = row[0]
                    free.remove(row)
        return claimed

    @staticmethod
    def _may_have_entry(call: Call) -> bool:
        return call.seen.why == "unavailable" or (call.seen.why == "ok" and call.op.kind == "deposit")

    def _is_of(self, row: tuple[int, str, str | None, str | None], call: Call) -> bool:
        op, patient = call.op, call.op.patient
        if op.document and op.document in self.state.papers:
            patient = self.state.papers[op.document].patient
        if op.ticket:
            document, _ = self.state.tickets.get(op.ticket, ("", 0))
            patient = self.state.papers[document].patient if document in self.state.papers else ""
        return row[1] == ENTRIES[op.kind] and row[2] in {None, op.session} and (row[3] or "") in {patient, ""}

    def _agrees(self, s: State) -> bool:
        """Whether a state that explains the answers is also the one that the keeper is in."""
        return s.snapshots == self.house.snapshots and self._freezes() == s.freezes

    def _freezes(self) -> dict[FreezeKey, int]:
        freezes = self.house.keeper.door.parts.freezes
        now = Millis(self.house.machine.day)
        return {(one.target.upon.value, one.target.name, one.by is None): int(one.at) for one in freezes.all(now)}

    # ---- charges ----------------------------------------------------------------------------------------------------

    def _compare_charges(self, claimed: dict[int, int]) -> None:
        """The log's charges of this round are the model's; and the ledger is what these make."""
        s = self.state
        old = [one for one in s.charges if one.entry is not None]
        new = [replace(one, entry=claimed.get(one.number)) for one in s.charges if one.entry is None]
        if any(one.entry is None for one in new):
            self._say("a charge stands that has no entry")
            raise Disagreement
        new.sort(key=lambda one: one.entry or 0)
        s.charges = old
        for one in new:
            s.charges.append(entered(s.charges, one))
        self._tally.permits += len(new)
        told = self.house.disclosed(self._disclosed_from)
        expected = [(one.entry, _disclosure(one)) for one in new]
        if told != expected:
            odd = next((pair for pair in itertools.zip_longest(told, expected) if pair[0] != pair[1]), None)
            self._say(f"the log tells other charges than were made: {odd}")
            raise Disagreement
        self._told += new
        if not self._is_as_charged():
            self._say("the ledger is not what the log says")
            raise Disagreement
        self._disclosed_from = self._size

    def _is_as_charged(self) -> bool:
        """Whether the ledger is what one would be that counted these charges, one after the other, and nothing else."""
        charges, (known, ledger) = self.state.charges, self._auditor
        if known != charges[: len(known)]:
            known, ledger = [], Ledger(self._rules)
        for one in charges[len(known) :]:
            ledger.apply(_disclosure(one))
        self._auditor = (list(charges), ledger)
        real, now = self.house.keeper.door.parts.ledger, self.house.machine.day
        return self._living(ledger.snapshot(), now) == self._living(real.snapshot(), now)

    def _living(self, raw: bytes, now: int) -> tuple[Any, ...]:
        """What of a ledger's state still counts now: charges that were taken back have made some of it leave early."""
        _, _, last, windows, charged, hours = msgspec.msgpack.decode(raw)
        living = []
        for place, name, events, meetings in windows:
            edge = now - self._rules.gauges[place].window
            inside = [one for one in events if one[0] > edge], [one for one in meetings if one[1] > edge]
            if inside != ([], []):
                living.append((place, name, inside))
        edge = now // HOUR - LEARNING_DAYS * (DAY // HOUR) - 1
        lately = {hour: count for hour, count in hours.items() if hour >= edge}
        return last, living, [one for one in charged if one[1] > now - REREAD], lately

    # ---- restarts, clocks, ends -------------------------------------------------------------------------------------

    def restart(self, *, broken: bool | None = None) -> None:
        """As after a crash: nothing is kept but what the disk has. The model forgets what memory held, and no more."""
        s, house = self.state, self.house
        house.close()
        first = house.snapshot_index()
        self._broken = self._broken if broken is None else broken
        house.open(broken=self._broken)
        self.spec.broken = self._broken
        later = [one for one in self._told if (one.entry or 0) >= first]
        # What was under way when the snapshot was made is in it, and may be in the log as well: it counts twice.
        s.charges = recounted([*(replace(one, entry=IN_SNAPSHOT) for one in s.snapshot), *later])
        s.denied, s.probes, s.opening = {}, [], None
        kept = self._freezes()
        if kept not in [held for number, held in s.offered.items() if number >= s.kept]:
            self._say("a freeze was lost, or one came back, by a restart")
            raise Disagreement
        s.freezes, s.offered, s.kept = kept, {1: kept}, 1
        if not self._is_as_charged():
            self._say("the budgets are not what they were before the restart")
            raise Disagreement
        self._tally.restarts += 1

    async def wrong_clock(self, doers: Sequence[Doer]) -> None:
        """A clock that was set back, or leapt ahead, opens nothing: one round in which everybody hears so."""
        machine = self.house.machine
        self.house.keeper.door.parts.clock.now()  # it knows what time it was
        by = self._dice.choice([-6 * SECOND, -MINUTE, -DAY, 6 * MINUTE, DAY])
        machine.day += by
        before = self.house.keeper.door.parts.ledger.snapshot()
        for doer in [one for one in doers if isinstance(one, Actor)]:
            op, sid = doer.next()
            if op.kind == "deposited":
                continue
            seen = await self.house.do(op, sid)
            self._tally.steps += 1
            self._tally.kinds[f"wrong-clock {seen.why}"] += 1
            if seen.why != "unavailable":
                self._say(f"with the clock set {by} ms wrong, {op.kind} was answered {seen.why}")
        machine.day -= by
        if self.house.keeper.door.parts.ledger.snapshot() != before:
            self._say("a wrong clock changed the budgets")

    def audit(self) -> None:
        """Count every charge that the log tells once more, against every limit that was in force, without the model."""
        counted: list[Charged] = []
        for index, told in self.house.disclosed(self._first):
            scopes = told.scopes
            names = (scopes.session, scopes.account, scopes.client, scopes.organisation, scopes.network, None, "")
            one = Charged(index, told.at, told.kind, told.patient, told.document, told.version, told.size, names)
            for breach in breaches(counted, one, self._rules.all, max(one.at, counted[-1].t if counted else 0)):
                self._tally.over.append(f"seed {self._seed}: entry {index} passes {breach.rule.name}")
            counted.append(entered(counted, one))

    def close(self) -> None:
        """Take along what the house saw."""
        house, tally = self.house, self._tally
        house.close()
        tally.spoilt += house.disk.spoilt
        tally.keys += house.watch.keys
        tally.undurable += [f"seed {self._seed}: {line}" for line in house.watch.undurable]
        tally.disagreements += [f"seed {self._seed}: {line}" for line in house.wrong]
        tally.stores += 1

    def _say(self, what: str) -> None:
        self._tally.disagreements.append(f"seed {self._seed}, step {self.shared.number}: {what}")


class Disagreement(Exception):
    """The model and the store are apart: nothing that follows could be compared."""


def _disclosure(one: Charged) -> Disclosure:
    session, account, client, organisation, network, *_ = one.names
    assert session is not None
    assert account is not None
    assert client is not None
    assert network is not None
    with_ = None if organisation is None else OrganisationId(organisation)
    scopes = Scopes(SessionId(session), AccountId(account), client, with_, network)
    document = None if one.document is None else DocumentId(one.document)
    return Disclosure(Millis(one.at), one.kind, scopes, PatientId(one.patient), document, one.version, one.size)


async def live(store: Store, rounds: int, each: int) -> None:
    """A store's whole life."""
    dice = random.Random(store._seed + 1)  # noqa: SLF001  # of this file
    store.open()
    doers = store.crowd()
    with store.house.disk.installed():
        for _ in range(rounds):
            store.house.disk.arm(dice.choice(PLACES) if dice.random() < 0.12 else "")
            await store.round(doers, each)
            store.house.disk.arm("")
            if dice.random() < 0.10:
                store.restart(broken=dice.random() < 0.5)
            if dice.random() < 0.05:
                await store.wrong_clock(doers)
