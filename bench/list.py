"""Two lists of a large store: who was read by one login, exactly; and what one patient has.

The first is the victims' list of a theft: 428,337 releases of 99,416 people inside a log of ten million entries, each with its
people, its document and its delivery by name. It is asked of the log, and then as an officer asks for it: signed acts, one for
each piece that fits a reply, up to the bytes of the answer. Against it stands what SQLite alone needs for the same rows. The
first time is told by itself: what the machine does not have in memory comes from the disk.

The second is a page of fifty documents, asked for through the door by their owner: token, context, facts, fifty decisions,
budgets, an entry durable on the disk, fifty metadata keys. Against it stands an append of the same entry alone.
"""

import asyncio
import statistics
import time
from collections.abc import Callable, Iterable
from typing import TypeVar

import msgspec

from bench import Scale
from bench.report import Figure, Goal
from bench.scale import Standing, cast, stand
from bench.scale.catalog import subject
from bench.scale.door import Door, opened
from strongroom.audit import event
from strongroom.audit.query import Affected, Query, Read, Selectors, Window
from strongroom.budget.scope import Disclosure, Kind, Scopes
from strongroom.identity import keyfile
from strongroom.identity.officers import compose_act, sign_act
from strongroom.ids import AccountId, SessionId
from strongroom.keeper.acts import Act, ActDone, Signature
from strongroom.keeper.protocol import List, Listed

T = TypeVar("T")
ROUNDS = 5
LISTINGS = {"small": 200, "full": 500}
PAGE = 50
OFFICER = "privacy"
_ROWS = """
select e.idx, e.t, e.body, (select d.body from log_entry d where d.ref = e.idx order by d.idx desc limit 1)
from log_entry e where e.actor in (select id from log_name where kind = 'account' and real = ?) order by e.idx
"""


def run(scale: Scale) -> Iterable[Figure]:
    """Both lists."""
    standing = stand(scale)
    with opened(standing) as door:
        yield from asyncio.run(_both(standing, door, LISTINGS[scale]))


async def _both(standing: Standing, door: Door, count: int) -> list[Figure]:
    """In one event loop: a log belongs to one."""
    return [*_who_read(standing, door), *await _officers(standing, door), *await _listing(standing, door, count)]


# ---- who was read ---------------------------------------------------------------------------------------------------


def _who_read(standing: Standing, door: Door) -> Iterable[Figure]:
    world, sizes = standing.world, standing.world.sizes
    thief = world.login(world.thief)
    selectors, window = Selectors(account=thief), Window(door.parts.log.size)
    rows, cpu, people, alone = list[float](), list[float](), list[float](), list[float]()
    stolen, met = 0, set[object]()
    for _ in range(ROUNDS):
        before = time.process_time()
        seconds, found = _timed(lambda: _asked(door, lambda query: list(query.who_read(selectors, window))))
        rows.append(seconds)
        cpu.append(time.process_time() - before)
        theft = [one for one in found if isinstance(one, Read) and one.kind == Kind.STRANGER.value]
        stolen, met = len(theft), {one.patient for one in theft}
        assert all(isinstance(one.documents[0][0], str) and one.delivered == one.bytes for one in theft)
        seconds, counted = _timed(lambda: _asked(door, lambda query: query.people(selectors, window)))
        people.append(seconds)
        assert met <= {one.patient for one in counted if isinstance(one, Affected)}
        alone.append(_timed(lambda: door.parts.catalog.rows(_ROWS, (thief,)))[0])
    middle = statistics.median
    yield Figure("releases on the list", stolen, "", goal=Goal("value", "==", sizes.stolen))
    yield Figure("people on the list", len(met), "", goal=Goal("value", "==", sizes.victims))
    yield Figure("who-read, every row by name", middle(rows), "s", middle(alone), Goal("value", "<=", 5.0))
    yield Figure("who-read, the first time", rows[0], "s", alone[0])
    yield Figure("who-read, CPU of it", middle(cpu), "s")
    yield Figure("who-read, people alone", middle(people), "s", middle(alone), Goal("value", "<=", 5.0))


async def _officers(standing: Standing, door: Door) -> list[Figure]:
    asked = [await _as_officer(standing, door, standing.world.login(standing.world.thief)) for _ in range(ROUNDS)]
    return [
        Figure("who-read, answers to an officer", statistics.median(seconds for seconds, _ in asked), "s"),
        Figure("pieces of those answers", asked[0][1], ""),
    ]


async def _as_officer(standing: Standing, door: Door, account: AccountId) -> tuple[float, int]:
    """Seconds until the last piece of the list was answered, and how many there were."""
    key = keyfile.read(standing.layout.root / "officers" / f"{OFFICER}.key")
    args: dict[str, object] = {"account": account, "size": door.parts.log.size}
    rows, pieces, taken = 0, 0, 0.0
    while pieces == 0 or args["first"] is not None:
        body = compose_act(standing.config.store.name, "who-read", args, door.parts.clock.now())
        act = Act(body=body, signatures=(Signature(officer=OFFICER, value=sign_act(key, body)),))
        start = time.perf_counter()
        reply = await door.keeper.acts.handle(act, 0)
        taken += time.perf_counter() - start
        assert isinstance(reply, ActDone), reply
        told = msgspec.json.decode(reply.result)
        rows, pieces, args["first"] = rows + len(told["rows"]), pieces + 1, told["next"]
    assert rows >= standing.world.sizes.stolen
    return taken, pieces


def _asked(door: Door, ask: Callable[[Query], T]) -> T:
    """A question to the log, resolved anew: nothing is remembered from the question before."""
    query = door.parts.query()
    try:
        return ask(query)
    finally:
        query.close()


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    start = time.perf_counter()
    done = work()
    return time.perf_counter() - start, done


# ---- what a patient has ---------------------------------------------------------------------------------------------


async def _listing(standing: Standing, door: Door, count: int) -> list[Figure]:
    world, members = standing.world, cast.members(standing.world)
    tokens = {number: door.token(subject(number)) for number in members}
    ours, append, cpu = list[float](), list[float](), list[float]()
    for at in range(count):
        number = members[at % len(members)]
        patient = world.patient(number)
        request = List(asking=door.asking(tokens[number]), patient=patient, limit=PAGE)
        start, before = time.perf_counter(), time.process_time()
        reply = await door.keeper.dispatch.handle(request, 0)
        ours.append(time.perf_counter() - start)
        cpu.append(time.process_time() - before)
        assert isinstance(reply, Listed), reply
        assert len(reply.rows) == PAGE
        shown = tuple((row.document, row.version) for row in reply.rows)
        scopes = Scopes(SessionId("bench"), AccountId(world.login(number)), "cli", None, "192.0.2.1/32")
        what = Disclosure(door.parts.clock.now(), Kind.OWN, scopes, patient, None, 0, 0)
        draft = event.listed(what, event.Ground("owner", "PATRQT", door.parts.policy), shown)  # type: ignore[arg-type]  # ids
        start = time.perf_counter()
        await door.parts.log.append(draft)
        append.append(time.perf_counter() - start)
    ours, append = sorted(ours), sorted(append)
    goal = Goal("value", "<=", 2.0)
    return [
        Figure("50 documents listed through the door, p50", ours[count // 2] * 1e3, "ms", append[count // 2] * 1e3, goal),
        Figure("50 documents listed through the door, p99", ours[count * 99 // 100] * 1e3, "ms",
               append[count * 99 // 100] * 1e3),
        Figure("50 documents listed through the door, CPU", statistics.median(cpu) * 1e3, "ms"),
    ]  # fmt: skip
