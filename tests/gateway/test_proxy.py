"""From the street to the portal and back: what is described flows, what is not goes no further, what fails is not shown."""

import contextlib
import gzip
import json
import socket
import threading
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from strongroom.clock import HOUR
from strongroom.gateway.counts import Counts
from strongroom.gateway.reading import MAX_READ
from strongroom.gateway.sqlite import prepare
from tests.gateway.conftest import LONG, Scripted, Served, gateway, read

OPEN = b"""
[upstream]
answer_seconds = 60

[[route]]
name = "page"
path = "/page"
methods = ["GET", "HEAD", "POST"]
query = { q = "text" }
content_types = ["application/pdf", "application/json"]
max_body = 300_000_000
"""
POST = b"POST /page HTTP/1.1\r\nHost: p\r\nConnection: close\r\nContent-Type: application/pdf\r\n%b\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Own: 1\r\n\r\nok"


def sign_in(served: Served, patient: int) -> str:
    """The cookie header of a patient."""
    body = f"user={patient}&password=p{patient}".encode()
    status, headers, _ = served.gets(
        "/login", "Content-Type: application/x-www-form-urlencoded", method="POST", body=body
    )
    assert status == 303
    return "Cookie: " + headers["set-cookie"].partition(";")[0]


def one(
    script: bytes | Callable[[socket.socket], None], request: bytes, settings: bytes = OPEN
) -> tuple[Scripted, Served, bytes]:
    """The portal, the gateway and its answer, for one request and one script."""
    portal = Scripted(script, script)
    with gateway(settings, portal.port) as served:
        answer = served.says(request)
    portal.close()
    return portal, served, answer


def get(path: str = "/page", *lines: str) -> bytes:
    """A request of one connection."""
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: portal", "Connection: close", *lines, "", ""]).encode()


def pour(connection: socket.socket, size: int) -> int:
    """Send `size` bytes, or as many as are taken before the connection's timeout."""
    sent, piece = 0, bytes(1_000_000)
    with contextlib.suppress(TimeoutError):
        while sent < size:
            sent += connection.send(piece[: size - sent])
    return sent


# ---- before a portal as it is ---------------------------------------------------------------------------------------


def test_what_is_described_flows(served: Served) -> None:
    """Signing in, listing, reading, depositing: the portal behind is the portal that was there."""
    cookie = sign_in(served, 7)
    status, headers, body = served.gets("/letters", cookie)
    assert (status, headers["content-type"]) == (200, "application/json")
    assert [item["id"] for item in json.loads(body)["items"]] == list(range(70, 77))
    assert b"Letter 71:" in served.gets("/letters/71", cookie)[2]
    assert served.gets("/inbox", cookie)[0] == 200
    pdf = bytes(10_000_000)
    assert served.gets("/letters", cookie, "Content-Type: application/pdf", method="POST", body=pdf)[2] == b"10000000"
    assert served.gets("/letters/9999", cookie)[0] == 404


def test_the_forgotten_route_is_not_there(served: Served) -> None:
    """What is not described serves nobody, signed in or not."""
    for headers in ([], [sign_in(served, 1)]):
        status, _, body = served.gets("/export/20", *headers)
        assert status == 404
        assert json.loads(body)["error"] == "route-undescribed"
    assert [event.portal for event in served.events if event.rule] == [0, 0]


def test_learning_shows_the_forgotten_route(portal: int, settings: bytes) -> None:
    """In learning mode it is passed on, and noted."""
    with gateway(b'[gateway]\nroutes = "learn"\n' + settings, portal) as served:
        assert b"Letter 20:" in served.gets("/export/20")[2]
        event = served.event(0)
    assert (event.rule, event.refused, event.portal) == ("route-undescribed", False, 200)


def test_a_document_needs_somebody(served: Served) -> None:
    """Who is not signed in is refused before the portal is asked."""
    status, _, body = served.gets("/letters/20")
    assert (status, json.loads(body)["error"]) == (401, "document-stranger")
    assert served.event(0).portal == 0


