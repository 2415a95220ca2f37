"""Who can reach whose documents: every route, method, role, relation and access path, over real HTTP.

For each way that the API has, each role asks for somebody else's document or record, and for one that does not exist,
through each access path. The two answers must be the same but for Date and X-Request-Id (and the id that was asked for),
and neither may hold anything of the document. Beside them stand cases that must succeed, or the matrix would be empty
talk. A second part asks in interleaved pairs and compares the two distributions of time (Cliff's delta).
"""

import asyncio
import bisect
import itertools
import json
import random
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import httpx2

from bench.report import Figure, Goal
from strongroom.api.routes import WAYS, Way
from strongroom.ids import new_id
from strongroom.rehearse.stage import Stage, StageOptions
from strongroom.wiring.stage import open_stage

from . import Scale

CASES = {"small": 1_000, "full": 10_000}
PAIRS = {"small": 1_000, "full": 20_000}
IGNORED = frozenset({"date", "x-request-id"})
FHIR = "application/fhir+json"
NO_PROBE_LIMIT = 10**9


@dataclass(frozen=True, slots=True)
class Role:
    """Somebody who asks. `subject` empty: nobody, without a token. `program`: a service account."""

    name: str
    subject: str = ""
    program: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """One request: method, address below the origin, headers and body; `{id}` stands for what is asked for."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """One cell of the matrix."""

    way: Way
    path: str
    role: Role
    ask: Ask
    of_record: bool
    """Whether `{id}` is a patient, not a document."""


REFERENCE = json.dumps({
    "resourceType": "DocumentReference", "status": "current", "subject": {"reference": "Patient/{id}"},
    "content": [{"attachment": {"contentType": "text/plain", "data": "aGVsbG8gd29ybGQ="}}],
})  # fmt: skip
LATER = "2027-06-01T00:00:00Z"
_GET = {
    "read": Ask("GET", "{path}"),
    "conditional": Ask("GET", "{path}", {"If-None-Match": 'W/"1"'}),
    "head": Ask("HEAD", "{path}"),
    "range": Ask("GET", "{path}", {"Range": "bytes=0-9"}),
    "fhir-form": Ask("GET", "{path}", {"Accept": FHIR}),
    "delete": Ask("DELETE", "{path}"),
    "update": Ask("PUT", "{path}", {"If-Match": 'W/"1"', "Content-Type": FHIR}, REFERENCE),
    "relabel": Ask("POST", "{path}", {"Content-Type": FHIR}, '{"category": "normal"}'),
    "search-id": Ask("GET", "{path}?_id={id}"),
    "supersede": Ask("POST", "{path}", {"Content-Type": "text/plain", "If-Match": 'W/"1"',
                                        "X-Security-Context": "DocumentReference/{id}"}, "hello"),
}  # fmt: skip
"""Access paths upon a document."""
_RECORD = {
    "search": Ask("GET", "{path}?patient={id}"),
    "post-search": Ask("POST", "{path}", {"Content-Type": "application/x-www-form-urlencoded"}, "patient={id}"),
    "docref": Ask("GET", "{path}?patient={id}"),
    "post-docref": Ask("POST", "{path}", {"Content-Type": FHIR},
                       '{"resourceType":"Parameters","parameter":[{"name":"patient","valueId":"{id}"}]}'),
    "history": Ask("GET", "{path}?patient={id}"),
    "post-history": Ask("POST", "{path}", {"Content-Type": "application/x-www-form-urlencoded"}, "patient={id}"),
    "create": Ask("POST", "{path}", {"Content-Type": FHIR}, REFERENCE),
    "create-binary": Ask("POST", "{path}", {"Content-Type": "text/plain", "X-Security-Context": "Patient/{id}"}, "hello"),
    "share": Ask("POST", "{path}", {"Content-Type": FHIR}, json.dumps({"party": "practice-1", "until": LATER})),
    "delegate": Ask("POST", "{path}", {"Content-Type": FHIR}, json.dumps({"account": "a" * 26, "until": LATER})),
    "withhold": Ask("POST", "{path}", {"Content-Type": FHIR}, json.dumps({"party": "everybody"})),
    "break-glass": Ask("POST", "{path}", {"Content-Type": FHIR}, json.dumps({"reason": "emergency"})),
}  # fmt: skip
"""Access paths upon a patient's record."""


