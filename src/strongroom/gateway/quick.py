"""A request with a short body or none, to the portal and back, in no task of its own while nothing but the answer is waited for.

It takes the steps of `proxy`, in the same order and by the same functions (`steps`). It ends

* refused, or answered whole, in one write;
* or in a task that goes on where it stands: when it cannot be looked at on the spot, when the portal has to be connected to, and
  when an answer is long, or comes without saying how long it is.

What is counted of answers that come at the same time is counted in one step, and each of them waits for it (step 7).
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final, Protocol

import msgspec
from starlette.types import ASGIApp

from strongroom.errors import Malformed, Unavailable, where
from strongroom.gateway import reading
from strongroom.gateway.answer import NO_CONTENT, NOT_MODIFIED, AnswerReader, Head, Heads
from strongroom.gateway.event import Event
from strongroom.gateway.headers import to_client
from strongroom.gateway.intake import Gone, Unfit
from strongroom.gateway.refusal import Refusal
from strongroom.gateway.socket import Line
from strongroom.gateway.sqlite import Uncounted
from strongroom.gateway.steps import NOTHING, Admitted, Facts, Heard, Steps, is_read
from strongroom.gateway.upstream import Late, Question, Upstream

WHOLE: Final = 65_536
"""Bytes of an answer that are held until it is whole."""
_PHRASES: Final = {status.value: status.phrase.encode() for status in HTTPStatus}
_log = logging.getLogger("strongroom.gateway")


class Street(Protocol):
    """The client's connection, while a request of this kind is under way on it."""

    def answer(self, data: bytes) -> None:
        """The whole answer, but for the end of its head, where the connection may say that it ends."""

    def hand_over(self, app: ASGIApp) -> None:
        """A task goes on with the request."""


class Rest(Protocol):
    """Makes what goes on with a request in a task."""

    def asking(self, one: Admitted, question: Question, heard: Heard) -> ASGIApp:
        """From step 6. `heard`: what its body names."""

    def answering(
        self, one: Admitted, line: Line, reader: AnswerReader, head: Head, pieces: list[bytes], heard: Heard
    ) -> ASGIApp:
        """From step 7, with what came of the answer."""


class Desk:
    """Where such requests begin, and are counted together."""

    def __init__(
        self, steps: Steps, upstream: Upstream, rest: Rest, report: Callable[[Event], None], others: Mapping[str, Upstream]
    ) -> None:  # fmt: skip
        """`others`: by the names that routes call them."""
        self.steps, self.upstream, self.rest, self.report, self._others = steps, upstream, rest, report, others
        self.heads = Heads()
        self._ripe: list[Quick] = []
        self._unseen: list[Quick] = []

    def upstream_of(self, one: Admitted) -> Upstream:
        """Who serves the request."""
        route = one.match.route
        return self.upstream if route is None or route.route.upstream is None else self._others[route.route.upstream]

    async def close(self) -> None:
        """Close what lies idle."""
        for one in (self.upstream, *self._others.values()):
            await one.close()

    def begin(self, street: Street, facts: Facts, method: str, target: bytes, body: bytes = b"") -> "Quick":
        """One request; with a body that is short and of a type that is read whole, or none."""
        one = Quick(self, street, self.steps.event(method), body)
        one.begin(facts, target)
        return one

    def look(self, one: "Quick") -> None:
        """Before this turn of the loop ends the WAF looks at all that came in it, one after the other: what its rules are finds
        itself in the processor's cache.
        """
        self._unseen.append(one)
        if len(self._unseen) == 1:
            asyncio.get_running_loop().call_soon(self._look)

    def _look(self) -> None:
        unseen, self._unseen = self._unseen, []
        for one in unseen:
            one.inspect()
        for one in unseen:
            one.ask()

    def count(self, one: "Quick") -> None:
        """Before this turn of the loop ends, together with all that are whole by then."""
        self._ripe.append(one)
        if len(self._ripe) == 1:
            asyncio.get_running_loop().call_soon(self._count_all)

    def _count_all(self) -> None:
        ripe, self._ripe = self._ripe, []
        self._count(ripe)

    def _count(self, ripe: "list[Quick]") -> None:
        try:
            with self.steps.guard.together():
                for one in ripe:
                    one.counted()
        except Exception as error:  # noqa: BLE001  # closed, and for each by itself: one may be the reason
            if len(ripe) == 1:
                ripe[0].failed(error)
            else:
                for one in ripe:
                    self._count([one])
        else:
            for one in ripe:
                one.close()


