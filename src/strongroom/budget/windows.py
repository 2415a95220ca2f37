"""All windows there are: opened when something is first counted in them, dropped when they have been empty for a while.

Memory: an empty window is dropped at the latest one window length after it became empty, provided that charges (or
`advance`) come by; each charge looks at no more than `SWEEP` windows of a length that are due, so that none waits for a
great cleaning.
"""

from collections import deque
from collections.abc import Sequence
from typing import Final

from strongroom.budget.rules import Gauge
from strongroom.budget.window import Counts, Event, Meeting, Window
from strongroom.errors import Malformed

SWEEP: Final = 8
EMPTY: Final[Counts] = (0, 0, 0, 0)
Dump = tuple[int, str, list[Event], list[Meeting]]
"""Place of the gauge, name within its scope, and what `Window.dump` gives."""
_Place = tuple[int, str]


class Windows:
    """Windows by gauge and by the name of the session, login, organisation ... that they belong to."""

    def __init__(self, gauges: Sequence[Gauge]) -> None:
        self._windows: dict[_Place, Window] = {}
        self._due: dict[int, deque[tuple[int, _Place]]] = {gauge.window: deque() for gauge in gauges}

    def __len__(self) -> int:
        return len(self._windows)

    def get(self, gauge: Gauge, name: str) -> Window | None:
        """The window, if anything was counted in it lately."""
        return self._windows.get((gauge.place, name))

    def open(self, gauge: Gauge, name: str, now: int) -> Window:
        """The window, a new one if need be. Looks whether others of its length can be dropped."""
        self._sweep(gauge.window, now, SWEEP)
        window = self._windows.get((gauge.place, name))
        return window or self._put(gauge, name, now, Window(gauge.window, sums=gauge.sums))

    def drop_empty(self, now: int) -> None:
        """Drop every empty window that is due."""
        for length, due in self._due.items():
            self._sweep(length, now, len(due))

    def dump(self, now: int) -> list[Dump]:
        """What is in every window at `now`, in order; empty ones left out."""
        live = (place for place in sorted(self._windows) if self._windows[place].look(now) != EMPTY)
        return [(*place, *self._windows[place].dump()) for place in live]

    @classmethod
    def load(cls, gauges: Sequence[Gauge], dumps: Sequence[Dump], now: int) -> "Windows":
        """The windows that `dump` wrote at `now`. Raises Malformed for what it cannot have written."""
        windows = cls(gauges)
        for place, name, events, meetings in dumps:
            if not 0 <= place < len(gauges) or (place, name) in windows._windows:
                raise Malformed("A snapshot of the budgets has a window too many.", advice="Replay the log instead.")
            gauge = gauges[place]
            windows._put(gauge, name, now, Window.load(gauge.window, events, meetings, sums=gauge.sums))
        return windows

    def _put(self, gauge: Gauge, name: str, now: int, window: Window) -> Window:
        self._windows[gauge.place, name] = window
        self._due[gauge.window].append((now + gauge.window, (gauge.place, name)))
        return window

    def _sweep(self, length: int, now: int, most: int) -> None:
        due = self._due[length]
        while most and due and due[0][0] <= now:
            most -= 1
            place = due.popleft()[1]
            if self._windows[place].look(now) == EMPTY:
                del self._windows[place]
            else:
                due.append((now + length, place))
