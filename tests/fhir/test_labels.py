"""Labels become a category, and a category is always shown as it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.authz.facts import Category
from strongroom.fhir.datatypes import Attachment, CodeableConcept, Coding
from strongroom.fhir.labels import CATEGORIES, CONFIDENTIALITY, SENSITIVITY, category_of, show_category
from strongroom.fhir.resource import Content, DocumentReference


def _labelled(*codes: tuple[str, str]) -> DocumentReference:
    labels = tuple(CodeableConcept(coding=(Coding(system=system, code=code),)) for system, code in codes)
    return DocumentReference(status="current", content=(Content(attachment=Attachment()),), security_label=labels)


@pytest.mark.parametrize(
    ("codes", "category"),
    [
        ((), "normal"),
        (((CONFIDENTIALITY, "N"),), "normal"),
        (((CONFIDENTIALITY, "R"),), "sensitive"),
        (((CONFIDENTIALITY, "V"),), "sensitive"),
        (((SENSITIVITY, "HIV"),), "sensitive"),
        (((SENSITIVITY, "TBOO"), (CONFIDENTIALITY, "R")), "clinician-only"),
        ((("urn:other", "R"),), "normal"),
    ],
)
def test_labels_ask_for_a_category(codes: tuple[tuple[str, str], ...], category: str) -> None:
    """Restricted and stigmatising are sensitive; taboo is for clinicians."""
    assert category_of(_labelled(*codes)) == category


def test_the_words_are_the_keepers() -> None:
    """Two rooms, one vocabulary."""
    assert set(CATEGORIES) == {category.value for category in Category}


_CODES = st.sampled_from(
    [(CONFIDENTIALITY, "N"), (CONFIDENTIALITY, "R"), (SENSITIVITY, "TBOO"), (SENSITIVITY, "HIV"), ("urn:o", "R")]
)


@given(st.lists(_CODES, max_size=4), st.sampled_from(CATEGORIES))
def test_what_is_shown_says_the_category(codes: list[tuple[str, str]], category: str) -> None:
    """After a relabelling too; labels that decide nothing stay."""
    shown = show_category(_labelled(*codes), category)
    assert category_of(shown) == category
    kept = [label for label in shown.security_label if label.coding[0].system == "urn:o"]
    assert len(kept) == codes.count(("urn:o", "R"))


def test_labels_that_agree_are_left_as_they_are() -> None:
    """`V` is not made `R`."""
    document = _labelled((CONFIDENTIALITY, "V"))
    assert show_category(document, "sensitive") is document
