"""Who asks a portal in a probe: a test account, or nobody; slowly, and so many times in all.

The portal is asked through the gateway's own client: targets go out as they are written, dots and escapes included, and redirects
are not followed.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from html.parser import HTMLParser
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import urlencode

import msgspec

from strongroom.errors import CheckFailed, Malformed, OperationError, Unavailable
from strongroom.gateway.account import Account
from strongroom.gateway.likeness import Heard
from strongroom.gateway.reading import MAX_READ
from strongroom.gateway.settings import Described
from strongroom.gateway.upstream import Question, Upstream
from strongroom.gateway.variants import FORM, Try

_AGENT: Final = b"strongroom-probe"
_SAYS_NOTHING: Final = (0, 429, 503)


class Enough(CheckFailed):
    """The bound on requests was reached; what was found until then stands."""


class Pace:
    """A pause before each request, and a bound on all of them."""

    def __init__(self, rate: float, most: int, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """`rate`: requests a second at most; `most`: in all."""
        self._pause, self._each, self._most = pause, 1 / rate, most
        self.requests = 0

    async def turn(self) -> None:
        """Wait for one's turn. Raises Enough."""
        if self.requests >= self._most:
            raise Enough(f"{self._most} requests were made, and no more are allowed.")
        self.requests += 1
        await self._pause(self._each)


class Visitor:
    """See the module. `account` None: nobody."""

    def __init__(self, upstream: Upstream, host: str, pace: Pace, account: Account | None = None) -> None:
        self._upstream, self._host, self._pace, self.account = upstream, host.encode(), pace, account
        self._cookies: dict[str, str] = {}
        self.unsaid = 0
        """Requests whose answer says nothing of who may read what."""

    @property
    def name(self) -> str:
        """As reports call them."""
        return self.account.name if self.account else "nobody"

    async def ask(self, one: Try) -> Heard:
        """One request. What is no answer has status 0."""
        await self._pace.turn()
        heard = await self._heard(one)
        self.unsaid += heard.status in _SAYS_NOTHING
        return heard

    async def _heard(self, one: Try) -> Heard:
        headers = [
            (b"host", self._host),
            (b"user-agent", _AGENT),
            (b"accept", b"*/*"),
            (b"accept-encoding", b"identity"),
        ]
        headers += [
            (name.encode(), value.reveal()) for name, value in (self.account.headers.items() if self.account else ())
        ]
        if self._cookies:
            headers.append((b"cookie", "; ".join(f"{name}={value}" for name, value in self._cookies.items()).encode()))
        headers += one.headers
        body = None if one.form is None else _once(one.form)
        lines = b"".join(b"%b: %b\r\n" % line for line in headers)
        question = Question(one.method, one.target.encode(), lines, body, None if one.form is None else len(one.form))
        try:
            async with self._upstream.ask(question) as answer:
                pieces, size = [], 0
                async for piece in answer.pieces():
                    pieces.append(piece)
                    size += len(piece)
                    if size > MAX_READ:
                        break
                told = dict(answer.head.headers)
                kind = told.get(b"content-type", b"").partition(b";")[0].strip().lower().decode("latin-1")
                cookies = tuple(value.decode("latin-1") for name, value in answer.head.headers if name == b"set-cookie")
                length = told.get(b"content-length", b"").decode("latin-1")
                return Heard(
                    answer.head.status, kind, b"".join(pieces), int(length) if length.isdecimal() else None, cookies
                )
        except (Unavailable, Malformed):
            return Heard(0)

    async def sign_in(self, route: Described | None) -> None:
        """Begin a session, as a browser would: the page first, for its cookies and hidden fields. Raises OperationError."""
        if self.account is None or not self.account.login:
            return
        if route is None:
            raise OperationError(
                "gateway.toml describes no login.", advice="Describe it, or give [headers] in the accounts."
            )
        path = route.route.path
        page = await self.ask(Try("", path))
        self._keep(page)
        fields = {**_hidden(page), **{name: value.reveal().decode() for name, value in self.account.login.items()}}
        formed = FORM[1].decode() in route.route.content_types
        body = urlencode(fields).encode() if formed else msgspec.json.encode(fields)
        kind = FORM if formed else (b"content-type", b"application/json")
        heard = await self.ask(Try("", path, "POST", (kind,), body))
        self._keep(heard)
        if not 200 <= heard.status < 400 or not self._cookies:  # noqa: PLR2004  # success, or a redirect to one's start page
            raise OperationError(
                f"Account {self.name} could not sign in: the portal answered {heard.status}.",
                advice="Are the fields of its [login] those that the portal's page sends?",
            )

    def _keep(self, heard: Heard) -> None:
        for line in heard.cookies:
            try:
                jar = SimpleCookie(line)
            except CookieError:
                continue
            self._cookies.update({name: morsel.coded_value for name, morsel in jar.items()})


class _Hidden(HTMLParser):
    """Hidden fields of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """html.parser's."""
        told = dict(attrs)
        if tag == "input" and told.get("type") == "hidden" and told.get("name"):
            self.fields[str(told["name"])] = told.get("value") or ""


def _hidden(page: Heard) -> Mapping[str, str]:
    if page.kind != "text/html":
        return {}
    reader = _Hidden()
    reader.feed(page.body.decode("utf-8", "replace"))
    return reader.fields


async def _once(body: bytes) -> AsyncIterator[bytes]:
    if body:
        yield body
