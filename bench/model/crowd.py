"""The actors: what each wants next, drawn from a seed. Honest and dishonest people, officers, time, and the disk."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bench.model.house import House
from bench.model.spec import Op, Seen
from bench.model.state import Town
from strongroom.clock import DAY, HOUR, MINUTE, SECOND
from strongroom.ids import new_id

CATEGORIES = ("normal", "normal", "sensitive", "clinician-only")
PASSES = (1, 300, SECOND, 20 * SECOND, 2 * MINUTE, 6 * MINUTE, HOUR, 5 * HOUR, DAY, 8 * DAY, 40 * DAY, 200 * DAY)
PASS_WEIGHTS = (30, 30, 30, 20, 10, 10, 8, 4, 3, 2, 1, 1)
MONTH = 30 * DAY


@dataclass
class Shared:
    """What the actors of one store have in common: numbers, and what may be asked for."""

    house: House
    town: Town
    documents: dict[str, list[str]]
    """Patient -> documents."""
    number: int = 0
    sessions: list[str] = field(default_factory=list)
    """Of everybody, as the keeper names them: officers freeze some."""

    def next(self) -> int:
        """The number of the next operation."""
        self.number += 1
        return self.number


class Actor:
    """Somebody with a login, in one session at a time. `patients`: whom they ask for, more often those who come first."""

    def __init__(self, shared: Shared, dice: random.Random, subject: str, patients: Sequence[str]) -> None:
        self._shared = shared
        self._dice = dice
        self._subject = subject
        self._patients = patients
        self._kind = shared.town.logins[subject].kind
        self._tickets: list[str] = []
        self._sign_in()

    def next(self) -> tuple[Op, str]:
        """The next operation, and the session's own name for the token."""
        dice, now = self._dice, self._shared.house.machine.day
        if dice.random() < 0.03:
            self._sign_in()
        if dice.random() < 0.05:
            self._shown = now
        op = Op(
            self._shared.next(), "", self._subject, self._session, mfa=dice.random() > 0.03, shown=self._shown,
            fresh=now - 5 * MINUTE <= self._shown // SECOND * SECOND <= now + MINUTE,
        )  # fmt: skip
        return self._filled(op, self._patient(), now), self._sid

    def told(self, op: Op, seen: Seen) -> None:
        """The answer: a deposit that was opened is finished later, a session that is over is followed by another."""
        if op.kind == "deposit" and seen.why == "ok":
            self._tickets.append(seen.ticket)
            self._shared.documents[op.patient].append(seen.shown[0][0])
        if seen.why == "login" or (seen.why == "frozen" and self._dice.random() < 0.2):
            self._sign_in()
        if seen.why == "step-up" and self._dice.random() < 0.5:
            self._shown = self._shared.house.machine.day

    def _sign_in(self) -> None:
        self._sid = (
            f"{self._subject}-{new_id()}" if not self._shared.sessions else f"{self._subject}-{self._dice.random()}"
        )
        self._session = self._shared.house.session(self._sid)
        self._shown = self._shared.house.machine.day
        self._shared.sessions.append(self._session)

    def _patient(self) -> str:
        place = min(int(self._dice.expovariate(0.6)), len(self._patients) - 1)
        return self._patients[place]

    def _document(self, patient: str) -> str:
        if self._dice.random() < 0.04:
            return new_id()
        papers = self._shared.documents[patient]
        return papers[min(int(self._dice.expovariate(0.5)), len(papers) - 1)] if papers else new_id()

    def _filled(self, op: Op, patient: str, now: int) -> Op:  # noqa: C901, PLR0912  # one branch an operation
        dice = self._dice
        kinds = {
            "release": 44,
            "one": 8,
            "page": 14,
            "deposit": 4,
            "deposited": 6,
            "delete": 3,
            "step_up": 4,
            "logout": 1,
        }
        if self._kind == "clinician":
            kinds |= {"glass": 6, "relabel": 3}
        else:
            kinds |= {"share": 3, "delegate": 4, "withhold": 4}
        kind = dice.choices(list(kinds), list(kinds.values()))[0]
        document = self._document(patient)
        match kind:
            case "release":
                start, length = dice.choice([(0, None), (0, None), (10, None), (0, 100), (10**7, 5)])
                return replace(op, kind=kind, document=document, version=dice.choice([None, None, 1, 7]), start=start,
                               length=length)  # fmt: skip
            case "one":
                return replace(op, kind=kind, document=document, version=dice.choice([None, 1, 2]))
            case "page":
                return replace(op, kind=kind, patient=patient, length=dice.choice([1, 3, 200]),
                               document=dice.choice(["", "", document]))  # fmt: skip
            case "deposit":
                return replace(op, kind=kind, patient=patient, category=dice.choice(CATEGORIES))
            case "deposited" if self._tickets:
                return replace(op, kind=kind, ticket=self._ticket(), length=dice.choice([10, 3_000, 40_000]))
            case "deposited" | "delete":
                known = [one for one in self._shared.documents[patient][:6] if one] or [document]
                return replace(op, kind="delete", document=dice.choice(known))
            case "relabel":
                known = self._shared.documents[patient][:6]
                kind = kind if known else "logout"
                return replace(op, kind=kind, document=dice.choice(known or [""]), category=dice.choice(CATEGORIES))
            case "share":
                party = dice.choice([*self._clinicians(), "practice-1", "practice-2"])
                return replace(op, kind=kind, patient=patient, party=party, until=now + dice.choice([HOUR, MONTH]))
            case "delegate":
                return replace(op, kind=kind, patient=patient, party=dice.choice(self._people()),
                               flag=dice.random() < 0.5, until=now + dice.choice([HOUR, MONTH]))  # fmt: skip
            case "withhold":
                party = dice.choice(["", *self._clinicians(), "practice-1"])
                return replace(op, kind=kind, patient=patient, party=party, category=dice.choice(["", "sensitive"]),
                               flag=dice.random() < 0.6, length=int(dice.random() < 0.4))  # fmt: skip
            case "glass":
                return replace(op, kind=kind, patient=patient, flag=dice.random() < 0.9)
        return replace(op, kind=kind)

    def _ticket(self) -> str:
        ticket = self._dice.choice(self._tickets)
        if self._dice.random() < 0.8:
            self._tickets.remove(ticket)
        return ticket

    def _clinicians(self) -> list[str]:
        return [one.account for one in self._shared.town.logins.values() if one.kind == "clinician"]

    def _people(self) -> list[str]:
        return [one.account for one in self._shared.town.logins.values() if one.kind == "person"]


