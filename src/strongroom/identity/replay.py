"""What was used once and must not be used again: proofs and nonces, remembered for as long as they would be fresh.

Bounded twice: an owner who fills their own share is refused alone; the total bound is the last resort. Failure is
closed: what cannot be remembered is refused. The memory does not outlive the process; a caller for whom that matters
refuses what was made before the process started (`officers` does).
"""

import hashlib
from collections import Counter, deque

from strongroom.clock import Millis


class Replay:
    """A memory of the last `window` milliseconds."""

    def __init__(self, window: int, *, per_owner: int = 20_000, total: int = 400_000) -> None:
        """`window` must cover the whole time for which a remembered thing would pass the freshness check."""
        self._window = window
        self._per_owner = per_owner
        self._total = total
        self._seen: dict[bytes, str] = {}
        self._owned: Counter[str] = Counter()
        self._ends: deque[tuple[int, bytes, str]] = deque()

    def first_use(self, owner: str, name: str, now: Millis, *, occasion: str = "") -> bool:
        """Whether `name` is new for `owner`; from now on it is not, except on the very `occasion` it was used on.

        False as well when there is no room to remember.
        """
        self._forget(now)
        mark = hashlib.sha256(f"{owner}\n{name}".encode()).digest()[:16]
        if mark in self._seen:
            return bool(occasion) and self._seen[mark] == occasion
        if self._owned[owner] >= self._per_owner or len(self._seen) >= self._total:
            return False
        self._seen[mark] = occasion
        self._owned[owner] += 1
        self._ends.append((now + self._window, mark, owner))
        return True

    def __len__(self) -> int:
        return len(self._seen)

    def _forget(self, now: Millis) -> None:
        while self._ends and self._ends[0][0] < now:
            _, mark, owner = self._ends.popleft()
            del self._seen[mark]
            self._owned[owner] -= 1
            if not self._owned[owner]:
                del self._owned[owner]
