"""S3 server access logs, in lines of the form that Amazon's user guide gives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.logs import s3_access
from strongroom.logs.record import BEYOND_64_BITS, NO_TIME, NOT_THIS_FORMAT, Unreadable

OWNER = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"
LINE = (
    f"{OWNER} letters [29/Dec/2025:09:00:00 +0000] 192.0.2.3 - 3E57427F33A59F07 REST.GET.OBJECT 2025/letter-00417.pdf "
    '"GET /letters/2025/letter-00417.pdf?x=1 HTTP/1.1" 200 - 2662992 3462992 70 10 "-" "S3Console/0.4" - '
    "9vKBE6vMhrNiWHZmb2L0mXOcqPGzQOI5XLnCtZNPxev+Hf+7tpT6sxDwDty4LHBUOZJG96N1234= SigV4 ECDHE-RSA-AES128-GCM-SHA256 "
    "AuthHeader letters.s3.us-west-1.amazonaws.com TLSV1.2 - -"
)


def row(line: str) -> dict[str, object]:
    """A readable line, by column."""
    found = s3_access.parse(line.encode())
    assert not isinstance(found, Unreadable), found
    return dict(zip(s3_access.FIELDS, found, strict=True))


def test_a_line() -> None:
    """Every field that is kept lands in its column."""
    assert row(LINE) == {
        "time": 1_766_998_800_000, "metadata.log_name": "s3-access", "metadata.uid": "3E57427F33A59F07", "status_id": 1,
        "act": "read", "principal": "192.0.2.3", "principal.kind": "anonymous", "actor.user.name": None,
        "src_endpoint.ip": "192.0.2.3", "http_request.user_agent": "S3Console/0.4", "http_request.referrer": None,
        "http_response.code": 200, "traffic.bytes_out": 2_662_992, "api.operation": "REST.GET.OBJECT",
        "api.response.error": None, "store": "letters", "route": "letters/{int}/letter-{int}.pdf",
        "document": "letters/2025/letter-00417.pdf", "number": 417,
        "http_request.url.query_string": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        ("arn:aws:iam::123456789012:user/portal", ("192.0.2.3", "address", "arn:aws:iam::123456789012:user/portal")),
        ("-", ("192.0.2.3", "anonymous", None)),
        ("svc:cloudtrail.amazonaws.com", ("svc:cloudtrail.amazonaws.com", "service", "svc:cloudtrail.amazonaws.com")),
    ],
)
def test_who_follows_a_signed_link_is_not_who_signed_it(who: str, expected: tuple[object, ...]) -> None:
    """An application signs links, and its people follow them: a reader is an address."""
    found = row(LINE.replace(" - 3E57", f" {who} 3E57").replace(" AuthHeader ", " QueryString "))
    assert (found["principal"], found["principal.kind"], found["actor.user.name"]) == expected


def test_a_signed_link_is_known_again() -> None:
    """By what stands behind its question mark; other requests keep none."""
    behind = "X-Amz-Date=20251229T210000Z&X-Amz-Signature=XXXXX"
    asked = LINE.replace("?x=1", f"?{behind}")
    assert row(asked.replace(" AuthHeader ", " QueryString "))["http_request.url.query_string"] == behind
    assert row(asked)["http_request.url.query_string"] is None


USER = "arn:aws:iam::123456789012:user/ann"
ROLE = "arn:aws:sts::123456789012:assumed-role/portal/i-0123456789abcdef0"


@pytest.mark.parametrize(
    ("old", "new", "column", "expected"),
    [
        (" - 3E57", f" {USER} 3E57", "principal.kind", "key"),
        (" - 3E57", f" {ROLE} 3E57", "principal.kind", "role"),
        (" - 3E57", " svc:cloudtrail.amazonaws.com 3E57", "principal.kind", "service"),
        ("REST.GET.OBJECT 2025/letter-00417.pdf", "REST.GET.BUCKET -", "act", "list"),
        ("REST.GET.OBJECT 2025/letter-00417.pdf", "REST.GET.BUCKET -", "document", None),
        ("REST.GET.OBJECT", "REST.PUT.OBJECT", "act", "write"),
        ("REST.GET.OBJECT", "REST.HEAD.OBJECT", "act", "other"),
        ("REST.GET.OBJECT", "BATCH.DELETE.OBJECT", "act", "delete"),
        ("200 - 2662992", "403 AccessDenied -", "api.response.error", "AccessDenied"),
        ("200 - 2662992", "403 AccessDenied -", "status_id", 2),
        ('2025/letter-00417.pdf "', 'a%2520b.pdf "', "document", "letters/a b.pdf"),
        ('"S3Console/0.4"', '"an "odd" agent"', "http_request.user_agent", 'an "odd" agent'),
    ],
)  # fmt: skip
def test_variants(old: str, new: str, column: str, expected: object) -> None:
    """Requesters, operations, refusals, keys escaped twice, and quotes that the format does not escape."""
    assert row(LINE.replace(old, new, 1))[column] == expected


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", NOT_THIS_FORMAT),
        (LINE[:200], NOT_THIS_FORMAT),
        (LINE.replace("29/Dec", "31/Feb"), NO_TIME),
        (LINE.replace("2662992", "9" * 19), BEYOND_64_BITS),
    ],
)
def test_what_cannot_be_read_has_a_reason(line: str, reason: Unreadable) -> None:
    """Half lines, times that are none, numbers that are too large."""
    assert s3_access.parse(line.encode()) == reason


@given(st.binary(max_size=300))
def test_nothing_raises(line: bytes) -> None:
    """Whatever the bytes."""
    s3_access.parse(line)


@given(st.integers(0, len(LINE)), st.binary(max_size=5))
def test_nothing_raises_for_a_damaged_line(place: int, junk: bytes) -> None:
    """Junk in any place."""
    raw = LINE.encode()
    s3_access.parse(raw[:place] + junk + raw[place:])