class Quick:
    """One of them."""

    __slots__ = (
        "_beside",
        "_body",
        "_desk",
        "_ended",
        "_event",
        "_head",
        "_heard",
        "_line",
        "_one",
        "_pieces",
        "_question",
        "_reader",
        "_refusal",
        "_street",
        "_upstream",
    )

    def __init__(self, desk: Desk, street: Street, event: Event, body: bytes) -> None:
        self._desk, self._street, self._event, self._body = desk, street, event, body
        self._heard, self._upstream = NOTHING, desk.upstream
        self._beside: asyncio.Future[None] | None = None
        """What is waited for while the WAF looks at it elsewhere."""
        self._one: Admitted | None = None
        self._question: Question | None = None
        self._line: Line | None = None
        self._reader = AnswerReader()
        self._head: Head | None = None
        self._pieces: list[bytes] = []
        self._refusal: Refusal | None = None
        self._ended = False

    @property
    def under_way(self) -> bool:
        """Whether it has neither ended nor gone on elsewhere."""
        return not self._ended

    def begin(self, facts: Facts, target: bytes) -> None:
        """1 to 4; and further, where the WAF need not look."""
        steps = self._desk.steps
        try:
            one = self._one = steps.admit(self._event, facts, target)
            known = not self._body and steps.known(one)
        except Exception as error:  # noqa: BLE001  # closed: whatever we did not think of is passed on to nobody
            self.failed(error)
            return
        if known:
            self.ask()
        elif self._body:
            self._beside = asyncio.ensure_future(self._inspected(one))
        else:
            self._desk.look(self)

    def inspect(self) -> None:
        """5, on the spot, where that may be."""
        one = self._one
        if self._ended or one is None:
            return
        try:
            seen = self._desk.steps.inspect(one)
        except Exception as error:  # noqa: BLE001  # closed, as above
            self.failed(error)
            return
        if not seen:
            self._beside = asyncio.ensure_future(self._inspected(one))

    async def _inspected(self, one: Admitted) -> None:
        """5, elsewhere; and 6."""
        try:
            if self._body:
                self._one, self._heard = await self._desk.steps.inspected_body(one, self._body)
            else:
                await self._desk.steps.inspected(one)
        except Exception as error:  # noqa: BLE001  # closed, as above
            self.failed(error)
            return
        self._beside = None
        self.ask()

    def ask(self) -> None:
        """6."""
        one, event = self._one, self._event
        if self._ended or self._beside is not None or one is None:
            return
        try:
            lines, body = self._desk.steps.lines(one), self._body or None
            question = Question(event.method, one.match.target.wire, lines, body, len(self._body) if body else None)
            self._question = question
            self._upstream = self._desk.upstream_of(one)
            self._line = self._upstream.at_once(question, self)
        except Exception as error:  # noqa: BLE001  # closed, as above
            self.failed(error)
            return
        if self._line is None:
            self._hand_over(self._desk.rest.asking(one, question, self._heard))

    # ---- what the portal says -----------------------------------------------------------------------------------------

    def heard(self, data: bytes) -> None:
        """See `socket.Hearer`."""
        reader, heads = self._reader, self._desk.heads
        first = not reader.begun
        self._head = head = heads.find(data) if first else self._head
        if first and head is not None:
            self._pieces.append(data[len(data) - head.announced :])
            self._whole(over=True)
            return
        try:
            for part in reader.feed(data):
                if isinstance(part, Head):
                    self._head = head = part
                else:
                    self._pieces.append(part)
        except Exception as error:  # noqa: BLE001  # closed, as above
            self.failed(error)
            return
        if head is None:
            return
        if reader.ended:
            if first:
                heads.keep(data, reader, head, b"".join(self._pieces))
            self._whole(over=reader.reusable)
        elif head.length is None or head.length > WHOLE:
            self._answering(head)

    def _whole(self, *, over: bool) -> None:
        self._let_go(over=over)
        if self._one is not None and self._one.asked.document:
            self._desk.count(self)
            return
        try:
            self.counted()
        except Exception as error:  # noqa: BLE001  # closed, as above
            self.failed(error)
        else:
            self.close()

    def lost(self) -> None:
        """See `socket.Hearer`. Only what has no body, and was not answered at all, is asked again: on a connection of its own."""
        if self._ended or self._line is None:
            return
        if self._reader.begun or self._body or self._one is None or self._question is None:
            self.failed(Malformed("The portal's answer ended early."))
            return
        self._let_go(over=False)
        self._hand_over(self._desk.rest.asking(self._one, self._question, self._heard))

    def late(self) -> None:
        """See `upstream.Hasty`. An answer that has begun may take its time: then a task waits for it."""
        if self._head is not None:
            self._answering(self._head)
        else:
            self.failed(Late("The portal does not answer."))

    # ---- the client ---------------------------------------------------------------------------------------------------

    def gone(self) -> None:
        """The client went."""
        if self._beside is not None:
            self._beside.cancel()
        if not self._ended:
            self.failed(Gone())

    # ---- the end ------------------------------------------------------------------------------------------------------

    def counted(self) -> None:
        """7. Raises Uncounted."""
        if self._one is None or self._head is None:
            raise Uncounted("There is nothing to count.")
        try:
            self._desk.steps.counted(self._one, self._head, sum(map(len, self._pieces)))
        except Unfit as error:
            self._refusal = error.refusal

    def close(self) -> None:
        """8, of an answer that is whole."""
        if self._ended:
            return
        try:
            data = self._answer()
        except Exception as error:  # noqa: BLE001  # closed, as above
            self.failed(error)
            return
        self._end(data)

    def failed(self, error: Exception) -> None:
        """An answer of ours, or none."""
        if self._ended:
            return
        self._let_go(over=False)
        refusal = refusal_of(self._event, error)
        self._end(b"" if refusal is None else self._refused(refusal))

    def _answer(self) -> bytes:
        one, head, event, steps = self._one, self._head, self._event, self._desk.steps
        if one is None or head is None:
            raise Malformed("There is no answer.")
        if self._refusal is not None:
            return self._refused(self._refusal)
        if head.status >= 500:  # noqa: PLR2004  # what the portal says of its own failures is not for strangers
            return self._refused(portal_error(head.status))
        body = b"".join(self._pieces)
        steps.noticed(one, head)
        if is_read(one.match, event.method, head.status):
            steps.learn(one, head, body if len(body) <= reading.MAX_READ else None, self._heard)
        headers = to_client(head.status, head.headers, event.request)
        if head.length is None and head.status not in {NO_CONTENT, NOT_MODIFIED}:
            headers.append((b"content-length", b"%d" % len(body)))
        event.status, event.size = head.status, len(body)
        return written(head.status, headers, body)

    def _refused(self, refusal: Refusal) -> bytes:
        headers, body = in_our_words(self._event, refusal)
        self._event.status = refusal.status
        return written(refusal.status, headers, body)

    def _answering(self, head: Head) -> None:
        line, one = self._line, self._one
        if line is None or one is None:
            return
        self._upstream.let_wait(self, line)
        self._line = None
        self._hand_over(self._desk.rest.answering(one, line, self._reader, head, self._pieces, self._heard))

    def _hand_over(self, app: ASGIApp) -> None:
        self._ended = True  # here: whoever goes on tells what became of it
        self._street.hand_over(app)

    def _let_go(self, *, over: bool) -> None:
        line, self._line = self._line, None
        if line is not None:
            self._upstream.put_back(self, line, over=over)

    def _end(self, data: bytes) -> None:
        self._ended = True
        if data:
            self._street.answer(data)
        self._desk.report(self._event)


