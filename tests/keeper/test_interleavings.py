"""Every order in which the steps of a few requests can happen: the real door, its log and its ledger, driven by hand.

The door waits for nothing but its log. So the log's queue and thread (`audit.group`) are put aside, everything else stays,
and the test itself decides what happens next: a request begins, what waits is committed (or the commit fails, at one
of its three moments), somebody is told, or the process ends there. All orders there are are tried, one after the other.
"""

from collections.abc import Callable, Coroutine, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest

from bench.model.house import Disk, Watch
from strongroom.audit.group import OnFailure
from strongroom.audit.receipt import Receipt
from strongroom.audit.write import Item, Pen
from strongroom.budget.ledger import Ledger
from strongroom.clock import DAY
from strongroom.config import parse
from strongroom.errors import StrongroomError, Unavailable
from strongroom.keeper import protocol as p
from strongroom.keeper.acts import ActDone
from tests.budget.scenes import state
from tests.keeper.conftest import House

OWNER = "person-8"
PLACES = ("before", "within", "after")
Request = Coroutine[Any, Any, Any]


# ---- the queue, driven by hand -----------------------------------------------------------------------------------


@dataclass
class Job:
    """One draft that waits, as `audit.group` has them."""

    item: Item
    on_failure: OnFailure | None
    outcome: Receipt | StrongroomError | None = None

    def __await__(self) -> Generator["Job"]:
        yield self


@dataclass
class Queue:
    """What `audit.group` promises: places in the order of `append`; a failed commit undoes all that waits, newest first."""

    write: Callable[[Sequence[Item]], Sequence[Receipt | StrongroomError]]
    waiting: list[Job] = field(default_factory=list)
    fault: Unavailable | None = None

    async def append(self, item: Item, on_failure: OnFailure | None) -> Receipt:
        """As `Group.append`."""
        job = Job(item, on_failure, self.fault)
        if self.fault is None:
            self.waiting.append(job)
            await job
        elif on_failure is not None:
            on_failure()
        if isinstance(job.outcome, Receipt):
            return job.outcome
        assert job.outcome is not None
        raise job.outcome

    def commit(self) -> None:
        """Write what waits, in one transaction."""
        jobs, self.waiting = self.waiting, []
        try:
            outcomes = self.write([job.item for job in jobs])
        except Unavailable as fault:
            self.fault, outcomes = fault, [fault] * len(jobs)
        for job, outcome in reversed(list(zip(jobs, outcomes, strict=True))):
            job.outcome = outcome
            if isinstance(outcome, StrongroomError) and job.on_failure is not None:
                job.on_failure()

    def stop(self) -> None:
        """As `Group.stop`: nobody waits any more."""


# ---- every order -----------------------------------------------------------------------------------------------------


class Choices:
    """One way through a tree of choices after the other, until there is none."""

    def __init__(self) -> None:
        self._way: list[tuple[int, int]] = []
        self._depth = 0

    def pick(self, among: Sequence[str]) -> str:
        """What happens next."""
        if self._depth == len(self._way):
            self._way.append((0, len(among)))
        chosen, number = self._way[self._depth]
        assert number == len(among), "the same choices must lead to the same place"
        self._depth += 1
        return among[chosen]

    def ways(self) -> Iterator[int]:
        """Once for each way; what is picked in between belongs to it."""
        for number in count():
            self._depth = 0
            yield number
            while self._way and self._way[-1][0] + 1 == self._way[-1][1]:
                self._way.pop()
            if not self._way:
                return
            self._way[-1] = (self._way[-1][0] + 1, self._way[-1][1])


