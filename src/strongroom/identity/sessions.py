"""Sessions that were revoked. Tokens are verified offline and would otherwise live until they expire.

The keeper hands in what its log says and appends before it calls `revoke`; nothing is written here. A revocation lasts
longer than any token of the session, because an issuer may mint further tokens for it from a refresh token.
"""

from collections.abc import Iterable

from strongroom.clock import DAY, Millis
from strongroom.errors import Unavailable
from strongroom.ids import SessionId

KEEP = 90 * DAY
"""Longer than any sign-in session or refresh token that issuers commonly allow (Entra: 90 days)."""
MAX_REVOKED = 1_000_000
"""About 150 MB. A population of a million cannot revoke more in 90 days without an officer noticing."""


class Revoked:
    """The revoked sessions and when they were revoked."""

    def __init__(self, entries: Iterable[tuple[SessionId, Millis]] = (), *, limit: int = MAX_REVOKED) -> None:
        """`entries`: what the log says, in its order."""
        self._at: dict[SessionId, int] = {session: int(at) for session, at in entries}
        self._limit = limit

    def __contains__(self, session: SessionId) -> bool:
        return session in self._at

    def __len__(self) -> int:
        return len(self._at)

    def revoke(self, session: SessionId, now: Millis) -> None:
        """From now on no token of `session` is believed. May be repeated.

        Raises Unavailable when there is no room: what was revoked is not forgotten to make some.
        """
        self._forget(now)
        if len(self._at) >= self._limit and session not in self._at:
            msg = f"{self._limit} sessions are revoked already; no room for one more."
            raise Unavailable(msg, advice="Freeze the account, client or organisation instead of single sessions.")
        self._at.pop(session, None)  # re-inserted at the end: the dict stays ordered by time
        self._at[session] = int(now)

    def _forget(self, now: Millis) -> None:
        while self._at:
            oldest = next(iter(self._at))
            if self._at[oldest] + KEEP >= now:
                return
            del self._at[oldest]
