"""The API's bounds and its own name. Every bound has a unit; the numbers are ours unless a source is named."""

from dataclasses import dataclass

from strongroom.envelope.mime import DEFAULT, NEVER, bare
from strongroom.errors import ConfigError
from strongroom.fhir.attachment import is_mime
from strongroom.secret import Secret

MIB = 1_048_576


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator may set. `base` is the API's address as clients write it, ending in `/fhir`."""

    base: str
    page_key: Secret
    """32 bytes: paging tokens are made under it. Processes that share it read each other's."""
    version: str = "0.1.0"
    released: str = "2026-11-01"
    max_document: int = 100 * MIB
    """Bytes of one document."""
    max_inline: int = 10 * MIB
    """Bytes of a document inside JSON, decoded. Larger ones are streamed to Binary."""
    max_metadata: int = 65_536
    """Bytes of a DocumentReference without its data."""
    idle: float = 30.0
    """Seconds that a client may be silent while it sends, or not take what we send."""
    min_rate: int = 1_024
    """Bytes a second that an upload must reach, over its whole length, once `idle` seconds have passed."""
    max_uploads: int = 32
    """Documents that one account may be sending at once."""
    max_rows: int = 5_000
    """Documents of one patient that a search looks through."""
    media_types: frozenset[str] = DEFAULT
    """Types of documents that are accepted, bare and in lower case."""
    probe: str = ""
    """What confirms that `strongroom probe` may look at this server; empty: nothing does."""
    origins: tuple[str, ...] = ()
    """Web origins that may call the API from a browser (CORS). None by default."""

    def __post_init__(self) -> None:
        """Raises ConfigError for an address that no client could use."""
        if not self.base.startswith(("http://", "https://")) or not self.base.endswith("/fhir") or "?" in self.base:
            msg = "The API's base address must be absolute and end in /fhir."
            raise ConfigError(msg, advice="For example https://portal.example/fhir.")
        if len(self.page_key) < 32:  # noqa: PLR2004  # HMAC-SHA-256, RFC 2104 section 3
            msg = "The API's page key is shorter than 32 bytes."
            raise ConfigError(msg)
        if not self.media_types:
            msg = "No media type is accepted."
            raise ConfigError(msg, advice="Name some in api.media_types, or leave it out for the usual ones.")
        for one in sorted(self.media_types):
            if one in NEVER or one != bare(one) or not is_mime(one):
                msg = f"api.media_types: {one!r} cannot be accepted."
                raise ConfigError(msg, advice="Name bare media types, and none that a browser would run.")

    @property
    def origin(self) -> str:
        """`base` without its path."""
        return self.base.removesuffix("/fhir")

    @property
    def max_json(self) -> int:
        """Bytes of a DocumentReference in JSON with its data in base64."""
        return self.max_inline * 4 // 3 + self.max_metadata
