"""Wherever a deposit breaks off, nothing can be read and nothing is half done."""

from collections.abc import Callable
from typing import Any

import pytest

from strongroom.keeper import protocol as p
from tests.api.conftest import OWNER, PATIENT, House, issue, reference


def _readable(house: House) -> list[str]:
    return [held.id for held in house.door.held.values() if held.readable(None)]


def _store_down(house: House) -> None:
    house.blobs.down = True


def _catalogue_down(house: House) -> None:
    house.catalogue.down = True


def _door_lost(house: House) -> None:
    house.door.lost.add(p.Deposit)


def _last_word_lost(house: House) -> None:
    house.door.lost.add(p.Deposited)


FAULTS: list[tuple[Callable[[House], None], int]] = [
    (_store_down, 0),
    (_catalogue_down, 0),
    (_door_lost, 0),
    (_last_word_lost, 1),
]


@pytest.mark.parametrize(("fault", "objects"), FAULTS)
def test_a_part_that_is_away_is_503(house: House, fault: Callable[[House], None], objects: int) -> None:
    """Try again; nothing can be read, ciphertext at most is left. After the last word nothing is taken back."""
    fault(house)
    answer = house.client.post("/fhir/DocumentReference", json=reference(), headers=OWNER)
    assert (answer.status_code, issue(answer)["code"]) == (503, "transient")
    assert answer.headers["retry-after"]
    assert _readable(house) == []
    assert len(house.blobs.objects) == objects


def test_the_last_word_is_repeated(house: House) -> None:
    """A door that was restarting hears it the next time; it is said three times at most."""
    _last_word_lost(house)
    house.client.post("/fhir/DocumentReference", json=reference(), headers=OWNER)
    assert len(house.door.words(p.Deposited)) == 3
    assert len({word.ticket for word in house.door.words(p.Deposited)}) == 1


def test_what_the_bytes_are_not_is_found_at_the_end(house: House) -> None:
    """Carried bytes are held against the size that the client claims, and the new object is taken away again."""
    made = house.put()
    attachment = {**made["content"][0]["attachment"], "size": 1}
    changed: dict[str, Any] = {**made, "content": [{"attachment": attachment}]}
    headers = {**OWNER, "If-Match": 'W/"1"'}
    answer = house.client.put(f"/fhir/DocumentReference/{made['id']}", json=changed, headers=headers)
    assert answer.status_code == 422
    assert len(house.blobs.objects) == 1
    assert house.door.words(p.Deposited) == []


def test_what_cannot_be_taken_away_stays_without_a_key(house: House) -> None:
    """A store that fails twice changes no answer."""
    house.catalogue.down = True
    delete = house.blobs.delete

    async def broken(name: str) -> None:
        house.blobs.down = True
        await delete(name)

    house.blobs.delete = broken  # type: ignore[method-assign]  # a store that goes away at the worst moment
    answer = house.client.post("/fhir/DocumentReference", json=reference(), headers=OWNER)
    assert answer.status_code == 503
    assert _readable(house) == []


@pytest.mark.parametrize(
    ("why", "status"), [("absent", 404), ("scope", 403), ("conflict", 409), ("step-up", 401), ("unavailable", 503)]
)
def test_a_door_that_says_no_keeps_nothing(house: House, why: str, status: int) -> None:
    """Its answer is the client's; not one byte was written."""
    house.door.refuse[p.Deposit] = p.Refused(why=why)
    answer = house.client.post("/fhir/DocumentReference", json=reference(), headers=OWNER)
    assert answer.status_code == status
    assert house.blobs.objects == {}
    upload = {**OWNER, "X-Security-Context": f"Patient/{PATIENT}", "Content-Type": "text/plain"}
    assert house.client.post("/fhir/Binary", content=b"words", headers=upload).status_code in {status, 412}


def test_a_carried_version_that_is_not_released_keeps_nothing(house: House) -> None:
    """The door refuses the release in the middle of a change: its answer is the client's."""
    made = house.put()
    house.door.refuse[p.Release] = p.Refused(why="spent")
    headers = {**OWNER, "If-Match": 'W/"1"'}
    answer = house.client.put(f"/fhir/DocumentReference/{made['id']}", json=made, headers=headers)
    assert (answer.status_code, issue(answer)["code"]) == (403, "suppressed")
    assert len(house.blobs.objects) == 1
