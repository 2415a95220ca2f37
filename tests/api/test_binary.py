"""Bytes come in owned and go out whole, in part, in FHIR form, or not at all; the door hears of every one of them."""

import base64
import json
from typing import Any

import pytest
from fhir.resources.R4B.binary import Binary

from strongroom.keeper import protocol as p
from tests.api.conftest import BASE, DOCTOR, OWNER, PATIENT, PDF, STRANGER, House, build, issue, reference

NOBODYS = "z" * 26
LONG = b"%PDF-1.7\n" + bytes(range(256)) * 1_000
"""256,009 bytes: sixteen sealed chunks, in pieces that fall across their borders."""


def _post(house: House, content: bytes, content_type: str = "application/pdf", **headers: str) -> Any:
    given = {"Content-Type": content_type, **OWNER, **headers}
    return house.client.post("/fhir/Binary", content=content, headers=given)


def _mine(name: str = f"Patient/{PATIENT}") -> dict[str, str]:
    return {"X-Security-Context": name}


# ---- in -------------------------------------------------------------------------------------------------------------


def test_raw_bytes_become_a_document(house: House) -> None:
    """201 with its Location; a minimal DocumentReference has the same id, and a PUT completes it."""
    answer = _post(house, LONG, **_mine())
    assert (answer.status_code, answer.content) == (201, b"")
    one = answer.headers["location"].removeprefix(f"{BASE}/Binary/").partition("/")[0]
    assert house.get(f"Binary/{one}").content == LONG
    reference = house.get(f"DocumentReference/{one}").json()
    assert reference["subject"] == {"reference": f"Patient/{PATIENT}"}
    assert reference["content"][0]["attachment"]["size"] == len(LONG)
    headers = {**OWNER, "If-Match": 'W/"1"'}
    put = house.client.put(f"/fhir/DocumentReference/{one}", json={**reference, "description": "Mine"}, headers=headers)
    assert put.status_code == 200
    assert house.get(f"Binary/{one}").content == LONG


def test_raw_bytes_become_a_version(house: House) -> None:
    """With a DocumentReference as context; its metadata stay, its old version too; If-Match as for any change."""
    made = house.put(description="Kept")
    context = _mine(f"DocumentReference/{made['id']}")
    assert _post(house, b"plain words", "text/plain", **context).status_code == 428
    assert _post(house, b"plain words", "text/plain", **context, **{"If-Match": 'W/"2"'}).status_code == 412
    answer = _post(house, b"plain words", "text/plain", **context, **{"If-Match": 'W/"1"'})
    assert (answer.status_code, answer.headers["etag"]) == (201, 'W/"2"')
    now = house.get(f"DocumentReference/{made['id']}").json()
    assert now["description"] == "Kept"
    assert now["content"][0]["attachment"]["contentType"] == "text/plain"
    assert now["content"][0]["attachment"]["size"] == 11
    assert house.get(f"Binary/{made['id']}/_history/1").content == PDF


def test_the_fhir_form_comes_in_too(house: House) -> None:
    """With the context in the header or in the resource; both must agree."""
    resource = {"resourceType": "Binary", "contentType": "application/pdf", "data": base64.b64encode(PDF).decode()}
    owned = {**resource, "securityContext": {"reference": f"Patient/{PATIENT}"}}
    for kind in ("application/fhir+json", "application/json"):
        for body, headers in ((resource, _mine()), (owned, {}), (owned, _mine())):
            answer = _post(house, json.dumps(body).encode(), kind, **headers)
            assert answer.status_code == 201
            path = answer.headers["location"].removeprefix(f"{BASE}/")
            assert house.get(path).content == PDF
            assert house.get(path).headers["content-type"] == "application/pdf"
    disagreeing = _post(house, json.dumps(owned).encode(), "application/fhir+json", **_mine(f"Patient/{NOBODYS}"))
    assert disagreeing.status_code == 400


def test_fhir_json_that_is_no_binary_is_a_document(house: House) -> None:
    """A patient summary is kept as bytes, whatever it holds."""
    for body in (b'{"resourceType":"Bundle","type":"document"}', b"{not json at all", b'"text"'):
        answer = _post(house, body, "application/fhir+json", **_mine())
        assert answer.status_code == 201
        read = house.get(answer.headers["location"].removeprefix(f"{BASE}/"), Accept="*/*")
        assert read.content == body


