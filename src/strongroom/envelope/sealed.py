"""Documents sealed in chunks: Cobblestone-256 (c2sp.org/chunked-encryption), streamed, with random access.

Form: 24-byte salt, 32-byte commitment to key and context, then chunks of 16 KiB, each with a 16-byte tag; the last chunk is
always shorter than the others (it may be empty), so that an end is an end. Sealing and opening whole streams is done by
`cryptography.cobblestone`; `Ranges` reads parts of a document with the same primitives.

What opens is authenticated chunk by chunk. That nothing is missing at the end is known at the end, which is why the
recorded length of the ciphertext is compared before the first byte is handed out.
"""

import hmac
from dataclasses import dataclass

from cryptography.cobblestone import Cobblestone256Decryptor, Cobblestone256Encryptor
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from strongroom.errors import Tampered
from strongroom.secret import Secret

CHUNK = 16_384
TAG = 16
STEP = CHUNK + TAG
SALT = 24
COMMITMENT = 32
HEADER = SALT + COMMITMENT

_LABEL = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0"
_KEY, _NONCE = 32, 12
_BROKEN = "The ciphertext of a document does not open: altered, cut, moved from its place, or of another key."


def sealed_size(size: int) -> int:
    """Bytes of ciphertext for `size` bytes of plaintext."""
    return HEADER + size + (size // CHUNK + 1) * TAG


class Sealer:
    """Seals one document. Give it plaintext in pieces of any length; then `finish`."""

    def __init__(self, key: Secret, context: bytes) -> None:
        """`context`: `binding.content_context`. `key`: 32 bytes, for this document and version alone."""
        self._encryptor = Cobblestone256Encryptor(key.reveal(), context)
        self.size = 0
        """Bytes of plaintext taken so far."""

    def update(self, plain: bytes | bytearray) -> bytes:
        """Ciphertext that is ready; possibly none yet."""
        self.size += len(plain)
        return self._encryptor.update(plain)

    def finish(self) -> bytes:
        """The last of the ciphertext."""
        return self._encryptor.finalize()


class Opener:
    """Opens one document from its first byte to its last."""

    def __init__(self, key: Secret, context: bytes) -> None:
        self._decryptor = Cobblestone256Decryptor(key.reveal(), context)

    def update(self, cipher: bytes | bytearray) -> bytes:
        """Authenticated plaintext that is ready. Raises Tampered."""
        try:
            return self._decryptor.update(cipher)
        except (InvalidTag, ValueError) as error:
            raise Tampered(_BROKEN) from error

    def finish(self) -> bytes:
        """The last of the plaintext. Raises Tampered when the ciphertext does not end here."""
        try:
            return self._decryptor.finalize()
        except (InvalidTag, ValueError) as error:
            raise Tampered(_BROKEN) from error


def open_whole(key: Secret, context: bytes, cipher: bytearray, size: int) -> bytearray:
    """A document whose ciphertext is the first `size` bytes of `cipher`, in one step and in one piece. Raises Tampered."""
    decryptor, plain = Cobblestone256Decryptor(key.reveal(), context), bytearray(size)
    try:
        with memoryview(cipher) as view:
            end = decryptor.update_into(view[:size], plain)
        plain[end:] = decryptor.finalize()
    except (InvalidTag, ValueError) as error:
        raise Tampered(_BROKEN) from error
    return plain


@dataclass(frozen=True, slots=True)
class Span:
    """The chunks that hold a range, and where their ciphertext lies: from `start` up to but not including `end`."""

    first: int
    last: int
    start: int
    end: int


class Ranges:
    """Random access to one sealed document.

    `total` is the *recorded* length of the ciphertext, not the one the object store reports: a range need not reach the
    last chunk, and the loss of whole chunks would leave the arithmetic consistent.
    """

    def __init__(self, key: Secret, context: bytes, header: bytes, total: int) -> None:
        """`header`: the first `HEADER` bytes. Raises Tampered when it is not of this key and context, or `total` is
        no length that a sealed document can have.
        """
        self._full, last = divmod(total - HEADER, STEP)
        if len(header) != HEADER or total < HEADER + TAG or last < TAG:
            raise Tampered(_BROKEN)
        derived = HKDFExpand(hashes.SHA512(), _KEY + _NONCE + COMMITMENT, _LABEL + header[:SALT] + context)
        okm = derived.derive(key.reveal())
        if not hmac.compare_digest(okm[_KEY + _NONCE :], header[SALT:]):
            raise Tampered(_BROKEN)
        self._aead = AESGCM(okm[:_KEY])
        self._base = int.from_bytes(okm[_KEY : _KEY + _NONCE], "big")
        self._total = total
        self.size = self._full * CHUNK + last - TAG
        """Bytes of plaintext."""

    def span(self, start: int, length: int) -> Span:
        """Which ciphertext holds plaintext `start` to `start + length`. Raises ValueError beyond the document."""
        if start < 0 or length < 1 or start + length > self.size:
            msg = "The range lies beyond the document."
            raise ValueError(msg)
        first, last = start // CHUNK, (start + length - 1) // CHUNK
        return Span(first, last, HEADER + first * STEP, min(HEADER + (last + 1) * STEP, self._total))

    def open(self, start: int, length: int, cipher: bytes) -> bytes:
        """The range, from the ciphertext of its span. Raises Tampered."""
        span = self.span(start, length)
        if len(cipher) != span.end - span.start:
            raise Tampered(_BROKEN)
        view = memoryview(cipher)
        try:
            plain = b"".join(
                self._aead.decrypt(
                    (self._base ^ chunk).to_bytes(_NONCE, "big"),
                    view[(chunk - span.first) * STEP : (chunk - span.first + 1) * STEP],
                    None,
                )
                for chunk in range(span.first, span.last + 1)
            )
        except InvalidTag as error:
            raise Tampered(_BROKEN) from error
        return plain[start - span.first * CHUNK :][:length]
