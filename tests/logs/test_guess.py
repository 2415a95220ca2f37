"""Format strings guessed by lines. Invariant: a string that is given reads them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.logs import formats, log_format
from strongroom.logs.guess import named, recognise, said, string

LINES = {
    '2026-03-15T19:00:07-05:00 10.0.0.9 sub=ann "GET /a HTTP/1.1" 200 2 rt=0.720 "Mozilla/5.0 (X11)"':
        '$time_iso8601 $remote_addr sub=$remote_user "$request" $status $body_bytes_sent rt=$x1 "$http_user_agent"',
    '203.0.113.9 portal ann [29/Dec/2025:22:00:00 +1300] "GET /d/7 HTTP/1.1" 0.002 200 5 "https://a/" "curl/8.1" "sid 9"':
        '$remote_addr $x1 $x2 [$time_local] "$request" $x3 $status $body_bytes_sent "$http_referer" "$http_user_agent" "$x4"',
    '1766998800.123 | 2001:db8::9 | "GET /d/7 HTTP/1.1" | 200 | -':
        '$msec | $remote_addr | "$request" | $status | $body_bytes_sent',
    '1766998800.123|2001:db8::9|"GET /d/7 HTTP/1.1"|200': '$msec|$remote_addr|"$request"|$status',
    '2026-03-15T19:00:07Z client=203.0.113.9 user=ann sid=9f method=GET uri=/d/7 status=200 ms=12 bytes=5 ua="curl/8.1"':
        "$time_iso8601 client=$remote_addr user=$remote_user sid=$cookie_session method=$request_method uri=$request_uri"
        ' status=$status ms=$x1 bytes=$body_bytes_sent ua="$http_user_agent"',
    "[2026-03-15T19:00:07Z] 203.0.113.9 GET /d/7 200 12 5":
        "[$time_iso8601] $remote_addr $request_method $request_uri $status $x1 $x2",
    "2026-03-02 06:00:00,123 INFO user=ann": None, '203.0.113.9 "GET /d/7 HTTP/1.1" 200 5': None, "": None,
    '1766998800.123 203.0.113.9 "GET /$x HTTP/1.1" 200 5': None,
    '1766998800.123 \x1b[31m203.0.113.9 "GET /d/7 HTTP/1.1" 200 5': None,
}  # fmt: skip


@pytest.mark.parametrize(("line", "expected"), LINES.items())
def test_lines_tell_what_they_look_like(line: str, expected: str | None) -> None:
    """And what does not is $x1, $x2; where there is no time, no client or no answer there is no string."""
    assert string(f"{line}\n{line}\n".encode()) == (expected or "")


def test_who_is_signed_in_stands_before_the_request() -> None:
    """A value that is "-" in some lines and names in others; where two are, or all have one, nobody can tell."""
    line = '203.0.113.9 %s [29/Dec/2025:22:00:00 +1300] "GET /d/7 HTTP/1.1" 200 5 z=%s'
    form = '$remote_addr {} [$time_local] "$request" $status $body_bytes_sent z={}'
    lines = [line % pair for pair in (("-", "-"), ("ann", "f1"), ("eve", "f2"))]
    assert string("\n".join(lines).encode()) == form.format("$remote_user", "$x2")
    assert string("\n".join(lines[1:]).encode()) == form.format("$x1", "$x2")
    double = "\n".join(one.replace(" [", " ann [" if one == lines[1] else " - [") for one in lines)
    assert string(double.replace("eve -", "eve eve").encode()) == form.format("$x1 $x2", "$x3")


@given(
    st.lists(
        st.sampled_from(
            [
                "203.0.113.9",
                "[29/Dec/2025:22:00:00 +1300]",
                '"GET /a HTTP/1.1"',
                "200",
                "-",
                "x=1",
                '"y/1 "',
                "7",
                "GET",
                "/a",
                "user=ann",
                "sid=",
                "status=200",
                "|",
                "1.2.3.4|5",
            ]
        ),
        max_size=12,
    ),
    st.text(max_size=9),
)
def test_what_is_given_reads(pieces: list[str], end: str) -> None:
    """Whatever the lines are."""
    line = " ".join([*pieces, end]).replace("\n", " ").encode("utf-8", "replace")
    guessed = string(line + b"\n")
    assert not guessed or formats.fitting(log_format.format_of(guessed), line + b"\n") is not None


def test_a_log_is_read_by_its_guess() -> None:
    """As by its string; who asked and in which session where labels say so. The name alone makes the same format elsewhere."""
    line = b'2026-03-15T19:00:07Z user=ann sid=9f 10.0.0.9 "GET /d/7 HTTP/1.1" 200 5\n'
    format_ = recognise(line * 3)
    assert format_ is not None
    elsewhere = named(format_.name)
    assert elsewhere is not None
    for one in (format_, elsewhere):
        found = one.parse(line.strip())
        assert isinstance(found, tuple)
        row = dict(zip(one.fields, found, strict=True))
        assert (row["actor.user.name"], row["actor.session.uid"], row["traffic.bytes_out"]) == ("ann", "9f", 5)
    assert "sid=$cookie_session" in said(format_)


def test_what_is_known_is_not_guessed() -> None:
    """A known format comes before a guess, and nothing is said of it; what is neither is not read."""
    combined = b'203.0.113.9 - ann [29/Dec/2025:22:00:00 +1300] "GET /d/7 HTTP/1.1" 200 5 "-" "curl/8.1"\n'
    known = recognise(combined)
    assert known is formats.NAMES["access"]
    assert (said(known), named(known.name)) == ("", None)
    assert recognise(b"Dear Ann,\nthank you.\n") is None