def refusal_of(event: Event, error: Exception) -> Refusal | None:
    """What the client is told of an error, and the log; None: the client is not there."""
    match error:
        case Gone():
            return None
        case Unfit():
            return error.refusal
        case Uncounted():
            _log.error("WHAT LEAVES CANNOT BE COUNTED, and nothing leaves: %s", error)
            return _failed(event, 503, "guard-failed", error)
        case Late():
            return _failed(event, 504, "portal-late", error)
        case Unavailable() | Malformed():
            return _failed(event, 502, "portal-failed", error)
        case _:
            return _failed(event, 503, "gateway-failed", error)


def portal_error(status: int) -> Refusal:
    """In the place of a portal's 5xx."""
    said = 503 if status == 503 else 502  # noqa: PLR2004  # it will be back
    return Refusal(said, "portal-error", "The portal could not answer. Try again later.")


def in_our_words(event: Event, refusal: Refusal) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Headers and body of a refusal, which is noted; the number finds the event."""
    event.rule, event.refused = refusal.rule, True
    body = msgspec.json.encode({"error": refusal.rule, "message": refusal.because, "request": event.request})
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
        (b"x-request-id", event.request.encode()),
    ]
    if refusal.allow:
        headers.append((b"allow", ", ".join(refusal.allow).encode()))
    headers += refusal.extra
    if refusal.status in {502, 503, 504}:
        headers.append((b"retry-after", b"5"))
    return headers, body


def written(status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> bytes:
    """An answer with its body. Names and values are as a parser gave them, or ours."""
    lines = b"".join([b"%b: %b\r\n" % pair for pair in headers])
    return b"HTTP/1.1 %d %b\r\n%b\r\n%b" % (status, _PHRASES.get(status, b""), lines, body)


def _failed(event: Event, status: int, rule: str, error: Exception) -> Refusal:
    _log.warning("request %s: %s: %s", event.request, rule, where(error))
    what = "The gateway" if rule.startswith("gateway") else "The portal"
    return Refusal(status, rule, f"{what} could not answer. Try again later.")
