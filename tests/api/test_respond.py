"""Every word of the door has one answer, and an answer gives nothing away."""

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import Response

from strongroom.api import respond
from strongroom.errors import Conflict, Malformed, OperationError, StrongroomError, Tampered, Unavailable
from strongroom.keeper import protocol as p
from tests.api.conftest import OWNER, House, issue

INVALID = 'Bearer realm="strongroom", error="invalid_token"'
AUTHENTICATE = 'Bearer realm="strongroom", error="insufficient_user_authentication"'
ANSWERS = [
    ("absent", None, 404, "not-found", {}),
    ("login", None, 401, "login", {"www-authenticate": INVALID}),
    ("expired", None, 401, "expired", {"www-authenticate": INVALID}),
    ("mfa", None, 401, "login", {"www-authenticate": AUTHENTICATE}),
    ("step-up", None, 401, "login", {"www-authenticate": AUTHENTICATE + ', max_age="300"'}),
    ("frozen", None, 403, "suppressed", {}),
    ("spent", None, 403, "suppressed", {}),
    ("spent", 90, 429, "throttled", {"retry-after": "90"}),
    ("scope", None, 403, "forbidden", {}),
    ("conflict", None, 409, "conflict", {}),
    ("malformed", None, 400, "invalid", {}),
    ("reason", None, 422, "required", {}),
    ("second-person", None, 403, "suppressed", {}),
    ("unavailable", None, 503, "transient", {"retry-after": "1"}),
    ("unavailable", 7, 503, "transient", {"retry-after": "7"}),
    ("a word of tomorrow", None, 503, "transient", {"retry-after": "1"}),
]


@pytest.mark.parametrize(("why", "retry", "status", "code", "headers"), ANSWERS)
def test_the_doors_words(
    house: House, why: str, retry: int | None, status: int, code: str, headers: dict[str, str]
) -> None:
    """Status, code, challenge and waiting time; the door's advice stays inside."""
    house.door.refuse[p.List] = p.Refused(why=why, retry=retry, advice="for operators only")
    answer = house.get("DocumentReference/x")
    assert (answer.status_code, issue(answer)["code"]) == (status, code)
    assert "operators only" not in answer.text
    for name, value in headers.items():
        assert answer.headers[name].startswith(value)
    if status == 401:
        assert "DPoP realm" in answer.headers["www-authenticate"]
    assert ("retry-after" in answer.headers) == ("retry-after" in headers)


def test_every_word_of_the_protocol_is_in_the_table() -> None:
    """The words that `Refused` lists, and none besides but our own `throttled`."""
    listed = (p.Refused.__doc__ or "").partition("\n\n")[2]
    words = {part.partition("(")[0].strip() for part in listed.split("·")}
    assert words == {why for why, *_ in ANSWERS} - {"a word of tomorrow"}
    assert set(respond._ANSWERS) == words | {"throttled"}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Unavailable("disk /var/x is full"), 503),
        (Conflict("x"), 409),
        (Malformed("x"), 400),
        (Tampered("x"), 500),
        (OperationError("x"), 500),
        (StrongroomError("x"), 500),
    ],
)
def test_our_own_errors(error: StrongroomError, status: int) -> None:
    """Their messages are for operators and stay inside."""
    answer = respond.failed(error)
    assert answer.status_code == status
    assert error.message not in bytes(answer.body).decode().split('"')


def test_dates_are_http_dates() -> None:
    """RFC 9110, section 5.6.7."""
    assert respond.http_date(1_767_225_600_999) == "Thu, 01 Jan 2026 00:00:00 GMT"
    assert respond.etag(3) == 'W/"3"'
    assert isinstance(respond.broken(), Response)


def test_a_refused_login_is_told_apart_from_none(house: House) -> None:
    """An expired token and a bad one carry an error; the words come from the door."""
    assert issue(house.get("DocumentReference", {"Authorization": "Bearer expired"}))["code"] == "expired"
    assert issue(house.get("DocumentReference", {"Authorization": "Bearer bad"}))["code"] == "login"
    assert house.get("DocumentReference", OWNER).status_code == 200


@given(st.integers(0, 253_402_300_799_000), st.integers(0, 253_402_300_799_000))
def test_dates_are_those_of_http_and_in_order(one: int, other: int) -> None:
    """As the standard library writes them; a later second is greater, whatever the names of days and months."""
    first, second = respond.http_date(one), respond.http_date(other)
    assert first == formatdate(one // 1_000, usegmt=True)
    assert (respond.in_order(first.encode()) < respond.in_order(second.encode())) is (one // 1_000 < other // 1_000)