def roles(stage: Stage) -> list[Role]:
    """Everybody who may try: strangers of every kind."""
    programs = [f"sync-practice-{n}" for n in (1, 2)]
    patients = sorted(stage.own)
    return [
        Role("nobody"), Role("patient", patients[11]), Role("patient", patients[17]), Role("mother", "person-1"),
        Role("clinician", stage.clinicians[0]), Role("clinician", stage.clinicians[1]),
        *(Role("service", program, program=True) for program in programs),
    ]  # fmt: skip


def cells(stage: Stage) -> Iterator[Case]:
    """Every way, access path and role. Raises KeyError for an access path that nobody wrote a request for."""
    for way, role in itertools.product(WAYS, roles(stage)):
        for path in way.access:
            name = "create-binary" if path == "create" and way.path.endswith("/Binary") else path
            if role.name == "clinician" and path == "break-glass":
                continue  # opening any record in an emergency is what a clinician may do; it is logged and told
            ask = _GET[name] if name in _GET else _RECORD[name]
            yield Case(way, name, role, ask, of_record=name in _RECORD)


class Asker:
    """Sends cases with the right credentials."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._origin = stage.base.removesuffix("/fhir")
        self._http = httpx2.AsyncClient(timeout=20.0)
        self._tokens: dict[str, tuple[float, str]] = {}
        self._programs: dict[str, tuple[float, tuple[str, object]]] = {}

    async def send(self, case: Case, ident: str) -> httpx2.Response:
        """The answer when `case` asks for `ident`."""
        place = case.way.path.replace("{id}", ident).replace("{version}", "1")
        url = self._origin + case.ask.path.replace("{path}", place).replace("{id}", ident)
        headers = {name: value.replace("{id}", ident) for name, value in case.ask.headers.items()}
        headers |= self._credentials(case, url)
        body = case.ask.body.replace("{id}", ident)
        return await self._http.request(case.ask.method, url, headers=headers, content=body or None)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    def _credentials(self, case: Case, url: str) -> dict[str, str]:
        subject = case.role.subject
        if not subject:
            return {}
        if case.role.program:
            made, (token, prove) = self._programs.get(subject, (0.0, ("", None)))
            if time.monotonic() - made > 300 or prove is None:  # tokens live ten minutes
                token, prove = self._stage.program_token(subject)
                self._programs[subject] = (time.monotonic(), (token, prove))
            proof = prove(case.ask.method, url)  # type: ignore[operator]  # what program_token gave
            return {"Authorization": f"DPoP {token}", "DPoP": proof, "X-Purpose-Of-Use": "TREAT"}
        made_at, token = self._tokens.get(subject, (-1e9, ""))
        if time.monotonic() - made_at > 300:  # as above
            token = self._stage.token(subject)
            self._tokens[subject] = (time.monotonic(), token)
        return {"Authorization": f"Bearer {token}"}


@dataclass(slots=True)
class Outcome:
    """What the matrix found."""

    cases: int = 0
    leaks: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    permitted: int = 0


def shape(answer: httpx2.Response, ident: str) -> tuple[object, ...]:
    """An answer without what may differ: Date, X-Request-Id, and the id that was asked for."""
    body = answer.text.replace(ident, "{id}")
    told = {name: value.replace(ident, "{id}") for name, value in answer.headers.items() if name not in IGNORED}
    if int(told.get("content-length", len(answer.content))) == len(answer.content):
        told["content-length"] = str(len(body))  # ids of other lengths are echoed in links
    return answer.status_code, tuple(sorted(told.items())), body


async def matrix(stage: Stage, wanted: int, seed: int = 7) -> Outcome:
    """Ask until `wanted` cases were asked, every cell at least once."""
    asker, rng, found = Asker(stage), random.Random(seed), Outcome()
    owners = dict(stage.documents)
    grid = list(cells(stage))
    for case in itertools.cycle(grid):
        if found.cases >= max(wanted, 2 * len(grid)):
            break
        readable = stage.readable.get(case.role.subject, _of_program(stage, case.role))
        document, patient = _foreign(rng, owners, readable)
        foreign = patient if case.of_record else document
        unknown = new_id() if rng.random() < 0.9 else "not-an-id"  # some malformed ones, too
        first, second = (foreign, unknown) if rng.random() < 0.5 else (unknown, foreign)  # either first
        answers = {ident: await asker.send(case, ident) for ident in (first, second)}
        found.cases += 2
        _judge(found, case, answers[foreign], answers[unknown], (foreign, unknown))
    await _permitted(stage, asker, found)
    await asker.close()
    return found


def _of_program(stage: Stage, role: Role) -> frozenset[str]:
    return (
        stage.readable.get(role.subject.replace("sync-practice-", "staff-"), frozenset())
        if role.program
        else frozenset()
    )


def _foreign(rng: random.Random, owners: Mapping[str, str], readable: frozenset[str]) -> tuple[str, str]:
    while True:
        document = rng.choice(sorted(owners))
        if owners[document] not in readable:
            return document, owners[document]


def _judge(
    found: Outcome, case: Case, foreign: httpx2.Response, unknown: httpx2.Response, ids: tuple[str, str]
) -> None:
    cell = f"{case.way.method} {case.way.path} {case.path} as {case.role.name}"
    if shape(foreign, ids[0]) != shape(unknown, ids[1]):
        found.differences.append(f"{cell}: {foreign.status_code} and {unknown.status_code}")
    if (foreign.status_code == 200 and not _is_empty(foreign)) or foreign.status_code in (201, 204, 206, 304):
        found.leaks.append(f"{cell}: {foreign.status_code}")


def _is_empty(answer: httpx2.Response) -> bool:
    """A search that found nothing."""
    try:
        bundle = json.loads(answer.content or b"{}")
    except ValueError:
        return False
    return bundle.get("resourceType") == "Bundle" and not bundle.get("entry")


async def _permitted(stage: Stage, asker: Asker, found: Outcome) -> None:
    """The same requests upon one's own must succeed."""
    subject = sorted(stage.own)[11]
    patient = stage.own[subject]
    document = next(doc for doc, owner in stage.documents if owner == patient and doc not in stage.hidden)
    role = Role("patient", subject)
    for case in cells(stage):
        if case.role.subject == subject and case.way.method == "GET" and case.path != "conditional":
            answer = await asker.send(
                Case(case.way, case.path, role, case.ask, case.of_record), patient if case.of_record else document
            )
            if answer.status_code in (200, 206) and (case.ask.method == "HEAD" or not _is_empty(answer)):
                found.permitted += 1
            else:
                found.differences.append(f"own {case.way.path} {case.path}: {answer.status_code}")


