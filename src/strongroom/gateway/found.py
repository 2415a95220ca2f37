"""What a probe found, as `probe --json` prints it: ids and addresses, never what stood in a document or a list. Pure."""

from dataclasses import asdict, dataclass, field
from typing import Any, Final

READ: Final = "read"
LISTED: Final = "listed"
UNDESCRIBED: Final = "undescribed"
"""A document was given to whom it is not; a list showed it; an address that nobody described serves documents."""


@dataclass(frozen=True, slots=True)
class Way:
    """One request that was answered with what it should not be."""

    how: str
    request: str
    status: int
    evidence: str


@dataclass(frozen=True, slots=True)
class Finding:
    """`reader` was given what is `owner`'s. `route` is empty for an address that is not described."""

    kind: str
    route: str
    owner: str
    reader: str
    documents: tuple[str, ...]
    ways: tuple[Way, ...]


@dataclass(frozen=True, slots=True)
class Tested:
    """What was asked of a route: documents of both accounts, requests of those whose they are not."""

    route: str
    documents: int
    requests: int


@dataclass(frozen=True, slots=True)
class Untested:
    """What was not tested, and why."""

    what: str
    why: str


@dataclass(slots=True)
class Report:
    """Everything. `complete`: the bound on requests was not reached."""

    requests: int = 0
    complete: bool = True
    findings: list[Finding] = field(default_factory=list)
    tested: list[Tested] = field(default_factory=list)
    untested: list[Untested] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The documented shape."""
        return asdict(self)
