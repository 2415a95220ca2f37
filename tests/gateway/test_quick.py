"""Requests without a body are carried without a task, and nobody can tell: neither who asks, nor the events."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from strongroom.gateway.event import Event
from strongroom.gateway.guard import Watchful
from strongroom.gateway.proxy import Proxy
from tests.gateway.conftest import LONG, Served, gateway, read

SETTINGS = b"""
[person]
by = "cookie"
name = "sid"

[guard]
mode = "enforce"

[upstream]
answer_seconds = 60

[[route]]
name = "page"
path = "/page/{number:int}"
query = { q = "text" }

[[route]]
name = "write"
path = "/write"
methods = ["POST", "PUT"]
content_types = ["application/json", "application/x-www-form-urlencoded", "text/plain"]
max_body = 10_000

[[route]]
name = "list"
path = "/list/{number:int}"
shows = { ids = ["items[].id"] }

[[route]]
name = "letter"
path = "/letters/{document:int}"
"""
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Own: 1\r\n\r\nok"
LARGE = b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + bytes(200_000)
ANSWERS: dict[str, bytes | Callable[[socket.socket], None]] = {
    "short": OK,
    "empty": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n3\r\nyes\r\n0\r\n\r\n",
    "until it ends": b"HTTP/1.1 200 OK\r\nX: y\r\n\r\nwords",
    "long": LARGE,
    "none": b"HTTP/1.1 204 No Content\r\n\r\n",
    "not changed": b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 9\r\n\r\n',
    "elsewhere": b"HTTP/1.1 302 Found\r\nLocation: /page/2\r\nContent-Length: 0\r\n\r\n",
    "not there": b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno",
    "failure": b"HTTP/1.1 500 Oh\r\nContent-Length: 7\r\n\r\nhunter2",
    "away": b"HTTP/1.1 503 Away\r\nContent-Length: 7\r\n\r\nhunter2",
    "interim": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK,
    "two": OK + OK,
    "cut": lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nok"),
    "no HTTP": b"hello\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
    "odd status": b"HTTP/1.1 299 Own\r\nContent-Length: 2\r\n\r\nok",
    "silence": b"",
    "hop": b"HTTP/1.1 200 OK\r\nConnection: close, x-own\r\nX-Own: 1\r\nContent-Length: 2\r\n\r\nok",
}
"""What a portal may say; after what says no length it ends the connection."""


@dataclass
class Portal:
    """A portal that answers each request by its path; and keeps connections, unless an answer ends with one."""

    says: dict[str, bytes | Callable[[socket.socket], None]] = field(default_factory=dict)
    heard: list[bytes] = field(default_factory=list)
    news: threading.Condition = field(default_factory=threading.Condition)
    connections: int = 0

    def __post_init__(self) -> None:
        """Begins."""
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                connection = self._socket.accept()[0]
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines, contextlib.suppress(OSError):
            while first := lines.readline():
                size = 0
                while (line := lines.readline()) != b"\r\n":
                    name, _, value = line.lower().partition(b": ")
                    size = int(value) if name == b"content-length" else size
                    assert name != b"transfer-encoding"
                body = lines.read(size)
                path = first.split()[1].decode()
                with self.news:
                    self.heard.append(first + body)
                    self.news.notify_all()
                said = self.says.get(path, OK)
                if callable(said):
                    said(connection)
                    return
                connection.sendall(said)
                if b"ength" not in said and b"chunked" not in said and b" 204 " not in said:
                    return

    def hears(self, many: int) -> None:
        """Returns when so many requests were heard."""
        with self.news:
            assert self.news.wait_for(lambda: len(self.heard) >= many, LONG)

    def close(self) -> None:
        """End it."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@pytest.fixture
def portal() -> Iterator[Portal]:
    """One of its own."""
    one = Portal()
    yield one
    one.close()


@pytest.fixture
def served(portal: Portal) -> Iterator[Served]:
    """A gateway before it."""
    with gateway(SETTINGS, portal.port) as one:
        yield one


def get(path: str, *lines: str) -> bytes:
    """A request."""
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: portal", *lines, "", ""]).encode()


def post(path: str, *lines: str, body: bytes) -> bytes:
    """One with a body."""
    return b"POST" + get(path, *lines)[3:] + body


