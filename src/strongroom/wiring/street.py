"""A client's connection to the gateway: as to our own servers, narrower; and requests without a body begin on the spot.

Most requests to a portal of documents ask for something and bring nothing. Once llhttp and all checks of `http.Patient` have let
one through, it needs no task and no queue of uvicorn's: `gateway.quick` carries it. What it cannot finish at once it hands back,
and uvicorn goes on as with any other.

Headers that were read once need not be read again: the bytes between the request line and the empty line, exactly as they came,
stand for what all checks made of them. That holds for whole requests alone: one piece, nothing before and nothing behind.
"""

import asyncio
import re
from typing import TYPE_CHECKING, Any, Final, cast

from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from strongroom.gateway.body import whole
from strongroom.gateway.contract import media_type
from strongroom.gateway.proxy import HEALTH, Proxy
from strongroom.gateway.steps import Facts
from strongroom.gateway.waf import AT_ONCE
from strongroom.wiring.http import Framed, Patient, Unacceptable

if TYPE_CHECKING:
    from strongroom.gateway.quick import Quick

KEPT: Final = 4_096
"""Sets of headers that are remembered, of all connections of a process, each of as many bytes at most: 16 MiB, and as much for what
was made of them."""
_LINE: Final = re.compile(rb"GET (/(?!/)[A-Za-z0-9\-._~!$&'()*+,=:@/%?;\[\]|]{0,8191}) HTTP/1\.1\r\n")
_ELSEWHERE: Final = frozenset({b"transfer-encoding", b"expect", b"upgrade"})
_BRING: Final = frozenset({b"POST", b"PUT", b"PATCH"})
_HEALTH: Final = HEALTH.encode()
_known: dict[tuple[bytes, str, str], Facts] = {}