class Officer:
    """Freezes and lifts."""

    def __init__(self, shared: Shared, dice: random.Random) -> None:
        self._shared = shared
        self._dice = dice

    def next(self) -> tuple[Op, str]:
        """The next act: most lift, so that people go on."""
        dice, held = (
            self._dice,
            self._shared.house.keeper.door.parts.freezes.all(self._shared.house.keeper.door.parts.clock.now()),
        )
        op = Op(self._shared.next(), "unfreeze")
        if held and dice.random() < 0.75:
            target = dice.choice(held).target
            return replace(op, category=target.upon.value, name=target.name), ""
        accounts = [one.account for one in self._shared.town.logins.values()]
        upon, name = dice.choice([
            ("session", dice.choice(self._shared.sessions[-20:])), ("session", dice.choice(self._shared.sessions[-20:])),
            ("account", dice.choice(accounts)), ("account", dice.choice(accounts)), ("client", "cli"),
            ("class", dice.choice(["read", "search", "write"])), ("module", "strangers"),
        ])  # fmt: skip
        rare = upon in {"client", "class"} and dice.random() < 0.5
        return replace(op, kind="unfreeze" if rare else "freeze", category=upon, name=name), ""

    def told(self, op: Op, seen: Seen) -> None:
        """Nothing is learned."""


class Time:
    """Time passes, and the keeper's own second comes."""

    def __init__(self, shared: Shared, dice: random.Random) -> None:
        self._shared = shared
        self._dice = dice
        self._began = shared.house.machine.day

    def next(self) -> tuple[Op, str]:
        """Milliseconds to months; a beat, and now and then the minute's, which keeps a snapshot."""
        op, dice = Op(self._shared.next(), "pass"), self._dice
        if dice.random() < 0.4:
            # Not when deletions are a year old: what is erased then has a test of its own, and no place in the model.
            young = self._shared.house.machine.day < self._began + 360 * DAY
            return replace(op, kind="tick", flag=young and dice.random() < 0.4), ""
        # While a commit fails, no more time passes than a request may wait for it, and some.
        longest = 4 if self._shared.house.disk.failing else len(PASSES)
        return replace(op, by=dice.choices(PASSES[:longest], PASS_WEIGHTS[:longest])[0]), ""

    def told(self, op: Op, seen: Seen) -> None:
        """Nothing is learned."""
