"""What became of one request."""

from dataclasses import dataclass

from strongroom.gateway.modsecurity import Hit
from strongroom.gateway.ports import Asked


@dataclass(slots=True)
class Event:
    """What became of one request. Names and hashes; no address of a document, no name of a person."""

    request: str
    at: int
    method: str = ""
    network: str = ""
    asked: Asked | None = None
    status: int = 0
    """What the client was told; 0: it went before."""
    portal: int = 0
    """What the portal said; 0: it was not asked, or did not answer."""
    size: int = 0
    rule: str = ""
    """What refused it; or, in learning mode, would have."""
    refused: bool = False
    hits: tuple[Hit, ...] = ()
    """Rules of the WAF that matched."""
    seen: str = ""
    """How much of the body the WAF looked at (`flow.Seen`); empty: it did not look."""
    also: tuple[Asked, ...] = ()
    """What `asked` is, of each further document that it names."""
