"""A multipart body has one reading: ours, which is another reader's too; what is held has been seen, and files flow."""

from email import policy
from email.parser import BytesParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.gateway.body import MAX_WHOLE
from strongroom.gateway.intake import Unfit
from strongroom.gateway.multipart import HELD, MAX_HEADERS, Parts, boundary_of, content_type

B = b"----WebKitFormBoundaryABC"
MARK = b"--" + B
FIELD = b'Content-Disposition: form-data; name="title"'
FILE = b'Content-Disposition: form-data; name="file"; filename="scan.pdf"\r\nContent-Type: application/pdf'


def body(*parts: tuple[bytes, bytes]) -> bytes:
    """A body of (headers, content)."""
    return b"".join(b"%b\r\n%b\r\n\r\n%b\r\n" % (MARK, *part) for part in parts) + MARK + b"--\r\n"


def read(raw: bytes, size: int = 0, most: int = 10) -> tuple[bytes, bytes]:
    """What goes on, and what was seen, fed in pieces of `size`."""
    parts, taken = Parts(B, most), b""
    for place in range(0, len(raw), size or len(raw) or 1):
        parts.feed(raw[place : place + (size or len(raw))])
        if parts.ripe:
            taken += parts.take()
    parts.end()
    return taken + parts.take(), parts.seen()


def refused(raw: bytes, size: int = 0, most: int = 10) -> str:
    """The rule that refuses it; empty: none."""
    try:
        read(raw, size, most)
    except Unfit as error:
        return error.refusal.rule if error.refusal.hard else "soft"
    return ""


CONTENT = st.one_of(
    st.binary(max_size=40),
    st.lists(st.sampled_from([b"\r", b"\n", b"--", b"-", MARK, MARK[:-1], b"x", b"\r\n\r\n", FIELD]), max_size=8).map(
        b"".join
    ),
)


@given(st.lists(st.tuples(st.sampled_from([FIELD, FILE]), CONTENT), max_size=4), st.integers(1, 50), CONTENT)
def test_one_reading_however_it_comes(parts: list[tuple[bytes, bytes]], size: int, tail: bytes) -> None:
    """Whole or in pieces: the same rule, or the same bytes; and the standard library reads the parts that were seen."""
    raw = body(*parts) + tail
    rule = refused(raw)
    assert refused(raw, size) == rule
    if rule:
        return
    assert read(raw, size) == read(raw)
    taken, seen = read(raw)
    assert taken == raw
    message = BytesParser(policy=policy.HTTP).parsebytes(
        b"Content-Type: %b\r\n\r\n%b" % (content_type(b"multipart/form-data;boundary=" + B), raw)
    )
    found = [part.get_content_disposition() for part in message.iter_parts()]
    assert found == ["form-data"] * raw.count(MARK + b"\r\n")
    fields = [content for headers, content in parts if headers == FIELD]
    assert all(b"\r\n\r\n%b\r\n%b" % (content, MARK) in seen for content in fields)