@dataclass
class Stage:
    """One house, and what happened in one order of one scene."""

    house: House
    choices: Choices
    disk: Disk
    watch: Watch
    queue: Queue = field(init=False)
    order: list[str] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)

    def perform(
        self, requests: dict[str, Request], *, fails: bool = False, crashes: bool = False, prompt: bool = False
    ) -> None:
        """All requests in the order that is chosen, to their ends; or to the moment at which the process ended. `prompt`:
        who can be told is told at once, in the order of the log.
        """
        self.queue = self.house.parts.log._group = Queue(self.house.parts.log._write)
        self.order, self.answers = [], {}
        waits: dict[str, Job] = {}
        fresh = dict(requests)
        while fresh or waits:
            possible = [f"begin {name}" for name in fresh]
            possible += [f"tell {name}" for name, job in waits.items() if job.outcome is not None]
            if prompt and possible and possible[-1].startswith("tell"):
                possible = possible[-1:]
            elif self.queue.waiting:
                possible += ["commit", *(f"commit fails {place}" for place in PLACES if fails)]
            possible += ["crash"] if crashes else []
            step = self.choices.pick(possible)
            self.order.append(step)
            what, _, name = step.partition(" ")
            if what == "crash":
                for request in [*fresh.values(), *(requests[one] for one in waits)]:
                    request.close()
                return
            if what == "commit":
                self.disk.arm(name.removeprefix("fails ") if name else "")
                fails = fails and not name  # one failure a scene
                self.queue.commit()
                continue
            fresh.pop(name, None)
            waits.pop(name, None)
            try:
                waits[name] = requests[name].send(None)
            except StopIteration as end:
                self.answers[name] = end.value

    def settle(self) -> None:
        """After the last answer: the log is open again, and the ledger is what the log says."""
        log, keeper = self.house.parts.log, self.house.keeper
        assert keeper is not None
        self.disk.arm("")
        if log.fault is not None:
            first = log.reopen()
            for disclosure in keeper.recount(first):
                self.house.parts.ledger.apply(disclosure)
            log.resume()
        told = Ledger(self.house.parts.ledger._rules)
        for disclosure in keeper.recount(0):
            told.apply(disclosure)
        now = self.house.clock.now()  # what was taken back may have made older things leave a little early
        assert state(self.house.parts.ledger, now) == state(told, now), self.order
        assert self.watch.undurable == [], self.order

    def tomorrow(self) -> None:
        """Nothing of this order bears on the next: windows are empty, and nobody is frozen."""
        self.house.clock.advance(2 * DAY)
        self.house.parts.freezes._freezes.clear()

    def again(self) -> None:
        """The process ended, and is started again."""
        assert self.house.keeper is not None
        self.queue.waiting.clear()
        self.watch.close()
        self.house.close()
        self.watch.over(self.house.open())

    def entries(self, op: str, since: int) -> int:
        """How many entries of a kind there are from an index on."""
        found = self.watch.look().execute("select count(*) from log_entry where op = ? and idx >= ?", (op, since))
        return int(found.fetchone()[0])


@pytest.fixture
def stage(house: House) -> Iterator[Stage]:
    """A store in which the owner may read one document a day."""
    path = house.layout.config
    path.write_text(path.read_text() + '\n[budget]\n"account-own-documents-24h" = 1\n')
    house.config = parse(path.read_bytes())
    made = Stage(house, Choices(), Disk(count()), Watch(house.layout.database))
    with made.disk.installed():
        made.watch.over(house.open())
        yield made
    made.watch.close()


def release(h: House, place: int, sid: str) -> Request:
    """The owner asks for a document of their own, in a session of its own."""
    document = h.documents(h.demo.own[OWNER])[place]
    return h.ask(p.Release(asking=h.asking(OWNER, sid=sid), document=document))


def delete(h: House, place: int, sid: str) -> Request:
    """The owner deletes one."""
    return h.ask(p.Delete(asking=h.asking(OWNER, sid=sid), document=h.documents(h.demo.own[OWNER])[place]))


def test_two_releases_never_share_the_last_place(stage: Stage) -> None:
    """One document is left in the budget, two sessions ask, and a commit may fail: at most one gets a key."""
    seen = set()
    for number in stage.choices.ways():
        h = stage.house
        stage.perform({"one": release(h, 0, f"a{number}"), "two": release(h, 1, f"b{number}")}, fails=True)
        stage.settle()
        given = [name for name, answer in stage.answers.items() if isinstance(answer, p.Released)]
        assert len(given) <= 1, stage.order
        seen.add(tuple(sorted(getattr(answer, "why", "released") for answer in stage.answers.values())))
        stage.tomorrow()
    assert number > 100
    assert seen >= {("released", "spent"), ("released", "unavailable"), ("unavailable", "unavailable")}