async def times(stage: Stage, pairs: int, seed: int = 7) -> tuple[list[float], list[float]]:
    """Seconds of (foreign, unknown) reads of bytes, asked in interleaved pairs in random order."""
    asker, rng = Asker(stage), random.Random(seed)
    way = next(way for way in WAYS if way.path == "/fhir/Binary/{id}")
    role = Role("patient", sorted(stage.own)[11])
    case = Case(way, "read", role, _GET["read"], of_record=False)
    owners, readable = dict(stage.documents), stage.readable[role.subject]
    foreign: list[float] = []
    unknown: list[float] = []
    for _ in range(pairs):
        both = [(foreign, _foreign(rng, owners, readable)[0]), (unknown, new_id())]
        rng.shuffle(both)
        for taken, ident in both:
            began = time.perf_counter()
            await asker.send(case, ident)
            taken.append(time.perf_counter() - began)
    await asker.close()
    return foreign, unknown


def cliffs_delta(left: Sequence[float], right: Sequence[float]) -> float:
    """How often a value of `left` is larger than one of `right`, less how often it is smaller: -1 to 1 (Cliff 1993)."""
    ordered = sorted(right)
    more = sum(bisect.bisect_left(ordered, value) for value in left)
    less = sum(len(ordered) - bisect.bisect_right(ordered, value) for value in left)
    return (more - less) / (len(left) * len(right))


def run(scale: Scale) -> Iterable[Figure]:
    """The matrix and the times."""
    options = StageOptions(patients=80, decoys=0, probe_limit=NO_PROBE_LIMIT)
    with open_stage(options) as stage:
        found = asyncio.run(matrix(stage, CASES[scale]))
        for line in [*found.leaks[:5], *found.differences[:5]]:
            print(line)
        yield Figure("cases", found.cases, "requests", goal=Goal("value", ">=", CASES[scale]))
        yield Figure("leaks", len(found.leaks), "cases", goal=Goal("value", "==", 0))
        yield Figure("answers that differ", len(found.differences), "cases", goal=Goal("value", "==", 0))
        yield Figure("own reads that succeeded", found.permitted, "requests", goal=Goal("value", ">=", 10))
        foreign, unknown = asyncio.run(times(stage, PAIRS[scale]))
        delta = cliffs_delta(foreign, unknown)
        yield Figure("|Cliff's delta| of times", abs(delta), "", goal=Goal("value", "<=", 0.05))