def test_what_is_seen_is_all_but_the_files() -> None:
    """Names, headers and fields; nothing of what stands in a file."""
    raw = body((FIELD, b"Letter"), (FILE, b"%PDF-1.7 secret"), (FIELD.replace(b"title", b"note"), b""))
    taken, seen = read(raw)
    assert taken == raw
    assert seen == raw.replace(b"%PDF-1.7 secret", b"")


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        (b"", "multipart-malformed"),
        (b"preamble\r\n" + body((FIELD, b"x")), "multipart-malformed"),
        (body((FIELD, b"x"))[:-4], "multipart-malformed"),
        (body((FIELD, b"x")) + b"epilogue", "multipart-malformed"),
        (body((FIELD, b"x\0y")), "multipart-malformed"),
        (body((FIELD, b"x\n%b\r\n" % MARK)), "multipart-boundary"),
        (body((FILE, MARK)), "multipart-boundary"),
        (body((FILE, b"x\r\n%bX\r\n" % MARK)), "multipart-boundary"),
        (body((FILE, b"x\r\n%b \r\n" % MARK)), "multipart-boundary"),
        (body((FILE, b"x\r\n%b\n%b\n\n1" % (MARK, FIELD))), "multipart-boundary"),
        (body((b"Content-Type: text/plain", b"x")), "multipart-name"),
        (body((b"Content-Disposition: attachment; name=a", b"x")), "multipart-name"),
        (body((b"Content-Disposition: form-data", b"x")), "multipart-name"),
        (body((b'Content-Disposition: form-data; name="a"; name="b"', b"x")), "multipart-name"),
        (body((b'Content-Disposition: form-data; name="a\\"; b"', b"x")), "multipart-name"),
        (body((FILE.replace(b"scan", b'a"; name="b'), b"x")), "multipart-name"),
        (body((FILE.replace(b"scan", b"a\xff"), b"x")), "multipart-name"),
        (body((FILE.replace(b"scan", b"a; b"), b"x")), "multipart-name"),
        (body((FILE.replace(b"scan", b"&a;" * 100), b"x")), "multipart-name"),
        (body((FILE.replace(b"scan.pdf", b"C:\\scan.pdf"), b"x")), "multipart-name"),
        (body((FILE.replace(b'filename="scan.pdf"', b"filename*=utf-8''scan.pdf"), b"x")), "multipart-name"),
        (body((FIELD + b"\r\n" + FIELD, b"x")), "multipart-headers"),
        (body((FIELD + b"\r\n folded", b"x")), "multipart-headers"),
        (body((FIELD + b"\r\nX-Own: 1", b"x")), "multipart-headers"),
        (body((FIELD + b"\r\nContent-Transfer-Encoding: base64", b"x")), "multipart-headers"),
        (body((FIELD + b"\nContent-Type: text/plain", b"x")), "multipart-name"),
        (body((FIELD + b"\r\nContent-Type: text/plain" + b"x" * MAX_HEADERS, b"x")), "multipart-headers"),
        (MARK + b"\r\n" + b"x" * 2 * MAX_HEADERS, "multipart-headers"),
        (body(*[(FIELD, b"x")] * 11), "multipart-many"),
        (body((FIELD, b"x" * (MAX_WHOLE + 1))), "multipart-large"),
    ],
)
def test_what_has_two_readings_is_refused(raw: bytes, rule: str) -> None:
    """Whole, and byte by byte where it is short."""
    assert refused(raw) == rule
    if len(raw) < MAX_HEADERS:
        assert refused(raw, 1) == rule


@pytest.mark.parametrize(
    "headers",
    [
        b"content-disposition:form-data;name=title",
        FILE.replace(b"scan", b"O'Brien \xe2\x80\x93 Gr\xc3\xbc\xc3\x9fe, (1)"),
        FILE.replace(b"scan.pdf", b"Scan: knee.pdf"),
        FILE.replace(b"scan.pdf", b""),
        FILE.replace(b"scan", b"fi&zcaron;le &#8211; &#x2013; a&b"),
        FILE + b"; charset=utf-8",
        FILE + b"\r\nContent-Transfer-Encoding: binary\r\nContent-Length: 1",
    ],
)
def test_what_clients_send_is_taken(headers: bytes) -> None:
    """Browsers, and libraries of mobile applications."""
    assert refused(body((headers, b"x"))) == ""


def test_a_file_flows_and_a_field_behind_it_waits() -> None:
    """What may be taken ends in the file; a field or a header that is half there is held; memory is bounded."""
    parts = Parts(B, 10)
    parts.feed(body((FIELD, b"a"), (FILE, bytes(HELD)))[: -len(MARK)])
    assert parts.ripe
    assert parts.news
    assert parts.seen() == body((FIELD, b"a"), (FILE, b""))
    first = parts.take()
    assert first.endswith(b"\0" * 1000)
    assert not parts.news
    parts.feed(b"\r\n" + MARK + b"\r\n" + FIELD + b"\r\n\r\n" + b"half")
    assert not parts.ripe
    assert parts.news
    parts = Parts(B, 100)
    parts.feed(MARK + b"\r\n" + FILE + b"\r\n\r\n")
    for _ in range(40):  # half of a part's headers at the end of each piece: the files before them flow
        parts.feed(bytes(60_000) + b"\r\n" + MARK + b"\r\n" + FILE[:20])
        if parts.ripe:
            parts.take()
        assert len(parts._held) < 3 * HELD
        parts.feed(FILE[20:] + b"\r\n\r\n")


def test_the_header_has_one_spelling() -> None:
    """Quoted or not, with the charset that it has anyway; others are as they were, and name no boundary."""
    for value in (
        b"multipart/form-data; boundary=abc",
        b'Multipart/Form-Data;boundary="abc"',
        b"multipart/form-data; charset=utf-8; boundary=abc",
        b"multipart/form-data; boundary=abc; charset=UTF-8",
    ):
        assert content_type(value) == b"multipart/form-data; boundary=abc"
    for value in (
        b"multipart/form-data",
        b"multipart/form-data; boundary=",
        b"multipart/form-data; boundary=a; boundary=b",
        b'multipart/form-data; boundary="a',
        b"multipart/form-data; boundary=a b",
        b"multipart/mixed; boundary=a",
    ):
        assert boundary_of(value) is None
        assert content_type(value) == value
