"""The columns that every format is brought to, and what a unit is that could not be.

Names are those of OCSF 1.8 where it has one (`src_endpoint.ip`), so that rules and exports speak one language. Ours are
`principal`, `principal.kind`, `store`, `route`, `document`, `number`, `patient`, `act` and `meaning`.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Literal

Type = Literal["BIGINT", "INTEGER", "UBIGINT", "VARCHAR"]

COLUMNS: Final[dict[str, Type]] = {
    "record.source": "INTEGER",  # which file, by its place in the list of this hunt
    "record.offset": "BIGINT",  # of the unit's first byte, in the decompressed stream
    "record.length": "INTEGER",  # bytes
    "time": "BIGINT",  # milliseconds since 1970 UTC
    "end_time": "BIGINT",  # of a flow: its last packet, or the end of what the record counts
    "metadata.log_name": "VARCHAR",  # a Log
    "metadata.uid": "VARCHAR",  # the source's own id of the event: the same id twice is one event delivered twice
    "status_id": "INTEGER",  # OCSF: 1 success, 2 failure
    "act": "VARCHAR",  # an Act
    "principal": "VARCHAR",  # who: a login, role session or key, or, where nothing better is logged, an address
    "principal.kind": "VARCHAR",  # a Kind
    "actor.user.name": "VARCHAR",
    "actor.user.type": "VARCHAR",
    "actor.session.uid": "VARCHAR",
    "src_endpoint.ip": "VARCHAR",
    "src_endpoint.port": "INTEGER",
    "src_endpoint.location.country": "VARCHAR",  # ISO 3166-1 alpha-2, where the operator gives files of places
    "src_endpoint.autonomous_system.number": "BIGINT",
    "dst_endpoint.ip": "VARCHAR",
    "dst_endpoint.port": "INTEGER",
    "connection_info.protocol_num": "INTEGER",  # IANA's: 6 TCP, 17 UDP
    "connection_info.direction_id": "INTEGER",  # OCSF, where the source tells: 1 inbound, 2 outbound, 3 lateral
    "action_id": "INTEGER",  # OCSF, of flows and guards: 1 allowed, 2 denied
    "firewall_rule.uid": "VARCHAR",  # which rule of a guard spoke
    "http_request.http_method": "VARCHAR",
    "http_request.url.path": "VARCHAR",
    "http_request.url.query_string": "VARCHAR",
    "http_request.user_agent": "VARCHAR",
    "http_request.referrer": "VARCHAR",
    "http_request.x_forwarded_for": "VARCHAR",  # for whom a proxy says that it asks; its beginning is the client's own word
    "http_response.code": "INTEGER",
    "traffic.bytes_out": "BIGINT",  # towards the client; of a flow: from src_endpoint to dst_endpoint, as in OCSF
    "traffic.bytes_in": "BIGINT",  # of a flow: from dst_endpoint to src_endpoint; null where a record counts one way only
    "traffic.packets_out": "BIGINT",
    "traffic.packets_in": "BIGINT",
    "api.operation": "VARCHAR",
    "api.service.name": "VARCHAR",
    "api.response.error": "VARCHAR",
    "cloud.account.uid": "VARCHAR",  # whose account the event happened in
    "store": "VARCHAR",  # bucket or container
    "route": "VARCHAR",  # the address with its ids taken out: /documents/{int}
    "document": "VARCHAR",  # what was asked for, one name a document
    "number": "BIGINT",  # of the document's id, where ids of this kind have an order
    "patient": "VARCHAR",  # where the address or the operator's mapping tells it
    "meaning": "VARCHAR",  # what a change of settings means, words joined by blanks (aws_meaning)
    "raw_data": "VARCHAR",  # the whole record, of JSON formats whose rules name its fields
}
"""Column -> type."""


class Log(StrEnum):
    """What kind of log an event is from: Sigma's log sources are matched to these."""

    WEB = "web"
    S3 = "s3-access"
    CLOUDTRAIL = "cloudtrail"
    TABLE = "table"
    NETWORK = "network"
    NETWORK_FILE = "network-file"
    WAF = "waf"
    AZURE_STORAGE = "azure-storage"
    AZURE = "azure"
    GCP = "gcp"
    M365 = "m365"
    FHIR = "fhir"
    OCSF = "ocsf"
    STRONGROOM = "strongroom"
    NEXTCLOUD = "nextcloud"


class Act(StrEnum):
    """What was done, whatever the source calls it."""

    READ = "read"
    LIST = "list"
    WRITE = "write"
    DELETE = "delete"
    OTHER = "other"


class Kind(StrEnum):
    """What a principal is. An address may be many people (a clinic, a mobile network)."""

    LOGIN = "login"
    ROLE = "role"
    KEY = "key"
    FOREIGN = "foreign"
    ANONYMOUS = "anonymous"
    ADDRESS = "address"
    SERVICE = "service"


Row = tuple[Any, ...]
"""One event's values, in the order of its format's `fields`."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a unit is no event. The reason is one of ours and never a piece of the log."""

    reason: str


Read = Row | list[Row | Unreadable] | Unreadable
"""What a unit is: an event; a list of them, of which some may be unreadable, empty for what belongs to the format and is no event
(a heading); or a reason.
"""

NOT_THIS_FORMAT = Unreadable("not written in this format")
TOO_LONG = Unreadable("longer than the limit")
NO_TIME = Unreadable("a time that is none")
BEYOND_64_BITS = Unreadable("a number beyond 64 bits")
NO_JSON = Unreadable("JSON that does not parse")
CUT_OFF = Unreadable("the file ends in its middle")

NOT_THIS_LOG = Unreadable("of a kind of log that is not read")
LEFT_OUT = Unreadable("the source says that it left records out here")

INT64_MAX: Final = 2**63 - 1


def text(raw: bytes) -> str:
    """`raw` as text; bytes that are no UTF-8 become visible (\\xff) instead of being lost or refused."""
    return raw.decode("utf-8", "backslashreplace")
