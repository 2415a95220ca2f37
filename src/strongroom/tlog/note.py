"""Signed notes (c2sp.org/signed-note) with Ed25519: text that one or more keys vouch for.

The private key stays where it is: signing takes a callable. Not here: other signature types, which are ignored as the
format demands of keys one does not know.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from strongroom.errors import Malformed, Tampered, UsageError

MAX_NOTE = 1_000_000
"""Bytes, and `MAX_SIGNATURES` lines: the limits of Go's sumdb/note. The format wants at least 16 signatures allowed."""
MAX_SIGNATURES = 100
MAX_NAME = 255
"""Characters of a key name."""
ED25519 = b"\x01"
"""Signature type of the format."""

_VKEY = re.compile(r"([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)")


@dataclass(frozen=True, slots=True)
class Verifier:
    """A named Ed25519 public key (32 bytes)."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        """Raises Malformed for a bad name or key."""
        check_name(self.name)
        if len(self.public) != 32:  # noqa: PLR2004  # RFC 8032, 5.1.5
            msg = "An Ed25519 public key has 32 bytes."
            raise Malformed(msg)

    @property
    def key_id(self) -> bytes:
        """SHA-256(name || 0x0A || type || key), the first 4 bytes. Names a key; proves nothing."""
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    def vkey(self) -> str:
        """name+hex(key id)+base64(type || key): how a key is handed to those who verify."""
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(ED25519 + self.public).decode()}"

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """The inverse of `vkey`. Raises Malformed for other forms, other key types and a wrong key id."""
        match = _VKEY.fullmatch(vkey)
        if match is None:
            raise _bad_vkey()
        raw = unbase64(match[3])
        if raw[:1] != ED25519:
            raise _bad_vkey()
        verifier = cls(match[1], raw[1:])
        if verifier.key_id.hex() != match[2]:
            raise _bad_vkey()
        return verifier

    def verify(self, text: bytes, signature: bytes) -> None:
        """Raises Tampered when this key did not sign `text`."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text)
        except (InvalidSignature, ValueError) as error:
            msg = f"The signature of {self.name} does not hold."
            raise Tampered(msg) from error


@dataclass(frozen=True, slots=True)
class Signer:
    """Somebody who signs: the public half, and a callable that gives the Ed25519 signature (64 bytes) of some bytes."""

    verifier: Verifier
    sign: Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line."""

    name: str
    key_id: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A text and its signatures, nothing of it verified."""

    text: str
    signatures: tuple[Signature, ...]

    def render(self) -> bytes:
        """The note's bytes. Raises Malformed when `parse` would not read them back."""
        lines = [f"— {one.name} {base64.b64encode(one.key_id + one.value).decode()}\n" for one in self.signatures]
        raw = f"{self.text}\n{''.join(lines)}".encode()
        if parse(raw) != self:
            msg = "A note with this text cannot be written."
            raise Malformed(msg)
        return raw


def parse(raw: bytes) -> Note:
    """The inverse of `Note.render`. Raises Malformed for anything the format does not allow."""
    if len(raw) > MAX_NOTE:
        msg = f"A note of {len(raw)} bytes is longer than {MAX_NOTE}."
        raise Malformed(msg)
    try:
        content = raw.decode()
    except UnicodeDecodeError as error:
        msg = "A note is not UTF-8."
        raise Malformed(msg) from error
    if any(character < " " and character != "\n" for character in content):
        msg = "A note contains control characters."
        raise Malformed(msg)
    text, blank, tail = content.rpartition("\n\n")
    lines = tail.split("\n")
    if not blank or lines.pop() != "" or not 1 <= len(lines) <= MAX_SIGNATURES:
        msg = "A note does not end in signatures."
        raise Malformed(msg)
    return Note(text + "\n", tuple(_parse_signature(line) for line in lines))


def sign(text: str, signers: Sequence[Signer]) -> bytes:
    """A signed note, rendered. Raises UsageError without a signer."""
    if not signers:
        msg = "A note needs somebody who signs it."
        raise UsageError(msg)
    raw = text.encode()
    signatures = [Signature(one.verifier.name, one.verifier.key_id, one.sign(raw)) for one in signers]
    return Note(text, tuple(signatures)).render()


def open_note(raw: bytes, verifiers: Sequence[Verifier]) -> tuple[str, tuple[Verifier, ...]]:
    """The text of a note that at least one of `verifiers` signed, and who of them did.

    1. There is a key to verify with.
    2. The note parses.
    3. Signatures by keys we do not know, by name and id, are ignored.
    4. Every signature by a key we know must hold; one that fails spoils the note.
    5. At least one held.

    Raises UsageError (1), Malformed (2), Tampered (4, 5).
    """
    # 1.
    if not verifiers:
        msg = "A note cannot be verified without a key."
        raise UsageError(msg)
    # 2.
    note = parse(raw)
    signed_by = []
    for one in note.signatures:
        for verifier in verifiers:
            # 3.
            if (verifier.name, verifier.key_id) == (one.name, one.key_id):
                # 4.
                verifier.verify(note.text.encode(), one.value)
                signed_by.append(verifier)
    # 5.
    if not signed_by:
        msg = "The note bears no signature of a key we know."
        raise Tampered(msg, advice="Is this the key that belongs to this log?")
    return note.text, tuple(signed_by)


def check_name(name: str) -> None:
    """Raises Malformed unless `name` can name a key: no spaces, no plus, no control characters, not empty."""
    good = 0 < len(name) <= MAX_NAME and not any(one.isspace() or one == "+" or one < " " for one in name)
    if not good:
        msg = "This cannot name a key."
        raise Malformed(msg, advice="Use a host name and path, without spaces or plus signs.")


def unbase64(text: str) -> bytes:
    """Standard base64 in its one canonical spelling (RFC 4648, 4). Raises Malformed."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _bad_base64() from error
    if base64.b64encode(raw).decode() != text:
        raise _bad_base64()
    return raw


def _parse_signature(line: str) -> Signature:
    dash, _, rest = line.partition(" ")
    name, _, value = rest.partition(" ")
    check_name(name)
    raw = unbase64(value)
    if dash != "—" or len(raw) < 5:  # noqa: PLR2004  # 4 bytes of key id, and something signed
        msg = "A signature line of a note does not parse."
        raise Malformed(msg)
    return Signature(name, raw[:4], raw[4:])


def _bad_vkey() -> Malformed:
    return Malformed("This is not an Ed25519 verifier key.", advice="It looks like name+0123abcd+AX...=.")


def _bad_base64() -> Malformed:
    return Malformed("This is not canonical base64.")
