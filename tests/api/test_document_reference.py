"""A document goes in, is read, found, changed and taken away, by those who may and by nobody else."""

import base64
import hashlib
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.documentreference import DocumentReference

from strongroom.documents.sqlite import Entry
from strongroom.keeper import protocol as p
from tests.api.conftest import BASE, DOCTOR, OTHER, OWNER, PATIENT, PDF, STRANGER, House, issue, reference

NOBODYS = "z" * 26


# ---- create ---------------------------------------------------------------------------------------------------------


def test_a_document_goes_in_and_comes_back(house: House) -> None:
    """201 with Location and ETag; then readable, sealed at rest, with true size and hashes and no data inside."""
    answer = house.client.post("/fhir/DocumentReference", json=reference(description="A letter"), headers=OWNER)
    assert answer.status_code == 201
    made = answer.json()
    assert answer.headers["location"] == f"{BASE}/DocumentReference/{made['id']}/_history/1"
    assert answer.headers["etag"] == 'W/"1"'
    read = house.get(f"DocumentReference/{made['id']}")
    assert read.status_code == 200
    assert read.json() == made
    DocumentReference.model_validate(made)
    attachment = made["content"][0]["attachment"]
    assert attachment["url"] == f"{BASE}/Binary/{made['id']}"
    assert (attachment["size"], "data" in attachment) == (len(PDF), False)
    assert base64.b64decode(attachment["hash"]) == hashlib.sha1(PDF, usedforsecurity=False).digest()
    assert attachment["extension"][0]["valueString"] == hashlib.sha256(PDF).hexdigest()
    at_rest = b"".join(house.blobs.objects.values()) + b"".join(row.metadata for row in house.catalogue.rows.values())
    assert b"letter" not in at_rest


def test_the_order_of_a_deposit(house: House) -> None:
    """The door is asked first and told last."""
    house.client.post("/fhir/DocumentReference", json=reference(), headers=OWNER)
    assert [type(one) for one in house.door.asked] == [p.WhoAmI, p.Deposit, p.Deposited]


@pytest.mark.parametrize(
    ("wish", "kind"),
    [("return=minimal", None), ("return=OperationOutcome", "OperationOutcome"), ("x", "DocumentReference")],
)
def test_the_answer_is_as_preferred(house: House, wish: str, kind: str | None) -> None:
    """`Prefer: return=`."""
    answer = house.client.post("/fhir/DocumentReference", json=reference(), headers={**OWNER, "Prefer": wish})
    assert answer.status_code == 201
    assert (answer.json()["resourceType"] if answer.content else None) == kind


def test_labels_choose_the_category(house: House) -> None:
    """The door learns the category, and nothing else of the metadata."""
    label = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}]}
    house.client.post("/fhir/DocumentReference", json=reference(securityLabel=[label]), headers=OWNER)
    deposit = house.door.words(p.Deposit)[0]
    assert (deposit.category, deposit.patient, deposit.content_type) == ("sensitive", PATIENT, "application/pdf")


def test_a_client_does_not_choose_ids_or_versions(house: House) -> None:
    """What it says of id and version is dropped."""
    made = house.put(id="mine", meta={"versionId": "7", "tag": [{"code": "t"}]})
    assert made["id"] != "mine"
    assert made["meta"]["versionId"] == "1"
    assert made["meta"]["tag"] == [{"code": "t"}]


BAD = [
    (reference(status="bogus"), 422, "DocumentReference.status"),
    (reference(subject={"reference": "Observation/1"}), 422, "DocumentReference.subject"),
    (reference(None), 422, "DocumentReference.content[0].attachment.data"),
    (reference(None, attachment={"url": "https://example.org/x.pdf"}), 422,
     "DocumentReference.content[0].attachment.url"),
    (reference(attachment={"size": 1}), 422, "DocumentReference.content[0].attachment.size"),
    (reference(attachment={"hash": base64.b64encode(b"x" * 20).decode()}), 422,
     "DocumentReference.content[0].attachment.hash"),
    (reference(b"<html><script>x</script>", "image/png"), 422, "DocumentReference.content[0].attachment.contentType"),
    (reference(b"\x89PNG\r\n\x1a\n", "application/pdf"), 422, "DocumentReference.content[0].attachment.contentType"),
    (reference(description="x" * 20_000), 422, "DocumentReference.description"),
    ({**reference(), "contained": [{"resourceType": "Basic", "id": str(n), "x": "y" * 9_000} for n in range(8)]}, 413,
     None),
    ({"resourceType": "Patient"}, 422, "resourceType"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "status", "expression"), BAD)
