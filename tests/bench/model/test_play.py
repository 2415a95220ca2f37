"""The door agrees with the model over ten thousand steps; and whatever is broken in it, the model notices."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from bench.model import life
from bench.model.play import PEOPLE, Tally
from strongroom.audit.effect import Effect
from strongroom.audit.event import Draft
from strongroom.audit.log import Log
from strongroom.audit.receipt import Receipt
from strongroom.authz import policy
from strongroom.authz.policy import Permit
from strongroom.budget import rereads
from strongroom.budget.freeze import FreezeList
from strongroom.budget.ledger import Charge, Ledger
from strongroom.budget.scope import Disclosure
from strongroom.budget.spent import Spent
from strongroom.clock import YEAR, Millis, SystemClock
from strongroom.identity.sessions import Revoked
from strongroom.keeper import effects
from strongroom.keeper.door import Door
from strongroom.keeper.protocol import Refused
from strongroom.keeper.snapshot import Snapshots

STEPS = 10_000
Break = Callable[[pytest.MonkeyPatch], None]


def test_ten_thousand_steps_of_many_at_once(town: Path) -> None:
    """No release beyond a limit, no key without an earlier durable entry, no answer that no order explains."""
    tally, seed = Tally(), 0
    while tally.steps < STEPS:
        tally.add(life(town, seed))
        seed += 1
    assert len(PEOPLE) >= 8
    assert (tally.over, tally.undurable, tally.disagreements) == ([], [], [])
    assert len(tally.undecided) <= 1  # a search that gave up is told by the bench, and accuses nobody
    told = {answer.split(" ")[1] for answer in tally.kinds}
    assert told >= {"ok", "absent", "empty", "spent", "frozen", "step-up", "mfa", "login", "unavailable", "nothing"}
    assert tally.keys > 1_000
    assert tally.restarts > 5
    assert tally.spoilt > 5


def found(town: Path, stores: int = 8, where: str = "broken") -> Tally:
    """What a few short stores find, until something of that kind is found."""
    tally = Tally()
    for seed in range(stores):
        tally.add(life(town, 1 + seed, rounds=12))
        if getattr(tally, where):
            break
    return tally


# ---- the door, broken in one place at a time ---------------------------------------------------------------------


def refuses_nothing(patch: pytest.MonkeyPatch) -> None:
    """Every charge fits."""
    patch.setattr(Ledger, "_judge", lambda *_: ([], []))


def charges_late(patch: pytest.MonkeyPatch) -> None:
    """What was judged is counted only when its entry is there: many at once all fit."""

    async def disclose(
        self: Door, permit: Permit, disclosure: Disclosure, draft: Callable[[Charge], Draft],
        effects_: Sequence[Effect] = (), declared: int | None = None,
    ) -> Receipt | Refused:  # fmt: skip
        ledger = self.parts.ledger
        charge = ledger.charge(permit, disclosure, declared=declared)
        if isinstance(charge, Spent):
            return await self._spent(permit, disclosure, charge)
        ledger.undo([charge])
        receipt = await self.parts.log.append(draft(charge), effects_)
        ledger.apply(disclosure)
        return receipt

    patch.setattr(Door, "disclose", disclose)


def gives_keys_early(patch: pytest.MonkeyPatch) -> None:
    """A receipt before the entry."""
    append, waiting = Log.append, set[asyncio.Task[Receipt]]()

    async def hasty(self: Log, draft: Draft, effects: Sequence[Effect] = (), on_failure: Any = None) -> Receipt:
        waiting.add(asyncio.create_task(append(self, draft, effects, on_failure)))
        return self._seal.issue(self.size, b"", draft.op, draft.patient, draft.covers())

    patch.setattr(Log, "append", hasty)


def forgets_refunds(patch: pytest.MonkeyPatch) -> None:
    """A charge stays when its entry is not written."""
    patch.setattr(Ledger, "undo", lambda *_: None)


def forgets_freezes(patch: pytest.MonkeyPatch) -> None:
    """Nothing is ever frozen."""
    patch.setattr(FreezeList, "freeze", lambda *_: None)


def keeps_no_freezes(patch: pytest.MonkeyPatch) -> None:
    """A freeze ends with the process."""
    patch.setattr(Door, "freezes", lambda _: effects.keep_state("freezes", FreezeList().snapshot()))


def counts_nothing_at_a_start(patch: pytest.MonkeyPatch) -> None:
    """The budgets begin anew with the process."""
    patch.setattr(Snapshots, "load", lambda _self, rules, size: (Ledger(rules), size))


def forgets_what_came_back(patch: pytest.MonkeyPatch) -> None:
    """Entries that were reported as failed and are in the log are not counted."""
    patch.setattr(Log, "reopen", _reopened(Log.reopen))


def _reopened(reopen: Callable[[Log], int]) -> Callable[[Log], int]:
    def then(self: Log) -> int:
        reopen(self)
        return self.size

    return then


def believes_any_clock(patch: pytest.MonkeyPatch) -> None:
    """The time is what the machine says it is."""
    patch.setattr(SystemClock, "now", lambda self: Millis(self._machine.time_ns() // 1_000_000))


def lets_practices_read_everything(patch: pytest.MonkeyPatch) -> None:
    """Sensitive documents, too."""
    patch.setattr(policy, "_is_category", lambda document, category: False)


def reads_again_for_nothing(patch: pytest.MonkeyPatch) -> None:
    """A document that was paid for is free for a year."""
    patch.setattr(rereads, "PERIOD", YEAR)


def believes_ended_sessions(patch: pytest.MonkeyPatch) -> None:
    """Logging out changes nothing."""
    patch.setattr(Revoked, "revoke", lambda *_: None)


BROKEN: dict[str, tuple[Break, str]] = {
    one.__name__: (one, where)
    for one, where in (
        (refuses_nothing, "over"), (charges_late, "disagreements"), (gives_keys_early, "undurable"),
        (forgets_refunds, "disagreements"), (forgets_freezes, "disagreements"), (keeps_no_freezes, "disagreements"),
        (counts_nothing_at_a_start, "disagreements"), (forgets_what_came_back, "disagreements"),
        (believes_any_clock, "disagreements"), (lets_practices_read_everything, "disagreements"),
        (reads_again_for_nothing, "disagreements"), (believes_ended_sessions, "disagreements"),
    )
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_noticed(town: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Each of these doors is wrong in one place, and the model says so."""
    breaks, where = BROKEN[name]
    breaks(monkeypatch)
    tally = found(town, where=where)
    assert getattr(tally, where) or (where == "disagreements" and tally.undecided)


def test_the_sound_door_is_not_accused(town: Path) -> None:
    """The same stores, with nothing broken."""
    tally = found(town, stores=2)
    assert (tally.over, tally.undurable, tally.disagreements) == ([], [], [])
