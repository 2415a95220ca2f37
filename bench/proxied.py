"""A gateway of this checkout, served in a thread of the bench: real sockets, real parsers; what becomes of requests is kept."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import uvicorn

from strongroom.gateway.proxy import Event, Proxy
from strongroom.gateway.settings import parse
from strongroom.gateway.waf import Waf
from strongroom.wiring.gateway import open_gateway, serving

LONG = 60.0
"""Seconds for what must happen."""


@dataclass
class Served:
    """A gateway on `port`. `events`: what became of requests that had a head, by their ids."""

    port: int
    events: dict[str, Event] = field(default_factory=dict)
    news: threading.Condition = field(default_factory=threading.Condition)

    def event(self, request: str) -> Event:
        """What became of that request, once it has ended. It is given only once."""
        with self.news:
            assert self.news.wait_for(lambda: request in self.events, LONG)
            return self.events.pop(request)

    def forget(self) -> None:
        """What nobody asked for."""
        with self.news:
            self.events.clear()

    def hear(self, event: Event) -> None:
        """Called by the gateway."""
        with self.news:
            self.events[event.request] = event
            self.news.notify_all()

    def asks(self, raw: bytes, seconds: float = LONG) -> bytes:
        """All that is answered to these bytes until the connection ends. After `seconds` of silence the client says that it has
        said all.
        """
        with socket.create_connection(("127.0.0.1", self.port), LONG) as client:
            with contextlib.suppress(ConnectionError):
                client.sendall(raw)
            client.settimeout(seconds)
            answer = everything(client)
            client.settimeout(LONG)
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_WR)
            return answer + everything(client)


def everything(client: socket.socket) -> bytes:
    """What comes until the end."""
    found = bytearray()
    with contextlib.suppress(ConnectionError, TimeoutError):
        while piece := client.recv(65_536):
            found += piece
    return bytes(found)


@contextlib.contextmanager
def gateway(
    settings: bytes, port: int, waf: Waf | None = None, prepare: Callable[[Proxy], None] | None = None
) -> Iterator[Served]:
    """A gateway before the portal on `port`. `prepare` is given the application before it serves."""
    checked = parse(settings)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        served = Served(listening.getsockname()[1])
        app = open_gateway(checked, f"http://127.0.0.1:{port}", served.hear, waf=waf)
        if prepare is not None:
            prepare(app)
        server = uvicorn.Server(serving(app, checked, served.port))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield served
        finally:
            server.should_exit = True
            thread.join(LONG)
            assert not thread.is_alive()