def test_what_cannot_be_kept_is_refused_before_the_door(
    house: House, body: dict[str, Any], status: int, expression: str | None
) -> None:
    """A clear OperationOutcome, with the place; the door was asked who it is and no more, and nothing is stored."""
    answer = house.client.post("/fhir/DocumentReference", json=body, headers=OWNER)
    assert answer.status_code == status
    assert issue(answer).get("expression") == ([expression] if expression else None)
    assert [type(one) for one in house.door.asked] == [p.WhoAmI]
    assert house.blobs.objects == {}


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'{"a":1,"a":2}', b'{"resourceType":"DocumentReference"}x', b"\xff"])
def test_what_is_no_json_is_400(house: House, raw: bytes) -> None:
    """Malformed, truncated and doubled bodies."""
    headers = {**OWNER, "Content-Type": "application/fhir+json"}
    answer = house.client.post("/fhir/DocumentReference", content=raw, headers=headers)
    assert answer.status_code == 400
    assert issue(answer)["code"] == "structure"


def test_the_headers_of_a_create(house: House) -> None:
    """Not JSON: 415. No JSON wanted: 406. Conditional create: refused, not ignored. Compressed: 415."""
    body = json.dumps(reference()).encode()
    json_type = {"Content-Type": "application/fhir+json; charset=utf-8"}
    tries: list[tuple[dict[str, str], int]] = [
        ({"Content-Type": "application/fhir+xml"}, 415),
        ({**json_type, "Accept": "application/fhir+xml"}, 406),
        ({**json_type, "If-None-Exist": "identifier=1"}, 400),
        ({**json_type, "Content-Encoding": "gzip"}, 415),
        (json_type, 201),
    ]
    for headers, status in tries:
        answer = house.client.post("/fhir/DocumentReference", content=body, headers={**OWNER, **headers})
        assert answer.status_code == status, headers
        assert answer.headers["content-type"] == "application/fhir+json"


def test_somebody_elses_record_is_nobodys_record(house: House) -> None:
    """A deposit for a foreign and for an unknown patient are one answer."""
    foreign, unknown, malformed = (
        house.client.post(
            "/fhir/DocumentReference", json=reference(subject={"reference": f"Patient/{who}"}), headers=STRANGER
        )
        for who in (PATIENT, NOBODYS, "1")
    )
    assert foreign.status_code == 404
    assert foreign.content == unknown.content == malformed.content


# ---- read -----------------------------------------------------------------------------------------------------------


