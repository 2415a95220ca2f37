"""People who ask a running store all the time, one kind of request each, and what they were told."""

import asyncio
import hashlib
import itertools
import random
import time
from typing import TYPE_CHECKING

import httpx2

from bench.faults.fault import KINDS, Kind, Outcome
from bench.load import Told, Upload
from bench.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable


PATIENCE = 3.0
"""Seconds after which a client gives up: nobody answered."""
PAUSE = 0.1
REFUSALS = frozenset({401, 500, 502, 503})
"""Statuses by which a store that is at fault refuses. 401: a token or a request's context that it cannot believe; 500: what is
stored does not open.
"""


class People:
    """Asks for one document, one list, one upload, one issuer's keys; each time by the next of several patients."""

    def __init__(self, store: Store, told: Told) -> None:
        self.token = store.token
        self._store = store
        self._told = told
        self._http = httpx2.AsyncClient(timeout=PATIENCE, limits=httpx2.Limits(max_keepalive_connections=0))
        self._owners = itertools.cycle(store.owners)
        self._digests: dict[str, str] = {}
        by_patient = {patient: name for name, patient in store.demo.documents if name not in store.demo.hidden}
        self.documents = {subject: by_patient[store.demo.own[subject]] for subject in store.owners
                          if store.demo.own[subject] in by_patient}  # fmt: skip
        self._ways: dict[Kind, Callable[[str], object]] = {
            "read": self._read,
            "list": self._list,
            "upload": self._upload,
            "sign in": self._sign_in,
        }

    async def close(self) -> None:
        """Drop every connection."""
        await self._http.aclose()

    async def ask(self, kind: Kind) -> Outcome:
        """One request, and what became of it. A new connection each time: a client that was not there before."""
        began = time.monotonic()
        try:
            state, answer, said = await self._ways[kind](self._next())  # type: ignore[misc]  # all are coroutine functions
        except httpx2.TimeoutException:
            state, answer, said = "unanswered", "no answer", ""
        except httpx2.HTTPError as error:
            state, answer, said = "refused", type(error).__name__, "(the connection is refused)"
        return Outcome(kind, time.monotonic() - began, state, answer, said)

    async def all_served(self) -> bool:
        """Whether every kind of request is served now."""
        outcomes = await asyncio.gather(*(self.ask(kind) for kind in KINDS))
        return all(one.state == "served" for one in outcomes)

    def _next(self) -> str:
        while (subject := next(self._owners)) not in self.documents:
            pass
        return subject

    def _headers(self, subject: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token(subject)}"}

    async def _read(self, subject: str) -> tuple[str, str, str]:
        document = self.documents[subject]
        answer = await self._http.get(f"{self._store.config.base}/Binary/{document}", headers=self._headers(subject))
        if answer.status_code != httpx2.codes.OK:
            return _refusal(answer)
        self._told.released.append((time.time(), subject, document))
        digest = hashlib.sha256(answer.content).hexdigest()
        if self._digests.setdefault(document, digest) != digest:
            return "wrong", "200", f"{document} has other bytes"
        return "served", "200", ""

    async def _list(self, subject: str) -> tuple[str, str, str]:
        patient = self._store.demo.own[subject]
        url = f"{self._store.config.base}/DocumentReference?patient={patient}&_count=2"
        answer = await self._http.get(url, headers=self._headers(subject))
        if answer.status_code != httpx2.codes.OK:
            return _refusal(answer)
        self._told.listed.append((time.time(), subject, patient))
        return "served", "200", ""

    async def _upload(self, subject: str) -> tuple[str, str, str]:
        patient, body = self._store.demo.own[subject], random.randbytes(400).hex().encode()
        headers = {
            **self._headers(subject),
            "Content-Type": "text/plain",
            "X-Security-Context": f"Patient/{patient}",
        }
        answer = await self._http.post(f"{self._store.config.base}/Binary", headers=headers, content=body)
        if answer.status_code != httpx2.codes.CREATED:
            return _refusal(answer)
        place = answer.headers["location"].split("/Binary/")[1].split("/")
        digest = hashlib.sha256(body).hexdigest()
        self._told.uploads.append(Upload(place[0], int(place[2]), subject, patient, digest, len(body), time.time()))
        return "served", "201", ""

    async def _sign_in(self, _subject: str) -> tuple[str, str, str]:
        answer = await self._http.get(f"{self._store.config.issuer_url}/jwks.json")
        return ("served", "200", "") if answer.status_code == httpx2.codes.OK else _refusal(answer)


def _refusal(answer: httpx2.Response) -> tuple[str, str, str]:
    try:
        said = str(answer.json()["issue"][0]["details"]["text"])
    except (ValueError, LookupError, TypeError):
        said = answer.text[:160]
    return ("refused" if answer.status_code in REFUSALS else "wrong"), str(answer.status_code), said
