"""A worker that is told to end before its server hears signals ends; what is done each second is done at the end, too."""

import socket
import threading

import pytest
import uvicorn

from strongroom.gateway.counts import Counts
from strongroom.gateway.metrics import Metrics
from strongroom.wiring import workers
from strongroom.wiring.meter import Metered

LONG = 60.0


async def nothing(_scope: object, _receive: object, _send: object) -> None:
    """Serves nobody."""


def test_who_was_told_to_end_while_it_started_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """As soon as it is ready; otherwise it would be waited for, and killed."""
    monkeypatch.setattr(workers, "_told", [15])
    done: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as street:
        config = uvicorn.Config(nothing, lifespan="off", log_config=None)
        server = Metered(config, Counts(), Metrics(), {}, None, each=lambda: done.append(1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [street]})
        thread.start()
        thread.join(LONG)
        assert not thread.is_alive()
    assert done
