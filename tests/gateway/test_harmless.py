"""What may be looked at without a limit on time: ordinary requests; nothing with many marks."""

import pytest

from strongroom.gateway.harmless import harmless
from strongroom.gateway.modsecurity import Subject

CHROME = (
    (b"host", b"portal.example"),
    (b"user-agent", b"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36"),
    (b"sec-ch-ua", b'"Chromium";v="142", "Google Chrome";v="142", "Not_A Brand";v="99"'),
    (b"sec-ch-ua-platform", b'"Windows"'),
    (b"accept", b"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8"),
    (b"accept-language", b"en-NZ,en;q=0.9,mi;q=0.8"),
    (b"referer", b"https://portal.example/letters?page=2"),
    (b"cookie", b"sid=4kq3-abc_9; theme=dark; _ga=GA1.2.1234567890.1700000000"),
)  # fmt: skip
TOKEN = (b"authorization", b"Bearer " + b"eyJhbGciOiJFZERTQSJ9.e30-_" * 80)


def get(target: bytes = b"/letters/4711", *headers: tuple[bytes, bytes], body: bytes = b"") -> Subject:
    """A request."""
    return Subject("GET", target, headers, "192.0.2.1", body)


def test_what_browsers_and_programs_send_is_harmless() -> None:
    """Whole sets of headers, ids, searches, long tokens."""
    assert harmless(get(b"/letters/4711", *CHROME))
    assert harmless(
        get(b"/fhir/DocumentReference?_lastUpdated=ge2026-01-01T00%3A00%3A00Z&status=current&_count=20", *CHROME[:1])
    )
    assert harmless(get(b"/search?q=Gr%C3%BCner%20Star", *CHROME))
    assert harmless(get(b"/letters", TOKEN, *CHROME))


@pytest.mark.parametrize(
    "subject",
    [
        get(b"/letters?q=%3C%3C%3C%3C"),
        get(b"/letters?q=" + b"%27a" * 49),
        get(b"/letters?q=((\t("),
        get(b"/", (b"user-agent", b"<<<<")),
        get(b"/", (b"referer", b"'a" * 49)),
        get(b"/", (b"user-agent", b"a " * 40 + b"a" * 2_000)),
        get(b"/", (b"cookie", b"a=b; c=<<<<")),
        get(b"/", (b"cookie", b"a=" + b"{a" * 50)),
        get(b"/", (b"x-own", b"<" * 7)),
        get(b"/", (b"x-own", b"<a" * 97)),
        get(b"/", body=b"x"),
    ],
)
def test_what_has_many_marks_is_not(subject: Subject) -> None:
    """Beside each other, or too many of them, or a body."""
    assert not harmless(subject)
