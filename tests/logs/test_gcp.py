"""Google Cloud's audit logs, in entries of the form that its reference gives."""

from typing import Any

import msgspec
import pytest

from bench.fuzz.lines import FILES
from strongroom.logs.record import NO_JSON, NO_TIME, NOT_THIS_FORMAT, Unreadable
from tests.logs.rows import one, reason, rows, some

ENTRY: dict[str, Any] = msgspec.json.decode(FILES["gcp"])


def entry(**payload: object) -> dict[str, Any]:
    """The entry with other members of its payload."""
    return {**ENTRY, "protoPayload": {**ENTRY["protoPayload"], **payload}}


def test_an_entry() -> None:
    """Every field that is kept lands in its column, and the entry is kept whole for rules that name others."""
    found = one(ENTRY, "gcp")
    assert msgspec.json.decode(found.pop("raw_data")) == ENTRY
    expected = {
        "time": 1_766_998_800_250, "metadata.log_name": "gcp", "metadata.uid": "i-1", "status_id": 1, "act": "read",
        "principal": "ann@example.org", "principal.kind": "login", "src_endpoint.ip": "203.0.113.9", "store": "letters",
        "http_request.user_agent": "gsutil/5", "api.operation": "storage.objects.get", "cloud.account.uid": "portal",
        "api.service.name": "storage.googleapis.com", "document": "letters/2025/letter-00417.pdf", "number": 417,
        "api.response.error": None, "meaning": None,
    }  # fmt: skip
    assert {name: found[name] for name in expected} == expected


def test_an_array_is_read_too() -> None:
    """As the command line exports it, over many lines."""
    assert len(rows(msgspec.json.format(msgspec.json.encode([ENTRY, ENTRY]), indent=2), "gcp")) == 2


@pytest.mark.parametrize(
    ("email", "who", "kind"),
    [
        ("portal@p.iam.gserviceaccount.com", "portal@p.iam.gserviceaccount.com", "role"),
        ("service-1@gs-project.iam.gserviceaccount.com", "service-1@gs-project.iam.gserviceaccount.com", "service"),
        ("", "203.0.113.9", "anonymous"),
    ],
)  # fmt: skip
def test_who(email: str, who: str, kind: str) -> None:
    """A service account is a role; Google's own agents are services; nobody is anonymous."""
    found = one(entry(authenticationInfo={"principalEmail": email}), "gcp")
    assert some(found, "principal", "principal.kind") == [who, kind]


@pytest.mark.parametrize(
    ("operation", "act"),
    [
        ("storage.objects.list", "list"), ("storage.objects.delete", "delete"), ("storage.objects.create", "write"),
        ("storage.buckets.getIamPolicy", "other"), ("google.cloud.sql.v1.export", "read"),
    ],
)  # fmt: skip
def test_what_was_done(operation: str, act: str) -> None:
    """Whatever the service calls it."""
    assert one(entry(methodName=operation), "gcp")["act"] == act


def delta(action: str, member: str) -> dict[str, Any]:
    """A change of a policy."""
    return {"serviceData": {"policyDelta": {"bindingDeltas": [{"action": action, "role": "r", "member": member}]}}}


@pytest.mark.parametrize(
    ("change", "meaning"),
    [
        (delta("ADD", "allUsers"), "made-public"),
        (delta("ADD", "allAuthenticatedUsers"), "made-public"),
        (delta("REMOVE", "allUsers"), None),
        (delta("ADD", "user:ann@example.org"), None),
        ({**delta("ADD", "allUsers"), "status": {"code": 7}}, None),
        (
            {"serviceData": {"policyDelta": {"auditConfigDeltas": [{"action": "REMOVE", "service": "allServices"}]}}},
            "logging-cut",
        ),
        (
            {"serviceName": "logging.googleapis.com", "methodName": "google.logging.v2.ConfigServiceV2.DeleteSink"},
            "logging-cut",
        ),
        ({"serviceName": "cloudkms.googleapis.com", "methodName": "DestroyCryptoKeyVersion"}, "key-disabled"),
    ],
)
def test_what_a_change_means(change: dict[str, Any], meaning: str | None) -> None:
    """By what it says, and not when it failed."""
    assert one(entry(**change), "gcp")["meaning"] == meaning


def test_a_refusal() -> None:
    """Is a failure with its reason."""
    found = one(entry(status={"code": 7, "message": "PERMISSION_DENIED"}, resourceName="projects/p"), "gcp")
    assert some(found, "status_id", "api.response.error", "store", "document") == [
        2,
        "PERMISSION_DENIED",
        "letters",
        None,
    ]


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ({"protoPayload": {}}, NOT_THIS_FORMAT),
        ({**ENTRY, "timestamp": "soon"}, NO_TIME), (b"{", NO_JSON), (b"[]", NOT_THIS_FORMAT),
    ],
)  # fmt: skip
def test_what_cannot_be_read_has_a_reason(unit: object, expected: Unreadable) -> None:
    """Other entries, times that are none, no JSON."""
    assert reason(unit, "gcp") == expected
