"""P1: ManageMyHealth again. One stolen login or more, every id known, against a store made for it; honest people beside it.

Each function below is one condition. All of them work over real HTTP (or the keeper's real socket), and what was got is
counted twice: by the attacker, from the answers, and by the store, from its log. The two must be equal.
"""

import asyncio
import json
import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from weakref import WeakKeyDictionary

from strongroom.clock import DAY, SECOND
from strongroom.rehearse.attack import (
    AS_FAST_AS_POSSIBLE,
    DRY_SECONDS,
    MAX_REQUESTS,
    TEN_A_SECOND,
    Haul,
    Moment,
    Pace,
    address,
    walk,
)
from strongroom.rehearse.http import OK, REFUSED, Answer, Browser, Wallet
from strongroom.rehearse.lookalikes import Act, everybody, honest
from strongroom.rehearse.scorecard import PER_LOGIN, Run
from strongroom.rehearse.stage import Stage
from strongroom.rehearse.timeline import Lane

HONEST_PAUSE = 0.02
"""Seconds between honest requests while an attack runs: about thirty a second on a busy machine."""
LEAST_HONEST = 120
"""Honest requests beside each run, however soon the attack is over."""
HONEST_A_DAY = 10
"""Honest requests on each simulated day of the patient attacker."""
PATIENT_DAYS = 30
PATIENT_TRIES = 8
"""Foreign documents tried each day by the patient attacker, before going quiet until tomorrow."""


@dataclass(slots=True)
class Honest:
    """What became of honest requests."""

    requests: int = 0
    refused: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Scene:
    """One run on one stage."""

    stage: Stage
    seed: int
    say: Callable[[str], None]
    browser: Browser
    began: float = field(default_factory=time.monotonic)
    moments: list[Moment] = field(default_factory=list)
    haul: Haul = field(default_factory=Haul)
    honest: Honest = field(default_factory=Honest)
    over: bool = False
    ahead: float = 0.0
    """Simulated seconds that were added."""

    def now(self) -> float:
        """Seconds since the run began, simulated days included."""
        return time.monotonic() - self.began + self.ahead

    def note(self, outcome: str, *, honest: bool = False) -> None:
        """For the timeline."""
        self.moments.append(Moment(self.now(), honest, outcome))


@dataclass(frozen=True, slots=True)
class Plan:
    """One run over HTTP: which condition, how many logins, how fast, how the ids are walked."""

    condition: str
    logins: Sequence[str]
    pace: Pace
    misses: bool = True
    bound: int = 0
    dry: float = DRY_SECONDS
    stolen_before: frozenset[str] = frozenset()
    """Logins of earlier runs on the same stage: they are frozen, and no longer honest."""


def thieves(stage: Stage, count: int, rng: random.Random, used: set[str]) -> list[str]:
    """`count` patients' logins nobody stole before, without the mother of B6."""
    free = [subject for subject in sorted(stage.own) if subject not in used and subject != "person-1"]
    chosen = rng.sample(free, count)
    used.update(chosen)
    return chosen


async def over_http(stage: Stage, plan: Plan, seed: int, say: Callable[[str], None]) -> Lane:
    """Stolen logins walk all ids over HTTP."""
    scene = Scene(stage, seed, say, Browser(stage.base))
    wallets = {subject: Wallet(lambda subject=subject: stage.token(subject)) for subject in plan.logins}  # type: ignore[misc]  # bound now
    tokens = {subject: wallet.token() for subject, wallet in wallets.items()}
    beside = asyncio.create_task(keep_honest(scene, plan.stolen_before | frozenset(plan.logins)))
    await asyncio.gather(*(_steal(scene, plan, subject, wallets[subject], n) for n, subject in enumerate(plan.logins)))
    scene.over = True
    await beside
    await scene.browser.close()
    return judged(scene, plan.condition, plan.logins, plan.pace.name, plan.bound, list(tokens.values()))


