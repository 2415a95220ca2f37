"""Visits to a portal, as people and thieves make them: when, who, from where, for what; and how they went, over real HTTP."""

import json
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Final
from zlib import crc32

OPEN: Final = 64
"""Connections that are kept."""
PATIENCE: Final = 60.0
"""Seconds until no answer is one."""
OK: Final = 200
Headers = tuple[tuple[str, str], ...]
_FORM: Final = (("Content-Type", "application/x-www-form-urlencoded"),)
_WEBKIT: Final = "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1"
_CHROME: Final = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0"
_MARKS: Final = '"Chromium";v="142", "Google Chrome";v="142"'
_ALIVE: Final = ("Connection", "keep-alive")
_ANY: Final = ("Accept", "*/*")
_ENGLISH: Final = ("Accept-Language", "en-NZ,en;q=0.9")


def _safari(system: str, end: str) -> Headers:
    agent = f"Mozilla/5.0 ({system}) {_WEBKIT} {end}"
    return _ANY, _ENGLISH, ("Accept-Encoding", "identity"), ("User-Agent", agent), _ALIVE


def _chrome(system: str, name: str, end: str = "Safari/537.36") -> Headers:
    agent = f"Mozilla/5.0 ({system}) {_CHROME} {end}"
    marks = ("sec-ch-ua", _MARKS), ("sec-ch-ua-platform", f'"{name}"')
    return _ALIVE, *marks, ("User-Agent", agent), _ANY, ("Accept-Encoding", "identity"), _ENGLISH


BROWSERS: Final = (
    _safari("iPhone; CPU iPhone OS 18_1 like Mac OS X", "Mobile/15E148 Safari/604.1"),
    _chrome("Linux; Android 10; K", "Android", "Mobile Safari/537.36"),
    _chrome("Windows NT 10.0; Win64; x64", "Windows"),
    _safari("Macintosh; Intel Mac OS X 10_15_7", "Safari/605.1.15"),
    _chrome("Macintosh; Intel Mac OS X 10_15_7", "macOS"),
    (("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0"), _ANY, _ENGLISH,
     ("Accept-Encoding", "identity"), _ALIVE),
)  # fmt: skip
"""What browsers send with each request, in their order; but that none asks for a coding, which nobody here would undo."""
_TOOL: Final = "python-requests/2.32.5"


def browser_of(user: str) -> int:
    """The browser that this user always has."""
    return crc32(user.encode()) % len(BROWSERS)


def headers_of(kind: str, user: str) -> Headers:
    """What the program `kind` sends for `user`."""
    if kind.startswith("tool"):
        words = dict(BROWSERS[int(kind[4:])])["User-Agent"] if kind[4:] else _TOOL
        return ("User-Agent", words), ("Accept-Encoding", "identity"), _ANY, _ALIVE
    return BROWSERS[int(kind) if kind else browser_of(user)]


@dataclass(frozen=True, slots=True)
class Visit:
    """One request. `at`: milliseconds since the run began. `user`: empty for somebody who is not signed in.

    `session` numbers the sessions of one user: another one is begun by signing in again. `document` is what is wanted, as the
    portal numbers it; `owner` whose it is, 0 where there is no such document. `expect`: the status that an honest person waits for.
    """

    at: int
    user: str
    source: str
    path: str
    session: int = 0
    document: str = ""
    owner: int = 0
    script: str = ""
    expect: int = OK
    kind: str = ""
    """The program: a browser of `BROWSERS` by its number, `tool`, or `tool` with the number of a browser, whose words it uses.
    Empty: the browser that this user always has.
    """

    @property
    def honest(self) -> bool:
        """Whether somebody with a right to it asks."""
        return bool(self.script)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The status, the rule of the gateway that refused (empty: none did), and the body."""

    status: int
    rule: str
    body: bytes


class Street:
    """Everybody's connections to one address; sessions are shared by the addresses that one user comes from."""

    def __init__(self, place: tuple[str, int]) -> None:
        self._place = place
        self._lines: OrderedDict[str, HTTPConnection] = OrderedDict()
        self._sessions: dict[tuple[str, int], str] = {}
        self.requests = 0

    def make(self, visit: Visit) -> Outcome:
        """One visit, after signing in where that was not done. What is no answer has status 0."""
        headers = headers_of(visit.kind, visit.user)
        if visit.user:
            key = visit.user, visit.session
            if key not in self._sessions:
                body = f"user={visit.user}&password=p{visit.user}"
                _, told, _ = self._ask(visit.source, "POST", "/login", (*headers, *_FORM), body)
                self._sessions[key] = told.partition(";")[0]
            headers = (*headers, ("Cookie", self._sessions[key]))
        status, _, body_ = self._ask(visit.source, "GET", visit.path, headers)
        return Outcome(status, _rule(status, body_), body_)

    def close(self) -> None:
        """End every connection."""
        for line in self._lines.values():
            line.close()

    def _ask(self, source: str, method: str, path: str, headers: Headers, body: str = "") -> tuple[int, str, bytes]:
        self.requests += 1
        for again in (True, False):  # a line that was kept may have been closed
            line = self._line(source)
            try:
                line.putrequest(method, path, skip_accept_encoding=True)
                for name, value in headers:
                    line.putheader(name, value)
                if body:
                    line.putheader("Content-Length", str(len(body)))
                line.endheaders(body.encode() or None)
                answer = line.getresponse()
                return answer.status, answer.getheader("Set-Cookie", ""), answer.read()
            except (HTTPException, OSError):
                self._lines.pop(source).close()
                if not again:
                    break
        return 0, "", b""

    def _line(self, source: str) -> HTTPConnection:
        if source not in self._lines:
            self._lines[source] = HTTPConnection(*self._place, timeout=PATIENCE, source_address=(source, 0))
        self._lines.move_to_end(source)
        while len(self._lines) > OPEN:
            self._lines.popitem(last=False)[1].close()
        return self._lines[source]


def shown(body: bytes) -> Iterator[str]:
    """The ids in a list of the portal; none in anything else."""
    if body.startswith(b"{"):
        for items in json.loads(body).values():
            for item in items if isinstance(items, list) else ():
                yield str(item.get("id", item.get("number", "")))


def _rule(status: int, body: bytes) -> str:
    """The gateway's own answers name the rule."""
    if status < 400 or not body.startswith(b'{"error"'):  # noqa: PLR2004  # no refusal
        return ""
    return str(json.loads(body).get("error", ""))
