"""The table of routes is the application: nothing is served that is not in it, and every way in it asks the door."""

import re
from pathlib import Path

import pytest

from strongroom.api.routes import WAYS, Way
from strongroom.fhir.capability import capability_statement
from strongroom.fhir.search import PARAMETERS
from tests.api.conftest import BASE, OWNER, PATIENT, STRANGER, House, issue, reference

GUARDED = [way for way in WAYS if way.access or way.name in {"operations.step_up", "operations.logout"}]


def _walk(house: House, way: Way, who: dict[str, str], one: str) -> tuple[int, bytes]:
    """One request by this way, upon the document `one` and its patient."""
    path = way.path.replace("{version}", "1").replace("{id}", one if "/Patient/" not in way.path else PATIENT)
    headers = {**who, "If-Match": 'W/"1"', "X-Security-Context": f"Patient/{PATIENT}"}
    if way.path.endswith("_search"):
        answer = house.client.post(path, data={"patient": PATIENT}, headers=headers)
    elif way.name == "binaries.create":
        answer = house.client.post(path, content=b"words", headers={**headers, "Content-Type": "text/plain"})
    elif way.method in {"POST", "PUT"}:
        answer = house.client.request(way.method, path, json=_body(way, one), headers=headers)
    else:
        query = f"?patient={PATIENT}" if "{" not in way.path else ""
        answer = house.client.request(way.method, path + query, headers=headers)
    return answer.status_code, answer.content


def _body(way: Way, one: str) -> dict[str, object]:
    party = "c" * 26
    return {
        "documents.create": reference(),
        "documents.update": {**reference(), "id": one},
        "documents.docref": {"patient": PATIENT},
        "operations.share": {"party": party, "end": True},
        "operations.delegate": {"account": party, "end": True},
        "operations.withhold": {"party": party},
        "operations.break_glass": {"reason": "unconscious"},
        "operations.relabel": {"category": "sensitive"},
        "operations.step_up": {},
        "operations.logout": {},
    }[way.name]


def test_the_application_is_the_table(house: House) -> None:
    """Method by method."""
    served = sorted(house.app.table.served())
    heads = [("HEAD", way.path) for way in WAYS if way.method == "GET"]
    assert served == sorted([*((way.method, way.path) for way in WAYS), *heads])


@pytest.mark.parametrize("way", GUARDED, ids=lambda way: f"{way.method} {way.path}")
def test_every_way_asks_who_it_is(house: House, way: Way) -> None:
    """Without a credential the door is not asked, and the answer is 401; with a bad one the door says so."""
    one = house.put()["id"]
    assert _walk(house, way, {}, one)[0] == 401
    assert house.door.asked == []
    assert _walk(house, way, {"Authorization": "Bearer nobody"}, one)[0] == 401


@pytest.mark.parametrize("way", [way for way in GUARDED if way.access], ids=lambda way: f"{way.method} {way.path}")
def test_every_way_works_for_the_owner_and_gives_a_stranger_nothing(house: House, way: Way) -> None:
    """2xx for one; for the other 404, or an empty Bundle, the same for what is there and what is not."""
    one = house.put()["id"]
    status, theirs = _walk(house, way, STRANGER, one)
    assert status in {200, 404}
    assert (status, theirs) == _walk(house, way, STRANGER, "z" * 26)
    assert one.encode() not in theirs
    if status == 200:
        assert b'"entry"' not in theirs
    assert _walk(house, way, OWNER, one)[0] in {200, 201, 204}


def test_what_is_not_offered_is_405(house: House) -> None:
    """With an OperationOutcome, for everybody."""
    for way in ("PATCH DocumentReference/x", "PUT Binary/x", "DELETE Binary/x", "DELETE AuditEvent", "POST metadata"):
        method, path = way.split()
        answer = house.client.request(method, f"/fhir/{path}", headers=OWNER)
        assert (answer.status_code, issue(answer)["code"]) == (405, "not-supported")


def test_every_way_and_parameter_is_documented() -> None:
    """docs/api.md has each route and each search parameter, and no route that is not there."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"(?m)^\| ([A-Z]+) \| `([^`]+)` \|", page))
    assert listed == {(way.method, way.path) for way in WAYS}
    assert [name for name in PARAMETERS if f"`{name}`" not in page] == []


def test_the_capabilities_are_the_table() -> None:
    """Every operation and interaction that is claimed has a route, and every operation's route is claimed."""
    statement = capability_statement(BASE, "0", "2026-01-01").decode()
    operations = {way.path.rpartition("$")[2] for way in WAYS if "$" in way.path}
    for name in operations:
        assert f'"name":"{name}"' in statement
    assert statement.count('"definition":"urn:strongroom:operation:') + 1 == len(operations)
