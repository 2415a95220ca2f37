"""How often signing in may fail, in bounded memory. Pure; time is handed in.

Three counters: of a login from one network, of a login from anywhere, of everybody. The last two refuse only attempts
from a network that the login has not been signed in from before: failures that a stranger produces elsewhere must not
lock the owner out. An attempt counts when it begins and is forgiven when it succeeds, so that guesses made at once
all count.
"""

from collections import OrderedDict, deque
from dataclasses import dataclass
from threading import Lock

from strongroom.clock import HOUR, MINUTE, SECOND, Millis


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` failures within `window` milliseconds."""

    count: int
    window: int


PAIR = Limit(5, 15 * MINUTE)
LOGIN = Limit(20, 1 * HOUR)
"""480 guesses a day from unknown networks: of a six-digit code alone one would be right in six years, and a guess needs
the password as well."""
EVERYBODY = Limit(300, 10 * MINUTE)
MAX_KEYS = 50_000
"""Counters kept, about 20 MB. Beyond, the longest unused is forgotten; `EVERYBODY` never is."""

_Key = tuple[str, str]


class Throttle:
    """The failures of late. Safe to use from several threads."""

    def __init__(self, *, max_keys: int = MAX_KEYS) -> None:
        self._failures: OrderedDict[_Key, deque[int]] = OrderedDict()
        self._everybody: deque[int] = deque()
        self._max_keys = max_keys
        self._lock = Lock()

    def begin(self, login: str, network: str, now: Millis, *, known: bool) -> int:
        """0: go on, and this attempt counts as failed until `forgive`. Else: seconds to wait, and nothing counts.

        `known`: whether `login` was signed in from `network` before.
        """
        with self._lock:
            counters = self._counters(login, network, known=known)
            waits = [_wait(failures, limit, now) for failures, limit in counters]
            if max(waits) == 0:
                for failures, _ in counters:
                    failures.append(int(now))
            return max(waits)

    def forgive(self, login: str, network: str, now: Millis, *, known: bool) -> None:
        """The attempt that began at `now` succeeded: it never counted, and this login's failures from here are over."""
        with self._lock:
            for failures, _ in self._counters(login, network, known=known):
                if int(now) in failures:
                    failures.remove(int(now))
            self._failures.pop((login, network), None)

    def _counters(self, login: str, network: str, *, known: bool) -> list[tuple[deque[int], Limit]]:
        here = (self._of((login, network)), PAIR)
        return [here] if known else [here, (self._of((login, "")), LOGIN), (self._everybody, EVERYBODY)]

    def _of(self, key: _Key) -> deque[int]:
        failures = self._failures.setdefault(key, deque())
        self._failures.move_to_end(key)
        if len(self._failures) > self._max_keys:
            self._failures.popitem(last=False)
        return failures


def _wait(failures: deque[int], limit: Limit, now: Millis) -> int:
    """Seconds until `limit` allows one more; forgets what is past."""
    while failures and failures[0] <= now - limit.window:
        failures.popleft()
    if len(failures) < limit.count:
        return 0
    return max(1, -(-(failures[0] + limit.window - now) // SECOND))
