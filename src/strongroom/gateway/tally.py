"""Counts of different ids, for each scope, name and rule: the windows of `budget`, made when needed, dropped when empty."""

from collections import Counter, OrderedDict
from typing import Final

from strongroom.budget.window import Window
from strongroom.gateway.measures import Place
from strongroom.gateway.rule import Rule

MOST: Final = 2_000_000
"""Windows, some 700 bytes each when small. Only answers of the portal make them, no words of a client: a stranger makes none."""
Key = tuple[Place, str]
"""A place and a rule's name."""


class Tally:
    """See the module. What is under way counts too, until it is settled, so that many at once pass no limit."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._windows: OrderedDict[Key, Window] = OrderedDict()
        self._under_way: dict[Key, Counter[str]] = {}

    def count(self, where: Place, rule: Rule, now: int) -> int:
        """Different ids that were counted."""
        window = self._windows.get((where, rule.name))
        return 0 if window is None else window.look(now)[2]

    def with_this(self, where: Place, rule: Rule, one: str, now: int) -> int:
        """The count if `one` came to what was counted and what is under way."""
        key = where, rule.name
        window = self._windows.get(key)
        known = 0 if window is None else window.look(now)[2]
        waiting = {*self._under_way.get(key, ()), one}
        return known + sum(window is None or not window.knows(other) for other in waiting)

    def begin(self, where: Place, rule: Rule, one: str) -> None:
        """`one` is under way."""
        self._under_way.setdefault((where, rule.name), Counter())[one] += 1

    def settle(self, where: Place, rule: Rule, one: str) -> None:
        """It no longer is."""
        key = where, rule.name
        waiting = self._under_way.get(key)
        if waiting is not None:
            waiting[one] -= 1
            if not waiting[one]:
                del waiting[one]
            if not waiting:
                del self._under_way[key]

    def add(self, where: Place, rule: Rule, one: str, now: int) -> int:
        """Count it. Gives the count."""
        key = where, rule.name
        window = self._windows.get(key)
        if window is None:
            window = self._windows[key] = Window(rule.window, sums=False)
            while len(self._windows) > self._most:
                self._windows.popitem(last=False)
        else:
            self._windows.move_to_end(key)
        window.look(now)
        window.add(now, 1, 0, one)
        return window.look(now)[2]

    def sweep(self, now: int) -> None:
        """Drop what is empty."""
        for key in [key for key, window in self._windows.items() if not window.look(now)[2]]:
            del self._windows[key]
