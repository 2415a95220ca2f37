"""Answers: FHIR JSON, and the one table that turns the door's refusals into HTTP.

"Not yours" and "does not exist" are one answer: the same constant bytes, the same headers. Sentences are constants;
what the door advises its operators is not passed on.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import Response

from strongroom.errors import Conflict, Malformed, StrongroomError, Tampered, Unavailable
from strongroom.fhir.fault import Faulty, Unreadable
from strongroom.fhir.outcome import outcome, single
from strongroom.keeper.protocol import Refused

FHIR_JSON = "application/fhir+json"
RETRY = "1"
"""Seconds. The supervisor restarts a lost keeper within one."""


class Declined(Exception):  # not an error: the door's answer, on its way to the client
    """The door said no."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.why)
        self.refused = refused


class Halt(Exception):  # not an error of ours: an answer that ends the handler early
    """The request cannot be served; `response` says why."""

    def __init__(self, response: Response) -> None:
        super().__init__(str(response.status_code))
        self.response = response


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    code: str
    text: str
    challenge: str = ""
    """Parameters of WWW-Authenticate, for each scheme that we take."""


_NO_TOKEN = _Answer(401, "login", "Sign in: an access token is needed, as Authorization: Bearer or DPoP.", " ")
_ANSWERS: dict[str, _Answer] = {
    "absent": _Answer(404, "not-found", "There is nothing here that you may reach."),
    "conflict": _Answer(409, "conflict", "It changed since you last read it. Read it again, then repeat the change."),
    "expired": _Answer(401, "expired", "The access token has expired.", 'error="invalid_token"'),
    "frozen": _Answer(403, "suppressed", "This account is stopped. Ask the privacy officer."),
    "login": _Answer(401, "login", "The access token is not accepted.", 'error="invalid_token"'),
    "malformed": _Answer(400, "invalid", "The request makes no sense to the store."),
    "mfa": _Answer(
        401, "login", "A second factor is needed: sign in again with it.", 'error="insufficient_user_authentication"'
    ),
    "reason": _Answer(422, "required", "A reason is needed to open a record in an emergency."),
    "scope": _Answer(403, "forbidden", "This access token does not cover that."),
    "second-person": _Answer(403, "suppressed", "A second person must agree first."),
    "spent": _Answer(403, "suppressed", "This account has reached how much it may read."),
    "step-up": _Answer(
        401,
        "login",
        "Confirm with your second factor, then repeat the request.",
        'error="insufficient_user_authentication", max_age="300"',  # RFC 9470; the keeper's word for fresh is 300 s
    ),
    "throttled": _Answer(429, "throttled", "This account has reached how much it may read for now."),
    "unavailable": _Answer(503, "transient", "The store cannot answer now. Nothing was half done; try again."),
}
"""The keeper's `Refused.why` to HTTP. A word that is not here is answered as `unavailable`: closed."""


def fhir(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """`body`, FHIR JSON."""
    return Response(body, status, dict(headers or {}), FHIR_JSON)


def stop(status: int, code: str, text: str, headers: Mapping[str, str] | None = None) -> Halt:
    """An OperationOutcome to raise."""
    return Halt(fhir(single(code, text), status, headers))


def no_token() -> Halt:
    """Nothing was presented, so RFC 6750 (section 3.1) wants no error code."""
    return Halt(_render(_NO_TOKEN, {}))


def refused(reply: Refused) -> Response:
    """The door's refusal as HTTP."""
    why = "throttled" if reply.why == "spent" and reply.retry is not None else reply.why
    headers = {}
    if reply.retry is not None:
        headers["Retry-After"] = str(max(1, reply.retry))
    elif why == "unavailable" or why not in _ANSWERS:
        headers["Retry-After"] = RETRY
    return _render(_ANSWERS.get(why, _ANSWERS["unavailable"]), headers)


def failed(error: StrongroomError) -> Response:
    """An error of our own as HTTP. Messages stay inside: they are written for operators."""
    if isinstance(error, Faulty):
        return fhir(outcome(error.faults), 400 if isinstance(error, Unreadable) else 422)
    if isinstance(error, Unavailable):
        return refused(Refused(why="unavailable"))
    if isinstance(error, Conflict):
        return refused(Refused(why="conflict"))
    if isinstance(error, Malformed):
        return refused(Refused(why="malformed"))
    if isinstance(error, Tampered):
        return fhir(single("exception", "What is stored does not open. The operators are told."), 500)
    return broken()


def broken() -> Response:
    """Something that nobody thought of."""
    return fhir(single("exception", "The request failed inside the store. Nothing was half done."), 500)


def etag(version: int) -> str:
    """A resource's ETag, weak as FHIR writes it."""
    return f'W/"{version}"'


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NUMBERS = {name.encode(): b"%02d" % number for number, name in enumerate(_MONTHS, 1)}


def http_date(at: int) -> str:
    """Milliseconds as an HTTP date (RFC 9110, section 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`."""
    year, month, day, hour, minute, second, weekday, _, _ = time.gmtime(at // 1000)
    return f"{_DAYS[weekday]}, {day:02} {_MONTHS[month - 1]} {year:04} {hour:02}:{minute:02}:{second:02} GMT"


def in_order(date: bytes) -> bytes:
    """An HTTP date of ours in such a form that a later one is greater."""
    return date[12:16] + _NUMBERS[date[8:11]] + date[5:7] + date[17:25]


def _render(answer: _Answer, headers: dict[str, str]) -> Response:
    response = fhir(single(answer.code, answer.text), answer.status, headers)
    if answer.challenge:
        for scheme in ("Bearer", "DPoP"):
            response.headers.append("WWW-Authenticate", f'{scheme} realm="strongroom", {answer.challenge}'.rstrip(", "))
    return response