def answered(client: socket.socket) -> bytes:
    """One answer with a length, or with chunks; or all until the connection ends."""
    found = b""
    while b"\r\n\r\n" not in found:
        piece = client.recv(65_536)
        if not piece:
            return found
        found += piece
    head, _, body = found.partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    length = next((int(line.partition(b":")[2]) for line in lines if line.startswith(b"content-length:")), None)
    chunked = b"transfer-encoding: chunked" in lines
    bare = lines[0].split()[1] in {b"204", b"304"}
    while not bare and (len(body) < length if length is not None else not body.endswith(b"0\r\n\r\n") or not chunked):
        piece = client.recv(65_536)
        if not piece:
            break
        body += piece
    return head + b"\r\n\r\n" + body


def seen(raw: bytes, event: Event) -> tuple[object, ...]:
    """What an answer and an event say, but for numbers, and for how the end of the answer is told."""
    if not raw:
        return ("cut", event.rule)
    status, headers, body = read(raw)
    number = headers.pop("x-request-id")
    assert number == event.request
    whole = len(body) == int(headers.get("content-length", len(body)))
    for name in ("connection", "content-length", "transfer-encoding"):
        headers.pop(name, None)
    said = (event.status, event.portal, event.size, event.rule, event.refused, event.method, event.network)
    return status, headers, body.replace(number.encode(), b""), whole, said


