"""A document is shown as the keeper knows it, whatever was sealed."""

import msgspec
from fhir.resources.R4B.documentreference import DocumentReference as Oracle

from strongroom.api.view import binary_url, minimal, shown, stored
from strongroom.fhir.datatypes import Attachment, Coding, Meta
from strongroom.fhir.resource import encode
from strongroom.keeper.protocol import Row
from tests.api.conftest import BASE, PATIENT

ROW = Row(
    document="d" * 26, version=3, patient=PATIENT, category="normal", state="available", content_type="application/pdf",
    size=9, updated=1_767_225_600_000, metadata_key=b"",
)  # fmt: skip


def test_what_bytes_alone_say() -> None:
    """A minimal DocumentReference is one that FHIR takes."""
    document = minimal(PATIENT, "application/pdf", 1_767_225_600_000)
    Oracle.model_validate_json(encode(document))
    assert document.date == "2026-01-01T00:00:00.000Z"


def test_the_keepers_words_win() -> None:
    """Id, version, time, patient, type and size."""
    sealed = minimal("x" * 26, "text/plain", 0)
    out = shown(sealed, ROW, BASE)
    attachment = out.content[0].attachment
    assert (out.id, attachment.content_type, attachment.size) == (ROW.document, "application/pdf", 9)
    assert out.meta == Meta(version_id="3", last_updated="2026-01-01T00:00:00.000Z")
    assert out.subject is not None
    assert out.subject.reference == f"Patient/{PATIENT}"


def test_an_older_version_has_its_own_address() -> None:
    """The newest one's would change under it."""
    assert binary_url(ROW, BASE) == f"{BASE}/Binary/{ROW.document}"
    old = msgspec.structs.replace(ROW, newest=False)
    assert binary_url(old, BASE) == f"{BASE}/Binary/{ROW.document}/_history/3"


def test_what_is_sealed_has_nothing_of_the_keepers() -> None:
    """Neither id nor version; a client's own tags stay."""
    document = msgspec.structs.replace(
        minimal(PATIENT, "a/b", 0), id="x", meta=Meta(version_id="1", tag=(Coding(code="t"),))
    )
    kept = stored(document, Attachment(content_type="a/b"))
    assert (kept.id, kept.meta) == (None, Meta(tag=(Coding(code="t"),)))
    assert stored(msgspec.structs.replace(document, meta=Meta(version_id="1")), Attachment()).meta is None
