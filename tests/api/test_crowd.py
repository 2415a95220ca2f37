"""One account sends so many documents at once; others are not counted with it."""

import asyncio
from typing import Any

import pytest

from strongroom.api.crowd import Crowd
from strongroom.api.respond import Halt
from strongroom.keeper import protocol as p
from tests.api.conftest import OWNER, PATIENT, House, build, issue, reference


def test_one_too_many_is_refused_and_nobody_is_remembered() -> None:
    """Whatever ends an upload makes room."""
    crowd = Crowd(2)
    with crowd.sending("a"), crowd.sending("a"), crowd.sending("b"):
        with pytest.raises(Halt) as caught, crowd.sending("a"):
            pass
        assert caught.value.response.status_code == 429
    with crowd.sending("a"), crowd.sending("a"):
        pass
    with pytest.raises(ZeroDivisionError), crowd.sending("a"):
        raise ZeroDivisionError
    assert not crowd._under_way


WAYS = [
    ("POST", "/fhir/DocumentReference", {"Content-Type": "application/fhir+json"}),
    ("PUT", "/fhir/DocumentReference/x", {"Content-Type": "application/fhir+json", "If-Match": 'W/"1"'}),
    ("POST", "/fhir/Binary", {"Content-Type": "application/json", "X-Security-Context": f"Patient/{PATIENT}"}),
]


@pytest.mark.parametrize(("method", "path", "headers"), WAYS)
def test_nothing_is_read_of_somebody_whom_the_door_does_not_know(
    house: House, method: str, path: str, headers: dict[str, str]
) -> None:
    """A text in the form of a token is none: no megabyte is taken for it."""
    read: list[int] = []
    answers = asyncio.run(_ask(house, method, path, {**headers, "Authorization": "Bearer nobody"}, read))
    assert answers == 401
    assert read == []
    assert [type(one) for one in house.door.asked] == [p.WhoAmI]


async def _ask(house: House, method: str, path: str, headers: dict[str, str], read: list[int]) -> int:
    """The status of the answer; `read` grows with each piece of the body that is asked for."""
    status = []

    async def receive() -> dict[str, Any]:
        read.append(1)
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            status.append(message["status"])

    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()], "client": ("192.0.2.1", 1),
        "scheme": "http", "server": ("x", 1), "http_version": "1.1",
    }  # fmt: skip
    await house.app(scope, receive, send)
    return int(status[0])


def test_an_account_that_sends_too_much_at_once_waits() -> None:
    """429 before anything is read; the others' uploads and its own reading go on."""
    house = build(max_uploads=0)
    answer = house.client.post("/fhir/DocumentReference", json=reference(), headers=OWNER)
    assert (answer.status_code, issue(answer)["code"]) == (429, "throttled")
    assert answer.headers["retry-after"] == "1"
    assert house.get(f"DocumentReference?patient={PATIENT}").status_code == 200
