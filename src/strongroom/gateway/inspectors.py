"""Processes in which the WAF looks at requests that it may take long for: each request has so much CPU time, and no more.

No rule, and nothing in the engine, can be interrupted; a process can be ended. The kernel ends it when its time for one request is
over: of CPU, so that a busy machine takes nobody's. Another one takes its place in milliseconds: a nursery, a process that was
forked before the worker had threads and does nothing else, forks it, with the rules loaded.

What hostile input could make of the engine, it makes of such a process: it has no socket but the one to its worker, no counts, no
client, where root started it no network either, and the user that the worker has.
"""

import asyncio
import logging
import os
import signal
import socket
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from strongroom.errors import Unavailable
from strongroom.gateway.modsecurity import Engine, Inspected, Subject

LANES: Final = 2
"""Processes of one worker."""
MOST: Final = 4 * 1_048_576
"""Bytes of one message: a body of 1 MiB, and headers."""
_log = logging.getLogger("strongroom.gateway")


class Overdue(Exception):  # as the other names of ours
    """The rules did not come to an end in their time."""


class Inspectors:
    """See the module."""

    def __init__(self, engine: Engine, milliseconds: int, settle: Callable[[], None]) -> None:
        """Forks the nursery; to be called before the process has threads. `settle` is called there, to become who it is to be."""
        self._control, theirs = socket.socketpair()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of threads: at most one, that waits and holds nothing
            pid = os.fork()
        if not pid:
            _nursery(engine, theirs, milliseconds / 1_000, settle)
        theirs.close()
        self._free = asyncio.Semaphore(LANES)
        self._idle: list[socket.socket] = []

    async def inspect(self, subject: Subject) -> Inspected:
        """What the rules say. Raises Overdue, and Unavailable where the engine does not take it or there are no processes."""
        asked = msgspec.msgpack.encode(subject)
        loop = asyncio.get_running_loop()
        async with self._free:
            lane = self._idle.pop() if self._idle else self._lane()
            try:
                await loop.sock_sendall(lane, len(asked).to_bytes(4, "big") + asked)
                size = int.from_bytes(await _exactly(lane, 4), "big")
                answer = await _exactly(lane, size)
            except (OSError, EOFError) as error:
                lane.close()
                raise Overdue from error
            except BaseException:  # nobody waits any more; its time bounds what it still does
                lane.close()
                raise
            self._idle.append(lane)
        if not answer:
            raise Unavailable("The WAF engine takes no request.")
        return msgspec.msgpack.decode(answer, type=Inspected)

    def close(self) -> None:
        """Let the processes end."""
        for lane in self._idle:
            lane.close()
        self._idle.clear()
        self._control.close()

    def _lane(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                socket.send_fds(self._control, [b"\0"], [theirs.fileno()])
        except OSError as error:
            ours.close()
            _log.error("THE WAF'S PROCESSES ARE GONE; this worker ends, and another one is started.")
            os.kill(os.getpid(), signal.SIGTERM)
            raise Unavailable("The WAF has no process.") from error
        ours.settimeout(0)
        return ours


async def _exactly(lane: socket.socket, size: int) -> bytes:
    """So many bytes. Raises EOFError where there are fewer."""
    loop, found = asyncio.get_running_loop(), b""
    while len(found) < size:
        piece = await loop.sock_recv(lane, size - len(found))
        if not piece:
            raise EOFError
        found += piece
    return found


def _nursery(engine: Engine, control: socket.socket, seconds: float, settle: Callable[[], None]) -> None:
    """The nursery's whole life."""
    code = 1
    try:
        _let_go_of_all_but(control.fileno())
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how one ended
        settle()
        while True:
            message, given, _, _ = socket.recv_fds(control, 1, 1)
            if not message:
                break
            if not os.fork():
                control.close()
                with socket.socket(fileno=given[0]) as lane:
                    _inspects(engine, lane, seconds)
                break
            os.close(given[0])
        code = 0
    except Exception as error:  # noqa: BLE001  # a process ends here, and says why
        _log.error("A process of the WAF cannot go on: %s", error)
    finally:
        os._exit(code)


def _inspects(engine: Engine, lane: socket.socket, seconds: float) -> None:
    """Until the worker lets it go, or a request took too long."""
    signal.signal(signal.SIGPROF, signal.SIG_DFL)  # which ends the process
    with lane.makefile("rb") as asked:
        while head := asked.read(4):
            size = int.from_bytes(head, "big")
            if size > MOST:
                return
            subject = msgspec.msgpack.decode(asked.read(size), type=Subject)
            signal.setitimer(signal.ITIMER_PROF, seconds)
            try:
                answer = msgspec.msgpack.encode(engine.inspect(subject))
            except Unavailable:
                answer = b""
            finally:
                signal.setitimer(signal.ITIMER_PROF, 0)
            lane.sendall(len(answer).to_bytes(4, "big") + answer)


def _let_go_of_all_but(kept: int) -> None:
    """Of what the worker has open: files, ports, connections. What the log is written to stays.

    Nothing lies in their places, and not nothing at all: a library that closes after a fork what it had finds something to close.
    """
    nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for one in [int(place.name) for place in Path("/proc/self/fd").iterdir()]:
        if one not in {0, 1, 2, kept, nothing}:
            os.dup2(nothing, one, inheritable=False)
