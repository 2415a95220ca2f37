"""One entry of the log and its canonical bytes.

The bytes are JSON with sorted keys and no spaces; the leaf hash is taken over exactly these bytes. Fields that hold
their default are left out. How the form may grow: append fields with defaults; a reader of an older form must refuse
unknown fields rather than guess (`v` counts up when a field changes its meaning).

No entry names a person. `actor`, `patient`, `session` and `network` are random pseudonyms that change every month; the
map from pseudonym to person lies beside the tree and can be erased. `details` commits to a text beside the tree:
base64url(SHA-256(salt || text)), erasable too. Erasing breaks no hash.
"""

from enum import Enum, unique

import msgspec

from strongroom.errors import Malformed

MAX_ENTRY = 16_384
"""Bytes. C2SP tlog-tiles allows 65,535; a listing of 200 documents needs about 8,000."""


@unique
class Op(Enum):
    """What an entry records. Alphabetical."""

    ALARM = "alarm"
    DECOY = "decoy"
    DELEGATED = "delegated"
    DELETED = "deleted"
    DELIVERED = "delivered"
    DENIALS = "denials"
    """Collapsed: `count` further denials of one account within the hour."""
    DENIED = "denied"
    DEPOSITED = "deposited"
    ERASED = "erased"
    """A deleted document's keys are gone."""
    FROZEN = "frozen"
    GLASS = "glass"
    GRANTED = "granted"
    HISTORY = "history"
    IMPORTED = "imported"
    KEY = "key"
    LISTED = "listed"
    LOGGED_OUT = "logged-out"
    """A user ended their own session; an officer who ends somebody's is `OFFICER`."""
    OFFICER = "officer"
    OPENED = "opened"
    """A deposit was opened: keys went out to write one version."""
    POLICY = "policy"
    REENCRYPTED = "reencrypted"
    """A version has other keys and other ciphertext; those that went out before open nothing that is kept."""
    REENCRYPTING = "reencrypting"
    """A version's keys, and the ones to follow them, go to the program that re-encrypts. No disclosure to a person."""
    REFUSED = "refused"
    """A budget refused."""
    RELABELLED = "relabelled"
    RELATED = "related"
    RELEASED = "released"
    RESTORED = "restored"
    SHARED = "shared"
    STARTED = "started"
    STEPPED_UP = "stepped-up"
    STOPPED = "stopped"
    UNDELETED = "undeleted"
    UNFROZEN = "unfrozen"
    UNRELATED = "unrelated"
    WITHHELD = "withheld"


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """One recorded event. `t` is milliseconds since the epoch; `bytes` counts bytes; ids as the field's name says."""

    v: int = 1
    t: int
    op: Op
    actor: str | None = None
    patient: str | None = None
    network: str | None = None
    session: str | None = None
    client: str | None = None
    organisation: str | None = None
    document: str | None = None
    """Keyed hash of the document id, changing monthly; recomputed, not mapped."""
    documents: tuple[str, ...] = ()
    """Of a listing: `hash.version` of every document shown."""
    version: int | None = None
    action: str | None = None
    """What was wanted; of a listing, `read` where one document was asked for by its id, and nothing for a record."""
    basis: str | None = None
    """The reason code of the permit."""
    reason: str | None = None
    """The reason code of the denial or refusal."""
    kind: str | None = None
    """The budget's kind of this disclosure."""
    charged: int | None = None
    """Documents charged: 1, or 0 where this version was charged to this session within five minutes."""
    bytes: int | None = None
    complete: bool | None = None
    purpose: str | None = None
    policy: str | None = None
    """First 16 hex digits of the SHA-256 of the published policy text."""
    count: int | None = None
    until: int | None = None
    ref: int | None = None
    """Index of the entry this one refers to: a delivery to its release, a denial count to its first denial."""
    target: str | None = None
    """What a freeze, key or officer act is upon, as `scope:pseudonym-or-name`."""
    details: str | None = None
    rows: str | None = None
    """After this entry: all rows of the keeper's database, added up and hashed under its key (`audit/sqlite_rows.py`)."""


_encoder = msgspec.json.Encoder(order="sorted")
_decoder = msgspec.json.Decoder(Entry)


def encode(entry: Entry) -> bytes:
    """Canonical bytes of `entry`. Raises Malformed when longer than `MAX_ENTRY`."""
    raw = _encoder.encode(entry)
    if len(raw) > MAX_ENTRY:
        msg = f"A log entry of {len(raw)} bytes is longer than {MAX_ENTRY}."
        raise Malformed(msg)
    return raw


def decode(raw: bytes) -> Entry:
    """The entry that `encode` wrote. Raises Malformed for anything else, other spellings of the same JSON included."""
    if len(raw) > MAX_ENTRY:
        msg = f"A log entry of {len(raw)} bytes is longer than {MAX_ENTRY}."
        raise Malformed(msg)
    entry = parse(raw)
    if _encoder.encode(entry) != raw:
        msg = "A log entry is not in canonical form."
        raise Malformed(msg)
    return entry


def parse(raw: bytes) -> Entry:
    """The entry in bytes that come from where only `encode` writes. Raises Malformed when they do not parse.

    Half of `decode`'s price: the spelling is not checked. For lists of many entries, which are only as true as the
    database in any case; whoever verifies decodes.
    """
    try:
        return _decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:  # the latter for an unknown field's name
        msg = "A log entry does not parse."
        raise Malformed(msg) from error
