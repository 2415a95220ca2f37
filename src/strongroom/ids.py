"""Identifiers: random, opaque, and of different types, so that a login is never taken for a patient.

Every identifier we make is 128 random bits written as 26 lower-case base32 characters. That is a legal FHIR id
(R4 datatypes: ``[A-Za-z0-9\\-\\.]{1,64}``), cannot be counted through, and carries no date.
"""

import re
import secrets
from typing import NewType

from strongroom.errors import Malformed

PatientId = NewType("PatientId", str)
"""A person whose documents are kept. Not a login: one login may reach several patients, or none."""
DocumentId = NewType("DocumentId", str)
"""A document through all its versions; the id of its DocumentReference and of its Binary."""
AccountId = NewType("AccountId", str)
"""A login, known by issuer and subject. The person or program that asks."""
OrganisationId = NewType("OrganisationId", str)
"""A practice, hospital or service provider."""
SessionId = NewType("SessionId", str)
"""SHA-256 (first 26 base32 characters) of issuer and session id of a token: names a session, reveals no token."""

_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = [first + second for first in _LETTERS for second in _LETTERS]
"""Two characters of base32 for each ten bits: `base64.b32encode` takes three times as long."""
_FIVE = bytes(ord(_LETTERS[byte % 32]) for byte in range(256))
_THREE = bytes(ord(_LETTERS[byte % 8 * 4]) for byte in range(256))
"""The last character of 128 bits in base32: its last two bits are none of them."""
_ID = re.compile(r"[a-z2-7]{26}")
_FHIR_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")  # FHIR R4, datatypes.html#id


def new_id() -> str:
    """128 random bits as 26 base32 characters: each of the first 25 is five bits of one random byte, the last is three."""
    raw = secrets.token_bytes(26)
    return (raw[:25].translate(_FIVE) + raw[25:].translate(_THREE)).decode("ascii")


def encode(raw: bytes) -> str:
    """The first 16 bytes of `raw` as an identifier. Deterministic; used to name hashes."""
    number = int.from_bytes(raw[:16]) << 2
    return "".join([_PAIRS[number >> place & 1023] for place in range(120, -1, -10)])


def is_ours(text: str) -> bool:
    """Whether `text` has the form of an identifier made by `new_id`."""
    return _ID.fullmatch(text) is not None


def is_fhir_id(text: str) -> bool:
    """Whether `text` is a legal FHIR id, ours or anybody's."""
    return _FHIR_ID.fullmatch(text) is not None


def parse_id(text: str, what: str) -> str:
    """`text` if it has our form. Raises Malformed; the message does not repeat the input."""
    if not is_ours(text):
        msg = f"This is not a {what} id."
        raise Malformed(msg, advice="Ids are 26 lower-case letters and digits, as the store printed them.")
    return text
