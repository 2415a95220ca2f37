"""What anybody may know: what the API can do, and whether it is there."""

import pytest

from strongroom.keeper import protocol as p
from tests.api.conftest import BASE, House, build, issue


def test_capabilities_need_no_sign_in(house: House) -> None:
    """The statement, with an ETag that holds; JSON only."""
    answer = house.client.get("/fhir/metadata")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/fhir+json")
    assert answer.json()["implementation"]["url"] == BASE
    assert house.client.get("/fhir/metadata", headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
    for query, headers in (("?_format=xml", {}), ("", {"Accept": "application/fhir+xml"})):
        refused = house.client.get(f"/fhir/metadata{query}", headers=headers)
        assert (refused.status_code, issue(refused)["code"]) == (406, "not-supported")
    assert house.client.get("/fhir/metadata?_format=json", headers={"Accept": "text/html"}).status_code == 200


def test_alive_is_not_ready(house: House) -> None:
    """The process lives whatever the door does; it is ready when the door is open."""
    assert house.client.get("/healthz").json() == {"alive": True}
    assert house.client.get("/readyz").status_code == 200
    house.door.refuse[p.Ping] = p.Refused(why="unavailable")
    assert house.client.get("/readyz").status_code == 503
    house.door.refuse.clear()
    house.door.lost.add(p.Ping)
    answer = house.client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"ready": False})
    assert house.client.get("/healthz").status_code == 200


def test_a_probe_is_confirmed_by_the_operators_line_alone(house: House) -> None:
    """Nothing is there unless the operator said so."""
    path = "/.well-known/strongroom-probe"
    assert house.client.get(path).status_code == 404
    confirming = build(probe="a-line-that-confirms")
    assert confirming.client.get(path).text == "a-line-that-confirms"


@pytest.mark.parametrize(
    "path", ["/.well-known/smart-configuration", "/fhir", "/fhir/", "/", "/fhir/metadata/", "/fhir/Observation"]
)
def test_what_is_not_there_is_not_claimed(house: House, path: str) -> None:
    """No batch, no SMART configuration, no second spelling of an address."""
    answer = house.client.get(path, follow_redirects=False)
    assert (answer.status_code, issue(answer)["code"]) == (404, "not-found")
