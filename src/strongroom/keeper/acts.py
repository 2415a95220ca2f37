"""What officers ask of the keeper: signed acts over the officers' socket, one reply each.

An act is canonical JSON (`identity.officers`), signed by one officer or two with their own key files. The socket's
permission bits and the peer's user id come before any signature; every act, agreed or refused, is an entry in the log.
"""

from dataclasses import dataclass

import msgspec

from strongroom.identity.officers import Role


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may do one act: at least `signatures` different officers, each holding one of `roles`."""

    roles: frozenset[Role]
    signatures: int = 1


_ANY = frozenset({Role.OPERATOR, Role.PRIVACY, Role.SECURITY})
_OFFICERS = frozenset({Role.PRIVACY, Role.SECURITY})
_PRIVACY = frozenset({Role.PRIVACY})

RULES: dict[str, Rule] = {
    "agree": Rule(_PRIVACY),
    "clock-advance": Rule(_ANY),
    "decoys": Rule(frozenset({Role.SECURITY, Role.OPERATOR})),
    "destroy": Rule(_OFFICERS, signatures=2),
    "destroy-cancel": Rule(_ANY),
    "destroy-ls": Rule(_ANY),
    "drop-key": Rule(_OFFICERS),
    "freeze": Rule(_ANY),
    "frozen": Rule(_ANY),
    "grant": Rule(_PRIVACY),
    "grant-past": Rule(_PRIVACY, signatures=2),
    "officer-add": Rule(_ANY, signatures=2),
    "officer-dismiss": Rule(_OFFICERS),  # and a second one, as `registering` says
    "officer-ls": Rule(_ANY),
    "people-import": Rule(frozenset({Role.OPERATOR, Role.PRIVACY})),
    "people-status": Rule(_ANY),
    "reencrypt": Rule(_OFFICERS, signatures=2),
    "reencrypt-plan": Rule(_OFFICERS),
    "register-feed": Rule(_OFFICERS),
    "relation-add": Rule(_PRIVACY),
    "relation-end": Rule(_PRIVACY),
    "relation-ls": Rule(_OFFICERS),
    "rerun": Rule(_PRIVACY, signatures=2),
    "revoke-session": Rule(_ANY),
    "rotate-log": Rule(_OFFICERS, signatures=2),
    "rotate-patient": Rule(_OFFICERS),
    "rotate-root": Rule(_OFFICERS, signatures=2),
    "rotate-status": Rule(_ANY),
    "undelete": Rule(_PRIVACY),
    "unfreeze": Rule(_OFFICERS),
    "watch-freeze": Rule(frozenset({Role.WATCH})),
    "who-read": Rule(_OFFICERS),
}
"""Every act there is. An act that is not here is refused."""

OFFICER = "officer:"
"""Begins the name under which an officer stands in the log, where others have their account's id."""

MAX_ATTACHMENT = 64 * 1_048_576
"""Bytes of an organisation's feed: about 100,000 patients."""
MAX_ACT = MAX_ATTACHMENT + 65_536
MAX_ANSWER = 64 * 1_048_576
"""Bytes of one reply to an officer: some 150,000 rows of a list."""


def unseen(self: object) -> str:
    """A message with keys or a ticket in it does not print."""
    return f"{type(self).__name__}(**redacted**)"


class Signature(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One officer's Ed25519 signature over the act's bytes."""

    officer: str
    value: bytes


class Act(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """A signed act, and the bytes it speaks of when they are large (their SHA-256 stands in the act)."""

    body: bytes
    signatures: tuple[Signature, ...]
    attachment: bytes = b""


class Health(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """Unsigned: how the keeper is. Tells sizes and times, never a person."""


class ActDone(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """The act was done, and logged at `receipt`. `result` is JSON, its shape given by the act's name in docs/cli.md."""

    receipt: int | None
    result: bytes = b"{}"


class ActRefused(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """The act was not done. `why` is a sentence, `advice` what to do."""

    why: str
    advice: str = ""


class Take(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """The program that re-encrypts asks for its next version. Answer: `Taken`, or `ActDone` when there is none."""

    __repr__ = unseen

    ticket: str
    """What the act "reencrypt" gave; holds for one run."""


class Move(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """A taken version's new ciphertext is durable and catalogued; or, with `done` false, it could not be made.

    From the answer `ActDone` on the version is read with its new keys. With `ActRefused` it is as it was.
    """

    __repr__ = unseen

    ticket: str
    document: str
    version: int
    done: bool


class Which(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """Which edition of a version is read now? Asked after a crash. Answer: `ActDone` with `edition`, null for none."""

    __repr__ = unseen

    ticket: str
    document: str
    version: int


class Taken(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """A version to be re-encrypted: what it is, the keys it has (`content`, `metadata`), and those it gets."""

    __repr__ = unseen

    patient: str
    document: str
    version: int
    edition: int
    content_type: str
    sealed_size: int
    content: bytes
    metadata: bytes
    new_content: bytes
    new_metadata: bytes


OfficersRequest = Act | Health | Take | Move | Which
ActReply = ActDone | ActRefused
OfficersReply = ActReply | Taken
