"""How busy each hour of the last four weeks was: what the module breaker's limit is learned from.

Only CARE teaches. What strangers read is never learned from, so that patience does not raise the limit; a learned limit
can be raised only by clinicians reading within live care relations, whom their own account limits bound.
"""

from collections.abc import Mapping

from strongroom.budget.scope import Kind
from strongroom.clock import DAY, HOUR

FACTOR = 3
DAYS = 28
TEACHES = frozenset({Kind.CARE})
_HOURS_A_DAY = DAY // HOUR


class History:
    """Documents released in each clock hour (UTC, counted from the epoch), as far back as any limit still looks."""

    def __init__(self, hours: Mapping[int, int] | None = None) -> None:
        self._hours = dict(hours or {})
        self._known: tuple[int, int] | None = None  # hour, and its limit

    def add(self, kind: Kind, t: int, documents: int) -> None:
        """Learn from `documents` released at `t`; nothing where `kind` does not teach."""
        if kind not in TEACHES or not documents:
            return
        hour = t // HOUR
        if hour not in self._hours:
            self._hours = self.dump(t)
        self._hours[hour] = self._hours.get(hour, 0) + documents

    def take_back(self, kind: Kind, t: int, documents: int) -> None:
        """The exact inverse of the last `add`; nothing where no limit looks back so far any more."""
        hour = t // HOUR
        if kind not in TEACHES or hour not in self._hours:
            return
        self._known = None
        self._hours[hour] -= documents
        if not self._hours[hour]:
            del self._hours[hour]

    def limit(self, t: int, floor: int) -> int:
        """`FACTOR` times the most of the same hour on the `DAYS` days before `t`, but at least `floor`.

        A window of the last hour touches two clock hours, this one and the one before, so both are looked up: else the
        limit would fall an hour before the window does, every evening when clinics close.
        """
        hour = t // HOUR
        if self._known is None or self._known[0] != hour:
            past = [hour - day * _HOURS_A_DAY for day in range(1, DAYS + 1)]
            self._known = hour, FACTOR * max(self._hours.get(h - back, 0) for h in past for back in (0, 1))
        return max(floor, self._known[1])

    def dump(self, t: int) -> dict[int, int]:
        """Documents by hour, in order, as far back as a limit at `t` or later looks: 674 hours at most."""
        oldest = t // HOUR - DAYS * _HOURS_A_DAY - 1
        return {hour: count for hour, count in sorted(self._hours.items()) if hour >= oldest}
