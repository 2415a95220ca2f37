"""Honest people at work on a running store, and a list of all that they were told: what was acknowledged must hold.

Readers list and read; writers deposit documents, write new versions of them, read them back and delete some. A connection
that breaks, and a 503, are no acknowledgement. Anything else that is no success, or a byte that is not what was put
there, is a violation by itself.
"""

import asyncio
import hashlib
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx2

from strongroom.rehearse.http import Wallet
from strongroom.wiring.stage import RunningStage

PEOPLE = 8
"""Clinicians and patients at work."""
PAUSE = 0.1
"""Seconds between two requests of one person: load, not a benchmark."""
FHIR = "application/fhir+json"
UNAVAILABLE = 503


@dataclass(frozen=True, slots=True)
class Upload:
    """One version that was acknowledged, when (time.time), and by whom."""

    document: str
    version: int
    subject: str
    patient: str
    digest: str
    size: int
    at: float


@dataclass(slots=True)
class Told:
    """What people were told."""

    uploads: list[Upload] = field(default_factory=list)
    released: list[tuple[float, str, str]] = field(default_factory=list)
    """Time, subject, document."""
    listed: list[tuple[float, str, str]] = field(default_factory=list)
    """Time, subject, patient."""
    deleted: dict[str, float] = field(default_factory=dict)
    deleting: set[str] = field(default_factory=set)
    """Documents whose deletion was asked for: they may be there or not until it is acknowledged."""
    answers: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    def until(self, end: float) -> "Told":
        """What had been told at `end`. A deletion that was asked for by then may have happened."""
        return Told(
            [one for one in self.uploads if one.at < end],
            [one for one in self.released if one[0] < end],
            [one for one in self.listed if one[0] < end],
            {name: at for name, at in self.deleted.items() if at < end},
            set(self.deleting),
        )

    def add(self, other: "Told") -> None:
        """What the people of another store were told."""
        self.uploads += other.uploads
        self.released += other.released
        self.listed += other.listed
        self.deleted |= other.deleted
        self.deleting |= other.deleting
        self.answers += other.answers
        self.violations += other.violations


