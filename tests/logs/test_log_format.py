"""Formats of one's own, by the strings that configure nginx and Apache."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.fuzz.logs import storable
from strongroom.logs import access, log_format, web
from strongroom.logs.log_format import FIELDS, Misfit, format_of
from strongroom.logs.record import BEYOND_64_BITS, NO_TIME, NOT_THIS_FORMAT, Unreadable

NGINX = """log_format combined '$remote_addr - $remote_user [$time_local] '
                    '"$request" $status $body_bytes_sent '
                    '"$http_referer" "$http_user_agent"';"""
APACHE = r'LogFormat "%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\"" combined'
LINE = '203.0.113.9 - ann [29/Dec/2025:22:00:00 +1300] "GET /documents/4711?x HTTP/1.1" 200 2520 "-" "Mozilla/5.0"'
NOON = 1_766_998_800_000


def row(string: str, line: str, **names: str) -> dict[str, object]:
    """A readable line, by column."""
    found = format_of(string, names).parse(line.encode())
    assert isinstance(found, tuple), found
    return dict(zip(FIELDS, found, strict=True))


words = st.text(st.characters(codec="utf-8", exclude_characters='"\\\r\n[]'), min_size=1).filter(
    lambda one: one.strip() == one
)


@pytest.mark.parametrize("string", [NGINX, APACHE], ids=["nginx", "apache"])
@given(
    user=words, target=st.from_regex(r"/[a-z0-9/.%]{0,30}", fullmatch=True), status=st.integers(100, 599),
    size=st.integers(0, 2**63 - 1),
    agent=st.from_regex(r'(?:[^"\\\r\n]|\\"){1,20}', fullmatch=True),
)  # fmt: skip
def test_combined_is_read_as_if_it_were_recognised(
    string: str, user: str, target: str, status: int, size: int, agent: str
) -> None:
    """The servers' own format, told by its string, gives the rows that the format's own reader gives."""
    line = f'203.0.113.9 - {user} [29/Dec/2025:22:00:00 +1300] "GET {target} HTTP/1.1" {status} {size} "-" "{agent}"'.encode()
    expected = access.parse(line)
    assert isinstance(expected, tuple)
    found = format_of(string).parse(line)
    assert found == (*expected, None)


@pytest.mark.parametrize(
    ("string", "line"),
    [
        ("$time_iso8601|$remote_addr|$request_method|$request_uri|$status",
         "2025-12-29T22:00:00+13:00|203.0.113.9|GET|/documents/4711|200"),
        ('$msec $remote_addr "$request" ${status}', '1766998800.000 203.0.113.9 "GET /documents/4711 HTTP/1.1" 200'),
        ('{"t":"$time_iso8601","a":"$remote_addr","u":"$uri","s":$status}',
         '{"t":"2025-12-29T09:00:00+00:00","a":"203.0.113.9","u":"/documents/4711","s":200}'),
        ("%a %{%Y-%m-%d}t %{%H:%M:%S %z}t %m %U%q %s", "203.0.113.9 2025-12-29 22:00:00 +1300 GET /documents/4711 200"),
        ('%{%Y-%m-%dT%H:%M:%S}t.%{msec_frac}t %h "%r" %>s', '2025-12-29T09:00:00.000 203.0.113.9 "GET /documents/4711" 200'),
        ("%{%Y-%m-%dT%H:%M:%S}t.%{usec_frac}t%{%z}t %h %U %>s", "2025-12-29T22:00:00.000000+1300 203.0.113.9 /documents/4711 200"),
        ("%{begin:%Y-%m-%dT%H:%M:%S}t.%{begin:msec_frac}t %h %U %>s", "2025-12-29T09:00:00.000 203.0.113.9 /documents/4711 200"),
        ("%{usec}t %{c}a %U %s", "1766998800000000 203.0.113.9 /documents/4711 200"),
        ("%{begin:msec}t %h %U %s 100%%", "1766998800000 203.0.113.9 /documents/4711 200 100%"),
        (r"%h\t%t\t%U\t%>s\t%!200,304{X}i", "203.0.113.9\t[29/Dec/2025:22:00:00 +1300]\t/documents/4711\t200\t-"),
    ],
)  # fmt: skip
def test_formats_of_ones_own(string: str, line: str) -> None:
    """The same request in the words of ten configurations."""
    found = row(string, line)
    expected = {
        "time": NOON,
        "src_endpoint.ip": "203.0.113.9",
        "http_request.url.path": "/documents/4711",
        "http_response.code": 200,
    }
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize("string", [
    '$remote_addr $time_iso8601 $uri $status "$http_x_user" "$cookie_sid" "$sent_http_x_document" "$sent_http_x_patient"',
])  # fmt: skip
def test_what_only_the_operator_knows(string: str) -> None:
    """A login, a session, a document and a patient that stand in values of the operator's own."""
    names = {
        "principal": "$http_x_user", "session": "${cookie_sid}", "document": "$sent_http_x_document",
        "patient": "$sent_http_x_patient",
    }  # fmt: skip
    found = row(string, '203.0.113.9 2025-12-29T09:00:00Z /open 200 "ann b" "s-1" "letter-00417" "p-9"', **names)
    expected = {
        "principal": "ann b", "principal.kind": "login", "actor.session.uid": "s-1", "document": "letter-00417", "number": 417,
        "patient": "p-9",
    }  # fmt: skip
    assert {name: found[name] for name in expected} == expected
    bare = row(string, '203.0.113.9 2025-12-29T09:00:00Z /open 200 "-" "-" "-" "-"', **names)
    assert [bare[name] for name in expected] == ["203.0.113.9", "address", None, None, None, None]


