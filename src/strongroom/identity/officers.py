"""Officers' acts: who signed them, with which roles, and that they are of now and of this store.

Until there are passkeys an officer signs each act with an Ed25519 key file. An act is canonical JSON: operation,
arguments, the store's name, a nonce and the time. Which act needs which roles, and how many officers, is the keeper's
table. An officer who was dismissed stays in the list, without a role: nobody gets that name or key again, since the
log tells of acts by names.
"""

import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import InitVar, dataclass, field, replace
from enum import Enum, unique
from typing import Annotated

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from strongroom.clock import MINUTE, Millis
from strongroom.errors import ConfigError, Conflict, Malformed, UsageError
from strongroom.identity.refusal import Refusal, login
from strongroom.identity.replay import Replay
from strongroom.identity.signing import SigningKey
from strongroom.identity.strict import read_as, read_object

MAX_ACT = 65_536
"""Bytes. An act names things; what is large travels beside it under its SHA-256."""
MAX_SIGNATURES = 4
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
"""An officer's name: that of the key file, without `.key`."""
MAX_OFFICERS = 1_000
"""Those who were dismissed included."""
LIFETIME = 15 * MINUTE
"""From signing to arrival: time for a second officer to look at the act and sign it too."""
_PREFIX = b"strongroom officer's act v1\n"
_MADE_HERE = object()
_ALWAYS = Millis(0)


@unique
class Role(Enum):
    """Officers' roles, and that of a watch, which is no person and may ask for one thing. Alphabetical."""

    OPERATOR = "operator"
    PRIVACY = "privacy-officer"
    SECURITY = "security-officer"
    WATCH = "watch"


@dataclass(frozen=True, slots=True)
class Officer:
    """A registered officer. `key` is the raw Ed25519 public key, 32 bytes; the roles hold from `since` on."""

    name: str
    key: bytes
    roles: frozenset[Role]
    since: Millis = _ALWAYS

    def at(self, now: Millis) -> "Officer":
        """As which they sign now: without a role while they wait for theirs."""
        return self if self.since <= now else replace(self, roles=frozenset())


class _Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One officer in a list of them; the key in hex."""

    name: str
    key: Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]
    roles: tuple[Role, ...]
    since: int = 0


class _Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The signed form. It may grow by fields with defaults that are left out while they hold them."""

    op: Annotated[str, msgspec.Meta(pattern=r"\A[a-z][a-z-]{0,39}\Z")]
    args: dict[str, object]
    store: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    nonce: Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{32}\Z")]
    t: int


@dataclass(frozen=True, slots=True)
class Signed:
    """An act whose every signature held, fresh, and seen for the first time. Only `Officers.verify` makes one."""

    op: str
    args: Mapping[str, object]
    at: Millis
    by: tuple[Officer, ...] = field(repr=False)
    made_by: InitVar[object]

    def __post_init__(self, made_by: object) -> None:
        """Refuses an act that was made up."""
        if made_by is not _MADE_HERE:
            msg = "An officer's act is made by verifying signatures."
            raise TypeError(msg)

    def has(self, roles: frozenset[Role], officers: int = 1) -> bool:
        """Whether at least `officers` different officers, each holding one of `roles`, signed. No roles: no."""
        return sum(1 for officer in self.by if not officer.roles.isdisjoint(roles)) >= max(officers, 1)


def check_name(name: str) -> None:
    """Raises UsageError for what is no officer's name."""
    if NAME.fullmatch(name) is None:
        raise UsageError("An officer's name is of at most 40 small letters, digits, dots, dashes and underscores.")


def write_officers(officers: Iterable[Officer]) -> bytes:
    """A list of officers as JSON: `[{"name", "key" (hex), "roles", "since" (ms)}]`."""
    entries = [
        _Entry(name=one.name, key=one.key.hex(), roles=tuple(sorted(one.roles, key=_name)), since=one.since)
        for one in officers
    ]
    return msgspec.json.format(msgspec.json.encode(entries))


def read_officers(written: bytes) -> tuple[Officer, ...]:
    """What `write_officers` wrote. Raises Malformed."""
    try:
        entries = msgspec.json.decode(written, type=list[_Entry])
    except msgspec.MsgspecError as error:
        msg = f"That is no list of officers: {error}"
        raise Malformed(msg) from error
    return tuple(Officer(one.name, bytes.fromhex(one.key), frozenset(one.roles), Millis(one.since)) for one in entries)


