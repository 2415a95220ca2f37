"""One document charge per session, version and five minutes: what a Range read after the first one is not charged.

The five minutes begin with the charge and are not renewed by reading on; a read exactly five minutes later is charged.
The login is part of the key, so that two logins cannot share a charge by sharing a session's name.
"""

from collections import deque
from collections.abc import Iterable

from strongroom.budget.scope import Disclosure
from strongroom.clock import MINUTE

PERIOD = 5 * MINUTE
Key = tuple[str, str, str, int]
"""Login, session, document, version."""


class Rereads:
    """What was charged within the last `PERIOD`. Memory: one entry for each document charged in that time."""

    def __init__(self, charged: Iterable[tuple[Key, int]] = ()) -> None:
        """`charged` as `dump` gave it."""
        self._charged = dict(charged)
        self._order = deque(self._charged.items())

    def free_until(self, what: Disclosure, now: int) -> int | None:
        """Until when (not included) `what` costs no document because it was charged before; None: it costs one."""
        since = self._charged.get(_key(what))
        return since + PERIOD if since is not None and now < since + PERIOD else None

    def add(self, what: Disclosure, now: int) -> None:
        """`what` was charged a document at `now`. Only for what is not free."""
        while self._order and self._order[0][1] <= now - PERIOD:
            del self._charged[self._order.popleft()[0]]
        self._charged[_key(what)] = now
        self._order.append((_key(what), now))

    def take_back(self, what: Disclosure) -> None:
        """The exact inverse of the last `add`, which was of `what`; nothing where its five minutes are over."""
        if self._charged.pop(_key(what), None) is not None:
            self._order.pop()

    def dump(self, now: int) -> list[tuple[Key, int]]:
        """All that is still free at `now`, oldest first."""
        return [(key, since) for key, since in self._order if now < since + PERIOD]


def _key(what: Disclosure) -> Key:
    return what.scopes.account, what.scopes.session, what.document or "", what.version