class Street(Patient):
    """See the module. An address is a path, spelled out: uvicorn takes `http://host/path` apart and lets a fragment go, and then
    what stood in the request line would not be what is checked.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        served = self.app.app if isinstance(self.app, Framed) else None
        self._desk = served.desk if isinstance(served, Proxy) else None
        self._turn = _Turn()
        self._quick: Quick | None = None
        self._hasty = False  # whether the request that is being read is one of those
        self._body = b""
        self._begun = False  # whether a part of one was read
        self._facts: Facts | None = None  # of the request that was read last
        self._many = 0  # requests of one piece
        self._last = 0.0  # when something was answered

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        rest = b""
        if not self._begun and self._desk is not None and not self._answering():
            line = _LINE.match(data)
            if line is not None and len(data) <= KEPT and data.endswith(b"\r\n\r\n"):
                rest = data[line.end() :]
                facts = _known.get((rest, self._host, self._how))
                if facts is not None and self._free() and not line[1].startswith(_HEALTH):
                    self._stop_head()
                    self._begin(facts, line[1])
                    return
        self._facts, self._many = None, 0
        super().data_received(data)
        if self._hasty and not self.transport.is_closing():
            self._slow_down()
        if rest and self._facts is not None and self._many == 1 and not self._begun:
            _known[rest, self._host, self._how] = self._facts
            if len(_known) > KEPT:
                del _known[next(iter(_known))]

    @property
    def _host(self) -> str:
        return self.client[0] if self.client else ""

    @property
    def _how(self) -> str:
        return self.scheme or ""

    # ---- called by the parser ---------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Called by the parser."""
        self._begun = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Called by the parser. Raises Unacceptable, which ends the connection."""
        if not self.url.startswith(b"/") or self.url.startswith(b"//") or b"#" in self.url:
            raise Unacceptable
        super().on_headers_complete()

    def take(self) -> None:
        """See `Patient`."""
        self._body = b""
        self._hasty = (
            self._desk is not None
            and self.parser.get_http_version() == "1.1"
            and self.parser.should_keep_alive()
            and not self.parser.should_upgrade()
            and not self.url.startswith(_HEALTH)
            and _is_short(self.parser.get_method(), self.headers)
            and not self._answering()
            and self._free()
        )
        if not self._hasty:
            super().take()

    def on_body(self, body: bytes) -> None:
        """Called by the parser."""
        if self._hasty:
            self._body += body
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Called by the parser."""
        self._begun = False
        self._many += 1
        if not self._hasty:
            super().on_message_complete()
            return
        self._hasty = False
        self.read()
        if self._desk is None:
            return
        facts = self._desk.steps.facts(self._host, self._how, self.headers)
        self._facts = None if self._body else facts
        self._begin(facts, self.url, self.parser.get_method().decode("ascii"), self._body)

    # ---- a request on the spot ----------------------------------------------------------------------------------------

    def _free(self) -> bool:
        """Whether uvicorn would take it, and the client takes what it is given."""
        most = self.limit_concurrency
        busy = most is not None and (len(self.connections) >= most or len(self.tasks) >= most)
        return not (busy or self.flow.write_paused or self.pipeline or self.transport.is_closing())

    def _slow_down(self) -> None:
        """The body did not come with its head: it is waited for as any other."""
        self._hasty = False
        super().take()
        if self._body:
            super().on_body(self._body)
        self._stop_head()

    def _begin(self, facts: Facts, target: bytes, method: str = "GET", body: bytes = b"") -> None:
        if self._desk is None:
            return
        turn = self._turn
        turn.response_complete = turn.response_started = turn.disconnected = False
        turn.keep_alive = True
        self.cycle = cast("RequestResponseCycle", turn)
        one = self._desk.begin(self, facts, method, target, body)
        if one.under_way:
            self._quick = one

    def answer(self, data: bytes) -> None:
        """See `quick.Street`."""
        self._quick = None
        turn = self._turn
        turn.response_complete = True
        if self.transport.is_closing():
            return
        if not turn.keep_alive:
            head, end, body = data.partition(b"\r\n\r\n")
            data = head + b"\r\nconnection: close" + end + body
        self.transport.write(data)
        self._last = self.loop.time()
        if not turn.keep_alive:
            self.transport.close()
        if self.pipeline or not turn.keep_alive:
            self.on_response_complete()
            return
        self.server_state.total_requests += 1
        if self.timeout_keep_alive_task is None:
            self._keep(self.timeout_keep_alive)

    def hand_over(self, app: ASGIApp) -> None:
        """See `quick.Street`."""
        self._quick = None
        self.cycle = RequestResponseCycle(
            scope={
                "type": "http", "asgi": {"version": self.asgi_version, "spec_version": "2.3"}, "http_version": "1.1",
                "server": self.server, "client": self.client, "scheme": self._how, "root_path": "", "headers": [],
                "method": "GET", "path": "", "raw_path": b"", "query_string": b"", "state": {},
            },
            transport=self.transport, flow=self.flow, logger=self.logger, access_logger=self.access_logger,
            access_log=self.access_log, default_headers=self.server_state.default_headers, message_event=asyncio.Event(),
            expect_100_continue=False, keep_alive=self._turn.keep_alive, on_response=self.on_response_complete,
        )  # fmt: skip
        self.cycle.more_body = False
        self.cycle.message_event.set()
        self._start_asgi_task(self.cycle, Framed(app))

    def _let_go(self) -> None:
        """See `Patient`."""
        quick, self._quick = self._quick, None
        if quick is not None:
            self._turn.response_complete = True
            quick.gone()
        super()._let_go()

    # ---- the time between two requests --------------------------------------------------------------------------------

    def timeout_keep_alive_handler(self) -> None:
        """Called by the loop. One clock for many requests: it looks when the last one was answered."""
        self.timeout_keep_alive_task = None
        if self._answering():
            return  # it is set again when that is over
        left = self._last + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._keep(left)
        else:
            super().timeout_keep_alive_handler()

    def _keep(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)


def _is_short(method: bytes, headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether it has no body, or one that is short and of a type that is read whole."""
    names = [name for name, _ in headers]
    if method == b"GET":
        return _ELSEWHERE.isdisjoint(names) and b"content-length" not in names
    told = dict(headers)
    length = told.get(b"content-length", b"")
    return (
        method in _BRING
        and _ELSEWHERE.isdisjoint(names)
        and length.isdigit()
        and len(length) <= len(b"%d" % AT_ONCE)
        and 0 < int(length) <= AT_ONCE
        and names.count(b"content-length") == 1
        and whole(media_type(told.get(b"content-type", b"")))
    )


class _Turn:
    """What uvicorn asks of a request that is under way."""

    def __init__(self) -> None:
        self.response_started = self.response_complete = self.disconnected = False
        self.keep_alive = True
        self.more_body = False
        self.message_event = self

    def set(self) -> None:
        """Nobody waits."""
