"""Asking in vain: distinct ids denied to a login within an hour, and failures before anybody is known.

The same id counts once however often it is asked for: an old bookmark, pressed in anger, is no probe.
"""

from collections import Counter
from typing import Final

from strongroom.budget.rules import Gauge, Scope
from strongroom.budget.window import Dimension
from strongroom.budget.windows import Windows
from strongroom.clock import HOUR, Millis
from strongroom.ids import AccountId

LIMIT: Final = 20
MAX_NETWORKS: Final = 10_000
"""Networks counted by name; failures from further ones are counted together."""
ELSEWHERE: Final = ""
_HOUR_OF_AN_ACCOUNT: Final = Gauge(0, Scope.ACCOUNT, frozenset(), HOUR, (), 1, sums=False)


class Probes:
    """Distinct unknown or forbidden ids by login, in an exact window of an hour.

    Memory: `limit` ids for each login that was denied something within the last two hours.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        """`limit` ids within an hour are one too many."""
        if limit < 1:
            raise ValueError("A probe budget of nothing would freeze whoever mistypes.")
        self._limit = limit
        self._windows = Windows((_HOUR_OF_AN_ACCOUNT,))
        self._now = 0

    def see(self, account: AccountId, named: str, at: Millis) -> bool:
        """`account` was denied `named` at `at`. True: the limit is reached, and the session is to be frozen.

        It stays True for every further denial, whatever the session, until enough ids have left the hour.
        """
        self._now = max(int(at), self._now)
        window = self._windows.open(_HOUR_OF_AN_ACCOUNT, account, self._now)
        used = window.look(self._now)[Dimension.PEOPLE]
        if used < self._limit or window.knows(named):
            window.add(self._now, 0, 0, named)
        return window.look(self._now)[Dimension.PEOPLE] >= self._limit


class Failures:
    """Failed sign-ins and tokens that did not verify, by network and clock hour. Counted, never written one by one."""

    def __init__(self, most: int = MAX_NETWORKS) -> None:
        """At most `most` networks have a count of their own."""
        self._most = most
        self._hour = 0
        self._counts: Counter[str] = Counter()
        self._before = 0

    def see(self, network: str, at: Millis) -> int:
        """One more. Gives how many there were from `network` in this hour."""
        self._turn(at)
        known = network in self._counts or len(self._counts) < self._most
        name = network if known else ELSEWHERE
        self._counts[name] += 1
        return self._counts[name]

    def totals(self, at: Millis) -> tuple[int, int]:
        """All failures of the hour before, and of this one so far."""
        self._turn(at)
        return self._before, self._counts.total()

    def _turn(self, at: Millis) -> None:
        hour = at // HOUR
        if hour > self._hour:
            self._before = self._counts.total() if hour == self._hour + 1 else 0
            self._hour, self._counts = hour, Counter()
