"""Pinned issuers: whose tokens are believed, under which conditions, and with which keys today.

An issuer is pinned by the configuration: address, audience, algorithms, what counts as a second factor. Its keys come
from a file, or over TLS through the courier's pipe (`fetch`), so that the courier can delay keys but not forge them.

* A key set replaces the one before; a key that is no longer in it holds for an overlap, for tokens under way.
* A key that was dropped by an officer never holds again, whatever a key set says.
* Keys that could not be refreshed for `stale` no longer hold: cutting the pipe must not keep a withdrawn key alive.
* An unknown key id makes the issuer *wanted*; it is asked at most once in 30 s, however many unknown ids are shown.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from strongroom.clock import DAY, HOUR, SECOND, Millis
from strongroom.errors import ConfigError
from strongroom.identity.jwk import ALGORITHMS, PublicKey, parse_jwks

OVERLAP = 1 * HOUR
"""Milliseconds. Longer than the 15 minutes a token may live, shorter than a shift."""
REFRESH = 1 * HOUR
COOLDOWN = 30 * SECOND
"""Between two attempts at one issuer. Common in other verifiers; made-up key ids must not become a flood."""
STALE = 7 * DAY
"""A long weekend without the issuer is survived; a courier that starves the keeper is not obeyed for ever."""
MAX_OLD = 64
"""Withdrawn keys kept for their overlap, per issuer."""


@dataclass(frozen=True, slots=True)
class Pin:
    """The conditions under which an issuer's tokens are believed."""

    url: str
    """Equal to the `iss` claim, character by character."""
    audience: str
    algorithms: frozenset[str]
    mfa_amr: frozenset[str] = frozenset({"mfa", "otp", "hwk", "sc", "fpt", "face"})
    """RFC 8176 values any of which says that a second factor was shown."""
    mfa_acr: frozenset[str] = frozenset()
    bound_clients: frozenset[str] = frozenset()
    """Clients whose tokens must be bound to a key."""
    jwks_uri: str = ""
    """Where the courier's pipe leads; empty: keys come from a file and do not go stale."""
    overlap: int = OVERLAP
    stale: int = STALE

    def __post_init__(self) -> None:
        """Raises ConfigError for a pin that could believe nothing, or anything."""
        if not self.url or not self.audience or not self.algorithms or not self.algorithms <= ALGORITHMS:
            msg = f"Issuer {self.url or '(no url)'}: url, audience and algorithms are needed."
            raise ConfigError(msg, advice=f"Algorithms are some of {', '.join(sorted(ALGORITHMS))}.")


class Issuer:
    """One pinned issuer and its keys."""

    def __init__(self, pin: Pin, dropped: Iterable[str] = ()) -> None:
        """`dropped`: thumbprints of keys that officers dropped, as the keeper remembers them."""
        self.pin = pin
        self.fetched: Millis | None = None
        """When a key set was last taken."""
        self.failure = ""
        """Why the last attempt failed; empty when it did not. For `doctor`."""
        self._current: dict[str, PublicKey] = {}
        self._old: dict[str, tuple[PublicKey, int]] = {}
        self._dropped = set(dropped)
        self._unknown_seen = False
        self.last_tried = -COOLDOWN
        """When the last attempt began."""

    def offer(self, jwks: bytes, now: Millis) -> None:
        """Take `jwks` as the issuer's key set. Raises Malformed for one without a usable key; then nothing changes."""
        keys = {key.kid: key for key in parse_jwks(jwks)}
        gone = {kid: (key, now + self.pin.overlap) for kid, key in self._current.items() if kid not in keys}
        self._old = dict(list({**self._old, **gone}.items())[-MAX_OLD:])
        self._current = keys
        self.fetched, self.failure, self._unknown_seen = now, "", False

    def key(self, kid: str, now: Millis) -> PublicKey | None:
        """The key that holds for `kid` now. For an unknown one: None, and the issuer becomes wanted."""
        old, until = self._old.get(kid, (None, 0))
        key = self._current.get(kid) or (old if until >= now else None)
        if key is None:
            self._unknown_seen = True
            return None
        return key if key.thumbprint not in self._dropped and not self._is_stale(now) else None

    def drop(self, kid: str) -> str | None:
        """End the key `kid` for good, without overlap. Its thumbprint, for the log; None when there is no such key."""
        old, _ = self._old.get(kid, (None, 0))
        key = self._current.get(kid) or old
        if key is None:
            return None
        self._dropped.add(key.thumbprint)
        return key.thumbprint

    def wanted(self, now: Millis) -> bool:
        """Whether the key set should be fetched now."""
        if not self.pin.jwks_uri or now - self.last_tried < COOLDOWN:
            return False
        return self._unknown_seen or self.fetched is None or now - self.fetched >= REFRESH

    def tried(self, now: Millis) -> None:
        """An attempt begins. The next one is not before `COOLDOWN`."""
        self.last_tried = int(now)
        self.failure = "No answer yet."

    def _is_stale(self, now: Millis) -> bool:
        return bool(self.pin.jwks_uri) and (self.fetched is None or now - self.fetched > self.pin.stale)


class Issuers:
    """All pinned issuers. None pinned, nobody believed."""

    def __init__(self, issuers: Iterable[Issuer]) -> None:
        """Raises ConfigError when there is none, or two have the same address."""
        listed = tuple(issuers)
        self._by_url = {issuer.pin.url: issuer for issuer in listed}
        if not listed or len(self._by_url) != len(listed):
            msg = "No issuer is pinned, or one is pinned twice."
            raise ConfigError(msg, advice="Enable the built-in sign-in or add [[issuer]] sections.")

    def get(self, url: str) -> Issuer | None:
        """The issuer whose tokens say `iss` = `url`."""
        return self._by_url.get(url)

    def wanted(self, now: Millis) -> Issuer | None:
        """An issuer whose key set should be fetched now, the longest untried first."""
        waiting = [issuer for issuer in self._by_url.values() if issuer.wanted(now)]
        return min(waiting, key=lambda issuer: issuer.last_tried, default=None)

    def __iter__(self) -> Iterator[Issuer]:
        return iter(self._by_url.values())
