"""An attachment's bytes against what is said of them: base64, mime type, size and SHA-1.

FHIR mandates SHA-1 for `attachment.hash`; it is checked and emitted because FHIR says so, and nothing rests on it. What
integrity rests on is the sealing and, for readers, our own SHA-256 extension.

`hash` is base64 of the digest's 20 bytes. In the wild it is also base64 of its 40 hex digits (IHE's published MHD
examples); both are taken, only the first is given out.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator
from typing import Self

import msgspec

from strongroom.fhir.datatypes import Attachment
from strongroom.fhir.fault import Fault

SHA256_URL = "urn:strongroom:sha256"
"""Extension of Attachment: SHA-256 of the bytes, 64 hex digits, as valueString."""
ATTACHMENT = "DocumentReference.content[0].attachment"

MAX_MIME = 127
"""Characters of a media type with its parameters, as kept with the document (RFC 6838, section 4.2, has 127 for a part)."""

_MIME = re.compile(r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,62}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,62}")
_PARAMETER = re.compile(
    r"""[ \t]*;[ \t]*[A-Za-z0-9!#$&^_.+-]{1,32}=([A-Za-z0-9!#$&^_.+:-]{1,64}|"[ !#-\[\]-~]{0,64}")"""
)
_SPACE = re.compile(r"[ \t\r\n]+")
_SHA1_HEX = re.compile(rb"[0-9a-fA-F]{40}")
_SHA1_BYTES = 20


def is_mime(text: str) -> bool:
    """Whether `text` is a media type, parameters allowed (RFC 6838, section 4.2; RFC 9110, section 8.3.1).

    Printable ASCII and no more: it is given out as a header.
    """
    found = _MIME.match(text)
    if found is None or len(text) > MAX_MIME:
        return False
    rest = text[found.end() :]
    while rest:
        parameter = _PARAMETER.match(rest)
        if parameter is None:
            return False
        rest = rest[parameter.end() :]
    return True


def decode_base64(text: str) -> bytes | None:
    """The bytes of a FHIR base64Binary, in which white space is allowed. None when it is not base64."""
    try:
        return base64.b64decode(_SPACE.sub("", text), validate=True)
    except (binascii.Error, ValueError):
        return None


def read_hash(text: str) -> bytes | None:
    """The 20 bytes of the SHA-1 in `attachment.hash`, in either form. None when it is neither."""
    raw = decode_base64(text)
    if raw is None or len(raw) == _SHA1_BYTES:
        return raw
    return bytes.fromhex(raw.decode()) if _SHA1_HEX.fullmatch(raw) else None


class Digest:
    """Size, SHA-1 and SHA-256 of bytes as they pass."""

    def __init__(self) -> None:
        self.size = 0
        self._sha1 = hashlib.sha1(usedforsecurity=False)
        self._sha256 = hashlib.sha256()

    def update(self, chunk: bytes | bytearray) -> Self:
        """Take in the next bytes."""
        self.size += len(chunk)
        self._sha1.update(chunk)
        self._sha256.update(chunk)
        return self

    def faults(self, said: Attachment) -> Iterator[Fault]:
        """Where what the client said of the bytes is not so."""
        if said.size is not None and said.size != self.size:
            yield Fault("value", "The size is not that of the bytes.", f"{ATTACHMENT}.size")
        if said.hash is not None and read_hash(said.hash) != self._sha1.digest():
            yield Fault("value", "The hash is not the SHA-1 of the bytes.", f"{ATTACHMENT}.hash")

    def describe(self, said: Attachment) -> Attachment:
        """`said` with the true size and hashes, and without the bytes or an address: what is kept as metadata."""
        others = tuple(extension for extension in said.extension if extension.get("url") != SHA256_URL)
        ours = {"url": SHA256_URL, "valueString": self._sha256.hexdigest()}
        return msgspec.structs.replace(
            said,
            data=None,
            url=None,
            size=self.size,
            hash=base64.b64encode(self._sha1.digest()).decode(),
            extension=(*others, ours),
        )
