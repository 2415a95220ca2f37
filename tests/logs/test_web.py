"""What logs of web requests have in common."""

import pytest

from strongroom.logs import web


@pytest.mark.parametrize(
    ("written", "expected"),
    [("0", 0), ("-", 0), (str(2**63 - 1), 2**63 - 1), (str(2**63), None), ("9" * 10_000, None)],
)
def test_numbers_fit_or_are_none(written: str, expected: int | None) -> None:
    """A dash is nothing sent; what does not fit into 64 bits is said not to."""
    assert web.whole(written) == expected


@pytest.mark.parametrize(("status", "expected"), [(200, 1), (304, 1), (399, 1), (400, 2), (404, 2), (500, 2), (100, 2)])
def test_answers_succeed_or_fail(status: int, expected: int) -> None:
    """By HTTP's classes."""
    found = web.row(
        time=0, address="a", user="", method="GET", target_="/", agent="", referrer="", status=status, size=0
    )
    assert found[web.FIELDS.index("status_id")] == expected


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/d", "read"), ("POST", "/d", "write"), ("POST", "/fhir/DocumentReference/_search", "list"),
        ("PROPFIND", "/", "other"),
        ("POST", "/documents/4711/download", "read"), ("POST", "/DownloadFile.aspx", "read"), ("POST", "/getDocument/", "read"),
        ("POST", "/documents/4711/content", "write"), ("POST", "/getaway", "write"), ("POST", "/messages/9/read", "write"),
        ("PUT", "/documents/4711/download", "write"),
    ],
)  # fmt: skip
def test_what_is_sent_by_post_may_be_read(method: str, path: str, expected: str) -> None:
    """Where the last word of the address says so. FHIR's searches are lists, however they are sent."""
    assert web.act(method, path) == expected
