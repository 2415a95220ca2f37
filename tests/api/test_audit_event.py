"""A patient sees who opened what, newest first, page by page; nobody writes there."""

from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle

from strongroom.clock import iso
from strongroom.keeper import protocol as p
from tests.api.conftest import BASE, DOCTOR, OTHER, OWNER, PATIENT, STRANGER, House, issue

START = 1_767_225_600_000


@pytest.fixture
def read(house: House) -> House:
    """Five accesses, a day apart."""
    for number in range(5):
        access = p.Access(
            index=number * 10, at=START + number * 86_400_000, op="released", actor_name="Dr Aroha Ngata",
            actor_kind="clinician", organisation_name="Clinic", own=False, documents=("d" * 26,), basis="care",
            reason="", purpose="TREAT", bytes=5, complete=True,
        )  # fmt: skip
        house.door.accesses.append(access)
    return house


def _found(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    Bundle.model_validate(answer.json())
    return [entry["resource"]["id"] for entry in answer.json().get("entry", ())]


def test_ones_own_record(read: House) -> None:
    """Without naming it, by `id`, by `Patient/id`, as an entity, by POST."""
    for query in ("", f"?patient={PATIENT}", f"?patient=Patient/{PATIENT}", f"?entity=Patient/{PATIENT}"):
        assert _found(read.get(f"AuditEvent{query}")) == ["40", "30", "20", "10", "0"]
    posted = read.client.post("/fhir/AuditEvent/_search", data={"patient": PATIENT}, headers=OWNER)
    assert posted.json() == read.get(f"AuditEvent?patient={PATIENT}").json()
    event = posted.json()["entry"][0]
    assert event["fullUrl"] == f"{BASE}/AuditEvent/40"
    assert event["resource"]["agent"][0]["who"]["display"] == "Dr Aroha Ngata, Clinic"
    assert event["resource"]["entity"][1]["what"]["reference"] == f"DocumentReference/{'d' * 26}"


def test_a_time(read: House) -> None:
    """Dates become the door's bounds."""
    day = iso(START + 2 * 86_400_000)[:10]
    assert _found(read.get(f"AuditEvent?date=ge{day}")) == ["40", "30", "20"]
    assert _found(read.get(f"AuditEvent?date={day}")) == ["20"]
    assert _found(read.get(f"AuditEvent?date=lt{day}")) == ["10", "0"]


def test_pages(read: House) -> None:
    """Everything once; a page is good for its record and its search only."""
    seen, links = [], ["AuditEvent?_count=2"]
    for url in links:
        answer = read.get(url)
        seen += _found(answer)
        links += [link["url"].removeprefix(f"{BASE}/") for link in answer.json()["link"] if link["relation"] == "next"]
    assert seen == ["40", "30", "20", "10", "0"]
    assert len(links) == 3
    page = links[1]
    assert read.get(page, STRANGER).status_code == 400
    assert read.get(page.replace("_count=2", "_count=3")).status_code == 400
    assert read.get("AuditEvent?_page=AAAA").status_code == 400


def test_whose_log(read: House) -> None:
    """A clinician must name a record; somebody else's has the same empty answer as one that nobody has."""
    assert read.get("AuditEvent", DOCTOR).status_code == 400
    for who in (PATIENT, "z" * 26, "1"):
        body = read.get(f"AuditEvent?patient={who}", STRANGER).json()
        assert body.pop("link")[0]["url"] == f"{BASE}/AuditEvent?patient={who}"
        assert body == {"resourceType": "Bundle", "type": "searchset"}
    assert _found(read.get(f"AuditEvent?patient={OTHER}", STRANGER)) == ["40", "30", "20", "10", "0"]
    assert issue(read.get("AuditEvent?agent=x", Prefer="handling=strict"))["code"] == "not-supported"


@pytest.mark.parametrize(("method", "path"), [("POST", "AuditEvent"), ("PUT", "AuditEvent"), ("DELETE", "AuditEvent")])
def test_nobody_writes_here(house: House, method: str, path: str) -> None:
    """405, for everybody."""
    answer = house.client.request(method, f"/fhir/{path}", json={"resourceType": "AuditEvent"}, headers=OWNER)
    assert (answer.status_code, issue(answer)["code"]) == (405, "not-supported")
