"""Keys and signatures as people have them at hand: in hex, or in a file."""

import re
from pathlib import Path

from strongroom.errors import UsageError


def octets(given: str, length: int, what: str, *, advice: str) -> bytes:
    """Bytes given in hex, or in a file: in hex, raw, or (keys) in PEM. Raises UsageError."""
    raw = given.encode()
    if Path(given).is_file():
        raw = Path(given).read_bytes()
    if len(raw) == length:
        return raw
    if b"BEGIN PUBLIC KEY" in raw:
        return _of_pem(raw)
    text = raw.strip()
    if re.fullmatch(rb"(?:[0-9a-fA-F]{2})+", text) is None or len(text) != 2 * length:
        msg = f"This is not {what}: {length} bytes are needed, in hex or as they are."
        raise UsageError(msg, advice=advice)
    return bytes.fromhex(text.decode())


def _of_pem(raw: bytes) -> bytes:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(raw)
    except (ValueError, UnsupportedAlgorithm) as error:
        msg = "The file is not a public key in PEM."
        raise UsageError(msg) from error
    if not isinstance(key, Ed25519PublicKey):
        msg = "The key is not an Ed25519 key."
        raise UsageError(msg, advice="openssl genpkey -algorithm ed25519 makes one.")
    return key.public_bytes_raw()
