"""Denials told one by one up to a number, and counted after it, so that nobody fills the disk by being refused.

Pure: it says which denials to write singly, and later which counts to write. The first `single` denials of an account
within an hour are entries of their own; the rest of that hour becomes one `Op.DENIALS` entry. What a crash forgets is
the count of one hour at most; who was denied, and when it began, is in the single entries.
"""

from dataclasses import dataclass

from strongroom.clock import HOUR, Millis
from strongroom.ids import AccountId

SINGLE = 20
"""Denials of one account and hour that are written singly."""
MAX_ACCOUNTS = 100_000
"""Accounts watched at once; beyond that the oldest window is closed early."""


@dataclass(frozen=True, slots=True)
class Collapsed:
    """`count` denials of `account`, after those written singly; `first` is the index of the first of the hour."""

    account: AccountId
    count: int
    first: int | None


@dataclass(slots=True)
class _Window:
    until: int
    seen: int = 0
    first: int | None = None


class DenialCollapser:
    """One window of an hour for each account that was denied something, from its first denial on."""

    def __init__(self, single: int = SINGLE, window: int = HOUR, most: int = MAX_ACCOUNTS) -> None:
        """`single` denials are written one by one in each `window` (milliseconds); at most `most` accounts are kept."""
        self._single = single
        self._window = window
        self._most = most
        self._windows: dict[AccountId, _Window] = {}  # ordered by beginning, so the oldest comes first
        self._closed: list[Collapsed] = []

    def see(self, account: AccountId, at: Millis) -> bool:
        """Whether this denial is to be written as an entry of its own. If not, it is counted."""
        window = self._windows.get(account)
        if window is None or at >= window.until:
            self._close(account)
            if len(self._windows) >= self._most:
                self._close(next(iter(self._windows)))
            window = self._windows[account] = _Window(at + self._window)
        window.seen += 1
        return window.seen <= self._single

    def written(self, account: AccountId, index: int) -> None:
        """The denial just seen has this index in the log; the first of a window is remembered."""
        window = self._windows.get(account)
        if window is not None and window.first is None:
            window.first = index

    def due(self, now: Millis) -> tuple[Collapsed, ...]:
        """The counts of all windows that are over, each given once."""
        while self._windows:
            account, window = next(iter(self._windows.items()))
            if window.until > now:
                break
            self._close(account)
        return self._take()

    def flush(self) -> tuple[Collapsed, ...]:
        """All counts, also of windows that are not over. To be written before an orderly stop."""
        for account in list(self._windows):
            self._close(account)
        return self._take()

    def _close(self, account: AccountId) -> None:
        window = self._windows.pop(account, None)
        if window is not None and window.seen > self._single:
            self._closed.append(Collapsed(account, window.seen - self._single, window.first))

    def _take(self) -> tuple[Collapsed, ...]:
        closed, self._closed = tuple(self._closed), []
        return closed
