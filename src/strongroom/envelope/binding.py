"""What a ciphertext is bound to, as unambiguous bytes.

Every part is length-prefixed, so that no two different lists of parts give the same bytes; the first part says what kind
of thing is sealed, so that a key wrap is never taken for a document.
"""

VERSION = "strongroom/v1"


def bind(purpose: str, *parts: str) -> bytes:
    """The bytes for `purpose` and `parts`: 4-byte big-endian length and UTF-8 of each. Injective."""
    raws = [text.encode() for text in (VERSION, purpose, *parts)]
    return b"".join([len(raw).to_bytes(4, "big") + raw for raw in raws])


def content_context(patient: str, document: str, version: int, content_type: str) -> bytes:
    """The context of a document's bytes: swapped, replayed or mistyped bytes do not open."""
    return bind("content", document, patient, content_type, str(version))


def metadata_context(patient: str, document: str, version: int) -> bytes:
    """The associated data of a version's metadata."""
    return bind("metadata", document, patient, str(version))
