"""What is true of every answer, and what is refused before anything else happens."""

import logging
from email.utils import parsedate_to_datetime

import pytest

from strongroom.clock import SECOND, Millis
from strongroom.errors import Unavailable
from strongroom.keeper import protocol as p
from tests.api.conftest import OWNER, PATIENT, House, issue


def test_every_answer_is_shielded(house: House) -> None:
    """Never cached, never guessed at, never framed; with a request id; whatever the route and the outcome."""
    one = house.put()["id"]
    paths = [
        "/fhir/metadata",
        "/healthz",
        "/nowhere",
        f"/fhir/DocumentReference/{one}",
        "/fhir/Binary/x",
        "/fhir/Observation/1",
    ]
    for path in paths:
        headers = house.client.get(path, headers=OWNER).headers
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["x-request-id"]


def test_a_request_id_is_echoed_or_new(house: House) -> None:
    """Echoed when it can be written into a log; else one of ours."""
    assert house.get("metadata", **{"X-Request-Id": "abc-1.2_3"}).headers["x-request-id"] == "abc-1.2_3"
    for bad in ("", "a b", "x" * 65, "<script>", "a\tb"):
        assert len(house.get("metadata", **{"X-Request-Id": bad}).headers["x-request-id"]) == 26
    assert house.get("metadata").headers["x-request-id"] != house.get("metadata").headers["x-request-id"]


def test_long_addresses(house: House) -> None:
    """Path and query together: 414."""
    assert issue(house.get("DocumentReference?type=" + "a" * 8_192))["code"] == "too-long"
    assert house.get("DocumentReference/" + "a" * 9_000).status_code == 414
    assert house.get("DocumentReference?type=" + "a" * 8_000).status_code == 200
    assert issue(house.get("DocumentReference/" + "a" * 1_100))["code"] == "too-long"
    assert house.get("DocumentReference/" + "a" * 900).status_code == 404


@pytest.mark.parametrize("name", ["access_token", "ACCESS_TOKEN", "id_token", "token", "dpop", "access%5Ftoken"])
def test_a_token_in_the_address_is_not_taken(house: House, name: str) -> None:
    """Not even beside a good header."""
    answer = house.get(f"DocumentReference?{name}=owner", {})
    assert (answer.status_code, issue(answer)["code"]) == (401, "login")
    assert house.get(f"DocumentReference?patient={PATIENT}&{name}=").status_code == 401
    assert house.door.asked == []


@pytest.mark.parametrize(
    "name", ["Authorization", "If-Match", "Content-Type", "Content-Encoding", "Range", "X-Security-Context"]
)
def test_deciding_headers_stand_once(house: House, name: str) -> None:
    """Two of them, and two readers could decide differently."""
    answer = house.client.get("/fhir/metadata", headers=[(name, "a"), (name, "b")])
    assert (answer.status_code, issue(answer)["code"]) == (400, "invalid")


def test_what_is_not_http_passes_through(house: House) -> None:
    """A server's start and stop reach the application."""
    with house.client as running:
        assert running.get("/healthz").status_code == 200


def test_what_nobody_thought_of(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """500 without details; the log has the kind and the lines, and nothing that anybody sent."""

    class Unforeseen(Exception):
        pass

    async def fail(request: p.AppRequest) -> p.Reply:
        raise Unforeseen("Ngaire Tamatea, born 1984")

    house.door.ask = fail  # type: ignore[method-assign]  # a keeper client with a fault in it
    with caplog.at_level(logging.ERROR):
        answer = house.get(f"DocumentReference?patient={PATIENT}")
    assert (answer.status_code, issue(answer)["code"]) == (500, "exception")
    assert "Ngaire" not in answer.text
    assert "Ngaire" not in caplog.text
    assert PATIENT not in caplog.text
    assert "Unforeseen at" in caplog.text
    assert answer.headers["x-request-id"] in caplog.text


def test_nothing_of_a_patient_is_logged(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """A whole life of a document, faults included, and no log line has a patient, a title or a token."""
    with caplog.at_level(logging.DEBUG, logger="strongroom"):
        one = house.put(description="Very secret letter")["id"]
        house.get(f"DocumentReference?patient={PATIENT}")
        house.blobs.down = True
        house.get(f"Binary/{one}")
        house.catalogue.rows.clear()
        house.get(f"DocumentReference?patient={PATIENT}")
        house.get(f"DocumentReference/{one}")
    assert "The object store does not answer." in caplog.text
    assert "the catalogue has not" in caplog.text
    for word in (PATIENT, "secret", "owner"):
        assert word not in caplog.text


def test_an_answer_is_dated_and_tells_of_no_later_change(house: House) -> None:
    """One Date, of our own clock; the door's may be ahead of it, and Last-Modified is not."""
    house.clock.advance(990)
    one = house.put()["id"]
    for path in (f"DocumentReference/{one}", f"Binary/{one}", "metadata", "Binary/x"):
        (date,) = house.get(path).headers.get_list("date")
        assert parsedate_to_datetime(date).timestamp() == house.clock.now() // SECOND
    house.door.held[one].versions[0].updated = house.clock.now() + 3 * SECOND
    for path in (f"DocumentReference/{one}", f"Binary/{one}"):
        headers = house.get(path).headers
        assert headers["last-modified"] == headers["date"]


def test_a_clock_that_went_back_dates_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer is given all the same."""

    def lost() -> Millis:
        raise Unavailable("The clock went back.")

    monkeypatch.setattr(house.clock, "now", lost)
    answer = house.get("metadata")
    assert answer.status_code == 200
    assert "date" not in answer.headers