def test_apaches_own_words_are_named_alike() -> None:
    """Headers have no case."""
    found = row(
        '%h %t %U %s "%{X-User}i"', '203.0.113.9 [29/Dec/2025:22:00:00 +1300] /a 200 "ann"', principal="%{x-user}i"
    )
    assert found["actor.user.name"] == "ann"


@pytest.mark.parametrize(
    ("string", "names", "says"),
    [
        ("$remote_addr", {}, "does not tell a time, a request, a status"),
        ("", {}, "does not tell"),
        ("$remote_addr $time_local $uri$status", {}, "Nothing stands between uri and status"),
        ("%h %{%H:%M}t %{%H}t %U %s", {}, "a part of the time twice"),
        ("%h%u %t %U %s", {}, "Nothing stands between h and u"),
        ("%h %t %U %s", {"principal": "%{X-User}i"}, "does not stand in the format string"),
        ("%h %t %U %s" * 2_000, {}, "longer than"),
    ],
)
def test_a_string_that_tells_too_little_is_refused(string: str, names: dict[str, str], says: str) -> None:
    """With what it lacks."""
    with pytest.raises(Misfit, match=says):
        format_of(string, names)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", NOT_THIS_FORMAT),
        (LINE[:60], NOT_THIS_FORMAT),
        (LINE.replace(" 200 ", " abc "), NOT_THIS_FORMAT),
        (LINE.replace(" 2520 ", " some "), NOT_THIS_FORMAT),
        (LINE.replace("203.0.113.9 - ann", "- - -"), NOT_THIS_FORMAT),
        (LINE.replace("29/Dec", "31/Feb"), NO_TIME),
        (LINE.replace(" 2520 ", f" {2**63} "), BEYOND_64_BITS),
    ],
)
def test_what_cannot_be_read_has_a_reason(line: str, reason: Unreadable) -> None:
    """Half lines, times that are none, numbers that are too large."""
    assert format_of(NGINX).parse(line.encode()) == reason


@pytest.mark.parametrize(
    ("string", "line"),
    [
        ("%{%Y-%m-%d}t %h %U %s", "2025-13-29 203.0.113.9 /a 200"),
        ("%{%Y-%m-%d}t %{other_frac}t %h %U %s", "2025-12-29 x 203.0.113.9 /a 200"),
        ("%{usec}t %h %U %s", "1.5 203.0.113.9 /a 200"),
        ("$msec $remote_addr $uri $status", "soon 203.0.113.9 /a 200"),
        ("$time_iso8601 $remote_addr $uri $status", "soon 203.0.113.9 /a 200"),
    ],
)
def test_times_that_are_none(string: str, line: str) -> None:
    """In every way of writing them."""
    assert format_of(string).parse(line.encode()) == NO_TIME


@pytest.mark.parametrize(
    ("path", "status"), [("/not here", 404), ("/a 200 5", 404), (' "x" 200 ', 404), ("/a?b= c", 200), ("/a 200", 200)]
)
def test_a_decoded_path_may_hold_what_ends_it(path: str, status: int) -> None:
    """Apache writes %U decoded: whoever asks for blanks is read like anybody else, and says nothing of the answer."""
    found = row("%{usec}t %a %m %U%q %>s %B", f"1766998800000000 203.0.113.9 GET {path} {status} 7")
    expected = path.partition("?")[0]
    assert (found["http_request.url.path"], found["http_response.code"]) == (expected, status)
    assert (
        row("$uri $status $msec $remote_addr", f"{path} {status} 1766998800.0 203.0.113.9")["http_response.code"]
        == status
    )


def test_a_request_that_is_none() -> None:
    """What came instead of one is kept as its address."""
    assert (
        row(NGINX, LINE.replace("GET /documents/4711?x HTTP/1.1", r"\x16\x03\x01"))["http_request.url.path"]
        == r"\x16\x03\x01"
    )


@given(st.integers(0, len(LINE)), st.binary(max_size=8))
def test_nothing_raises(place: int, junk: bytes) -> None:
    """Junk in any place; what is read can be stored."""
    raw = LINE.encode()
    found = format_of(NGINX).parse(raw[:place] + junk + raw[place:])
    if isinstance(found, tuple):
        storable(FIELDS, found)


@given(
    st.text(max_size=80)
    | st.lists(st.sampled_from(["$uri", "$status", "$msec", "$remote_addr", " ", '"', "%h", "%t"])).map("".join)
)
def test_any_string_is_taken_or_refused(string: str) -> None:
    """Nothing else is raised, whatever the string."""
    with suppress(Misfit):
        format_of(string).parse(LINE.encode())


def test_a_line_is_read_in_one_pass() -> None:
    """Quotes and blanks without end are no work without end: a value ends where the next text first comes."""
    assert format_of(NGINX).parse(("203.0.113.9 - " + ' ["' * 300_000).encode()) == NOT_THIS_FORMAT
    assert (
        format_of("%t %a %U %s %B").parse(b"[29/Dec/2025:22:00:00 +1300] a " + b"/ 200 " * 100_000) == NOT_THIS_FORMAT
    )
    assert len(FIELDS) == len(web.FIELDS) + 1
    assert set(log_format.NAMES) == {"principal", "session", "address", "forwarded", "document", "patient"}
