"""Requests as attackers and honest people send them: real HTTP, from many loopback addresses, tokens renewed in time."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx2

OK = 200
REFUSED = 400


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: bytes
    seconds: float


class Browser:
    """One client with many source addresses."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._clients: dict[str, httpx2.AsyncClient] = {}

    async def get(self, path: str, headers: Mapping[str, str], source: str) -> Answer:
        """GET below the FHIR base. A broken connection is an answer with status 0."""
        return await self.send("GET", path, headers, source)

    async def send(self, method: str, path: str, headers: Mapping[str, str], source: str) -> Answer:
        """One request."""
        began = time.monotonic()
        try:
            answer = await self._client(source).request(method, f"{self._base}/{path}", headers=dict(headers))
        except httpx2.HTTPError:
            return Answer(0, b"", time.monotonic() - began)
        return Answer(answer.status_code, answer.content, time.monotonic() - began)

    async def close(self) -> None:
        """Close every connection."""
        await asyncio.gather(*(client.aclose() for client in self._clients.values()))

    def _client(self, source: str) -> httpx2.AsyncClient:
        if source not in self._clients:
            transport = httpx2.AsyncHTTPTransport(local_address=source, retries=0)
            self._clients[source] = httpx2.AsyncClient(transport=transport, timeout=20.0)
        return self._clients[source]


@dataclass(slots=True)
class Wallet:
    """A login's token, renewed when it is old. `mint` gives a new one."""

    mint: Callable[[], str]
    life: float = 300.0
    _token: str = ""
    _made: float = -1e9

    def token(self) -> str:
        """A token that is good now."""
        if time.monotonic() - self._made > self.life:
            self.renew()
        return self._token

    def renew(self) -> str:
        """A new one, as after signing in again."""
        self._token, self._made = self.mint(), time.monotonic()
        return self._token

    def headers(self) -> dict[str, str]:
        """The Authorization header."""
        return {"Authorization": f"Bearer {self.token()}"}
