"""What is said over the keeper's sockets: one request, one reply, as MessagePack in a length-prefixed frame.

Frame: 4 bytes big-endian length, then that many bytes of MessagePack: ``[id, body]``, where `id` is chosen by the client
and repeated in the reply, so that many requests may be under way on one connection. Requests and replies are tagged
unions of the structs below; unknown fields and unknown tags are refused. Bounds: a request at most `MAX_REQUEST`
bytes, a reply at most `MAX_REPLY`.

How the form may grow: new structs take a new tag; fields are appended with defaults.
"""

from typing import Annotated

import msgspec

MAX_REQUEST = 65_536
"""Bytes. The largest honest request is a token (8 KiB at most) with a DPoP proof and a signed context."""
MAX_REPLY = 1_048_576
"""Bytes. A listing of `MAX_ROWS` rows is about 60 KB."""
MAX_ROWS = 200
MAX_WORDS = 200
"""Of one `Deliveries`."""

Text = Annotated[str, msgspec.Meta(max_length=1_024)]
Id = Annotated[str, msgspec.Meta(max_length=64)]
Number = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
"""That every JSON reader takes exactly (RFC 8259, section 6)."""
Token = Annotated[str, msgspec.Meta(max_length=8_192)]


class _Base(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    pass


def _unseen(self: object) -> str:
    """A message with keys or tokens in it does not print, wherever it ends up."""
    return f"{type(self).__name__}(**redacted**)"


class Asking(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who asks, in their own signed words; the app's opinion is not among them."""

    __repr__ = _unseen

    token: Token
    """The user's own access token, a JWT in compact form."""
    context: Token
    """Signed by the gateway, or the local signer until there is one: address, device, time, token hash."""
    proof: Token = ""
    """DPoP proof (RFC 9449) when the token is bound to a key."""
    purpose: Annotated[str, msgspec.Meta(max_length=16)] = ""
    """FHIR PurposeOfUse code; empty means the default of the asker's kind."""


# ---- requests of the apps -------------------------------------------------------------------------------------------


class WhoAmI(_Base, frozen=True, kw_only=True):
    """Which patients this login may name without being told: its own, and those delegated to it. Answer: `Known`."""

    asking: Asking


class Release(_Base, frozen=True, kw_only=True):
    """The key of one version of one document. Answer: `Released` or `Refused`."""

    asking: Asking
    document: Id
    version: int | None = None
    """None: the newest available."""
    start: int = 0
    length: int | None = None
    """Range of the plaintext that will be delivered, for the charge of bytes. None: to the end."""


class List(_Base, frozen=True, kw_only=True):
    """Metadata keys of a patient's documents, or of one document. Answer: `Listed` or `Refused`.

    Exactly one of `patient` and `document` is given. An unknown or foreign patient yields `Listed` without rows; an
    unknown or foreign document yields `Refused("absent")`.
    """

    asking: Asking
    patient: Id | None = None
    document: Id | None = None
    version: int | None = None
    after: Id | None = None
    """Paging: rows with document ids greater than this one."""
    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_ROWS)] = MAX_ROWS


class Deposit(_Base, frozen=True, kw_only=True):
    """Keys to write one new version. With `document`: it supersedes. Answer: `Opened` or `Refused`."""

    asking: Asking
    patient: Id
    category: Annotated[str, msgspec.Meta(max_length=16)]
    content_type: Annotated[str, msgspec.Meta(max_length=127)]
    document: Id | None = None
    expected: int | None = None
    """With `document`: the version the caller saw last; another one is `Refused("conflict")`."""


class Deposited(_Base, frozen=True, kw_only=True):
    """The bytes of an opened version are durable in the object store. Answer: `Done` or `Refused`.

    Sent by the app that opened it; repeatable. Until then the version cannot be read by anybody.
    """

    ticket: Id
    size: int
    """Bytes of plaintext."""
    sealed_size: int
    """Bytes of ciphertext, header included."""


class Delivered(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The app's word on how much of a release reached the client. Never removes a person from a list."""

    receipt: Number
    bytes: Number
    complete: bool


class Deliveries(_Base, frozen=True, kw_only=True):
    """Words on some releases, told together. Answer: `Done`."""

    words: Annotated[tuple[Delivered, ...], msgspec.Meta(max_length=MAX_WORDS)]


class Delete(_Base, frozen=True, kw_only=True):
    """Tombstone a document; its keys live on for the delay. Answer: `Done` or `Refused`."""

    asking: Asking
    document: Id


class Relabel(_Base, frozen=True, kw_only=True):
    """Change a document's category. Answer: `Done` or `Refused`."""

    asking: Asking
    document: Id
    category: Annotated[str, msgspec.Meta(max_length=16)]


class Withhold(_Base, frozen=True, kw_only=True):
    """The patient withholds a category (or, with empty `category`, the record) from a clinician or an organisation.

    `lift` ends it. `rule_out_glass` sets whether break-glass may open what this withholds. A party that does not exist is
    `Refused("malformed")`: nobody is to believe something withheld that is not. Answer: `Done` or `Refused`.
    """

    asking: Asking
    patient: Id
    party: Id
    """AccountId or OrganisationId; empty: everybody."""
    category: Annotated[str, msgspec.Meta(max_length=16)] = ""
    rule_out_glass: bool = False
    lift: bool = False


class Share(_Base, frozen=True, kw_only=True):
    """The patient shares the record with a clinician or an organisation until a time, or ends it (`until` = 0).

    Answer: `Done` or `Refused`; a party that does not exist is `malformed`.
    """

    asking: Asking
    patient: Id
    party: Id
    until: int


class Delegate(_Base, frozen=True, kw_only=True):
    """The patient lets another login act for them until a time, or ends it (`until` = 0).

    Answer: `Done` or `Refused`; a login that is no person's is `malformed`.
    """

    asking: Asking
    patient: Id
    account: Id
    full: bool
    until: int


class BreakGlass(_Base, frozen=True, kw_only=True):
    """Open one patient's record in an emergency. Answer: `Glass` or `Refused`."""

    asking: Asking
    patient: Id
    reason: Text


class History(_Base, frozen=True, kw_only=True):
    """Accesses to one patient's record, newest first. Answer: `Accesses` or `Refused`."""

    asking: Asking
    patient: Id
    before: int | None = None
    """Paging: entries with a smaller index than this one."""
    since: int | None = None
    """Milliseconds; entries at or after."""
    until: int | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_ROWS)] = 50


