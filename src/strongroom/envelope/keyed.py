"""HMAC-SHA256 (RFC 2104) under one key, of many short things.

The key is taken in once. `cryptography`'s, because a copy of the standard library's costs more than two hashes do, and
`hmac.digest` gives up the interpreter's lock, for which the log's writer would wait at each entry.
"""

from collections.abc import Callable

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC


def keyed_hash(key: bytes) -> Callable[[bytes], bytes]:
    """Any bytes to 32 bytes."""
    begun = HMAC(key, SHA256())

    def hashed(data: bytes) -> bytes:
        one = begun.copy()
        one.update(data)
        return one.finalize()

    return hashed
