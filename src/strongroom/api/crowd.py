"""How many documents each account is sending at this moment.

A document inside JSON is in memory while it comes, and a slow sender may take its time: without a bound one login could
fill the house with bodies that never end. Others are not counted with it: nobody is kept out by anybody else.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from strongroom.api.respond import stop


class Crowd:
    """Accounts and what they have under way. One an application, on one event loop."""

    def __init__(self, limit: int) -> None:
        """`limit`: uploads of one account at once."""
        self._limit = limit
        self._under_way: Counter[str] = Counter()

    @contextmanager
    def sending(self, account: str) -> Iterator[None]:
        """While one upload lasts. Raises Halt (429) for one too many."""
        if self._under_way[account] >= self._limit:
            text = f"This account is sending {self._limit} documents already. Wait until one is kept."
            raise stop(429, "throttled", text, {"Retry-After": "1", "Connection": "close"})
        self._under_way[account] += 1
        try:
            yield
        finally:
            self._under_way[account] -= 1
            if not self._under_way[account]:
                del self._under_way[account]  # no account is remembered