def slowly(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Paths of the requests that begin in a task."""
    found: list[str] = []
    before = Proxy.__call__

    async def call(self: Proxy, scope: dict[str, str], receive: object, send: object) -> None:
        if scope["type"] == "http":
            found.append(scope["path"])
        await before(self, scope, receive, send)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr(Proxy, "__call__", call)
    return found


def test_the_answer_is_the_same(portal: Portal, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a connection that is kept, once and again, and on one of its own in a task: status, headers, body, event."""
    tasks = slowly(monkeypatch)
    for number, (name, kind) in enumerate((name, kind) for name in ANSWERS for kind in ("page", "list", "letters")):
        served.events.clear()
        tasks.clear()
        path = f"/{kind}/{number}"
        portal.says[path] = ANSWERS[name]
        said: list[tuple[object, ...]] = []
        with served.connect() as client:
            for _ in range(1 if name == "cut" else 2):
                for asked in ("/page/1000", path):  # the first leaves a connection to the portal that is kept
                    client.sendall(get(asked, f"Cookie: sid=a{number}"))
                    raw = answered(client)
                    event = served.event(len(said) * 2 + (asked == path))
                said.append(seen(raw, event))
        assert tasks == []
        slow = served.says(get(path, f"Cookie: sid=a{number}", "Connection: close"))
        assert tasks == [path]
        last = seen(slow, served.event(len(said) * 2))
        if name == "cut":  # it was found out before anything of it went out; in a task its beginning had gone
            assert (said[0][0], last[0]) == (502, 502 if kind == "list" else 200)
        else:
            assert (name, kind, said) == (name, kind, [last] * len(said))


JSON = "Content-Type: application/json"
FORM = "Content-Type: application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("kind", "body", "status", "short"),
    [
        (JSON, b'{"a": 1}', 200, True),
        (FORM, b"user=ann&password=p", 200, True),
        (JSON, b'{"a": "' + b"x" * 4_000 + b'"}', 200, True),
        (JSON, b'{"a": "' + b"x" * 5_000 + b'"}', 200, False),
        ("Content-Type: text/plain", b"words", 200, False),
        (JSON, b'{"a": 1, "a": 2}', 400, True),
        (JSON, b"no", 400, True),
        (FORM, b"\xff", 400, True),
        ("Content-Type: application/xml", b"<a/>", 415, True),
    ],
)
def test_short_bodies(
    portal: Portal, served: Served, monkeypatch: pytest.MonkeyPatch, kind: str, body: bytes, status: int, short: bool
) -> None:
    """Whole in one piece, in two, byte by byte and in a task: the portal hears the same, the client and the event as well."""
    tasks = slowly(monkeypatch)
    request = post("/write", kind, f"Content-Length: {len(body)}", "Cookie: sid=a", body=body)
    said: list[tuple[object, ...]] = []
    with served.connect() as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for pieces in ([request], [request[: -len(body)], body], [bytes([byte]) for byte in request[:600]]):
            client.sendall(get("/page/1"))
            answered(client)
            for piece in [*pieces, request[600:]] if len(pieces) > 2 else pieces:
                client.sendall(piece)
            said.append(seen(answered(client), served.event(len(said) * 2 + 1)))
            assert len(said) > 1 or bool(tasks) != short
    slow = served.says(request.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
    assert said == [seen(slow, served.event(6))] * 3
    assert said[0][0] == status
    heard = [one.partition(b"\r\n")[2] for one in portal.heard if one.startswith(b"POST")]
    assert heard == ([body] * 4 if status == 200 else [])


def test_several_with_bodies_behind_one_another(portal: Portal, served: Served) -> None:
    """Each is answered, in its order; none is taken for a part of another."""
    piece = (
        post("/write", JSON, "Content-Length: 2", body=b"{}")
        + get("/page/1")
        + post("/write", JSON, "Content-Length: 3", body=b"[1]")
    )
    with served.connect() as client:
        client.settimeout(LONG)
        for _ in range(3):
            client.sendall(piece)
            found = b""
            while found.count(b"HTTP/1.1 200") < 3 or not found.endswith(b"ok"):
                found += client.recv(65_536)
    assert (
        portal.heard == [b"POST /write HTTP/1.1\r\n{}", b"GET /page/1 HTTP/1.1\r\n", b"POST /write HTTP/1.1\r\n[1]"] * 3
    )


def test_what_changes_something_is_asked_once(portal: Portal, served: Served) -> None:
    """A portal that ends the connection instead of answering may have done it: 502, and nobody asks again."""

    def ends(_: socket.socket) -> None:
        """Nothing is said."""

    with served.connect() as client:
        client.sendall(get("/page/1"))
        assert answered(client).endswith(b"ok")
        portal.says["/write"] = ends
        client.sendall(post("/write", JSON, "Content-Length: 2", body=b"{}"))
        assert read(answered(client))[0] == 502
    assert [one for one in portal.heard if one.startswith(b"POST")] == [b"POST /write HTTP/1.1\r\n{}"]


def test_it_takes_no_task_and_no_new_connection(portal: Portal, served: Served) -> None:
    """A hundred requests on one connection are a hundred on one to the portal."""
    with served.connect() as client:
        for number in range(100):
            client.sendall(get(f"/page/{number}"))
            assert answered(client).endswith(b"ok")
    assert (portal.connections, len(portal.heard)) == (1, 100)


def test_refused_at_once(portal: Portal, served: Served) -> None:
    """Undescribed, without anybody, in two readings: as ever, and the connection goes on."""
    with served.connect() as client:
        for _ in range(2):
            for path, lines, status in (
                ("/other", (), 404), ("/letters/7", (), 401), ("/page/7?x=1", (), 400), ("/page/%2e%2e", (), 400),
                ("/page/7", ("Cookie: sid=a; sid=b",), 400), ("/page/7", ("Connection: x-request-id",), 400),
                ("/page/7", (), 200),
            ):  # fmt: skip
                client.sendall(get(path, *lines))
                assert read(answered(client))[0] == status
    assert len(portal.heard) == 2


def test_several_behind_one_another(portal: Portal, served: Served) -> None:
    """In one piece, again and again: each is answered, in its order; what is remembered of headers is never of two requests."""
    for path, said in (("/page/1", b"one"), ("/page/2", b"two"), ("/page/3", b"six")):
        portal.says[path] = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n" + said
    piece = get("/page/1") + get("/other") + get("/page/2") + get("/page/3")
    with served.connect() as client:
        client.settimeout(LONG)
        for _ in range(4):
            client.sendall(piece)
            found = b""
            while found.count(b"HTTP/1.1 ") < 4 or not found.endswith(b"six"):
                found += client.recv(65_536)
            places = [found.index(word) for word in (b"one", b"route-undescribed", b"two", b"six")]
            assert places == sorted(places)
    assert len(portal.heard) == 12


def test_headers_in_pieces_are_read_as_ever(portal: Portal, served: Served) -> None:
    """Byte by byte, after the same headers were remembered."""
    with served.connect() as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(2):
            client.sendall(get("/page/1"))
            assert answered(client).endswith(b"ok")
        for byte in get("/page/2"):
            client.sendall(bytes([byte]))
        assert answered(client).endswith(b"ok")
        client.sendall(get("/page/3")[:-1])
        client.sendall(b"\n" + get("/page/4"))
        assert answered(client).endswith(b"ok")
    portal.hears(5)


def test_a_kept_connection_that_ended_is_not_the_clients_business(portal: Portal, served: Served) -> None:
    """What was not answered at all is asked again, once, on a new one."""
    ended = threading.Event()

    def ends(_: socket.socket) -> None:
        portal.says.pop("/page/2")
        ended.set()

    with served.connect() as client:
        client.sendall(get("/page/1"))
        assert answered(client).endswith(b"ok")
        portal.says["/page/2"] = ends
        client.sendall(get("/page/2"))
        assert answered(client).endswith(b"ok")
    assert ended.is_set()
    assert portal.heard == [b"GET /page/1 HTTP/1.1\r\n", *[b"GET /page/2 HTTP/1.1\r\n"] * 2]


def test_who_goes_is_noted(portal: Portal, served: Served) -> None:
    """The portal is let go, and the event says that nobody was there."""
    gone = threading.Event()

    def waits(connection: socket.socket) -> None:
        connection.settimeout(LONG)
        if not connection.recv(1):
            gone.set()

    portal.says["/page/2"] = waits
    with served.connect() as client:
        client.sendall(get("/page/1"))
        answered(client)
        client.sendall(get("/page/2"))
        portal.hears(2)
    event = served.event(1)
    assert (event.status, event.portal, event.rule) == (0, 0, "")
    assert gone.wait(LONG)


def test_a_late_portal(portal: Portal) -> None:
    """504; and one that has begun may take its time."""
    waiting = threading.Event()

    def never(connection: socket.socket) -> None:
        connection.recv(1)

    def slow(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab")
        assert waiting.wait(LONG)
        connection.sendall(b"cd")
        connection.recv(1)

    portal.says.update({"/page/2": never, "/page/3": slow})
    settings = SETTINGS.replace(b"answer_seconds = 60", b"answer_seconds = 0.5")
    with gateway(settings, portal.port) as served, served.connect() as client:
        client.settimeout(LONG)

        def warm() -> None:
            """On a slow machine the portal may be late here, too."""
            while True:
                client.sendall(get("/page/1"))
                if answered(client).endswith(b"ok"):
                    return

        warm()
        client.sendall(get("/page/2"))
        assert read(answered(client))[0] == 504
        begins = b""
        while not begins.startswith(b"HTTP/1.1 200"):
            warm()
            client.sendall(get("/page/3"))
            begins = client.recv(65_536)
        waiting.set()  # not before it flowed, though it is not whole
        while not begins.endswith(b"abcd"):
            begins += client.recv(1)


def test_many_at_once_pass_no_limit(portal: Portal) -> None:
    """Sixty connections of one session ask at the same time for sixty letters that no page showed: five leave."""
    settings = SETTINGS + b'[[route]]\nname = "all"\npath = "/all"\nshows = { ids = ["items[].id"] }\n'
    with gateway(settings, portal.port) as served, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(served.connect()) for _ in range(60)]
        for _ in range(2):
            for client in clients:
                client.sendall(get("/page/1"))
            for client in clients:
                assert answered(client).endswith(b"ok")
        for number, client in enumerate(clients):
            client.sendall(get(f"/letters/{1_000 * number}", "Cookie: sid=thief"))
        statuses = [read(answered(client))[0] for client in clients]
    assert sorted(statuses) == [200] * 5 + [401] * 55


def test_what_cannot_be_counted_does_not_leave(portal: Portal, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong: 503, and for those who were counted with it as well, unless it was not about them."""
    counts = Watchful.answered

    def breaks(self: Watchful, asked: object, *more: object) -> object:
        if getattr(asked, "document", "") == "13":
            raise ZeroDivisionError
        return counts(self, asked, *more)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr(Watchful, "answered", breaks)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(served.connect()) for _ in range(20)]
        for client in clients:
            client.sendall(get("/page/1"))
        for client in clients:
            answered(client)
        for number, client in enumerate(clients):
            client.sendall(get(f"/letters/{number}", f"Cookie: sid={number}"))
        statuses = [read(answered(client))[0] for client in clients]
    assert statuses == [503 if number == 13 else 200 for number in range(20)]