def test_a_failure_of_the_portal_is_not_shown(served: Served) -> None:
    """Neither its words nor its headers."""
    status, headers, body = served.gets("/crash")
    assert (status, json.loads(body)["error"]) == (502, "portal-error")
    assert b"hunter2" not in body
    assert headers["x-request-id"] == json.loads(body)["request"] == served.event(0).request
    assert served.event(0).portal == 500


def test_who_proved_it_is_at_home_there() -> None:
    """A code that the portal took makes device and address theirs; one that it refused does not."""
    settings = b"""
[person]
by = "header"
name = "x-user"

[[route]]
name = "code"
path = "/code"
proves = true
"""
    portal = Scripted(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", OK)
    counts = Counts()
    with gateway(settings, portal.port, counts=counts) as served:
        known = []
        for number in range(2):
            served.says(get("/code", "X-User: ann", "User-Agent: Browser"))
            asked = served.event(number).asked
            assert asked is not None
            assert asked.who is not None
            known.append(counts.known(asked.who.person).met.knows(asked.at // HOUR))
    portal.close()
    assert known == [False, True]


LISTS = b"""
[person]
by = "header"
name = "x-user"

[[route]]
name = "list"
path = "/list"
shows = { ids = ["[].id"], patients = ["[].patient"] }

[guard]
mode = "enforce"
"""


@pytest.mark.parametrize("people", [150, 151])
def test_a_list_that_shows_too_many_is_not_seen(people: int) -> None:
    """It is counted before a byte of it goes out, whatever pieces it comes in; one person fewer, and it is as it was sent."""
    body = json.dumps([{"id": one, "patient": one, "title": "x" * 1_000} for one in range(people)]).encode()
    script = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    _, served, answer = one(script, get("/list", "X-User: ann"), LISTS)
    status, _, heard = read(answer)
    assert (status, heard == body) == ((200, True) if people == 150 else (403, False))
    assert served.event(0).rule == ("" if people == 150 else "guard-person-listed-24h")
    assert people == 150 or b"title" not in answer


def _list(body: bytes, *lines: bytes, status: bytes = b"200 OK") -> bytes:
    head = (b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), *lines)
    return b"\r\n".join([*head, b"", body])


EVERYBODY = json.dumps([{"id": one, "patient": one} for one in range(151)]).encode()
AS_JSON = b"Content-Type: application/json"


@pytest.mark.parametrize(
    ("script", "rule"),
    [
        (_list(EVERYBODY, AS_JSON, status=b"206 Partial Content"), "person-listed-24h"),
        (_list(EVERYBODY, AS_JSON, status=b"203 Other"), "person-listed-24h"),
        (_list(gzip.compress(EVERYBODY), AS_JSON, b"Content-Encoding: gzip"), "person-listed-24h"),
        (_list(zlib.compress(EVERYBODY), AS_JSON, b"Content-Encoding: deflate"), "person-listed-24h"),
        (_list(EVERYBODY, AS_JSON, b"Content-Encoding: br"), "list-unread"),
        (_list(gzip.compress(bytes(MAX_READ + 1)), AS_JSON, b"Content-Encoding: gzip"), "list-unread"),
        (_list(b"id,patient\n1,1\n", b"Content-Type: text/csv"), "list-unread"),
        (_list(b"<letters><id>1</id></letters>", b"Content-Type: application/xml"), "list-unread"),
        (_list(b'{"id": 1}\n{"id": 2}\n', AS_JSON), "list-unread"),
        (_list(b"[" + b" " * (MAX_READ + 10) + b"]", AS_JSON), "list-unread"),
        (_list(json.dumps({"data": json.loads(EVERYBODY)}).encode(), AS_JSON), "list-unread"),
        (_list(json.dumps([{"nr": one} for one in range(21)]).encode(), AS_JSON), "list-unread"),
        (_list(json.dumps({str(one): one for one in range(21)}).encode(), AS_JSON), "list-unread"),
        (_list(b'{"error": "nothing there", "code": 7}', AS_JSON), ""),
        (_list(b"<input type=password>", b"Content-Type: text/html"), ""),
        (_list(b"", b"Content-Type: text/html"), ""),
    ],
)
def test_a_list_that_comes_otherwise_is_counted_or_not_seen(script: bytes, rule: str) -> None:
    """In part, compressed, or as something in which ids are not found; but a page that asks to sign in is what it was."""
    _, served, answer = one(script, get("/list", "X-User: ann"), LISTS)
    assert served.event(0).rule == (f"guard-{rule}" if rule else "")
    assert read(answer)[0] == (403 if rule else 200)


def test_a_list_that_cannot_be_read_flows_while_nothing_is_refused() -> None:
    """More than is held: it is passed on whole, and told."""
    script = _list(b"[" + b" " * (MAX_READ + 10) + b"]", AS_JSON)
    _, served, answer = one(script, get("/list", "X-User: ann"), LISTS.replace(b"enforce", b"simulate"))
    assert answer.endswith(b"  ]")
    assert len(read(answer)[2]) == MAX_READ + 12
    assert (served.event(0).rule, served.event(0).refused) == ("guard-list-unread", False)


def test_a_list_is_asked_for_as_a_whole() -> None:
    """Whatever of it the client has, or wants: a part, or that nothing has changed, would teach nothing of what it holds."""
    lines = (
        "X-User: ann",
        "Range: bytes=0-9",
        "If-Range: x",
        'If-None-Match: "a"',
        "If-Modified-Since: x",
        "Accept-Encoding: gzip",
    )
    portal, _, answer = one(_list(b"[]", AS_JSON), get("/list", *lines), LISTS)
    assert read(answer)[2] == b"[]"
    assert b"range" not in portal.heard[0]
    assert b"if-" not in portal.heard[0]
    assert b"accept-encoding: identity\r\n" in portal.heard[0]


def test_the_head_of_a_list_makes_nobody_blind() -> None:
    """It holds nothing that could not be read."""
    portal = Scripted(b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 9\r\n\r\n")
    counts = Counts()
    with gateway(LISTS, portal.port, counts=counts) as served:
        assert served.gets("/list", "X-User: ann", method="HEAD")[0] == 200
        asked = served.event(0).asked
        assert asked is not None
        assert asked.who is not None
        assert counts.known(asked.who.person).blind == 0
    portal.close()


@pytest.mark.parametrize(
    ("body", "public", "status"), [(b'[{"id": 1}]', "false", 401), (b'[{"id": 1}]', "true", 200), (b"[]", "false", 200)]
)
def test_a_list_of_documents_needs_somebody(body: bytes, public: str, status: int) -> None:
    """Unless it is public; what shows none is the portal's own answer to strangers."""
    settings = LISTS.replace(b"shows =", b"public = %b\nshows =" % public.encode())
    _, _, answer = one(_list(body, AS_JSON), get("/list"), settings)
    assert read(answer)[0] == status


def test_what_a_request_for_a_list_names_is_not_shown_by_it() -> None:
    """In its body, in its path, or behind where it says that it came from: a thief would be shown what they ask for."""
    settings = b"""
[person]
by = "header"
name = "x-user"

[[route]]
name = "status"
path = "/status/{number:int}"
methods = ["GET", "POST"]
content_types = ["application/json"]
shows = { ids = ["[].id"], links = true }

[[route]]
name = "letter"
path = "/letters/{document:int}"
"""
    page = b"<a href='/letters/%d'>back</a>"
    asked = [
        (b'[{"id": 7}, {"id": 8}]', AS_JSON, "GET", b"", ""),
        (b'[{"id": 9}, {"id": 10}]', AS_JSON, "POST", b'{"which": ["x", {"y": "1, 9;3"}]}', ""),
        (page % 11 + page % 12, b"Content-Type: text/html", "GET", b"", "Referer: http://portal/letters/11"),
        (page % 13 + page % 14, b"Content-Type: text/html", "GET", b"", "Cookie: back=%2Fletters%2F13"),
    ]
    portal = Scripted(*(_list(body, kind) for body, kind, *_ in asked))
    counts = Counts()
    with gateway(settings, portal.port, counts=counts) as served:
        for _, _, method, body, line in asked:
            lines = ["X-User: ann", *([line] if line else []), *(["Content-Type: application/json"] if body else [])]
            assert served.gets("/status/7", *lines, method=method, body=body)[0] == 200
        who = served.event(0).asked
        assert who is not None
        assert who.who is not None
        shown = [number for number in range(20) if counts.was_shown(who.who.person, "document", str(number))]
    portal.close()
    assert shown == [8, 10, 12, 14]


FORGETFUL = b"""
[person]
by = "cookie"
name = "sid"

[[route]]
name = "login"
path = "/login"
methods = ["POST"]
content_types = ["application/x-www-form-urlencoded"]
login = { form = "user" }

[[route]]
name = "page"
path = "/page"
"""
AGAIN = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n%bContent-Length: 30\r\n\r\n<input name=p type='password'>"


@pytest.mark.parametrize(
    ("script", "counted"),
    [
        (b"HTTP/1.1 302 Found\r\nLocation: /login?next=/letters/1\r\nContent-Length: 3\r\n\r\n...", False),
        (b"HTTP/1.1 303 Other\r\nLocation: http://portal/login\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 2000\r\n\r\n" + bytes(2_000), True),
        (b"HTTP/1.1 302 Found\r\nLocation: /login\r\n\r\nletter", True),
        (b"HTTP/1.1 302 Found\r\nLocation: /files/1?signature=x\r\nContent-Length: 0\r\n\r\n", True),
        (b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", True),
        (b"HTTP/1.1 401 No\r\n\r\n" + bytes(2_000), False),
    ],
)
def test_whoever_is_sent_to_sign_in_was_given_nothing(script: bytes, counted: bool) -> None:
    """Else a made-up session, or one that ended, would spend documents; but a document on the way there is one."""
    settings = FORGETFUL + b'[[route]]\nname = "letter"\npath = "/letters/{document:int}"\n'
    portal, counts = Scripted(script), Counts()
    with gateway(settings, portal.port, counts=counts) as served:
        served.gets("/letters/1", "Cookie: sid=x")
        asked = served.event(0).asked
    portal.close()
    assert asked is not None
    assert asked.who is not None
    place = counts.number("place", "person", asked.who.person, "documents")
    size = counts.number("place", "person", asked.who.person, "bytes")
    assert counts.others(place, 0, 0, 9) == counted
    assert counted or counts.bytes(size, 0) == 0


def test_nobody_leaves_their_name_behind() -> None:
    """A session that is renewed, by whatever answer, or that a login did not renew, is that person's; a login that failed makes
    nobody another: else each would be given somebody else's share of documents.
    """

    def sets(line: bytes, said: bytes = OK) -> bytes:
        return said.replace(b"\r\n", b"\r\nSet-Cookie: sid=%b; Path=/\r\n" % line, 1)

    asked = [
        ("page", "x", OK, "x"),
        ("login", "x", b"HTTP/1.1 303 Other\r\nLocation: /page\r\nContent-Length: 0\r\n\r\n", "x"),  # no new cookie
        ("page", "x", sets(b"y"), "ann"),
        ("page", "y", OK, "ann"),
        ("login", "y", AGAIN % b"", "ann"),
        ("login", "y", sets(b"z", AGAIN % b""), "ann"),
        ("login", "z", sets(b"w", b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"), "ann"),
        ("page", "w", OK, "ann"),
    ]
    portal = Scripted(*(script for _, _, script, _ in asked))
    people = dict[str, str]()
    with gateway(FORGETFUL, portal.port) as served:
        for number, (path, sid, _, person) in enumerate(asked):
            lines = [f"Cookie: sid={sid}", "Accept-Encoding: gzip"]
            if path == "login":
                lines.append("Content-Type: application/x-www-form-urlencoded")
                served.gets(
                    "/login", *lines, method="POST", body=b"user=ann" if number == 1 else b"user=bob%d" % number
                )
            else:
                served.gets("/page", *lines)
            event = served.event(number)
            assert event.asked is not None
            assert event.asked.who is not None
            assert people.setdefault(person, event.asked.who.person) == event.asked.who.person, number
    portal.close()
    assert len(set(people.values())) == 2
    assert b"accept-encoding: identity" in portal.heard[4]


def test_an_event_names_nobody(served: Served) -> None:
    """Sessions and people are hashes of this process; the same one is the same hash, and another sign-in the same person."""
    first, second = sign_in(served, 7), sign_in(served, 7)
    for cookie in (first, first, second):
        served.gets("/letters/71", cookie)
    known = [served.event(number).asked for number in (2, 3, 4)]
    people = [asked.who for asked in known if asked is not None and asked.who is not None]
    assert people[0] == people[1]
    assert people[0].session != people[2].session
    assert people[0].person == people[2].person
    assert people[0].session not in first


def test_a_session_in_two_spellings_is_refused(served: Served) -> None:
    """Two cookies of that name, or one as another portal would spell it: nobody counts for both."""
    cookie = sign_in(served, 7)
    for other in ("; sid=x", "; SID=x", "; %73id=x"):
        status, _, body = served.gets("/letters/71", cookie + other)
        assert (status, json.loads(body)["error"]) == (400, "session-double")


def test_health_says_how_strict_it_is(served: Served) -> None:
    """Without asking the portal. The gateway of these tests has no WAF."""
    modes = {"routes": "enforce", "guard": "simulate", "waf": "off"}
    assert json.loads(served.gets("/.strongroom/health")[2]) == {"status": "ok", **modes}


# ---- in our words ---------------------------------------------------------------------------------------------------


def test_the_portal_hears_what_was_parsed() -> None:
    """One spelling of the address; what proxies say of the client is said by us; what belongs to the connection stays there."""
    lines = ("X-Forwarded-For: 9.9.9.9", "X-Real-IP: 9.9.9.9", "X_Forwarded_For: 9.9.9.9", "TE: trailers", "Keep-Alive: 5",
             "Accept: text/html", "Forwarded: for=9.9.9.9", "X-Request-Id: mine", "Proxy-Authorization: x")  # fmt: skip
    portal, served, answer = one(OK, get("/%70age?q=a+b%2fc", *lines))
    first, *headers = portal.heard[0].decode().strip().split("\r\n")
    assert first == "GET /page?q=a%20b/c HTTP/1.1"
    assert dict(header.split(": ", 1) for header in headers) == {
        "host": "portal", "accept": "text/html", "x-forwarded-for": "127.0.0.1", "x-forwarded-host": "portal",
        "x-forwarded-proto": "http", "x-request-id": served.events[0].request,
    }  # fmt: skip
    assert read(answer)[1]["x-own"] == "1"


def test_only_declared_proxies_are_believed() -> None:
    """With 127.0.0.0/8 declared, the last address that is not a proxy's is the client's."""
    settings = b'[gateway]\nproxies = ["127.0.0.0/8"]\n' + OPEN
    lines = ("X-Forwarded-For: 9.9.9.9, 198.51.100.7, 127.0.0.5", "X-Forwarded-Proto: https")
    portal, served, _ = one(OK, get("/page", *lines), settings)
    assert b"x-forwarded-for: 198.51.100.7\r\n" in portal.heard[0]
    assert b"x-forwarded-proto: https\r\n" in portal.heard[0]
    assert served.events[0].network == "198.51.100.7/32"


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /page HTTP/1.1\r\nHost: portal\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /page HTTP/1.1\r\nHost: portal\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
        b"POST /page HTTP/1.1\r\nHost: portal\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        b"POST /page HTTP/1.1\r\nHost: portal\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"GET /page HTTP/1.1\r\nHost: portal\r\nX: a\r\n b\r\n\r\n",
        b"GET /page HTTP/1.1\nHost: portal\n\n",
        b"GET /page HTTP/1.1\r\nHost: portal\r\nX: a\rb\r\n\r\n",
        b"GET /page HTTP/1.1\r\nHost : portal\r\n\r\n",
        b"GET /page HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /page HTTP/1.1\r\n\r\n",
        b"GET http://other/page HTTP/1.1\r\nHost: portal\r\n\r\n",
        b"GET //other/page HTTP/1.1\r\nHost: portal\r\n\r\n",
        b"GET /page#x HTTP/1.1\r\nHost: portal\r\n\r\n",
        b"CONNECT portal:80 HTTP/1.1\r\nHost: portal\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        get("/page", "Upgrade: websocket", "Connection: Upgrade"),
        get("/page", "Upgrade: h2c"),
        get("/page", "Connection: cookie"),
        get("/page", "Connection: X-Forwarded-For"),
        get("/page", "Expect: 100-continue", "Content-Length: 3"),
        get("/page", "X-HTTP-Method-Override: DELETE"),
        get("/page/../admin"),
        get("/page%3f/../../etc"),
        get("/page%00"),
    ],
)
def test_what_could_be_read_in_two_ways_reaches_nobody(request_: bytes) -> None:
    """Framing, hosts, protocols and addresses with two readings: an error, and the portal hears nothing."""
    portal, _, answer = one(OK, request_)
    assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4"))
    assert portal.heard == []


def test_a_body_that_says_too_much_reaches_nobody() -> None:
    """JSON is read whole before the portal is asked: too many members, and none of it goes on."""
    body = json.dumps(dict.fromkeys(map(str, range(10_000)), 1)).encode()
    head = b"POST /page HTTP/1.1\r\nHost: p\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    portal, served, answer = one(OK, head % len(body) + body)
    assert (read(answer)[0], portal.heard) == (400, [])
    assert served.events[0].rule == "body-keys"


def test_a_body_in_chunks_is_framed_anew() -> None:
    """Chunks, extensions and trailers of the client are its own; the portal hears ours."""
    heard = bytearray()

    def script(connection: socket.socket) -> None:
        while not heard.endswith(b"0\r\n\r\n"):
            heard.extend(connection.recv(65_536))
        connection.sendall(OK)

    body = b"3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nX-Evil: 1\r\n\r\n"
    portal, _, answer = one(script, POST % b"Transfer-Encoding: chunked" + body)
    assert read(answer)[2] == b"ok"
    assert b"transfer-encoding: chunked\r\n" in portal.heard[0]
    assert bytes(heard) in {b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", b"5\r\nabcde\r\n0\r\n\r\n"}


# ---- portals that die, hang and lie ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "script",
    [
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 9,
        b"HTTP/1.1 200 OK\r\n" + b"X: 1\r\n" * 300 + b"Content-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000,
        b"HTTP/1.1 200",
        b"SSH-2.0-OpenSSH_9.2\r\n",
    ],
)
def test_what_is_no_answer_is_not_shown(script: bytes) -> None:
    """502 in our words, whatever the portal said."""
    _, served, answer = one(script, get())
    status, _, body = read(answer)
    assert (status, json.loads(body)["error"]) == (502, "portal-failed")
    assert served.events[0].rule == "portal-failed"


@pytest.mark.parametrize(
    "script",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\n",
    ],
)
def test_an_answer_that_ends_early_does_not_look_whole(script: bytes) -> None:
    """The client sees the connection end before the body does, or our own words."""
    _, served, answer = one(script, get())
    status, headers, body = read(answer)
    if status == 200:
        assert "content-length" in headers or not answer.endswith(b"0\r\n\r\n")
        assert body == b"ok"
    else:  # where all of it came at once, the failure came before the first word
        assert status == 502
    assert served.events[0].rule == "portal-failed"


def test_an_answer_that_the_end_of_the_connection_ends_is_taken() -> None:
    """HTTP/1.0 has no other way; ours has."""
    assert read(one(b"HTTP/1.0 200 OK\r\n\r\nold words", get())[2])[2] == b"old words"


def test_a_second_answer_is_nobodys() -> None:
    """What a portal says beyond its answer is not kept for the next request: its connection ends."""
    split = OK + b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"
    portal = Scripted(split, OK)
    with gateway(OPEN, portal.port) as served:
        assert read(served.says(get()))[2] == b"ok"
        assert read(served.says(get()))[2] == b"ok"
    assert len(portal.heard) == 2
    portal.close()


def test_a_portal_that_is_away_is_said_to_be() -> None:
    """502, with when to come again."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with gateway(OPEN, port) as served:
        status, headers, _ = served.gets("/page")
    assert (status, headers["retry-after"]) == (502, "5")


def test_a_portal_that_hangs_is_not_waited_for() -> None:
    """504 once its time is over."""
    release = threading.Event()

    def hang(_: socket.socket) -> None:
        release.wait(LONG)

    settings = OPEN.replace(b"answer_seconds = 60", b"answer_seconds = 0.2")
    _, served, answer = one(hang, get(), settings)
    release.set()
    assert read(answer)[0] == 504
    assert served.events[0].rule == "portal-late"


def test_a_connection_is_used_again_and_opened_again_when_it_was_closed() -> None:
    """Two requests on one connection to the portal; a third one although the portal has closed it meanwhile."""
    said: list[bytes] = []

    def twice(connection: socket.socket) -> None:
        connection.sendall(OK)
        said.append(connection.recv(65_536))
        connection.sendall(OK)

    portal = Scripted(twice, OK)
    with gateway(OPEN, portal.port) as served:
        for _ in range(3):
            assert read(served.says(get()))[2] == b"ok"
    assert said[0].startswith(b"GET /page HTTP/1.1\r\n")
    assert len(portal.heard) == 2
    portal.close()


def test_head_has_a_length_and_no_body() -> None:
    """The portal's own length, nothing behind it."""
    answer = one(b"HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n", get().replace(b"GET", b"HEAD"))[2]
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-length: 12345" in head.lower()
    assert body == b""


def test_not_modified_says_no_length() -> None:
    """The length in it is another answer's; the connection goes on."""
    portal = Scripted(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\nETag: x\r\n\r\n", OK)
    with gateway(OPEN, portal.port) as served:
        answer = served.says(get().replace(b"Connection: close\r\n", b"") + get())
    assert answer.startswith(b"HTTP/1.1 304")
    assert answer.endswith(b"ok")
    portal.close()


# ---- streams --------------------------------------------------------------------------------------------------------


def test_an_answer_flows_no_faster_than_it_is_taken() -> None:
    """A client that takes nothing holds up the portal: what waits within the gateway is bounded, not the whole answer."""
    size, sent, stuck = 200_000_000, [0], threading.Event()

    def script(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        connection.settimeout(2)
        sent[0] = pour(connection, size)
        stuck.set()
        connection.settimeout(LONG)
        pour(connection, size - sent[0])

    portal = Scripted(script)
    with gateway(OPEN, portal.port) as served, served.connect() as client:
        client.sendall(get())
        assert stuck.wait(LONG)
        assert sent[0] < size // 4
        taken = 0
        while piece := client.recv(1_000_000):
            taken += len(piece)
    assert taken > size
    portal.close()


def test_a_body_flows_no_faster_than_the_portal_takes_it() -> None:
    """A portal that reads nothing holds up the client."""
    size, release = 200_000_000, threading.Event()

    def script(connection: socket.socket) -> None:
        assert release.wait(LONG)
        left = size
        while left > 0:
            left -= len(connection.recv(1_000_000))
        connection.sendall(OK)

    portal = Scripted(script)
    with gateway(OPEN, portal.port) as served, served.connect() as client:
        client.sendall(POST % (b"Content-Length: %d" % size))
        client.settimeout(2)
        sent = pour(client, size)
        assert sent < size // 4
        release.set()
        client.settimeout(LONG)
        assert pour(client, size - sent) == size - sent
        assert client.recv(15) == b"HTTP/1.1 200 OK"
    portal.close()


@pytest.mark.parametrize("how", ["gone", "read-only"])
def test_what_cannot_be_counted_does_not_leave(
    how: str, portal: int, settings: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The file of counts is gone, or cannot be written: no letter, 503, one event each, and a loud line. Then it is there again."""
    path = tmp_path / "state" / "counts.db"
    prepare(path)
    counts = Counts(path)
    with gateway(settings, portal, counts=counts) as served:
        cookie = sign_in(served, 7)
        assert served.gets("/letters/70", cookie)[0] == 200
        if how == "gone":
            path.rename(tmp_path / "elsewhere")
        else:
            counts.do("PRAGMA query_only = ON")
        before = len(served.events)
        answers = [served.gets(f"/letters/{number}", cookie) for number in range(71, 74)]
        assert [(status, json.loads(body)["error"]) for status, _, body in answers] == [(503, "guard-failed")] * 3
        assert [served.event(before + number).rule for number in range(3)] == ["guard-failed"] * 3
        assert "CANNOT BE COUNTED" in caplog.text
        if how == "gone":
            (tmp_path / "elsewhere").rename(path)
        else:
            counts.do("PRAGMA query_only = OFF")
        assert served.gets("/letters/71", cookie)[0] == 200
