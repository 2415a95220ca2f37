"""Two portals of different make, which say what they read: uvicorn with h11, strict; and the standard library's server, lenient."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import uvicorn
from starlette.types import Receive, Scope, Send

LONG = 60.0


@dataclass(frozen=True, slots=True)
class Read:
    """One request as a portal read it. Header names in lower case."""

    method: str
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    @property
    def id(self) -> str:
        """The gateway's number of it; all of them, where there are more."""
        return ",".join(value.decode("latin-1") for name, value in self.headers if name == b"x-request-id")


Hear = Callable[[Read], None]


@contextlib.contextmanager
def strict(hear: Hear) -> Iterator[int]:
    """Uvicorn with h11; its port."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return
            body, more = body + message.get("body", b""), message.get("more_body", False)
        query = b"?" + scope["query_string"] if scope["query_string"] else b""
        hear(
            Read(
                scope["method"],
                scope["raw_path"] + query,
                tuple((bytes(k), bytes(v)) for k, v in scope["headers"]),
                body,
            )
        )
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(
            app, log_level="critical", access_log=False, http="h11", lifespan="off", timeout_keep_alive=60
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(LONG)


@contextlib.contextmanager
def lenient(hear: Hear) -> Iterator[int]:
    """http.server, with chunks read as a hurried programmer would; its port."""

    class Portal(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = LONG

        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65_537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            names = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in self.headers.items()]
            hear(Read(self.command, self.path.encode("latin-1"), tuple(names), self._body()))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(b"ok")

        def _body(self) -> bytes:
            if "chunked" not in self.headers.get("Transfer-Encoding", "").lower():
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            found = b""
            while size := int(self.rfile.readline().partition(b";")[0], 16):
                found += self.rfile.read(size)
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            return found

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, *_: Any) -> None:
            """A client that went."""

    with Server(("127.0.0.1", 0), Portal) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join(LONG)