@pytest.mark.parametrize("context", [None, "", "Practitioner/x", "Patient", f"Patient/{PATIENT}/x", "Patient/../x"])
def test_no_unowned_bytes(house: House, context: str | None) -> None:
    """Without an owner of a known kind: 400, and nothing is kept."""
    answer = _post(house, PDF, **({} if context is None else _mine(context)))
    assert (answer.status_code, issue(answer)["code"]) == (400, "required")
    assert house.blobs.objects == {}


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"", "application/pdf", 400),
        (b"<script>x</script>", "application/pdf", 422),
        (b"<html>", "text/plain", 422),
        (PDF, "image/png", 422),
        (PDF, "application/x-unheard-of", 415),
        (PDF, "pdf", 415),
        (PDF, "", 415),
        (b'{"resourceType":"Binary","contentType":"text/plain"}', "application/fhir+json", 422),
    ],
)
def test_what_is_not_what_it_says(house: House, content: bytes, kind: str, status: int) -> None:
    """A false, unknown or missing type is refused loudly, before the door."""
    answer = _post(house, content, kind, **_mine())
    assert answer.status_code == status
    assert issue(answer)
    assert house.door.words(p.Deposit) == []


def test_only_some_types_are_documents() -> None:
    """The usual ones, or those that are configured: 415 names them, in every way in, whatever the bytes are."""
    house = build(media_types=frozenset({"text/plain", "application/pdf"}))
    old = house.put(b"x", "text/plain")
    binary = {
        "resourceType": "Binary",
        "contentType": "image/png",
        "data": base64.b64encode(b"\x89PNG\r\n\x1a\n").decode(),
    }
    answers = [
        _post(house, b"\x89PNG\r\n\x1a\n", "image/png", **_mine()),
        _post(house, b"{}", "application/json", **_mine()),
        _post(house, json.dumps(binary).encode(), "application/fhir+json", **_mine()),
        house.client.post("/fhir/DocumentReference", json=reference(b"\x89PNG\r\n\x1a\n", "image/png"), headers=OWNER),
        _post(house, b"{}", "application/json", **_mine(f"DocumentReference/{old['id']}"), **{"If-Match": 'W/"1"'}),
    ]
    for answer in answers:
        assert answer.status_code == 415
        assert issue(answer)["code"] == "not-supported"
        assert "application/pdf, text/plain." in issue(answer)["details"]["text"]
    assert len(house.blobs.objects) == 1
    binary |= {"contentType": "application/pdf", "data": base64.b64encode(PDF).decode()}
    assert _post(house, json.dumps(binary).encode(), "application/fhir+json", **_mine()).status_code == 201
    for kind in ("application/zip", "application/msword"):
        assert _post(build(), b"PK\x03\x04", kind, **_mine()).status_code == 415


def test_another_patients_record_takes_nothing(house: House) -> None:
    """Foreign, unknown and malformed owners are one answer; so are documents."""
    made = house.put()
    contexts = [f"Patient/{PATIENT}", f"Patient/{NOBODYS}", "Patient/1", f"DocumentReference/{made['id']}",
                f"DocumentReference/{NOBODYS}", "DocumentReference/1"]  # fmt: skip
    answers = [_post(house, PDF, **STRANGER, **_mine(one), **{"If-Match": 'W/"1"'}) for one in contexts]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert len(house.blobs.objects) == 1


def test_uploads_are_bounded() -> None:
    """Told or untold, a longer body is 413, and nothing stays."""
    house = build(max_document=1_000, max_inline=100)
    assert _post(house, PDF * 20, **_mine()).status_code == 413

    def untold() -> Any:
        yield from [PDF] * 20

    answer = house.client.post(
        "/fhir/Binary", content=untold(), headers={**OWNER, **_mine(), "Content-Type": "application/pdf"}
    )
    assert answer.status_code == 413
    assert house.blobs.objects == {}
    resource = {"resourceType": "Binary", "contentType": "application/pdf", "data": base64.b64encode(PDF).decode()}
    assert _post(house, json.dumps(resource).encode(), "application/fhir+json", **_mine()).status_code == 413
    answer = house.client.post("/fhir/DocumentReference", json=reference(), headers=OWNER)
    assert (answer.status_code, "two ways" in answer.text) == (413, True)
    assert house.door.words(p.Deposited) == []


# ---- out ------------------------------------------------------------------------------------------------------------


def test_bytes_go_out_as_they_came(house: House) -> None:
    """With the headers that keep a browser from acting on them, and a word to the door that all arrived."""
    one = house.put(LONG)["id"]
    answer = house.get(f"Binary/{one}")
    assert (answer.status_code, answer.content) == (200, LONG)
    expected = {
        "content-type": "application/pdf",
        "content-length": str(len(LONG)),
        "etag": '"1"',
        "accept-ranges": "bytes",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "content-disposition": "attachment",
        "x-security-context": f"DocumentReference/{one}",
    }
    assert {name: answer.headers[name] for name in expected} == expected
    assert "sandbox" in answer.headers["content-security-policy"]
    release, delivered = house.door.asked
    assert (type(release), release.start, release.length) == (p.Release, 0, None)
    assert (delivered.bytes, delivered.complete, delivered.receipt) == (len(LONG), True, 1)


