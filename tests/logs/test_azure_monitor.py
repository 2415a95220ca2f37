"""Azure's activity log and Entra ID's logs, in records of the form that Microsoft's references give."""

from typing import Any

import msgspec
import pytest

from bench.fuzz.lines import FILES
from strongroom.logs.formats import recognise
from strongroom.logs.record import NO_JSON, NO_TIME, NOT_THIS_FORMAT
from tests.logs.rows import one, reason, some

RECORD: dict[str, Any] = msgspec.json.decode(FILES["azure-monitor"])
SIGN_IN: dict[str, Any] = {
    "time": "2025-12-29T09:00:00Z", "operationName": "Sign-in activity", "category": "SignInLogs", "resultType": "50126",
    "resultDescription": "Invalid username or password.", "callerIpAddress": "203.0.113.9", "tenantId": "t-1",
    "properties": {"id": "s-1", "userPrincipalName": "ann@example.org", "ipAddress": "203.0.113.9", "userAgent": "Mozilla/5.0",
                   "status": {"errorCode": 50126}, "riskState": "atRisk"},
}  # fmt: skip
AUDIT: dict[str, Any] = {
    "time": "2025-12-29T09:00:00Z", "operationName": "Add member to role", "category": "AuditLogs", "result": "success",
    "properties": {"id": "a-1", "activityDisplayName": "Add member to role", "category": "RoleManagement", "result": "success",
                   "initiatedBy": {"user": {"userPrincipalName": "root@example.org", "ipAddress": "198.51.100.7"}}},
}  # fmt: skip


def test_an_act_of_administration() -> None:
    """Every field that is kept lands in its column; the store is the account that was changed, and the change has its meaning."""
    found = one(RECORD, "azure-monitor")
    assert msgspec.json.decode(found.pop("raw_data")) == RECORD
    assert found == {
        "time": 1_766_998_800_250, "metadata.log_name": "azure", "metadata.uid": "e-1", "status_id": 1, "act": "write",
        "principal": "Ann", "principal.kind": "login", "actor.user.name": "Ann", "actor.user.type": None,
        "actor.session.uid": None, "src_endpoint.ip": "203.0.113.9", "http_request.user_agent": None,
        "http_request.referrer": None, "http_response.code": None, "traffic.bytes_out": 0,
        "api.operation": "MICROSOFT.STORAGE/STORAGEACCOUNTS/WRITE", "api.service.name": "Administrative",
        "api.response.error": None, "cloud.account.uid": "00000000-0000-0000-0000-000000000001", "store": "letters",
        "route": "letters", "document": None, "number": None, "patient": None, "meaning": "made-public",
    }  # fmt: skip


def test_a_sign_in_that_failed() -> None:
    """Who tried, from where, and why it was refused."""
    names = ("principal", "principal.kind", "src_endpoint.ip", "status_id", "api.response.error", "cloud.account.uid")
    assert some(one(SIGN_IN, "azure-monitor"), *names) == [
        "ann@example.org", "login", "203.0.113.9", 2, "Invalid username or password.", "t-1",
    ]  # fmt: skip
    well = {**SIGN_IN, "resultType": "0", "properties": {**SIGN_IN["properties"], "status": {"errorCode": 0}}}
    assert some(one(well, "azure-monitor"), "status_id", "metadata.uid") == [1, "s-1"]


def test_an_audit_record_and_a_row_of_a_table() -> None:
    """The same things by other names."""
    names = ("principal", "src_endpoint.ip", "api.operation", "act", "status_id")
    assert some(one(AUDIT, "azure-monitor"), *names) == [
        "root@example.org",
        "198.51.100.7",
        "Add member to role",
        "write",
        1,
    ]
    row = {"TimeGenerated": "2025-12-29T09:00:00Z", "Type": "AzureActivity", "OperationNameValue": "MICROSOFT.X/Y/DELETE",
           "Caller": "ann@example.org", "CallerIpAddress": "198.51.100.7:4242", "ActivityStatusValue": "Failure"}  # fmt: skip
    assert some(one(row, "azure-monitor"), *names) == [
        "ann@example.org",
        "198.51.100.7",
        "MICROSOFT.X/Y/DELETE",
        "delete",
        2,
    ]


@pytest.mark.parametrize(
    ("change", "who", "kind"),
    [
        ({"properties": {"initiatedBy": {"app": {"displayName": "sync"}}}}, "sync", "role"),
        ({"properties": {}, "identity": {"claims": {"appid": "a-1"}}}, "a-1", "role"),
        ({"properties": {}, "caller": "o-1"}, "o-1", "role"),
        ({"properties": {}, "callerIpAddress": "198.51.100.7"}, "198.51.100.7", "address"),
        ({"properties": {}}, "nobody", "service"),
    ],
)
def test_who(change: dict[str, Any], who: str, kind: str) -> None:
    """A program by its name, its id, or nobody that was named."""
    assert some(one({**AUDIT, **change}, "azure-monitor"), "principal", "principal.kind") == [who, kind]


@pytest.mark.parametrize(
    ("change", "meaning"),
    [
        ({"operationName": "MICROSOFT.INSIGHTS/DIAGNOSTICSETTINGS/DELETE"}, "logging-cut"),
        ({"operationName": "MICROSOFT.KEYVAULT/VAULTS/DELETE"}, "key-disabled"),
        ({"properties": {"requestbody": '{"properties":{"allowBlobPublicAccess":false}}'}}, None),
        ({"properties": {"requestbody": '{"properties":{"publicAccess":"Container"}}'}}, "made-public"),
        ({"resultType": "Failure"}, None),
    ],
)
def test_meanings(change: dict[str, Any], meaning: str | None) -> None:
    """What a change does; one that failed does nothing."""
    assert one({**RECORD, **change}, "azure-monitor")["meaning"] == meaning


@pytest.mark.parametrize(
    ("change", "expected"),
    [({"category": "Other"}, NOT_THIS_FORMAT), ({"operationName": ""}, NOT_THIS_FORMAT), ({"time": "soon"}, NO_TIME)],
)
def test_what_is_none(change: dict[str, Any], expected: object) -> None:
    """With its reason; and what is not even JSON."""
    assert reason({**RECORD, **change}, "azure-monitor") == expected
    assert reason(b"{", "azure-monitor") == NO_JSON


def test_it_is_recognised() -> None:
    """In lines and in one document; and storage logs stay storage logs."""
    for entry in (RECORD, SIGN_IN, AUDIT, {"records": [RECORD, SIGN_IN]}):
        found = recognise(msgspec.json.encode(entry) + b"\n")
        assert found is not None
        assert found.name == "azure-monitor"
    storage = recognise(FILES["azure-storage"])
    assert storage is not None
    assert storage.name == "azure-storage"
