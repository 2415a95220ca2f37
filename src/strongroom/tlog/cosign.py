"""Cosignatures of witnesses (c2sp.org/tlog-cosignature, type cosignature/v1), and the request that asks for one
(c2sp.org/tlog-witness). Pure: who keeps what was seen stands in `audit/witness.py`.

A cosignature says: at this time, the largest tree I have seen of this log has this root, and it extends all I saw before.
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from strongroom.errors import CheckFailed, Malformed, Tampered
from strongroom.tlog import note
from strongroom.tlog.tree import HASH_SIZE, MAX_SIZE

COSIGNATURE = b"\x04"
"""Signature type of the format."""
MAX_PROOF_LINES = 63
MAX_REQUEST = note.MAX_NOTE + 4_096
"""Bytes of a request."""
_VKEY = re.compile(r"([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)")
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")


@dataclass(frozen=True, slots=True)
class Cosigner:
    """A named Ed25519 public key (32 bytes) of a witness. Its signed message does not name it: one key, one witness."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        """Raises Malformed for a bad name or key."""
        note.Verifier(self.name, self.public)

    @property
    def key_id(self) -> bytes:
        """As a log's, under the type of a cosignature: a key cannot pass for the other kind."""
        return hashlib.sha256(self.name.encode() + b"\n" + COSIGNATURE + self.public).digest()[:4]

    def vkey(self) -> str:
        """name+hex(key id)+base64(type || key)."""
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(COSIGNATURE + self.public).decode()}"

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """The inverse of `vkey`. Raises Malformed."""
        match = _VKEY.fullmatch(vkey)
        raw = note.unbase64(match[3]) if match else b""
        if match is None or raw[:1] != COSIGNATURE:
            raise _bad_vkey()
        cosigner = cls(match[1], raw[1:])
        if cosigner.key_id.hex() != match[2]:
            raise _bad_vkey()
        return cosigner

    def verify(self, text: str, signature: bytes) -> int:
        """When it was signed, in seconds since 1970. Raises Tampered when this witness did not cosign `text`."""
        time = int.from_bytes(signature[:8], "big")
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature[8:], cosigned_message(text, time))
        except (InvalidSignature, ValueError) as error:
            msg = f"The cosignature of {self.name} does not hold."
            raise Tampered(msg) from error
        return time


def cosigned_message(text: str, time: int) -> bytes:
    """What is signed. `text`: of the checkpoint, its last newline included; `time`: seconds since 1970."""
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def cosign(text: str, signer: note.Signer, time: int) -> note.Signature:
    """The signature line of a witness. `signer` names it and holds its key; its type is told by the key id."""
    cosigner = Cosigner(signer.verifier.name, signer.verifier.public)
    return note.Signature(
        cosigner.name, cosigner.key_id, time.to_bytes(8, "big") + signer.sign(cosigned_message(text, time))
    )


def cosignatures(parsed: note.Note, witnesses: Sequence[Cosigner]) -> dict[Cosigner, note.Signature]:
    """The cosignatures that a checkpoint bears of these witnesses. Raises Tampered where one of theirs does not hold."""
    found = {}
    for one in parsed.signatures:
        for witness in witnesses:
            if (witness.name, witness.key_id) == (one.name, one.key_id):
                witness.verify(parsed.text, one.value)
                found[witness] = one
    return found


def check_quorum(raw: bytes, witnesses: Sequence[Cosigner], quorum: int) -> tuple[str, ...]:
    """The names of the witnesses that cosigned a checkpoint. Raises CheckFailed when they are fewer than `quorum`."""
    names = tuple(sorted(one.name for one in cosignatures(note.parse(raw), witnesses)))
    if len(names) < quorum:
        msg = f"The checkpoint must be cosigned by {quorum} of the witnesses, and is by {', '.join(names) or 'none'}."
        raise CheckFailed(msg)
    return names


@dataclass(frozen=True, slots=True)
class Submission:
    """A request to cosign `checkpoint` (a signed note, verbatim): `proof` shows that it extends the tree of size `old`."""

    old: int
    proof: tuple[bytes, ...]
    checkpoint: bytes

    def render(self) -> bytes:
        """The body of the request."""
        lines = [f"old {self.old}", *(base64.b64encode(one).decode() for one in self.proof)]
        return "\n".join((*lines, "", "")).encode() + self.checkpoint

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """The inverse of `render`. Raises Malformed. The checkpoint is parsed as a note, not verified."""
        head, blank, checkpoint = raw.partition(b"\n\n")
        if len(raw) > MAX_REQUEST or not blank or not head.isascii():
            raise _bad_request()
        first, *lines = head.decode().split("\n")
        old = _OLD.fullmatch(first)
        if old is None or len(lines) > MAX_PROOF_LINES or int(old[1]) > MAX_SIZE:
            raise _bad_request()
        proof = tuple(note.unbase64(line) for line in lines)
        if any(len(one) != HASH_SIZE for one in proof):
            raise _bad_request()
        note.parse(checkpoint)
        return cls(int(old[1]), proof, checkpoint)


def _bad_vkey() -> Malformed:
    return Malformed("This is not the public key of a witness.", advice="It reads name+id+base64, of the type 4.")


def _bad_request() -> Malformed:
    return Malformed("This is not a request to cosign.")
