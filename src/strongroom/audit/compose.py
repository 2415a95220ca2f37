"""From a draft, which names people, to the bytes of an entry, which do not.

Called by the log's writer within its transaction, since a first use of a name makes one. Not here: the tree, and what a
draft may say.
"""

import base64
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from strongroom.audit.event import Draft, Target
from strongroom.audit.pseudonym import HIDDEN, Naming, Pseudonyms, month_at
from strongroom.errors import Malformed, Tampered
from strongroom.tlog.entry import MAX_ENTRY, Entry, decode, encode
from strongroom.tlog.tree import leaf_hash

MAX_DETAILS = 4_096
"""Characters. A reason is 1,024 at most; an officer's act names those who signed it."""
MAX_NUMBER = 2**53 - 1
"""The largest whole number that every JSON reader takes exactly (RFC 8259, 6)."""
SALT_BYTES = 16
ROWS = 64
"""Bytes left for what is put into an entry last."""

_HIDDEN_SCOPES = {str(kind): kind for kind in HIDDEN}


class Columns(NamedTuple):
    """What an entry is found by: its time, kind, the numbers of its names, and the entry it refers to."""

    t: int
    op: str
    actor: int | None
    patient: int | None
    session: int | None
    client: int | None
    organisation: int | None
    ref: int | None


class Details(msgspec.Struct, frozen=True, gc=False):
    """A text beside the tree: salt in the clear, text sealed."""

    salt: bytes
    sealed: bytes


class Composed(msgspec.Struct, frozen=True, gc=False):
    """An entry as it is stored."""

    body: bytes
    leaf: bytes
    columns: Columns
    details: Details | None


@dataclass(frozen=True, slots=True)
class Cover:
    """How details are kept unreadable: two callables that undo each other. And the keyed hash of `sqlite_rows`."""

    seal: Callable[[bytes], bytes]
    open: Callable[[bytes], bytes]
    tag: Callable[[bytes], bytes]
    """32 bytes, under another key."""


class Composer:
    """Draft in, stored form out."""

    def __init__(self, names: Pseudonyms, cover: Cover) -> None:
        self._names = names
        self._cover = cover

    def compose(self, draft: Draft) -> Composed:
        """The entry for `draft`. Raises Malformed when it is too long, or a number too large."""
        _check_numbers(draft)
        month = month_at(draft.t)
        actor, actor_name = self._name(Naming.ACCOUNT, draft.actor, month)
        patient, patient_name = self._name(Naming.PATIENT, draft.patient, month)
        session, session_name = self._name(Naming.SESSION, draft.session, month)
        client, _ = self._name(Naming.CLIENT, draft.client, month)
        organisation, _ = self._name(Naming.ORGANISATION, draft.organisation, month)
        commitment, details = self._details(draft.details)
        entry = Entry(
            t=draft.t, op=draft.op, actor=actor_name, patient=patient_name, session=session_name,
            network=self._name(Naming.NETWORK, draft.network, month)[1], client=draft.client,
            organisation=draft.organisation,
            document=None if draft.document is None else self._names.document(draft.document, month),
            documents=tuple(f"{self._names.document(one, month)}.{version}" for one, version in draft.documents),
            version=draft.version, action=draft.action, basis=draft.basis, reason=draft.reason,
            kind=None if draft.kind is None else draft.kind.value, charged=draft.charged, bytes=draft.bytes,
            complete=draft.complete, purpose=draft.purpose, policy=draft.policy, count=draft.count,
            until=draft.until, ref=draft.ref, target=self._target(draft.target, month), details=commitment,
        )  # fmt: skip
        body = encode(entry)
        if len(body) > MAX_ENTRY - ROWS:
            msg = f"A log entry of {len(body)} bytes is too long."
            raise Malformed(msg)
        columns = Columns(draft.t, draft.op.value, actor, patient, session, client, organisation, draft.ref)
        return Composed(body, leaf_hash(body), columns, details)

    @staticmethod
    def amended(composed: Composed, rows: str) -> Composed:
        """The same, saying `rows`; which is known only when the effects are done."""
        body = encode(msgspec.structs.replace(decode(composed.body), rows=rows))
        return msgspec.structs.replace(composed, body=body, leaf=leaf_hash(body))

    def _name(self, kind: Naming, real: str | None, month: str) -> tuple[int | None, str | None]:
        return (None, None) if real is None else self._names.name(kind, real, month)

    def _target(self, target: Target | None, month: str) -> str | None:
        if target is None:
            return None
        kind = _HIDDEN_SCOPES.get(target.scope)
        name = self._names.name(kind, target.name, month)[1] if kind is not None else target.name
        return f"{target.scope}:{name}"

    def _details(self, text: str | None) -> tuple[str | None, Details | None]:
        if text is None:
            return None, None
        if len(text) > MAX_DETAILS:
            msg = f"Details of {len(text)} characters are longer than {MAX_DETAILS}."
            raise Malformed(msg)
        salt = secrets.token_bytes(SALT_BYTES)
        return commit_to(salt, text), Details(salt, self._cover.seal(text.encode()))


def _check_numbers(draft: Draft) -> None:
    optional = (draft.version, draft.charged, draft.bytes, draft.count, draft.until, draft.ref)
    numbers = [draft.t, *(number for number in optional if number is not None)]
    if min(numbers) < 0 or max(numbers) > MAX_NUMBER:
        msg = "A number of an event is negative or too large."
        raise Malformed(msg)


def commit_to(salt: bytes, text: str) -> str:
    """base64url(SHA-256(salt || text)): what an entry says of its details."""
    return base64.urlsafe_b64encode(hashlib.sha256(salt + text.encode()).digest()).rstrip(b"=").decode()


def reveal(details: Details, commitment: str, cover: Cover) -> str:
    """The text that `commitment` speaks of. Raises Tampered when it is another one or cannot be opened."""
    text = cover.open(details.sealed).decode(errors="replace")
    if commit_to(details.salt, text) != commitment:
        msg = "The details of an entry are not those the log commits to."
        raise Tampered(msg)
    return text