class StepUp(_Base, frozen=True, kw_only=True):
    """The user has shown their second factor since their account was frozen: lift the budget's freeze of it.

    Answer: `Done` or `Refused`.
    """

    asking: Asking


class Logout(_Base, frozen=True, kw_only=True):
    """The user ends the session that this token is of: from now on no token of it is believed. Answer: `Done`/`Refused`.

    Whoever may ask anything may ask this: no second factor is needed, and no freeze stands against it.
    """

    asking: Asking


class Ping(_Base, frozen=True, kw_only=True):
    """Is the door open? Answer: `Status`."""


# ---- replies --------------------------------------------------------------------------------------------------------


class Refused(_Base, frozen=True, kw_only=True):
    """No. `why` is all that a client may be told.

    absent (unknown and forbidden alike) · login (token missing or not acceptable) · expired · mfa (second factor needed)
    · step-up (fresh second factor needed) · frozen · spent (budget; `retry` in seconds) · scope · conflict ·
    malformed · reason (break-glass needs one) · second-person · unavailable (fail closed; try again)
    """

    why: Text
    advice: Text = ""
    retry: int | None = None


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One version of one document that the asker may know of."""

    __repr__ = _unseen

    document: Id
    version: int
    patient: Id
    category: str
    state: str
    content_type: str
    size: int
    updated: int
    metadata_key: bytes
    newest: bool = True
    edition: int = 0
    """Which encryption of the version the key belongs to; the catalogue knows where it lies."""


class Known(_Base, frozen=True, kw_only=True):
    """Answer to `WhoAmI`. `kind` is person, clinician or service."""

    account: Id
    kind: str
    own: tuple[Id, ...] = ()
    delegated: tuple[Id, ...] = ()
    mfa: bool = False


class Released(_Base, frozen=True, kw_only=True):
    """The key, and all that is needed to open and check the ciphertext."""

    __repr__ = _unseen

    receipt: int
    """Index of the log entry."""
    document: Id
    version: int
    patient: Id
    content_type: str
    size: int
    sealed_size: int
    updated: int
    key: bytes
    edition: int = 0
    """As in `Row`."""


class Listed(_Base, frozen=True, kw_only=True):
    """Rows, ordered by document id. `more` tells whether a further page exists. `receipt` is None when nothing was."""

    receipt: int | None
    rows: tuple[Row, ...]
    more: bool = False


class Opened(_Base, frozen=True, kw_only=True):
    """Keys to write `version` of `document`."""

    __repr__ = _unseen

    ticket: Id
    document: Id
    version: int
    patient: Id
    key: bytes
    metadata_key: bytes


class Done(_Base, frozen=True, kw_only=True):
    """It is durable."""

    receipt: int | None = None


class Glass(_Base, frozen=True, kw_only=True):
    """Break-glass is open until `until` (milliseconds)."""

    receipt: int
    until: int


class Access(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One access to the record, in the words a patient may read."""

    index: int
    at: int
    op: str
    actor_name: str
    actor_kind: str
    organisation_name: str
    own: bool
    """By the patient's own login."""
    documents: tuple[Id, ...]
    basis: str
    reason: str
    purpose: str
    bytes: int | None = None
    complete: bool | None = None
    one: bool = False
    """A listing of one document that was asked for by its id, and not of the record."""


class Accesses(_Base, frozen=True, kw_only=True):
    """Answer to `History`."""

    rows: tuple[Access, ...]
    more: bool = False


class Status(_Base, frozen=True, kw_only=True):
    """Answer to `Ping`."""

    open: bool
    log_size: int
    advice: Text = ""


AppRequest = (
    WhoAmI
    | Release
    | List
    | Deposit
    | Deposited
    | Deliveries
    | Delete
    | Relabel
    | Withhold
    | Share
    | Delegate
    | BreakGlass
    | History
    | StepUp
    | Logout
    | Ping
)
Reply = Refused | Known | Released | Listed | Opened | Done | Glass | Accesses | Status
