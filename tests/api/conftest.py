"""A running API over stand-ins: one patient with an owner, a clinician who cares for them, and a stranger."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from starlette.testclient import TestClient

from strongroom.api.app import Api, create_app
from strongroom.api.settings import Settings
from strongroom.clock import ManualClock
from strongroom.secret import Secret
from tests.api.standins import Blobs, MemoryCatalogue, MemoryDoor

Json = dict[str, Any]

PATIENT = "p" * 26
OTHER = "q" * 26
BASE = "http://testserver/fhir"
OWNER, DOCTOR, STRANGER = ({"Authorization": f"Bearer {name}"} for name in ("owner", "doctor", "stranger"))
PDF = b"%PDF-1.7\n" + b"a page of a letter\n" * 10


def sign(**claims: str) -> str:
    """A context that says what was signed."""
    return json.dumps(claims)


@dataclass
class House:
    """The application and everything behind it."""

    app: Api
    client: TestClient
    door: MemoryDoor
    blobs: Blobs
    catalogue: MemoryCatalogue
    clock: ManualClock
    settings: Settings

    def put(self, content: bytes = PDF, content_type: str = "application/pdf", **more: Any) -> Json:
        """A document of the patient, created by its owner."""
        resource = reference(content, content_type, **more)
        answer = self.client.post("/fhir/DocumentReference", json=resource, headers=OWNER)
        assert answer.status_code == 201, answer.text
        self.door.asked.clear()
        return dict(answer.json())

    def get(self, path: str, who: Mapping[str, str] = OWNER, /, **headers: str) -> Any:
        """A GET as somebody, with further headers."""
        return self.client.get(f"/fhir/{path}", headers={**who, **headers})


def reference(content: bytes | None = PDF, content_type: str = "application/pdf", **more: Any) -> Json:
    """A DocumentReference as a client sends it; an attachment's members may be given as `attachment`."""
    attachment: Json = {"contentType": content_type, **more.pop("attachment", {})}
    if content is not None:
        attachment["data"] = base64.b64encode(content).decode()
    made = {"resourceType": "DocumentReference", "status": "current", "subject": {"reference": f"Patient/{PATIENT}"}}
    return {**made, "content": [{"attachment": attachment}], **more}


def build(**settings: Any) -> House:
    """A house with these settings."""
    clock = ManualClock()
    door = MemoryDoor(clock, own={"owner": (PATIENT,), "stranger": (OTHER,)}, cares={"doctor": (PATIENT,)})
    blobs, catalogue = Blobs(), MemoryCatalogue()
    made = Settings(base=BASE, page_key=Secret(b"k" * 32), **settings)
    app = create_app(door, blobs, catalogue, sign, clock, made)
    return House(app, TestClient(app), door, blobs, catalogue, clock, made)


@pytest.fixture
def house() -> House:
    """With the settings as they come."""
    return build()


def issue(answer: Any) -> Json:
    """The first issue of an OperationOutcome, after checking that it is one."""
    assert answer.headers["content-type"] == "application/fhir+json", answer.text
    body = answer.json()
    assert body["resourceType"] == "OperationOutcome"
    return dict(body["issue"][0])
