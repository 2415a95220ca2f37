"""Processes that serve one port together: forked from a parent that serves nothing, and started again when they end.

The parent binds the port and reads what only its user can; a worker that is killed takes its own connections with it and no others:
the port stays open, and who waits at it is served by the next. One that goes on and says nothing is ended: it may hold what the
others wait for. The parent opens no thread, and hears of signals by waiting for them: no handler runs between two of its steps.
"""

import mmap
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

QUICK: Final = 5.0
"""Seconds. A worker that lives less is started again more and more slowly."""
MAX_PAUSE: Final = 10.0
BEAT: Final = 1.0
"""Seconds between two looks when nothing happens."""
SILENCE: Final = 60.0
"""A worker that said something, and then nothing for so many seconds, hangs."""
LOOK: Final = 2.0
"""Seconds of silence that one look counts at most: if we ourselves did not run meanwhile, it may not have, either."""
_CHILD: Final = {signal.SIGCHLD}
_HEARD: Final = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, *_CHILD}


@dataclass(slots=True, eq=False)
class _Worker:
    """One place for a process. `pid` 0: there is none just now."""

    pid: int = 0
    started: float = 0.0
    failures: int = 0
    start_at: float = 0.0
    said: int = 0
    silent: float | None = None
    """Seconds since it was last heard of; None until it was."""


_heard: list[tuple[mmap.mmap, int]] = []
"""In a worker: where it says that it goes on."""


_told: list[int] = []
"""In a worker: signals that came while nothing served yet."""


def told_to_end() -> bool:
    """Whether a worker was told to end before its server could hear it."""
    return bool(_told)


def go_on() -> None:
    """Said by a worker about each second, from where its work is done. Elsewhere nothing."""
    for memory, place in _heard:
        memory[place] = (memory[place] + 1) % 256


@dataclass
class Workers:
    """`serve` is what each does; it ends its process by returning. `again` gives another `serve` when asked to reload, or None."""

    count: int
    serve: Callable[[], None]
    say: Callable[[str], None]
    again: Callable[[], Callable[[], None] | None]
    patience: float
    """Seconds that a worker may take to end when it is told to."""
    beat: Callable[[], None] = lambda: None
    """Called about each second."""
    silence: float = SILENCE
    _places: list[_Worker] = field(default_factory=list)
    _leaving: dict[int, float] = field(default_factory=dict)
    """Processes that were told to end, and when they are killed."""

    def run(self) -> None:
        """Until SIGTERM or SIGINT."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _HEARD)
        alive, self._alive = os.pipe()  # its end is our end: then a worker ends too
        self._memory, self._looked = mmap.mmap(-1, self.count), time.monotonic()  # shared with every worker
        self._places = [_Worker() for _ in range(self.count)]
        stopping = False
        while self._leaving or not stopping:
            if not stopping:
                for place in self._places:
                    self._start(place, alive)
            self.beat()
            heard = signal.sigtimedwait(_HEARD, self._pause(stopping))
            number = heard.si_signo if heard is not None else 0
            if number in {signal.SIGTERM, signal.SIGINT} and not stopping:
                stopping = True
                self._leave()
            elif number == signal.SIGHUP and not stopping:
                self._reload()
            self._listen()
            self._reap()
        os.close(alive)
        os.close(self._alive)

    def _start(self, place: _Worker, alive: int) -> None:
        if place.pid or time.monotonic() < place.start_at:
            return
        place.started = time.monotonic()
        place.pid = os.fork()
        if not place.pid:
            _heard.append((self._memory, self._places.index(place)))
            self._be(alive)
        place.silent = None

    def _be(self, alive: int) -> None:
        """The worker's whole life."""
        code = 1
        try:
            os.setsid()  # Ctrl-C is for the parent, which tells us
            os.close(self._alive)
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, _ended)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _HEARD)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            threading.Thread(target=_orphaned, args=(alive,), daemon=True).start()
            self.serve()
            code = 0
        except Exception as error:  # noqa: BLE001  # a process ends here, and says why
            self.say(f"A worker cannot go on: {error}")
        finally:
            os._exit(code)  # nothing of the parent's is ended twice

    def _leave(self) -> None:
        """Tell all to end."""
        for place in self._places:
            if place.pid:
                os.kill(place.pid, signal.SIGTERM)
                self._leaving[place.pid] = time.monotonic() + self.patience
                place.pid = 0

    def _reload(self) -> None:
        serve = self.again()
        if serve is not None:
            self.serve = serve
            self._leave()
            self._places = [_Worker() for _ in range(self.count)]

    def _listen(self) -> None:
        """End whoever hangs; it is started again like any that ends."""
        now = time.monotonic()
        passed, self._looked = min(LOOK, now - self._looked), now
        for number, place in enumerate(self._places):
            said = self._memory[number]
            if said != place.said:
                place.said, place.silent = said, 0.0
            elif place.silent is not None and place.pid:
                place.silent += passed
                if place.silent > self.silence:
                    self.say(f"WORKER {place.pid} has said nothing for {self.silence:.0f} s; it is ended.")
                    os.kill(place.pid, signal.SIGKILL)
                    place.silent = None

    def _reap(self) -> None:
        now = time.monotonic()
        for pid, end in self._leaving.items():
            if now > end:
                os.kill(pid, signal.SIGKILL)
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            if self._leaving.pop(pid, None) is None:
                self._ended(pid, os.waitstatus_to_exitcode(status))

    def _ended(self, pid: int, code: int) -> None:
        for place in self._places:
            if place.pid == pid:
                now = time.monotonic()
                quick = now - place.started < QUICK
                place.failures = place.failures + 1 if quick else 0
                pause = min(MAX_PAUSE, 0.1 * 2**place.failures) if quick else 0.0
                place.pid, place.start_at = 0, now + pause
                how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
                self.say(f"WORKER {pid} {how.upper()}; another one is started in {pause:.1f} s.")

    def _pause(self, stopping: bool) -> float:  # noqa: FBT001  # private, and never a literal
        now = time.monotonic()
        ends = list(self._leaving.values())
        if not stopping:
            ends += [place.start_at for place in self._places if not place.pid]
        return max(0.01, min([BEAT, *(end - now for end in ends)]))


def _ended(number: int, _frame: object) -> None:
    """The server stops in order when it is told to, and then raises the signal again, for whoever else waits for it: nobody.

    Before it hears signals itself it looks here (`told_to_end`).
    """
    _told.append(number)


def _orphaned(alive: int) -> None:
    """When nobody is there who would start us again, or tell us to end: end."""
    os.read(alive, 1)
    os.kill(os.getpid(), signal.SIGTERM)
