"""OCSF events, by the schema of version 1.8."""

from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench.fuzz.lines import FILES
from strongroom.logs import files, formats
from strongroom.logs.record import BEYOND_64_BITS, NO_JSON, NO_TIME, NOT_THIS_FORMAT, NOT_THIS_LOG, Unreadable
from tests.logs.rows import one, reason, rows, some

REQUEST, FLOW = (msgspec.json.decode(line) for line in FILES["ocsf"].splitlines())
CALL: dict[str, Any] = {
    "class_uid": 6003, "activity_id": 2, "time": 1_766_998_800_250, "status_id": 1, "metadata": {"uid": "e-1"},
    "actor": {"user": {"type": "AssumedRole", "uid": "arn:aws:sts::1:assumed-role/portal/i-1"}, "session": {"uid": "s-1"}},
    "api": {"operation": "GetObject", "service": {"name": "s3.amazonaws.com"}}, "cloud": {"account": {"uid": "1"}},
    "src_endpoint": {"ip": "203.0.113.9"}, "traffic": {"bytes_in": 252_000},
    "resources": [{"uid": "arn:aws:s3:::letters"}, {"uid": "arn:aws:s3:::letters/2025/letter-00417.pdf"}, {"uid": "other"}],
}  # fmt: skip


def test_a_request() -> None:
    """Is a web event: a document by its address, and the bytes that went to the client."""
    found = rows(FILES["ocsf"], "ocsf")[0]
    expected = {
        "time": 1_766_998_800_250, "metadata.log_name": "web", "metadata.uid": "h-1", "status_id": 1, "act": "read",
        "principal": "ann", "principal.kind": "login", "src_endpoint.ip": "203.0.113.9", "http_request.url.path": "/documents/4711",
        "http_response.code": 200, "traffic.bytes_out": 252_000, "traffic.bytes_in": None, "route": "/documents/{int}",
    }  # fmt: skip
    assert {name: found[name] for name in expected} == expected


def test_a_flow() -> None:
    """Is a network event, and keeps both ways as they are."""
    found = rows(FILES["ocsf"], "ocsf")[1]
    names = ("metadata.log_name", "end_time", "dst_endpoint.ip", "dst_endpoint.port", "connection_info.direction_id", "action_id",
             "traffic.bytes_out", "traffic.bytes_in", "principal", "principal.kind", "document")  # fmt: skip
    assert some(found, *names) == [
        "network", 1_766_998_860_250, "203.0.113.9", 50_000, 2, 1, 24_928, None, "10.0.1.5", "address", None,
    ]  # fmt: skip


def test_a_call() -> None:
    """The most particular resource is the document."""
    found = one(CALL, "ocsf")
    names = ("metadata.log_name", "act", "principal.kind", "actor.session.uid", "api.operation", "cloud.account.uid", "store",
             "document", "number", "traffic.bytes_out")  # fmt: skip
    assert some(found, *names) == [
        "ocsf", "read", "role", "s-1", "GetObject", "1", "letters", "letters/2025/letter-00417.pdf", 417, 252_000,
    ]  # fmt: skip
    assert some(one({**CALL, "resources": [], "api": {"operation": "ListObjects"}}, "ocsf"), "act", "document") == [
        "list",
        None,
    ]


@pytest.mark.parametrize(
    ("class_", "activity", "act"),
    [
        (6005, 4, "read"),
        (6005, 7, "delete"),
        (6006, 2, "read"),
        (6006, 1, "write"),
        (6003, 4, "delete"),
        (3002, 1, "other"),
    ],
)
def test_what_was_done(class_: int, activity: int, act: str) -> None:
    """By the class's own activities."""
    entry = {**CALL, "class_uid": class_, "activity_id": activity, "api": {}, "file": {"path": "/a/letter-7.pdf"}}
    assert one(entry, "ocsf")["act"] == act


def test_a_file() -> None:
    """By its path, in its store."""
    entry = {**CALL, "class_uid": 6006, "file": {"path": "/a/letter-7.pdf"}, "databucket": {"name": "shared"}}
    assert some(one(entry, "ocsf"), "store", "document", "route") == [
        "shared",
        "shared/a/letter-7.pdf",
        "shared/a/letter-7.pdf",
    ]


@pytest.mark.parametrize(
    ("user", "who", "kind"),
    [
        ({"type": "System", "name": "cron"}, "cron", "service"), ({}, "203.0.113.9", "address"),
        ({"email_addr": "ann@example.org", "name": "ann"}, "ann@example.org", "login"),
    ],
)  # fmt: skip
def test_who(user: dict[str, str], who: str, kind: str) -> None:
    """A person, a service, or an address."""
    assert some(one({**CALL, "actor": {"user": user}}, "ocsf"), "principal", "principal.kind") == [who, kind]
    assert some(one({**CALL, "actor": {}, "src_endpoint": {}}, "ocsf"), "principal", "principal.kind") == [
        "nobody",
        "service",
    ]


@pytest.mark.parametrize(
    ("change", "status_id"),
    [({"status_id": 2}, 2), ({"http_response": {"code": 404}}, 2), ({"action_id": 2}, 2), ({"status_id": 99}, 1)],
)
def test_what_failed(change: dict[str, object], status_id: int) -> None:
    """By its status, its answer or a guard's action."""
    assert one({**CALL, **change}, "ocsf")["status_id"] == status_id


@pytest.mark.parametrize(("url", "path"), [("https://a.example/b?c=1", "/b"), ("https://[/x", "https://[/x")])
def test_a_whole_address(url: str, path: str) -> None:
    """Where its parts are not told; the answer's length goes before all bytes."""
    entry = {**REQUEST, "http_request": {"url": {"url_string": url}}, "http_response": {"code": 200, "length": 7}}
    assert some(one(entry, "ocsf"), "http_request.url.path", "traffic.bytes_out") == [path, 7]


def test_rows_of_parquet(tmp_path: Path) -> None:
    """The same events as a lake keeps them."""
    pq.write_table(pa.Table.from_pylist([FLOW, FLOW]), tmp_path / "a.parquet")
    found = b"".join(files.blocks(files.Source("a", tmp_path / "a.parquet", named=True)))
    format_ = formats.recognise(found)
    assert format_ is not None
    assert format_.name == "ocsf"
    assert [row["traffic.bytes_out"] for row in rows(found, "ocsf")] == [24_928, 24_928]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"class_uid": 4001}, NOT_THIS_FORMAT),
        ({**FLOW, "class_uid": 2004}, NOT_THIS_LOG),
        ({**FLOW, "time": "soon"}, NO_TIME),
        ({**FLOW, "traffic": {"bytes_out": 2**63}}, BEYOND_64_BITS),
        ({**FLOW, "src_endpoint": {"port": 2**31}}, BEYOND_64_BITS),
        (b"{", NO_JSON),
    ],
)
def test_what_cannot_be_read_has_a_reason(entry: object, expected: Unreadable) -> None:
    """Other events and classes, times that are none, numbers that are too large."""
    assert reason(entry, "ocsf") == expected
