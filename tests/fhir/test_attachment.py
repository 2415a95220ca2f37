"""What is said of the bytes is true, or it is a fault."""

import base64
import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.fhir.attachment import SHA256_URL, Digest, decode_base64, is_mime, read_hash
from strongroom.fhir.datatypes import Attachment


@given(st.binary(max_size=100))
def test_both_forms_of_a_hash_are_one(data: bytes) -> None:
    """Base64 of 20 bytes and base64 of 40 hex digits, in either case."""
    digest = hashlib.sha1(data, usedforsecurity=False)
    forms = (digest.digest(), digest.hexdigest().encode(), digest.hexdigest().upper().encode())
    for form in forms:
        text = base64.b64encode(form).decode()
        assert read_hash(text) == digest.digest()
        assert list(Digest().update(data).faults(Attachment(hash=text, size=len(data)))) == []


@pytest.mark.parametrize("text", ["", "SGVsbG8gdGhlcmU=", "zzz!", base64.b64encode(b"z" * 40).decode()])
def test_what_is_no_sha1_is_none(text: str) -> None:
    """HL7's own example holds base64 of "Hello there"."""
    assert read_hash(text) is None


def test_ihes_own_example_hash_is_read(examples: Path) -> None:
    """The published minimal bundle, as it stands on IHE's main branch."""
    bundle = json.loads((examples / "ihe-mhd/Bundle-ex-minimalProvideDocumentBundleSimple.json").read_text())
    hashes = [
        entry["resource"]["content"][0]["attachment"]["hash"]
        for entry in bundle["entry"]
        if entry["resource"]["resourceType"] == "DocumentReference"
    ]
    assert [read_hash(text) for text in hashes] == [bytes.fromhex("0a4d55a8d778e5022fab701977c5d840bbc486d0")]


def test_a_true_mismatch_is_told() -> None:
    """A wrong size and a wrong hash are two faults at their places."""
    said = Attachment(size=4, hash=base64.b64encode(b"x" * 20).decode())
    faults = list(Digest().update(b"Hello").faults(said))
    assert [fault.expression.rpartition(".")[2] for fault in faults] == ["size", "hash"]


@given(st.lists(st.binary(max_size=20), max_size=5))
def test_what_is_kept_is_true_whatever_was_said(chunks: list[bytes]) -> None:
    """Size and both hashes are of the bytes; data and address are gone; other extensions stay; twice is once."""
    whole = b"".join(chunks)
    digest = Digest()
    for chunk in chunks:
        digest.update(chunk)
    said = Attachment(
        data="AAAA", url="https://example.org", title="t", extension=({"url": "urn:x", "valueString": "y"},)
    )
    kept = digest.describe(digest.describe(said))
    assert (kept.data, kept.url, kept.title, kept.size) == (None, None, "t", len(whole))
    assert kept.hash == base64.b64encode(hashlib.sha1(whole, usedforsecurity=False).digest()).decode()
    assert kept.extension == (
        {"url": "urn:x", "valueString": "y"},
        {"url": SHA256_URL, "valueString": hashlib.sha256(whole).hexdigest()},
    )


@pytest.mark.parametrize("text", ["text/plain", "application/fhir+json", "text/plain; charset=utf-8",
                                  'text/plain;charset="utf 8"', "image/svg+xml", "application/vnd.x-y.z"])  # fmt: skip
def test_media_types(text: str) -> None:
    """With and without parameters."""
    assert is_mime(text)


@pytest.mark.parametrize("text", ["", "zzz", "text/", "/plain", "text/plain;", "text/plain\r\nX: y", "text /plain",
                                  "*/*", "text/plain; a", "te(xt/plain", "text/plain\n",
                                  'text/plain; a="\u2603"', 'text/plain; a="\x7f"', 'text/plain; a="\x85"',
                                  "text/plain; a=" + "b" * 113])  # fmt: skip
def test_what_is_no_media_type(text: str) -> None:
    """Above all, nothing that could end a header, be none, or be longer than the door takes."""
    assert not is_mime(text)


def test_base64_with_white_space() -> None:
    """FHIR allows white space; nothing else."""
    assert decode_base64("SGVs\r\n bG8=") == b"Hello"
    assert decode_base64("SGVsbG8") is None
    assert decode_base64("SGVs-G8=") is None
    assert decode_base64("é") is None