async def patiently(
    stage: Stage, login: str, stolen_before: frozenset[str], seed: int, say: Callable[[str], None]
) -> Lane:
    """One stolen login, thirty simulated days: a few documents a day, a fresh second factor each morning (the worst case)."""
    scene = Scene(stage, seed, say, Browser(stage.base))
    rng = random.Random(seed)
    wallet = Wallet(lambda: stage.token(login))
    tokens = []
    foreign = [document for document, patient in stage.documents if patient not in stage.readable[login]]
    rng.shuffle(foreign)
    for day in range(PATIENT_DAYS):
        if day:
            stage.advance(DAY)
            scene.ahead += DAY / SECOND
        tokens.append(wallet.renew())
        await scene.browser.send("POST", "$step-up", wallet.headers(), address(day))
        beside = asyncio.create_task(
            keep_honest(scene, stolen_before | {login}, limit=scene.honest.requests + HONEST_A_DAY)
        )
        for _ in range(PATIENT_TRIES):
            if not foreign or await _take(scene, stage, login, wallet, foreign.pop(), address(day)) == "refused":
                break
            await asyncio.sleep(0)
        await beside
    await scene.browser.close()
    return judged(scene, "authorization-broken", [login], "patient", PER_LOGIN, tokens)


async def _steal(scene: Scene, plan: Plan, login: str, wallet: Wallet, number: int) -> None:
    stage, rng = scene.stage, random.Random(f"{scene.seed}/{login}")
    each = max(1, MAX_REQUESTS // len(plan.logins))
    documents = sorted(document for document, _ in stage.documents)
    # Thieves who work together share the work: each begins at a stretch of its own.
    begin = number * len(documents) // len(plan.logins)
    rotation = number * 17
    for sent, document in enumerate(walk(documents, rng, misses=plan.misses, begin=begin)):
        if sent >= each or scene.now() - scene.haul.last_new > plan.dry:
            return
        await _take(scene, stage, login, wallet, document, address(rotation + sent // 10))
        if plan.pace.pause:
            await asyncio.sleep(plan.pace.pause)


async def _take(scene: Scene, stage: Stage, login: str, wallet: Wallet, document: str, source: str) -> str:
    """Try for one document: its bytes, and every seventh time its metadata instead."""
    owner = owners_of(stage).get(document)
    foreign = owner is not None and owner not in stage.readable[login]
    listing = scene.haul.requests % 7 == 6  # noqa: PLR2004  # every seventh
    if foreign and scene.haul.first_foreign is None:
        scene.haul.first_foreign = scene.now()
    path = f"DocumentReference/{document}" if listing else f"Binary/{document}"
    answer = await scene.browser.get(path, wallet.headers(), source)
    scene.haul.requests += 1
    if answer.status != OK:
        scene.haul.stops.append(_words(answer))
        scene.note("refused" if owner is not None else "absent")
        return "refused" if answer.status not in (404, 0) else "absent"
    scene.haul.got(document, scene.now(), foreign=foreign, listing=listing)
    scene.note("foreign" if foreign else "own")
    return "got"


async def keep_honest(scene: Scene, stolen: frozenset[str], limit: int = 100_000) -> None:
    """Honest requests until the attack is over, at least a few even when it is over at once."""
    stage, rng = scene.stage, random.Random(scene.seed)
    town = honest(stage, stolen)
    wallets: dict[str, Wallet] = {}
    programs: dict[str, tuple[str, Callable[[str, str], str]]] = {}
    queue: list[Act] = []
    least = min(limit, LEAST_HONEST)
    while scene.honest.requests < least or (not scene.over and scene.honest.requests < limit):
        if not queue:
            queue = list(everybody(town, rng))[::-1]
        act = queue.pop()
        if act.program:
            token, prove = programs.setdefault(act.subject, stage.program_token(act.subject))
            headers = {"Authorization": f"DPoP {token}", "DPoP": prove("GET", f"{stage.base}/{act.path}"),
                       "X-Purpose-Of-Use": "TREAT"}  # fmt: skip
        else:
            wallet = wallets.setdefault(act.subject, Wallet(lambda subject=act.subject: stage.token(subject)))  # type: ignore[misc]  # bound now
            headers = wallet.headers()
        answer = await scene.browser.get(act.path, headers, act.source)
        scene.honest.requests += 1
        refused = answer.status >= REFUSED or answer.status == 0
        if refused:
            scene.honest.refused.append(f"{act.script} {act.path.split('/')[0].split('?')[0]}: {_words(answer)}")
        scene.note("refused" if refused else "own", honest=True)
        if limit > 1_000:  # noqa: PLR2004  # beside a running attack, not a counted handful
            await asyncio.sleep(HONEST_PAUSE)


# ---- judging --------------------------------------------------------------------------------------------------------


def judged(scene: Scene, condition: str, logins: Sequence[str], rate: str, bound: int, tokens: Sequence[str]) -> Lane:
    """The run's figures, the store's own list against the haul among them."""
    stage, haul = scene.stage, scene.haul
    readable = frozenset().union(*(stage.readable[login] for login in logins)) if logins else frozenset()
    owners = owners_of(stage)
    people = {owners[document] for document in haul.documents if document in owners}
    equal, listed_people, told = _compare(stage, haul, tokens)
    lost = (people | told) - readable
    documents = {document for document in haul.documents if owners.get(document) not in readable}
    contained = None
    if haul.first_foreign is not None and haul.last_release is not None:
        contained = round(haul.last_release - haul.first_foreign, 2)
    run = Run(
        condition=condition, logins=len(logins), rate=rate, people_own=len(readable), people_listed=len(listed_people - readable),
        documents_lost=len(documents), people_lost=len(lost), bound=bound, stopped_by=_stopped(haul),
        seconds_to_containment=contained, requests=haul.requests, list_equals_haul=equal,
        honest_requests=scene.honest.requests, honest_refused=len(scene.honest.refused), border=stage.border,
    )  # fmt: skip
    for refusal in scene.honest.refused[:3]:
        scene.say(f"    honest refusal: {refusal}")
    return Lane(run, scene.moments)


def _compare(stage: Stage, haul: Haul, tokens: Sequence[str]) -> tuple[bool, set[str], set[str]]:
    """Whether the store's list of the thieves' sessions is exactly the haul; people listed; everybody on the list."""
    released, listed, people, listed_people = set(), set(), set(), set()
    for token in tokens:
        for row in stage.who_read(session=stage.session(token))["rows"]:
            documents = {name.rpartition(".")[0] for name in row["documents"]}
            people.add(row["patient"])
            if row["op"] == "released":
                released |= documents
            else:
                listed |= documents
                listed_people.add(row["patient"])
    return released == haul.released and listed == haul.listed, listed_people, people


_GUARDS = (
    ("reached how much", "account budget"), ("second factor", "account budget"), ("account is stopped", "probe budget"),
    ("not accepted", "identity"),
)  # fmt: skip
"""Words of the API's answers, and the guard behind them."""


def _stopped(haul: Haul) -> str:
    """The guard that stopped it, from the store's own words; the policy where nothing foreign was ever given."""
    words = " ".join(dict.fromkeys(haul.stops)).lower()
    if haul.last_release is None:
        return "policy" if "nothing here" in words else "identity"
    return next((guard for word, guard in _GUARDS if word in words), "end of documents")


def _words(answer: Answer) -> str:
    try:
        issue = json.loads(answer.body)["issue"][0]
        return f"{answer.status} {issue['code']} {issue['details']['text']}"
    except (ValueError, KeyError, IndexError):
        return f"{answer.status}"


_OWNERS: WeakKeyDictionary[Stage, dict[str, str]] = WeakKeyDictionary()


def owners_of(stage: Stage) -> dict[str, str]:
    """Document to patient."""
    if stage not in _OWNERS:
        _OWNERS[stage] = dict(stage.documents)
    return _OWNERS[stage]


def plans_with_guards(stage: Stage, rng: random.Random, used: set[str], *, quick: bool) -> Iterable[Plan]:
    """guards-on: 1, 5 and 20 logins as fast as possible, and one at 10 requests a second."""
    dry = 6.0 if quick else DRY_SECONDS
    for count in (1, 5) if quick else (1, 5, 20):
        yield _plan("guards-on", stage, count, rng, used, AS_FAST_AS_POSSIBLE, dry=dry)
    if not quick:
        yield _plan("guards-on", stage, 1, rng, used, TEN_A_SECOND, dry=dry)


def plans_broken(stage: Stage, rng: random.Random, used: set[str], *, misses: bool, quick: bool) -> Iterable[Plan]:
    """authorization-broken: the same, each login bound to five people."""
    dry = 6.0 if quick else DRY_SECONDS
    for count in (1, 5) if quick else (1, 5, 20):
        plan = _plan("authorization-broken", stage, count, rng, used, AS_FAST_AS_POSSIBLE, dry=dry)
        yield replace(plan, misses=misses, bound=PER_LOGIN * count)
    if not quick and misses:
        plan = _plan("authorization-broken", stage, 1, rng, used, TEN_A_SECOND, dry=dry)
        yield replace(plan, bound=PER_LOGIN)


def _plan(
    condition: str, stage: Stage, count: int, rng: random.Random, used: set[str], pace: Pace, *, dry: float
) -> Plan:
    before = frozenset(used)
    return Plan(condition, thieves(stage, count, rng, used), pace, dry=dry, stolen_before=before)
