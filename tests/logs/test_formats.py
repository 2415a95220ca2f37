"""Which format a file is written in."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.logs.formats import FORMATS, recognise

ACCESS = b'203.0.113.9 - ann [29/Dec/2025:22:00:00 +1300] "GET /a HTTP/1.1" 200 5 "-" "-"\n'
JSON = b'{"time":"2025-12-29T09:00:00Z","remote_addr":"203.0.113.9","request_uri":"/a","status":200}\n'
S3 = (
    b"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be b [29/Dec/2025:09:00:00 +0000] 192.0.2.3 - 3E5 "
    b'REST.GET.OBJECT a.pdf "GET /a.pdf HTTP/1.1" 200 - 1 1 1 1 "-" "-" - x= - - - b.s3.amazonaws.com - - -\n'
)
RECORD = {"eventName": "GetObject", "eventSource": "s3.amazonaws.com", "eventTime": "2025-12-29T09:00:00Z"}
TABLE = (
    b"Event name,Event time,Event source,Source IP address\nGetObject,2025-12-29T09:00:00Z,s3.amazonaws.com,192.0.2.3\n"
)


@pytest.mark.parametrize(
    ("sample", "name"),
    [
        (ACCESS * 3, "access"),
        (ACCESS, "access"),
        (ACCESS + ACCESS[:40], "access"),
        (ACCESS * 2 + b"\x00junk\n", "access"),
        (JSON * 3, "access-json"),
        (S3 * 3, "s3-access"),
        (json.dumps(RECORD).encode() + b"\n", "cloudtrail-lines"),
        (json.dumps({"Records": [RECORD]}).encode(), "cloudtrail"),
        (json.dumps([RECORD], indent=3).encode(), "cloudtrail"),
        (TABLE, "cloudtrail-table"),
        (b"\xef\xbb\xbf" + ACCESS * 3, "access"),
        (ACCESS.replace(b"\n", b"\r") * 9, None),
        (b"", None),
        (b"\x7fELF\x00\x01" * 100, None),
        (b"This is a text that somebody wrote.\n" * 20, None),
        (ACCESS + b"junk\n" * 3, None),
        (b'[{"a": 1}]', None),
        (b"[core]\nname = 1\n", None),
    ],
)
def test_a_sample_tells_its_format(sample: bytes, name: str | None) -> None:
    """The one that reads most of it; nothing for what is no log."""
    found = recognise(sample)
    assert (found.name if found else None) == name


def test_formats_have_different_names() -> None:
    """So that --format means one."""
    assert len({format_.name for format_ in FORMATS}) == len(FORMATS)


@given(st.binary(max_size=300))
def test_any_sample_is_answered(sample: bytes) -> None:
    """Whatever the bytes."""
    recognise(sample)


def test_every_format_is_in_the_guide() -> None:
    """So that a user knows what can be read."""
    guide = (Path(__file__).parents[2] / "docs" / "hunt.md").read_text(encoding="utf-8")
    assert [format_.name for format_ in FORMATS if f"`{format_.name}`" not in guide] == []
