"""Files that are no logs that are known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.logs.stranger import looks


@pytest.mark.parametrize(
    ("sample", "said"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf\r\n", "empty"),
        (b"PK\x03\x04....", "zip archive"),
        (b"\xd4\xc3\xb2\xa1....", "capture of packets"),
        (b"a\0b\0", "UTF-16"),
        (b'{"when": 1, "who": "ann"}\n', "JSON with the members when, who: name them under [columns]"),
        (b"{" + b",".join(b'"m%d": 1' % n for n in range(20)) + b"}", "m11 and 8 more"),
        (b'\xef\xbb\xbftimestamp;user;"document id"\r\n1;2;3\r\n', "the columns timestamp, user, document id"),
        (
            b'{"at": 1766998800, "user": {"id": "ann"}, "document": 7}\n',
            'with the line columns = { time = "at", principal = "user.id", document = "document" }',
        ),
        (b"2026-03-02 06:00:00,123 INFO user=ann\n", "by --log-format, the string that"),
    ],
)
def test_what_they_look_like(sample: bytes, said: str) -> None:
    """And what to do."""
    assert said in looks(sample)


@given(st.binary(max_size=300))
def test_something_is_always_said(sample: bytes) -> None:
    """Whatever the bytes; and it is no page of text."""
    assert 0 < len(looks(sample)) < 1_500
