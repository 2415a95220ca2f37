"""One exact sliding window: documents, bytes, openings and distinct patients of the last `length` milliseconds.

Convention: an event at `t` counts at every time `now` with ``t <= now < t + length``. One that is exactly `length` old
is out. There are no buckets: each event leaves by itself, so there is no midnight to wait for.

Kept are one running total for each event, and for each patient the last time they were met; nothing else is needed,
because a patient is in the window exactly as long as the last meeting is. Adding costs O(1); looking costs amortised
O(log people) for what leaves, as undoing does; foretelling, which is rare, costs O(people log people).

Not thread-safe, and not a clock: the caller says what time it is, and never says an earlier time than before.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from enum import IntEnum, unique
from heapq import heappop, heappush, heapreplace

from strongroom.errors import Malformed

Event = tuple[int, int, int]
"""Time; documents and bytes of this event and of all before it. In a snapshot: documents and bytes of this one."""
Meeting = tuple[str, int]
"""A patient, and the last time they were met."""


@unique
class Dimension(IntEnum):
    """What is counted. The value is the place in `Counts`."""

    DOCUMENTS = 0
    BYTES = 1
    PEOPLE = 2
    """Distinct patients."""
    OPENINGS = 3
    """Times the door opened: releases, repeated ones too, and listings."""


SLACK = 64
"""Entries beyond two a patient that undoing may leave behind before they are swept away."""
Counts = tuple[int, int, int, int]
"""Documents, bytes, distinct patients, openings."""


class Window:
    """See the module. `sums=False` counts people alone and keeps one entry a person, however often they are met."""

    __slots__ = ("_events", "_last", "_order", "_out", "_sums", "length")

    def __init__(self, length: int, *, sums: bool = True) -> None:
        """`length` in milliseconds, at least 1."""
        if length < 1:
            raise ValueError("A window needs a length.")
        self.length = length
        self._sums = sums
        self._events: deque[Event] = deque()
        self._out = (0, 0)  # documents and bytes of all events that have left
        self._last: dict[str, int] = {}
        self._order: list[tuple[int, str]] = []  # heap: for each patient an entry at or before their last meeting

    def look(self, now: int) -> Counts:
        """The counts at `now`. What is `length` old leaves."""
        edge = now - self.length
        events = self._events
        while events and events[0][0] <= edge:
            self._out = events.popleft()[1:]
        order = self._order
        while order and order[0][0] <= edge:
            patient = order[0][1]
            last = self._last.get(patient, edge)  # what was undone has left entries behind
            if last > edge:
                heapreplace(order, (last, patient))
            else:
                heappop(order)
                self._last.pop(patient, None)
        documents, size = events[-1][1:] if events else self._out
        return documents - self._out[0], size - self._out[1], len(self._last), len(events)

    def knows(self, patient: str) -> bool:
        """Whether `patient` was met within the window, as of the last look."""
        return patient in self._last

    def add(self, t: int, documents: int, size: int, patient: str) -> int | None:
        """Count an event at `t`. Gives the previous meeting of `patient`, which `pop_last` will want."""
        previous = self._last.get(patient)
        self._last[patient] = t
        if previous is None:
            heappush(self._order, (t, patient))
        if self._sums:
            before = self._events[-1][1:] if self._events else self._out
            self._events.append((t, before[0] + documents, before[1] + size))
        return previous

    def pop_last(self, patient: str, previous: int | None) -> None:
        """Take back the last `add` that was not taken back, with what it gave: as if it had never been."""
        if previous is None:
            self._last.pop(patient, None)
        else:
            self._last[patient] = previous
            heappush(self._order, (previous, patient))  # the entry there is may have been moved on since
        if len(self._order) > 2 * len(self._last) + SLACK:
            self._order = sorted((t, who) for who, t in self._last.items())  # a sorted list is a heap
        if self._events:  # empty where the event has already left by itself
            self._events.pop()

    def until(self, dimension: Dimension, need: int) -> int:
        """When `need` of what was counted at the last look will have left: the first such time. 1 <= need <= count."""
        if dimension is Dimension.PEOPLE:
            return sorted(self._last.values())[need - 1] + self.length
        if dimension is Dimension.OPENINGS:
            return self._events[need - 1][0] + self.length
        column = 1 + dimension
        place = bisect_left(self._events, self._out[dimension] + need, key=lambda event: event[column])
        return self._events[place][0] + self.length

    def dump(self) -> tuple[list[Event], list[Meeting]]:
        """All that is in the window as of the last look, in an order that depends on nothing else."""
        events, before = [], self._out
        for t, documents, size in self._events:
            events.append((t, documents - before[0], size - before[1]))
            before = documents, size
        return events, sorted(self._last.items())

    @classmethod
    def load(cls, length: int, events: Sequence[Event], meetings: Sequence[Meeting], *, sums: bool = True) -> "Window":
        """The window that `dump` wrote. Raises Malformed for what no window can have written."""
        window = cls(length, sums=sums)
        total = (0, 0)
        for t, documents, size in events:
            if documents < 0 or size < 0 or (window._events and t < window._events[-1][0]):
                raise Malformed("A budget window in a snapshot runs backwards.", advice="Replay the log instead.")
            total = total[0] + documents, total[1] + size
            window._events.append((t, *total))
        window._last = dict(meetings)
        window._order = sorted((t, who) for who, t in window._last.items())
        if window._events and not (sums and window._last):
            raise Malformed("A budget window in a snapshot met nobody.", advice="Replay the log instead.")
        return window
