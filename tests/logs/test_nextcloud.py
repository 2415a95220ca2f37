"""Nextcloud's log, in lines of the forms that its manual gives."""

from typing import Any

import msgspec
import pytest

from bench.fuzz.lines import FILES
from strongroom.logs.record import NO_JSON, NO_TIME, NOT_THIS_FORMAT, Unreadable
from tests.logs.rows import one, reason, some

ENTRY: dict[str, Any] = msgspec.json.decode(FILES["nextcloud"])


def test_a_file_that_was_read() -> None:
    """By the audit app's words."""
    names = ("time", "act", "principal", "principal.kind", "src_endpoint.ip", "document", "number", "status_id")
    assert some(one(ENTRY, "nextcloud"), *names) == [
        1_766_998_800_000, "read", "ann", "login", "203.0.113.9", "letters/letter-00417.pdf", 417, 1,
    ]  # fmt: skip
    assert one({**ENTRY, "message": 'File with id "7" deleted: "/a"'}, "nextcloud")["act"] == "delete"
    assert one({**ENTRY, "message": 'File written to: "/a"'}, "nextcloud")["act"] == "write"


def test_what_the_server_said() -> None:
    """A warning is a failure with its words; another app's words about files are no reading."""
    entry = {**ENTRY, "app": "core", "user": "--", "level": 2, "message": "Login failed: ann"}
    names = ("act", "principal", "principal.kind", "status_id", "api.response.error", "document")
    assert some(one(entry, "nextcloud"), *names) == ["other", "203.0.113.9", "address", 2, "Login failed: ann", None]
    assert one({**ENTRY, "app": "core"}, "nextcloud")["document"] is None


@pytest.mark.parametrize(
    ("entry", "expected"),
    [({**ENTRY, "level": None}, NOT_THIS_FORMAT), ({**ENTRY, "time": "soon"}, NO_TIME), (b"{", NO_JSON)],
)
def test_what_cannot_be_read_has_a_reason(entry: object, expected: Unreadable) -> None:
    """Other entries, times that are none."""
    assert reason(entry, "nextcloud") == expected