def test_a_picture_may_be_shown(house: House) -> None:
    """Types that cannot act are not forced into a download."""
    one = house.put(b"\x89PNG\r\n\x1a\nxxxx", "image/png")["id"]
    assert "content-disposition" not in house.get(f"Binary/{one}").headers


def test_the_fhir_form_goes_out(house: House) -> None:
    """By Accept or `_format`; streamed, with the length that was promised; the oracle takes it."""
    for content in (LONG, LONG[:-1], LONG[:-2]):
        one = house.put(content)["id"]
        for path, accept in ((f"Binary/{one}", "application/fhir+json"), (f"Binary/{one}", "application/json"),
                             (f"Binary/{one}?_format=json", "*/*"),
                             (f"Binary/{one}?_format=application/fhir+json", "application/pdf")):  # fmt: skip
            answer = house.get(path, Accept=accept)
            assert answer.headers["content-type"] == "application/fhir+json"
            body = answer.json()
            assert base64.b64decode(body["data"]) == content
            Binary.model_validate({**body, "data": body["data"][:4]})
            assert (body["id"], body["securityContext"]) == (one, {"reference": f"DocumentReference/{one}"})
            assert int(answer.headers["content-length"]) == len(answer.content)
            head = house.client.head(f"/fhir/{path}", headers={**OWNER, "Accept": accept})
            assert head.headers["content-length"] == answer.headers["content-length"]


def test_what_cannot_be_given_is_no_release(house: House) -> None:
    """406 after a look, for types that are neither; XML among them."""
    one = house.put()["id"]
    for accept in ("image/png", "application/fhir+xml", "text/*", "application/pdf;q=0"):
        answer = house.get(f"Binary/{one}", Accept=accept)
        assert (answer.status_code, issue(answer)["code"]) == (406, "not-supported")
    for accept in ("application/pdf", "application/*", "image/png, application/pdf;q=0.1"):
        assert house.get(f"Binary/{one}", Accept=accept).content == PDF
    assert (
        house.get(f"Binary/{one}", Accept="image/png, application/fhir+json;q=0.1").json()["resourceType"] == "Binary"
    )
    assert len(house.door.words(p.Release)) == 4


def test_head_is_no_release(house: House) -> None:
    """The same headers as GET, from a listing alone."""
    one = house.put()["id"]
    head = house.client.head(f"/fhir/Binary/{one}", headers=OWNER)
    assert (head.status_code, head.content) == (200, b"")
    assert house.door.words(p.Release) == []
    got = house.get(f"Binary/{one}")
    same = {name: value for name, value in got.headers.items() if name != "x-request-id"}
    assert {name: value for name, value in head.headers.items() if name != "x-request-id"} == same


def test_what_the_client_has_is_no_release(house: House) -> None:
    """304 after a look."""
    one = house.put()["id"]
    for method in ("GET", "HEAD"):
        answer = house.client.request(method, f"/fhir/Binary/{one}", headers={**OWNER, "If-None-Match": '"1"'})
        assert (answer.status_code, answer.headers["etag"]) == (304, '"1"')
    assert house.door.words(p.Release) == []
    assert house.get(f"Binary/{one}", **{"If-None-Match": '"2"'}).content == PDF


RANGES = [
    ("bytes=0-0", 0, 1),
    ("bytes=0-15", 0, 16),
    ("bytes=16383-16384", 16_383, 2),
    ("bytes=100000-", 100_000, len(LONG) - 100_000),
    ("bytes=-1", len(LONG) - 1, 1),
    ("bytes=-1000000", 0, len(LONG)),
    ("bytes=256000-999999", 256_000, 9),
    ("bytes=1-200000", 1, 200_000),
]


@pytest.mark.parametrize(("wanted", "start", "length"), RANGES)
def test_a_part_of_a_document(house: House, wanted: str, start: int, length: int) -> None:
    """206 with exactly these bytes; the door is asked for no more than that."""
    one = house.put(LONG)["id"]
    answer = house.get(f"Binary/{one}", Range=wanted)
    assert (answer.status_code, answer.content) == (206, LONG[start : start + length])
    assert answer.headers["content-range"] == f"bytes {start}-{start + length - 1}/{len(LONG)}"
    assert answer.headers["content-length"] == str(length)
    release, delivered = house.door.asked
    assert release.length is None or release.length >= length
    assert (delivered.bytes, delivered.complete) == (length, True)


