"""Azure Storage's logs, in records of the form that Microsoft's reference gives."""

from typing import Any

import msgspec
import pytest

from bench.fuzz.lines import FILES
from strongroom.logs.record import BEYOND_64_BITS, NO_JSON, NO_TIME, NOT_THIS_FORMAT, Unreadable
from tests.logs.rows import one, reason, some

RECORD: dict[str, Any] = msgspec.json.decode(FILES["azure-storage"])


def test_a_record() -> None:
    """Every field that is kept lands in its column, and the record is kept whole for rules that name others."""
    found = one(RECORD, "azure-storage")
    assert msgspec.json.decode(found.pop("raw_data")) == RECORD
    assert found == {
        "time": 1_766_998_800_250, "metadata.log_name": "azure-storage", "metadata.uid": "c-1", "status_id": 1, "act": "read",
        "principal": "ann@example.org", "principal.kind": "login", "actor.user.name": "ann@example.org",
        "actor.user.type": "OAuth", "actor.session.uid": None, "src_endpoint.ip": "203.0.113.9",
        "http_request.user_agent": "AzCopy/10", "http_request.referrer": None, "http_response.code": 200,
        "traffic.bytes_out": 252_000, "api.operation": "GetBlob", "api.service.name": "blob", "api.response.error": None,
        "cloud.account.uid": "letters", "store": "letters/2025", "route": "letters/2025/letter-{int}.pdf",
        "document": "letters/2025/letter-00417.pdf", "number": 417, "patient": None, "meaning": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("identity", "who", "kind"),
    [
        ({"type": "OAuth", "requester": {"objectId": "o-1"}}, "o-1", "role"),
        ({"type": "SAS", "tokenHash": "key1(AB),SasSignature(CD)"}, "sas key1(AB),SasSignature(CD)", "key"),
        ({"type": "Account Key", "tokenHash": "key1(AB)"}, "accountkey key1(AB)", "key"),
        ({"type": "Anonymous"}, "203.0.113.9", "anonymous"),
        ({"type": "TrustedAccess"}, "203.0.113.9", "address"),
        (None, "203.0.113.9", "address"),
    ],
)
def test_who(identity: object, who: str, kind: str) -> None:
    """A program, a key by its hash, or nobody that was asked."""
    assert some(one({**RECORD, "identity": identity}, "azure-storage"), "principal", "principal.kind") == [who, kind]


@pytest.mark.parametrize(
    ("category", "operation", "act"),
    [
        ("StorageRead", "ListBlobs", "list"), ("StorageRead", "GetBlobProperties", "other"), ("StorageWrite", "PutBlob", "write"),
        ("StorageDelete", "DeleteBlob", "delete"), ("StorageWrite", "CopyBlobSource", "read"),
    ],
)  # fmt: skip
def test_what_was_done(category: str, operation: str, act: str) -> None:
    """Whatever Azure calls it."""
    assert one({**RECORD, "category": category, "operationName": operation}, "azure-storage")["act"] == act


def test_a_row_of_a_table() -> None:
    """The same record as Log Analytics exports it: the address tells the object where no key does."""
    entry = {
        "TimeGenerated": "2025-12-29T09:00:00Z", "Category": "StorageRead", "OperationName": "GetBlob", "StatusCode": "404",
        "StatusText": "BlobNotFound", "CallerIpAddress": "[2001:db8::1]:443", "AuthenticationType": "SAS",
        "AuthenticationHash": "h", "Uri": "https://letters.blob.core.windows.net:443/2025/a%20b.pdf?sv=1",
    }  # fmt: skip
    names = ("status_id", "principal", "src_endpoint.ip", "api.response.error", "document", "http_response.code")
    assert some(one(entry, "azure-storage"), *names) == [
        2,
        "sas h",
        "2001:db8::1",
        "BlobNotFound",
        "letters/2025/a b.pdf",
        404,
    ]


@pytest.mark.parametrize("uri", ["https://[/x", ""])
def test_an_address_that_is_none(uri: str) -> None:
    """Has no object."""
    assert one({**RECORD, "uri": uri, "properties": {}, "callerIpAddress": ""}, "azure-storage")["document"] is None


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"category": "StorageOther"}, NOT_THIS_FORMAT),
        ({"time": "soon"}, NO_TIME),
        ({"statusCode": 2000}, BEYOND_64_BITS),
        ({"properties": {"responseBodySize": 2**63}}, BEYOND_64_BITS),
    ],
)
def test_what_cannot_be_read_has_a_reason(change: dict[str, object], expected: Unreadable) -> None:
    """Other records, times that are none, numbers that are too large."""
    assert reason({**RECORD, **change}, "azure-storage") == expected
    assert reason(b"{", "azure-storage") == NO_JSON