def test_a_freeze_that_was_told_holds(stage: Stage) -> None:
    """An officer freezes; whoever asks after the officer had an answer gets no key, whatever failed meanwhile."""
    kept = set()
    for number in stage.choices.ways():
        h = stage.house
        args: dict[str, object] = {"scope": "class", "name": "read", "reason": "r"}
        scene = {"freeze": h.act("freeze", args, "operator"), "one": release(h, 0, f"a{number}")}
        stage.perform(scene, fails=True)
        stage.settle()
        began = stage.order.index("begin one")
        released = isinstance(stage.answers["one"], p.Released)
        assert not (released and "begin freeze" in stage.order[:began]), stage.order
        frozen = isinstance(stage.answers["freeze"], ActDone)
        assert len(h.parts.freezes.all(h.clock.now())) == 1, "held, although it could not be written"
        stage.tomorrow()
        kept.add((released, frozen))
    assert kept == {(True, True), (True, False), (False, True), (False, False)}


def test_a_crash_anywhere_forgets_no_key(stage: Stage) -> None:
    """Whoever got a key, or was about to, is in the log after the restart, and their charge is counted."""
    ends = set()
    for number in stage.choices.ways():
        h = stage.house
        since, keys = h.parts.log.size, stage.watch.keys
        scene = {"one": release(h, 0, f"a{number}"), "two": delete(h, 1, f"b{number}")}
        stage.perform(scene, crashes=True)
        given = stage.watch.keys - keys
        stage.again()
        stage.settle()
        assert stage.entries("released", since) >= given, stage.order
        answered = sum(isinstance(answer, p.Released | p.Done) for answer in stage.answers.values())
        assert stage.entries("released", since) + stage.entries("deleted", since) >= answered, stage.order
        ends.add((given, stage.entries("released", since)))
        stage.tomorrow()
        if stage.entries("deleted", since):
            restore(stage)
    assert ends == {(0, 0), (0, 1), (1, 1)}


def restore(stage: Stage) -> None:
    """What was deleted is there again, for the next order."""
    document = stage.house.documents(stage.house.demo.own[OWNER])[1]
    undeleted = stage.house.act("undelete", {"document": document, "reason": "r"}, "privacy")
    stage.queue = stage.house.parts.log._group = Queue(stage.house.parts.log._write)
    job = undeleted.send(None)
    stage.queue.commit()
    assert isinstance(job.outcome, Receipt)
    with pytest.raises(StopIteration):
        undeleted.send(None)


def test_a_change_that_fails_alone_takes_back_its_charge_alone(stage: Stage) -> None:
    """Two delete one document, a third reads another: in every order one is refused, and the ledger is the log's."""
    for number in stage.choices.ways():
        h = stage.house
        scene = {"one": delete(h, 1, f"a{number}"), "two": delete(h, 1, f"b{number}"), "read": h.ask(
            p.List(asking=h.asking(OWNER, sid=f"c{number}"), patient=h.demo.own[OWNER]))}  # fmt: skip
        stage.perform(scene, prompt=True)
        stage.settle()
        done = [name for name, answer in stage.answers.items() if isinstance(answer, p.Done)]
        assert len(done) == 1, stage.order
        restore(stage)
        stage.tomorrow()


# ---- the steps -------------------------------------------------------------------------------------------------------

STEPS = ["identify", "look up", "decide", "freezes", "charge", "append", "committed", "unwrap"]
"""As docs/architecture.md has them; `freezes` between 3 and 4, and `committed` before the receipt is told."""


def test_the_real_door_takes_these_steps_in_this_order(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its own queue and thread, on its own loop."""
    taken: list[str] = []

    def noted(of: object, name: str, step: str) -> None:
        whole = getattr(of, name)

        def call(*arguments: Any, **named: Any) -> Any:
            if step != "committed":
                taken.append(step)
            answer = whole(*arguments, **named)
            if step == "committed":
                taken.append(step)
            return answer

        monkeypatch.setattr(of, name, call)

    async def work(h: House) -> None:
        parts = h.parts
        noted(Pen, "write", "committed")
        for of, name, step in (
            (parts.verifier, "verify", "identify"), (parts.catalog, "of_version", "look up"),
            (parts.freezes, "check", "freezes"), (parts.ledger, "charge", "charge"), (parts.log, "append", "append"),
            (parts.custody, "release", "unwrap"),
        ):  # fmt: skip
            noted(of, name, step)
        decide = parts.decide

        def decided(case: Any) -> Any:
            taken.append("decide")
            return decide(case)

        object.__setattr__(parts, "decide", decided)
        assert isinstance(await release(h, 0, "a"), p.Released)

    house.run(work)
    assert taken == STEPS
