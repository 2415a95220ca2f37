"""Where the courier may connect to: an exact list of hosts and ports, from its own configuration. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from strongroom.errors import Malformed
from strongroom.identity.pipe import Target, parse_line, parse_uri


@dataclass(frozen=True, slots=True)
class Denied:
    """The courier will not connect. `because` names no host: what the keeper wrote is not repeated into a log."""

    because: str


@dataclass(frozen=True, slots=True)
class Allowed:
    """The list. Empty: nowhere."""

    targets: frozenset[Target] = frozenset()

    def judge(self, line: bytes) -> Target | Denied:
        """Where the keeper's line leads, if that is on the list."""
        try:
            target = parse_line(line)
        except Malformed as error:
            return Denied(error.message)
        return target if target in self.targets else Denied("The host is not on the courier's list.")


def allow(uris: Iterable[str]) -> Allowed:
    """The list that covers `uris`, the issuers' `jwks_uri`s. Raises ConfigError for one that is no https address."""
    return Allowed(frozenset(parse_uri(uri)[0] for uri in uris))
