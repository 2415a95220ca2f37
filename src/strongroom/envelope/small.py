"""Small things sealed whole: AES-256-GCM with a random nonce (NIST SP 800-38D), bound to what they are.

Form: version byte 0x01, 12-byte nonce, ciphertext with 16-byte tag. Random nonces are good for 2^32 seals under one key;
our busiest key wraps a patient's documents.
"""

import secrets
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from strongroom.errors import Malformed, Tampered
from strongroom.secret import Secret

KEY_SIZE = 32
OVERHEAD = 29
"""Bytes that sealing adds."""
MAX_SMALL = 1_048_576
"""Bytes. What is larger is sealed in chunks (`sealed.py`)."""
_FORM = b"\x01"
_NONCE = 12


def new_key() -> Secret:
    """A random 256-bit key."""
    return Secret(secrets.token_bytes(KEY_SIZE))


def seal(key: Secret, plain: bytes, bound: bytes) -> bytes:
    """`plain`, sealed under `key` and bound to `bound` (see `binding`). Raises Malformed when it is not small."""
    if len(plain) > MAX_SMALL:
        msg = f"More than {MAX_SMALL} bytes are not sealed whole."
        raise Malformed(msg)
    nonce = secrets.token_bytes(_NONCE)
    return _FORM + nonce + AESGCM(key.reveal()).encrypt(nonce, plain, bound)


def open_sealed(key: Secret, sealed: bytes, bound: bytes) -> bytes:
    """What `seal` sealed. Raises Malformed for another form, Tampered when key, bytes or binding are not the same."""
    return open_all(key, [(sealed, bound)])[0]


def open_all(key: Secret, rows: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
    """`open_sealed` for many (sealed, bound) under one key, which is set up once: two thirds of what one costs."""
    try:
        cipher = AESGCM(key.reveal())
    except ValueError as error:  # a key that was cut or grew
        raise _closed() from error
    return [_opened(cipher, sealed, bound) for sealed, bound in rows]


def _opened(cipher: AESGCM, sealed: bytes, bound: bytes) -> bytes:
    if len(sealed) < OVERHEAD or len(sealed) > MAX_SMALL + OVERHEAD or sealed[:1] != _FORM:
        msg = "These bytes are not a sealed small thing."
        raise Malformed(msg)
    try:
        return cipher.decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], bound)
    except InvalidTag as error:
        raise _closed() from error


def _closed() -> Tampered:
    return Tampered("A sealed thing does not open: altered, moved from its place, or sealed under another key.")