def test_what_is_not_yours_does_not_exist(house: House) -> None:
    """Foreign, unknown, malformed and deleted ids, whatever the path: the same status, body and headers."""
    mine = house.put()["id"]
    gone = house.put()["id"]
    house.client.delete(f"/fhir/DocumentReference/{gone}", headers=OWNER)
    answers = [
        house.get(path, STRANGER, **headers)
        for one in (mine, gone, NOBODYS, "1", "a..b", "%20", "a" * 300)
        for path in (
            f"DocumentReference/{one}",
            f"DocumentReference/{one}/_history/1",
            f"DocumentReference/{one}/_history/x",
        )
        for headers in ({}, {"If-None-Match": 'W/"1"'})
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert len({tuple(sorted((k, v) for k, v in a.headers.items() if k != "x-request-id")) for a in answers}) == 1
    assert issue(answers[0])["code"] == "not-found"


def test_a_listing_without_rows_is_absent(house: House) -> None:
    """A door that says yes and shows nothing has shown nothing."""
    house.door.refuse[p.List] = p.Listed(receipt=1, rows=())
    assert house.get(f"DocumentReference/{NOBODYS}").status_code == 404


def test_a_malformed_id_goes_the_same_way(house: House) -> None:
    """The door is asked for it too, as for an id that nobody has: no shorter path, no shorter time."""
    house.get("DocumentReference/1")
    assert [one.document for one in house.door.words(p.List)] == ["a" * 26]


def test_what_the_client_has_is_not_sent_again(house: House) -> None:
    """304 for the version it names, weakly or strongly; 200 for another."""
    one = house.put()["id"]
    for tag, status in (('W/"1"', 304), ('"1"', 304), ("*", 304), ('W/"7", W/"1"', 304), ('W/"2"', 200), ("junk", 200)):
        answer = house.get(f"DocumentReference/{one}", **{"If-None-Match": tag})
        assert answer.status_code == status
        assert answer.headers["etag"] == 'W/"1"'


def test_a_clinician_reads_as_the_owner_does(house: House) -> None:
    """The API makes no difference: the door does."""
    one = house.put()["id"]
    assert house.get(f"DocumentReference/{one}", DOCTOR).json() == house.get(f"DocumentReference/{one}").json()


def test_a_relabelling_shows(house: House) -> None:
    """The label follows the keeper's category, whatever was sealed."""
    one = house.put()["id"]
    assert "securityLabel" not in house.get(f"DocumentReference/{one}").json()
    house.door.held[one].category = "sensitive"
    assert house.get(f"DocumentReference/{one}").json()["securityLabel"][0]["coding"][0]["code"] == "R"


def test_metadata_that_do_not_open_are_an_error_without_details(house: House) -> None:
    """Swapped between two documents, each under its own key: neither opens."""
    one, two = house.put(description="First")["id"], house.put()["id"]
    house.catalogue.rows[one, 1, 0] = house.catalogue.rows[two, 1, 0]
    answer = house.get(f"DocumentReference/{one}")
    assert (answer.status_code, issue(answer)["code"]) == (500, "exception")
    del house.catalogue.rows[one, 1, 0]
    assert house.get(f"DocumentReference/{one}").status_code == 500


# ---- update and delete ----------------------------------------------------------------------------------------------


def _put(house: House, resource: dict[str, Any], match: str | None = 'W/"1"', who: dict[str, str] = OWNER) -> Any:
    headers = {**who, **({"If-Match": match} if match else {})}
    return house.client.put(f"/fhir/DocumentReference/{resource['id']}", json=resource, headers=headers)


def test_new_bytes_are_a_new_version(house: House) -> None:
    """The old one stays as it was, under its own address."""
    made = house.put()
    changed = {**reference(PDF + b"more"), "id": made["id"]}
    answer = _put(house, changed)
    assert (answer.status_code, answer.headers["etag"]) == (200, 'W/"2"')
    assert answer.headers["location"].endswith("/_history/2")
    old = house.get(f"DocumentReference/{made['id']}/_history/1").json()
    assert old["content"][0]["attachment"]["size"] == len(PDF)
    assert old["content"][0]["attachment"]["url"].endswith(f"/Binary/{made['id']}/_history/1")
    assert house.get(f"Binary/{made['id']}").content == PDF + b"more"
    assert house.get(f"Binary/{made['id']}/_history/1").content == PDF


def test_what_was_read_can_be_changed_and_put_back(house: House) -> None:
    """Without data the bytes are carried over: a release, on record, of which nothing reached the client."""
    made = house.put()
    answer = _put(house, {**made, "description": "Now with words"})
    assert answer.status_code == 200
    assert answer.json()["description"] == "Now with words"
    assert house.get(f"Binary/{made['id']}").content == PDF
    kinds = [type(one) for one in house.door.asked if not isinstance(one, p.Delivered)]
    assert kinds[:5] == [p.WhoAmI, p.List, p.Deposit, p.Release, p.Deposited]
    assert (house.door.words(p.Delivered)[0].bytes, house.door.words(p.Delivered)[0].complete) == (0, False)


def test_a_change_needs_the_version_it_is_made_upon(house: House) -> None:
    """Missing: 428. Stale, unknown or any: 412. Two: 400. And nothing changes."""
    made = house.put()
    tries: list[tuple[str | None, int]] = [(None, 428), ('W/"2"', 412), ("*", 412), ("x", 412), ('W/"1", W/"2"', 400)]
    for match, status in tries:
        answer = _put(house, {**made, "description": "x"}, match)
        assert answer.status_code == status
        assert issue(answer)
    assert house.get(f"DocumentReference/{made['id']}").json() == made


def test_who_loses_a_race_is_told(house: House) -> None:
    """The door's own check decides: another version came in between."""
    made = house.put()
    house.door.refuse[p.Deposit] = p.Refused(why="conflict")
    answer = _put(house, {**reference(), "id": made["id"]})
    assert answer.status_code == 412


def test_what_a_change_cannot_do(house: House) -> None:
    """Move to another patient or category, point at other bytes, or say what the bytes are not."""
    made = house.put()
    label = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}]}
    attachment = made["content"][0]["attachment"]
    elsewhere = [{"attachment": {**attachment, "url": f"{BASE}/Binary/{NOBODYS}"}}]
    larger = [{"attachment": {**attachment, "size": 7}}]
    tries: list[tuple[dict[str, Any], str]] = [
        ({"subject": {"reference": f"Patient/{OTHER}"}}, "DocumentReference.subject"),
        ({"securityLabel": [label]}, "DocumentReference.securityLabel"),
        ({"content": elsewhere}, "DocumentReference.content[0].attachment.url"),
        ({"content": larger}, "DocumentReference.content[0].attachment.size"),
    ]
    for change, expression in tries:
        answer = _put(house, {**made, **change})
        assert (answer.status_code, issue(answer)["expression"]) == (422, [expression])
    assert house.get(f"DocumentReference/{made['id']}").json() == made


