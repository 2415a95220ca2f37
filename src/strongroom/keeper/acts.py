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


_ANY = frozenset(Role)
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
    "people-import": Rule(frozenset({Role.OPERATOR, Role.PRIVACY})),
    "people-status": Rule(_ANY),
    "register-feed": Rule(_OFFICERS),
    "relation-add": Rule(_PRIVACY),
    "relation-end": Rule(_PRIVACY),
    "relation-ls": Rule(_OFFICERS),
    "rerun": Rule(_PRIVACY, signatures=2),
    "revoke-session": Rule(_ANY),
    "rotate-patient": Rule(_OFFICERS),
    "rotate-root": Rule(_OFFICERS, signatures=2),
    "rotate-status": Rule(_ANY),
    "undelete": Rule(_PRIVACY),
    "unfreeze": Rule(_OFFICERS),
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


OfficersRequest = Act | Health
ActReply = ActDone | ActRefused