def compose_act(store: str, op: str, args: Mapping[str, object], now: Millis) -> bytes:
    """The bytes to sign; a second officer signs the same bytes. Raises Malformed for what could not be verified."""
    body = _encode({"op": op, "args": dict(args), "store": store, "nonce": secrets.token_hex(16), "t": int(now)})
    read_as(read_object(body, MAX_ACT), _Body)
    return body


def sign_act(key: SigningKey, body: bytes) -> bytes:
    """An officer's signature over `body`."""
    return key.sign(_PREFIX + body)


class Officers:
    """The registered officers of one store."""

    def __init__(self, store: str, registered: Iterable[Officer], started: Millis) -> None:
        """`started`: acts made before are refused, for the memory of used ones does not outlive the process.

        Raises ConfigError when two officers share a name or a key: then two signatures would not be two people's.
        """
        listed = tuple(registered)
        self._store = store
        self._by_name = {officer.name: officer for officer in listed}
        self._started = started
        self._used = Replay(LIFETIME)
        if len(self._by_name) != len(listed) or len({officer.key for officer in listed}) != len(listed):
            msg = "Two officers are registered with one name or one key."
            raise ConfigError(msg, advice="Every officer has a key file of their own.")

    def listed(self) -> tuple[Officer, ...]:
        """All, those who were dismissed included, in the order in which they came."""
        return tuple(self._by_name.values())

    def check_new(self, officer: Officer) -> None:
        """Raises Conflict where the name or the key is, or was, another's, or where there are too many."""
        if officer.name in self._by_name or officer.key in {one.key for one in self._by_name.values()}:
            msg = "An officer is, or was, registered with this name or this key."
            raise Conflict(msg, advice="Every officer has a name and a key file of their own, for good.")
        if len(self._by_name) >= MAX_OFFICERS:
            msg = f"No more than {MAX_OFFICERS} officers can be registered."
            raise Conflict(msg)

    def put(self, officer: Officer) -> None:
        """From now on there is this officer, with these roles."""
        self._by_name[officer.name] = officer

    def verify(self, body: bytes, signatures: Iterable[tuple[str, bytes]], now: Millis) -> Signed | Refusal:
        """The act in `body`, or why not. `signatures`: officer's name and signature. One that fails, fails all.

        Never raises for anything in `body` and `signatures`.
        """
        try:
            claims = read_object(body, MAX_ACT)
            act = read_as(claims, _Body)
        except Malformed as error:
            return login(f"The act is malformed: {error.message}")
        if _encode(claims) != body or act.store != self._store:
            return login("The act is not in canonical form, or is for another store.")
        by = tuple(officer.at(now) for officer in self._signers(body, tuple(signatures)))
        if not by:
            return login("The act is not signed by registered officers, each once.")
        # None from the future: done now, and again after a restart that lies before its time, it would be done twice.
        if not max(now - LIFETIME, self._started) <= act.t <= now:
            because = (
                "The act is older than 15 minutes or than the keeper's start, or its clock is ahead; sign it again."
            )
            return Refusal("expired", because)
        if not self._used.first_use("officers", act.nonce, now):
            return login("The act was done before.")
        return Signed(act.op, act.args, Millis(act.t), by, _MADE_HERE)

    def _signers(self, body: bytes, signatures: tuple[tuple[str, bytes], ...]) -> tuple[Officer, ...]:
        """The officers who signed; empty unless every signature holds and no officer signed twice."""
        names = [name for name, _ in signatures]
        if not 1 <= len(names) <= MAX_SIGNATURES or len(set(names)) != len(names):
            return ()
        by = tuple(self._by_name[name] for name in names if name in self._by_name)
        holds = len(by) == len(names) and all(
            _holds(officer.key, body, value) for officer, (_, value) in zip(by, signatures, strict=True)
        )
        return by if holds else ()


def _holds(key: bytes, body: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, _PREFIX + body)
    except (InvalidSignature, ValueError):
        return False
    return True


def _name(role: Role) -> str:
    return role.value


def _encode(body: Mapping[str, object]) -> bytes:
    return msgspec.json.encode(body, order="sorted")
