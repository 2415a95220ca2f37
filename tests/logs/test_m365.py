"""Microsoft 365's audit log, in records of the forms that Microsoft's reference gives."""

from typing import Any

import msgspec
import pytest

from bench.fuzz.lines import FILES
from strongroom.logs.record import BEYOND_64_BITS, NO_JSON, NO_TIME, NOT_THIS_FORMAT, Unreadable
from tests.logs.rows import one, reason, rows, some

RECORD: dict[str, Any] = msgspec.json.decode(FILES["m365"])


def test_a_file_that_was_downloaded() -> None:
    """Every field that is kept lands in its column."""
    expected = {
        "time": 1_766_998_800_000, "metadata.log_name": "m365", "metadata.uid": "m-1", "status_id": 1, "act": "read",
        "principal": "ann@example.org", "principal.kind": "login", "src_endpoint.ip": "203.0.113.9", "traffic.bytes_out": 252_000,
        "api.operation": "FileDownloaded", "api.service.name": "SharePoint", "store": "https://x.sharepoint.com/sites/letters",
        "document": "https://x.sharepoint.com/sites/letters/letter-00417.pdf", "number": 417,
    }  # fmt: skip
    found = one(RECORD, "m365")
    assert {name: found[name] for name in expected} == expected


def test_the_portals_table() -> None:
    """The record stands in one of its cells."""
    (found,) = rows(FILES["m365-table"], "m365-table")
    assert some(found, "api.operation", "principal", "act") == ["FileAccessed", "ann@example.org", "read"]


def test_rows_of_a_table_in_json() -> None:
    """The same cell, in an object."""
    assert one({"AuditData": FILES["m365"].decode()}, "m365")["metadata.uid"] == "m-1"


def test_every_message_is_an_event() -> None:
    """One record of mail that was read names many."""
    folder = {"FolderItems": [{"InternetMessageId": "<1@a>", "SizeInBytes": 5}, {"InternetMessageId": "<2@a>"}]}
    entry = {
        **RECORD,
        "Operation": "MailItemsAccessed",
        "Workload": "Exchange",
        "SiteUrl": "",
        "MailboxOwnerUPN": "bo",
        "Folders": [folder],
    }
    found = rows(msgspec.json.encode(entry), "m365")
    assert [(row["document"], row["traffic.bytes_out"]) for row in found] == [("bo/<1@a>", 5), ("bo/<2@a>", 0)]
    assert one({**entry, "Folders": []}, "m365")["document"] is None


@pytest.mark.parametrize(
    ("change", "who", "kind"),
    [
        ({"UserId": "urn:spo:anon#ab"}, "203.0.113.9", "anonymous"),
        ({"UserId": "app@sharepoint", "UserType": 4}, "app@sharepoint", "service"),
        ({"UserId": "o-1", "UserType": 5}, "o-1", "role"), ({"UserId": "NT AUTHORITY\\SYSTEM"}, "NT AUTHORITY\\SYSTEM", "service"),
    ],
)  # fmt: skip
def test_who(change: dict[str, object], who: str, kind: str) -> None:
    """Nobody that is known, a system, an application."""
    assert some(one({**RECORD, **change}, "m365"), "principal", "principal.kind") == [who, kind]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("203.0.113.9:443", "203.0.113.9"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("x", None),
    ],
)
def test_addresses(address: str, expected: str | None) -> None:
    """With and without a port."""
    assert one({**RECORD, "ClientIP": address}, "m365")["src_endpoint.ip"] == expected


@pytest.mark.parametrize(
    ("change", "meaning", "act"),
    [
        ({"Operation": "AnonymousLinkCreated"}, "made-public", "other"),
        ({"Operation": "AnonymousLinkCreated", "ResultStatus": "Failed"}, None, "other"),
        ({"Operation": "Set-AdminAuditLogConfig",
          "Parameters": [{"Name": "UnifiedAuditLogIngestionEnabled", "Value": "False"}]}, "logging-cut", "other"),
        ({"Operation": "FileDeleted"}, None, "delete"),
        ({"Operation": "SearchQueryPerformed"}, None, "list"),
    ],
)  # fmt: skip
def test_what_a_change_means(change: dict[str, Any], meaning: str | None, act: str) -> None:
    """By what it says, and not when it failed."""
    assert some(one({**RECORD, **change}, "m365"), "meaning", "act") == [meaning, act]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({**RECORD, "Workload": 7}, NOT_THIS_FORMAT),
        ({**RECORD, "CreationTime": None}, NO_TIME),
        ({**RECORD, "FileSizeBytes": 2**63}, BEYOND_64_BITS),
        (b"{", NO_JSON),
        ({"AuditData": "{"}, NO_JSON),
    ],
)
def test_what_cannot_be_read_has_a_reason(entry: object, expected: Unreadable) -> None:
    """Other records, times that are none, numbers that are too large."""
    assert reason(entry, "m365") == expected
