"""Security labels and the keeper's three categories: what a label makes of a document, and how a category is shown.

The keeper's category decides who may read; the label is how FHIR says it. A relabelling changes the category and not
the sealed metadata, so when a document is shown the label follows the category, never the other way round.

Source of the codes: HL7 v3 Confidentiality and ActCode (information sensitivity). "Stigmatising means R" is IHE PCF's.
"""

import msgspec

from strongroom.fhir.datatypes import CodeableConcept, Coding
from strongroom.fhir.resource import DocumentReference

CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
SENSITIVITY = "http://terminology.hl7.org/CodeSystem/v3-ActCode"

NORMAL = "normal"
SENSITIVE = "sensitive"
CLINICIAN_ONLY = "clinician-only"
CATEGORIES = (NORMAL, SENSITIVE, CLINICIAN_ONLY)
"""The words of the keeper's `authz.facts.Category`."""

TABOO = "TBOO"
"""Not to be disclosed to the patient except by a clinician."""
_RESTRICTED = frozenset({"R", "V"})
_STIGMATISING = frozenset(
    {
        "ADOL",
        "ETH",
        "ETHUD",
        "GDIS",
        "HIV",
        "OPIOIDUD",
        "PHY",
        "PRS",
        "PSY",
        "PSYTHPN",
        "SCA",
        "SDV",
        "SEX",
        "SPI",
        "STD",
        "SUD",
    }
)
_SHOWN = {
    NORMAL: Coding(system=CONFIDENTIALITY, code="N", display="normal"),
    SENSITIVE: Coding(system=CONFIDENTIALITY, code="R", display="restricted"),
    CLINICIAN_ONLY: Coding(system=SENSITIVITY, code=TABOO, display="taboo"),
}


def category_of(document: DocumentReference) -> str:
    """The category that the document's own labels ask for. No label: normal."""
    labels = {(coding.system, coding.code) for label in document.security_label for coding in label.coding}
    if (SENSITIVITY, TABOO) in labels:
        return CLINICIAN_ONLY
    if any(_is_sensitive(system, code) for system, code in labels):
        return SENSITIVE
    return NORMAL


def show_category(document: DocumentReference, category: str) -> DocumentReference:
    """`document` with labels that say `category`; unchanged when they do so already."""
    if category_of(document) == category or category not in _SHOWN:
        return document
    kept = (_without_ours(label) for label in document.security_label)
    labels = (CodeableConcept(coding=(_SHOWN[category],)), *(label for label in kept if label.coding or label.text))
    return msgspec.structs.replace(document, security_label=labels)


def _without_ours(label: CodeableConcept) -> CodeableConcept:
    coding = tuple(c for c in label.coding if c.system != CONFIDENTIALITY and not _decides(c.system, c.code))
    return msgspec.structs.replace(label, coding=coding)


def _decides(system: str | None, code: str | None) -> bool:
    return (system == SENSITIVITY and code == TABOO) or _is_sensitive(system, code)


def _is_sensitive(system: str | None, code: str | None) -> bool:
    return (system == CONFIDENTIALITY and code in _RESTRICTED) or (system == SENSITIVITY and code in _STIGMATISING)