@pytest.mark.parametrize("wanted", ["bytes=256009-", "bytes=999999-1000000"])
def test_beyond_the_end(house: House, wanted: str) -> None:
    """416 with the true size, and the door hears that nothing went out."""
    one = house.put(LONG)["id"]
    answer = house.get(f"Binary/{one}", Range=wanted)
    assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{len(LONG)}")
    assert issue(answer)
    assert (house.door.words(p.Delivered)[0].bytes, house.door.words(p.Delivered)[0].complete) == (0, False)


@pytest.mark.parametrize("wanted", ["bytes=5-1", "bytes=a-b", "items=0-1", "bytes=0-1,3-4", "bytes=-", "bytes=-0", ""])
def test_what_is_no_range_is_the_whole(house: House, wanted: str) -> None:
    """As RFC 9110 allows."""
    one = house.put()["id"]
    answer = house.get(f"Binary/{one}", Range=wanted)
    assert (answer.status_code, answer.content) == (200, PDF)


def test_a_resumed_download_is_of_the_same_version(house: House) -> None:
    """If-Range with the strong tag: the part; with any other: the whole."""
    one = house.put()["id"]
    part = {"Range": "bytes=4-"}
    assert house.get(f"Binary/{one}", **part, **{"If-Range": '"1"'}).content == PDF[4:]
    for tag in ('"2"', 'W/"1"', "Thu, 01 Jan 2026 00:00:00 GMT"):
        answer = house.get(f"Binary/{one}", **part, **{"If-Range": tag})
        assert (answer.status_code, answer.content) == (200, PDF)
    assert house.get(f"Binary/{one}", **part, Accept="application/fhir+json").status_code == 200


def test_every_way_to_bytes_that_are_not_yours_is_one_answer(house: House) -> None:
    """Read, vread, HEAD, range, conditional, FHIR form; foreign, unknown, malformed: status, body and headers."""
    mine = house.put()["id"]
    headers = [{}, {"Range": "bytes=0-1"}, {"If-None-Match": '"1"'}, {"Accept": "application/fhir+json"},
               {"Accept": "image/png"}, {"If-Range": '"1"', "Range": "bytes=0-1"}]  # fmt: skip
    for method in ("GET", "HEAD"):
        answers = [
            house.client.request(method, f"/fhir/Binary/{one}{version}", headers={**STRANGER, **more})
            for one in (mine, NOBODYS, "1", "a" * 300)
            for version in ("", "/_history/1", "/_history/0", "/_history/x", "/_history/" + "9" * 40)
            for more in headers
        ]
        assert {answer.status_code for answer in answers} == {404}
        assert len({answer.content for answer in answers}) == 1
        told = [{key: value for key, value in answer.headers.items() if key != "x-request-id"} for answer in answers]
        assert all(one == told[0] for one in told)
    assert house.get(f"Binary/{mine}", DOCTOR).content == PDF


def test_altered_ciphertext_gives_no_wrong_byte(house: House) -> None:
    """At the start: an error. In the middle: the body ends early, and the door hears how much went out."""
    one = house.put(LONG)["id"]
    blob = next(iter(house.blobs.objects))
    good = house.blobs.objects[blob]
    house.blobs.objects[blob] = good[:100] + bytes([good[100] ^ 1]) + good[101:]
    answer = house.get(f"Binary/{one}")
    assert (answer.status_code, issue(answer)["code"]) == (500, "exception")
    assert house.door.words(p.Delivered)[-1].bytes == 0
    place = 200_000
    house.blobs.objects[blob] = good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :]
    cut = house.get(f"Binary/{one}")
    assert LONG.startswith(cut.content)
    assert len(cut.content) < place
    delivered = house.door.words(p.Delivered)[-1]
    assert (delivered.bytes, delivered.complete) == (len(cut.content), False)
    assert house.get(f"Binary/{one}", Range="bytes=200000-200001").status_code == 500
    assert house.get(f"Binary/{one}", Range="bytes=0-15").content == LONG[:16]


def test_cut_exchanged_or_lost_objects_are_not_served(house: House) -> None:
    """Another document's ciphertext, a shorter one, a longer one, none."""
    one, two = house.put(LONG)["id"], house.put(LONG)["id"]
    blobs = house.blobs.objects
    mine, other = house.catalogue.rows[one, 1, 0].blob, house.catalogue.rows[two, 1, 0].blob
    good = blobs[mine]
    for wrong in (blobs[other], good[:-1], good + b"x", good[: len(good) // 2], b""):
        blobs[mine] = wrong
        assert house.get(f"Binary/{one}").content != LONG
        assert house.door.words(p.Delivered)[-1].complete is False
    del blobs[mine]
    answer = house.get(f"Binary/{one}")
    assert (answer.status_code, issue(answer)["code"]) == (503, "transient")
    blobs[mine] = good
    house.catalogue.rows.pop((one, 1, 0))
    assert house.get(f"Binary/{one}").status_code == 500