class Crowd:
    """Everybody at work, until told to stop."""

    def __init__(self, stage: RunningStage, told: Told, seed: int) -> None:
        self._stage = stage
        self._told = told
        self._random = random.Random(seed)
        self._http = httpx2.AsyncClient(timeout=httpx2.Timeout(10.0))
        self._tasks: list[asyncio.Task[None]] = []
        self._by_patient: dict[str, list[str]] = {}
        for document, patient in stage.documents:
            if document not in stage.hidden:
                self._by_patient.setdefault(patient, []).append(document)

    def start(self) -> None:
        """Everybody begins."""
        staff, patients = list(self._stage.clinicians), sorted(self._stage.own)
        for number in range(PEOPLE):
            people = patients if number % 2 else staff
            self._begin(self._writer if number % 4 < 2 else self._reader, people[number % len(people)])

    async def stop(self) -> None:
        """Everybody goes home; what is under way is not waited for."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        await self._http.aclose()

    async def answers(self) -> bool:
        """Whether the store does all it should: lists for the first patient, and lets people sign in."""
        bearer = {"Authorization": f"Bearer {self._stage.token(min(self._stage.own))}"}
        try:
            found = await self._http.get(f"{self._stage.base}/DocumentReference?_count=1", headers=bearer)
            keys = await self._http.get(f"{self._stage.issuer}/.well-known/openid-configuration")
        except httpx2.HTTPError:
            return False
        return (found.status_code, keys.status_code) == (httpx2.codes.OK, httpx2.codes.OK)

    def _begin(self, work: "Callable[[str, Wallet], object]", subject: str) -> None:
        wallet = Wallet(lambda: self._stage.token(subject))
        self._tasks.append(asyncio.get_running_loop().create_task(self._work(work, subject, wallet)))

    async def _work(self, work: Callable[..., object], subject: str, wallet: Wallet) -> None:
        while True:
            await asyncio.sleep(PAUSE * (0.5 + self._random.random()))
            try:
                await work(subject, wallet)  # type: ignore[misc]  # every work is a coroutine function
            except httpx2.HTTPError as error:
                self._told.answers[type(error).__name__] += 1

    async def _reader(self, subject: str, wallet: Wallet) -> None:
        patient = self._random.choice(sorted(self._stage.readable[subject] & self._by_patient.keys()))
        if self._random.random() < 0.3:
            url = f"{self._stage.base}/DocumentReference?patient={patient}&_count=10"
            answer = await self._http.get(url, headers=wallet.headers())
            if self._counts(answer, (httpx2.codes.OK,)):
                self._told.listed.append((time.time(), subject, patient))
            return
        await self._read(subject, wallet, self._random.choice(self._by_patient[patient]), "")

    async def _writer(self, subject: str, wallet: Wallet) -> None:
        mine = [one for one in self._told.uploads if one.subject == subject and one.document not in self._told.deleting]
        dice = self._random.random()
        if mine and dice < 0.45:
            one = self._random.choice(mine)
            body = await self._read(subject, wallet, one.document, f"/_history/{one.version}")
            if body is not None and hashlib.sha256(body).hexdigest() != one.digest:
                self._told.violations.append(
                    f"{one.document} version {one.version} has other bytes than were put there"
                )
            return
        own = [one for one in mine if one.patient == self._stage.own.get(subject)]  # only the patient may delete
        if own and dice < 0.5:
            await self._delete(wallet, self._random.choice(own))
            return
        if mine and dice < 0.6:
            await self._upload(subject, wallet, self._random.choice(mine))
            return
        await self._upload(subject, wallet, None)

    async def _read(self, subject: str, wallet: Wallet, document: str, version: str) -> bytes | None:
        """The bytes. An answer counts as released from its first byte on, however it ends."""
        url = f"{self._stage.base}/Binary/{document}{version}"
        async with self._http.stream("GET", url, headers=wallet.headers()) as answer:
            good = answer.status_code == httpx2.codes.OK
            if good:
                self._told.released.append((time.time(), subject, document))
            body = await answer.aread()
        gone = document in self._told.deleting and answer.status_code == httpx2.codes.NOT_FOUND
        if not self._counts(answer, (httpx2.codes.OK, *([httpx2.codes.NOT_FOUND] if gone else []))):
            return None
        return body if good else None

    async def _upload(self, subject: str, wallet: Wallet, upon: Upload | None) -> None:
        body = self._random.randbytes(self._random.choice((300, 3_000, 40_000))).hex().encode()
        if upon is None:
            patient = self._random.choice(sorted(self._stage.readable[subject]))
            owner = {"X-Security-Context": f"Patient/{patient}"}
        else:
            patient = upon.patient
            newest = max(one.version for one in self._told.uploads if one.document == upon.document)
            owner = {"X-Security-Context": f"DocumentReference/{upon.document}", "If-Match": f'W/"{newest}"'}
        headers = {**wallet.headers(), "Content-Type": "text/plain", **owner}
        answer = await self._http.post(f"{self._stage.base}/Binary", headers=headers, content=body)
        stale = (
            () if upon is None else (404, 409, 412)
        )  # an unacknowledged version may be the newest, or it was deleted
        if self._counts(answer, (201, *stale)) and answer.status_code == httpx2.codes.CREATED:
            place = answer.headers["location"].split("/Binary/")[1].split("/")
            digest = hashlib.sha256(body).hexdigest()
            self._told.uploads.append(Upload(place[0], int(place[2]), subject, patient, digest, len(body), time.time()))

    async def _delete(self, wallet: Wallet, one: Upload) -> None:
        self._told.deleting.add(one.document)
        newest = max(other.version for other in self._told.uploads if other.document == one.document)
        headers = {**wallet.headers(), "If-Match": f'W/"{newest}"'}
        answer = await self._http.delete(f"{self._stage.base}/DocumentReference/{one.document}", headers=headers)
        if self._counts(answer, (204, 404, 409, 412)) and answer.status_code == httpx2.codes.NO_CONTENT:
            self._told.deleted[one.document] = time.time()

    def _counts(self, answer: httpx2.Response, expected: tuple[int, ...]) -> bool:
        """Whether the answer is one of those expected. A 503 is none, and allowed; all others are violations."""
        self._told.answers[str(answer.status_code)] += 1
        if answer.status_code in expected:
            return True
        if answer.status_code != UNAVAILABLE:
            text = answer.text if answer.is_stream_consumed else ""
            self._told.violations.append(f"{answer.request.method} was answered {answer.status_code}: {text[:160]}")
        elif answer.headers.get("content-type", "").split(";")[0] != FHIR:
            self._told.violations.append("a 503 is no OperationOutcome")
        return False