def test_the_body_is_the_document_of_the_address(house: House) -> None:
    """400 for another id, or none."""
    made = house.put()
    for other in ({**made, "id": NOBODYS}, {key: value for key, value in made.items() if key != "id"}):
        answer = house.client.put(
            f"/fhir/DocumentReference/{made['id']}", json=other, headers={**OWNER, "If-Match": 'W/"1"'}
        )
        assert answer.status_code == 400


def test_a_put_makes_nothing(house: House) -> None:
    """An id that is not there, or not yours, is 404: ids are not the client's to choose."""
    made = house.put()
    assert _put(house, {**reference(), "id": NOBODYS}).status_code == 404
    assert _put(house, {**reference(), "id": made["id"]}, who=STRANGER).status_code == 404
    assert len(house.door.held) == 1


def test_a_tombstone(house: House) -> None:
    """204; then it is not there, and its bytes still are."""
    one = house.put()["id"]
    assert house.client.delete(f"/fhir/DocumentReference/{one}", headers=STRANGER).status_code == 404
    answer = house.client.delete(f"/fhir/DocumentReference/{one}", headers=OWNER)
    assert (answer.status_code, answer.content) == (204, b"")
    assert house.get(f"DocumentReference/{one}").status_code == 404
    assert len(house.blobs.objects) == 1


# ---- search and $docref ---------------------------------------------------------------------------------------------


