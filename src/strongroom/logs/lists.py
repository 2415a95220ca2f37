"""Which addresses are lists: the id in them says whose list it is, and of what, and is no document's.

    /patients/4711/documents                    -> /patients/{patient}/documents
    /fhir/DocumentReference?patient=4711        -> /fhir/DocumentReference?patient={patient}
    /documents/List.aspx?folder=4711            -> /documents/List.aspx?folder={int}

A list is what every id in the address is a person's in, and what ends in the name of a collection; or what ends in a word for a
list. What comes after the collection is one of it: /patients/4711/documents/9 is a document. The number stays known, so that
whoever goes through the lists of people is seen to walk, and the route says that it is one.
"""

import re
from typing import Final

PATIENT: Final = "{patient}"
"""What stands in a route for an id that says whose list it is."""

_PEOPLE: Final = frozenset(
    "patient patients person persons people member members client clients resident residents".split()
)
"""Segments behind which, and parameters in which, ids of people stand."""
_PARAMETERS: Final = _PEOPLE | frozenset(
    "patientid patient_id patientuuid patient_uuid patientguid personid person_id memberid member_id subject mrn nhi nhsnumber "
    "nhs_number".split()
)
_COLLECTIONS: Final = frozenset(
    "documents docs letters results files records reports attachments messages notes images scans studies series labs "
    "observations referrals prescriptions medications encounters visits appointments invoices consents immunizations "
    "immunisations allergies conditions diagnoses correspondence uploads items entries "
    # FHIR's resources: a search is of their kind. A Binary is what is read.
    "documentreference documentmanifest composition diagnosticreport observation encounter condition procedure "
    "medicationrequest medicationstatement immunization allergyintolerance imagingstudy media careplan careteam consent "
    "coverage servicerequest communication appointment questionnaireresponse episodeofcare claim explanationofbenefit".split()
)
_LISTS: Final = re.compile(
    r"(?:.{0,200}[^A-Za-z]|(?i:(?:doc|document|file|record|patient|result)s?))?(?i:list|search)|.{0,200}[a-z](?:List|Search)"
)
"""A word for a list by itself, behind what it is of, or as the last word of several; a checklist is none."""
_WORDS: Final = ("list", "search")
_ENDING: Final = re.compile(r"\.(?:json|xml|html?|aspx?|php|jsp|jsf|do|action|cgi)\Z", re.IGNORECASE)
"""Of pages, and of what programs read: a .zip of documents is no list of them."""
_KEYED: Final = re.compile(r"([A-Za-z]{1,40})\(.*", re.DOTALL)


def of_people(segment: str, before: str) -> bool:
    """Whether an id in this segment is a person's: it stands behind a word for people, or is one's key."""
    keyed = _KEYED.fullmatch(segment) if "(" in segment else None
    return (keyed[1] if keyed else before).lower() in _PEOPLE


def names_people(parameter: str) -> bool:
    """Whether a parameter of this name says whose something is."""
    return parameter.partition(":")[0].lower() in _PARAMETERS


def collects(path: str, *, whose: bool) -> bool:
    """Whether the address ends in a list; `whose`: all ids in it are people's."""
    last = path.rstrip("/").rpartition("/")[2]
    last = _ENDING.sub("", last) if "." in last else last
    small = last.lower()
    return (small.endswith(_WORDS) and _LISTS.fullmatch(last) is not None) or (whose and small in _COLLECTIONS)