def _found(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    Bundle.model_validate(answer.json())
    return [entry["resource"]["description"] for entry in answer.json().get("entry", ())]


@pytest.fixture
def library(house: House) -> House:
    """Five documents: letters 0 to 4, of five days."""
    for number in range(5):
        kind = {"coding": [{"system": "http://loinc.org", "code": f"code-{number % 2}"}]}
        house.put(description=str(number), date=f"2026-01-0{number + 1}T00:00:00Z", type=kind)
        house.clock.advance(1_000)
    return house


def test_get_and_post_find_the_same(library: House) -> None:
    """And `id` and `Patient/id` are one."""
    for query in (
        {"patient": PATIENT},
        {"patient": f"Patient/{PATIENT}", "type": "code-1"},
        {"subject": PATIENT, "date": "ge2026-01-03", "_sort": "date"},
    ):
        got = library.get(f"DocumentReference?{urlencode(query)}")
        posted = library.client.post("/fhir/DocumentReference/_search", data=query, headers=OWNER)
        assert got.json() == posted.json()
        assert _found(got)
    assert _found(library.get(f"DocumentReference?patient={PATIENT}")) == list("43210")
    assert _found(library.get(f"DocumentReference?patient={PATIENT}&type=http://loinc.org|code-1")) == list("31")
    assert _found(library.get(f"DocumentReference?patient={PATIENT}&date=ge2026-01-04&_sort=-date")) == list("43")


def test_a_post_takes_parameters_of_both_places(library: House) -> None:
    """The address and the form; together they narrow."""
    answer = library.client.post(
        "/fhir/DocumentReference/_search?type=code-1", data={"patient": PATIENT}, headers=OWNER
    )
    assert _found(answer) == list("31")


@pytest.mark.parametrize(("content", "headers", "status"), [
    (b"patient=%FF", {"Content-Type": "application/x-www-form-urlencoded"}, 400),
    (b"\xff", {"Content-Type": "application/x-www-form-urlencoded"}, 400),
    (b"&".join([b"a=b"] * 500), {"Content-Type": "application/x-www-form-urlencoded"}, 400),
    (b"a=" + b"b" * 70_000, {"Content-Type": "application/x-www-form-urlencoded"}, 413),
    (b"{}", {"Content-Type": "application/json"}, 415),
])  # fmt: skip
def test_forms_are_bounded(house: House, content: bytes, headers: dict[str, str], status: int) -> None:
    """Not a form, not UTF-8, too many, too long."""
    answer = house.client.post("/fhir/DocumentReference/_search", content=content, headers={**OWNER, **headers})
    assert answer.status_code == status
    assert issue(answer)


def test_whose_documents_are_meant(library: House) -> None:
    """The owner's own without saying; a clinician must say; one document by its id."""
    assert _found(library.get("DocumentReference")) == list("43210")
    answer = library.get("DocumentReference", DOCTOR)
    assert (answer.status_code, issue(answer)["code"]) == (400, "required")
    one = library.get("DocumentReference?type=code-0&_count=1").json()["entry"][0]["resource"]["id"]
    assert _found(library.get(f"DocumentReference?_id={one}", DOCTOR)) == ["4"]
    assert _found(library.get(f"DocumentReference?_id={one}&patient={PATIENT}")) == ["4"]
    library.door.own["both"] = (PATIENT, OTHER)
    assert library.get("DocumentReference", {"Authorization": "Bearer both"}).status_code == 400


def test_foreign_and_unknown_patients_have_the_same_empty_list(library: House) -> None:
    """200, no entries, nothing that differs but the client's own words; by `_id` too."""
    one = next(iter(library.door.held))
    for query, who in ((f"patient={PATIENT}", STRANGER), (f"patient={NOBODYS}", STRANGER), ("patient=1", STRANGER),
                       (f"_id={one}", STRANGER), (f"_id={NOBODYS}", OWNER), ("_id=1", OWNER),
                       (f"_id={one}&patient={NOBODYS}", OWNER)):  # fmt: skip
        answer = library.get(f"DocumentReference?{query}", who)
        assert answer.status_code == 200
        body = answer.json()
        assert body.pop("link")[0]["url"] == f"{BASE}/DocumentReference?{query}"
        assert body == {"resourceType": "Bundle", "type": "searchset", "total": 0}


def test_a_refusal_of_a_search_is_not_an_empty_list(library: House) -> None:
    """Only "absent" reads as nothing there."""
    library.door.refuse[p.List] = p.Refused(why="spent", retry=60)
    one = next(iter(library.door.held))
    for query in (f"patient={PATIENT}", f"_id={one}"):
        answer = library.get(f"DocumentReference?{query}")
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")


def test_pages_neither_skip_nor_repeat(library: House) -> None:
    """Following `next` gives everything once, also when a document comes in meanwhile; totals stay true."""
    url, seen = f"DocumentReference?patient={PATIENT}&_count=2&_sort=date", []
    while url:
        answer = library.get(url)
        seen += _found(answer)
        links = {link["relation"]: link["url"] for link in answer.json()["link"]}
        url = links.get("next", "").removeprefix(f"{BASE}/")
        if len(seen) == 2:
            library.put(description="new", date="2026-01-01T00:00:00Z")
    assert seen == list("01234")


def test_a_page_is_its_callers(library: House) -> None:
    """Another caller, another search, a changed token: 400. And each page asks the door again."""
    link = library.get(f"DocumentReference?patient={PATIENT}&_count=2").json()["link"][1]
    assert link["relation"] == "next"
    path = link["url"].removeprefix(f"{BASE}/")
    assert library.get(path, DOCTOR).status_code == 400
    assert library.get(path.replace("_count=2", "_count=3")).status_code == 400
    assert library.get(path + "A").status_code == 400
    library.door.asked.clear()
    assert _found(library.get(path)) == list("21")
    assert len(library.door.words(p.List)) == 1


def test_counting_without_looking(library: House) -> None:
    """`_count=0` tells the total alone."""
    body = library.get(f"DocumentReference?patient={PATIENT}&_count=0").json()
    assert (body["total"], "entry" in body, len(body["link"])) == (5, False, 1)


def test_unknown_parameters(library: House) -> None:
    """Left out of `self`; refused when handling is strict."""
    url = f"DocumentReference?patient={PATIENT}&colour=red"
    assert library.get(url).json()["link"][0]["url"] == f"{BASE}/DocumentReference?patient={PATIENT}"
    answer = library.get(url, Prefer="handling=strict")
    assert (answer.status_code, issue(answer)["code"]) == (400, "not-supported")


def test_all_pages_of_the_door_are_read(library: House) -> None:
    """The door answers by pages; a record beyond the bound is refused, not cut."""
    library.door.page = 2
    assert _found(library.get(f"DocumentReference?patient={PATIENT}")) == list("43210")
    assert len(library.door.words(p.List)) == 3
    object.__setattr__(library.settings, "max_rows", 4)
    answer = library.get(f"DocumentReference?patient={PATIENT}")
    assert (answer.status_code, issue(answer)["code"]) == (422, "too-costly")


def test_a_page_without_rows_is_no_end(library: House) -> None:
    """When the door says that more follows and not where, the answer is an error and not a shorter list."""
    library.door.refuse[p.List] = p.Listed(receipt=1, rows=(), more=True)
    assert library.get(f"DocumentReference?patient={PATIENT}").status_code == 503


def test_what_does_not_open_is_a_gap_that_is_told(library: House) -> None:
    """The others are shown, with a warning: never a silence."""
    one = next(iter(library.door.held))
    library.catalogue.rows[one, 1, 0] = Entry(b"junk", library.catalogue.rows[one, 1, 0].blob)
    body = library.get(f"DocumentReference?patient={PATIENT}").json()
    Bundle.model_validate(body)
    modes = [entry["search"]["mode"] for entry in body["entry"]]
    assert modes == ["match"] * 4 + ["outcome"]
    assert body["entry"][-1]["resource"]["issue"][0]["code"] == "incomplete"


def test_docref_by_get_and_post(library: House) -> None:
    """The same documents; the asker's own record when no patient is named; nothing of anybody else's."""
    parameters = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "patient", "valueId": PATIENT},
            {"name": "start", "valueDate": "2026-01-02"},
            {"name": "type", "valueCodeableConcept": {"coding": [{"system": "http://loinc.org", "code": "code-1"}]}},
        ],
    }
    url = "DocumentReference/$docref"
    got = library.get(f"{url}?patient={PATIENT}&start=2026-01-02&type=http://loinc.org|code-1&_format=json")
    posted = library.client.post(f"/fhir/{url}", json=parameters, headers=OWNER)
    assert sorted(_found(got)) == sorted(_found(posted)) == ["1", "3"]
    assert len(_found(library.get(url))) == 5
    assert _found(library.get(f"{url}?patient={PATIENT}", STRANGER)) == []
    assert _found(library.get(f"{url}?patient={PATIENT}&on-demand=true")) == []
    assert library.get(url, DOCTOR).status_code == 400
    assert library.get(f"{url}?patient={PATIENT}&colour=red").status_code == 422
    assert library.get(f"{url}?patient=a&patient=b").status_code == 400


def test_bytes_that_stay_keep_their_type(house: House) -> None:
    """A PUT without data cannot make a text into a page: the type was held against bytes that are not sent again."""
    made = house.put(b"hello", "text/plain")
    for kind in ("text/html", "image/png", "text/plain; charset=utf-7"):
        made["content"][0]["attachment"]["contentType"] = kind
        answer = house.client.put(
            f"/fhir/DocumentReference/{made['id']}", json=made, headers={**OWNER, "If-Match": 'W/"1"'}
        )
        assert (answer.status_code, issue(answer)["code"]) == (422, "business-rule")
    assert house.get(f"Binary/{made['id']}").headers["content-type"].startswith("text/plain")
