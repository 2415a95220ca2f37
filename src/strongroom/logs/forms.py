"""What ids look like, and where the digits of their numbers stand.

    4711                        {int}                number 4711
    5f0c…-….pdf, {5f0c…-…}      {uuid}.pdf, {uuid}   no number: these ids have no order
    ZAA0083                     {code}               number: the id read to the base 36
    5f3a0011                    {hex}                number: the id read to the base 16
    2025-001234, 110034_200x200 2025-{int}, {int}_{size}
    DOK-2024-00017              DOK-2024-{int}
    jR4kWq9X, doc_1a2B3c4D      {token}              by how often letters and digits change
    1.2.840.113619.2.55         {oid}                as DICOM names studies
    documents(4711)             documents({int})     as OData writes it, in (guid'5f0c…') and (ID='A-4711') too
    Patient/123, urn:uuid:…     Patient/{int}, …     as values of parameters are written

What is digit and what is not decides, and not which digit, but for a year's four. Dates and names of pages are no ids.
"""

import functools
import re
from typing import Final

from strongroom.logs.record import INT64_MAX

_UUID: Final = re.compile(r"(?P<open>\{)?[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?(open)\})")
_HEX: Final = re.compile(r"(?=[0-9a-fA-F]*[0-9])(?=[0-9]*[a-fA-F])[0-9a-fA-F]{8,128}")
_TOKEN: Final = re.compile(r"(?=[A-Za-z]*[0-9])[A-Za-z0-9]{20,512}")
_CODE: Final = re.compile(r"[A-Z]{1,4}[0-9]{2,8}[A-Z0-9]{0,3}")
_PREFIXED: Final = re.compile(r"([A-Za-z][A-Za-z_-]{0,23}?)([0-9]{3,19})")
_OPAQUE: Final = re.compile(r"(?=.*[0-9]|.*[a-z].*[A-Z]|.*[A-Z].*[a-z])[A-Za-z0-9+=_~.!-]{6,512}")
_INT: Final = re.compile(r"[0-9]{1,40}")
_SUFFIX: Final = re.compile(r"(.+?)((?:\.[A-Za-z][A-Za-z0-9]{0,4}){1,2})")
_OID: Final = re.compile(r"[0-9]{1,40}(?:\.[0-9]{1,40}){4,31}")
"""An address has four numbers, a version hardly more."""
_DATE: Final = re.compile(r"[0-9]{4}[-_][0-9]{1,2}(?:[-_][0-9]{1,2})?|[0-9]{1,2}[-_][0-9]{1,2}[-_][0-9]{4}")
_GROUPS: Final = re.compile(r"(?:[0-9]{1,19}[-_,~:@]){1,4}[0-9]{1,19}")
_LED: Final = re.compile(r"([A-Za-z0-9_-]{1,40}[-_])([0-9]{5,19})")
"""A name, then a number that is too long for a year."""
_FOLLOWED: Final = re.compile(r"([0-9]{5,19})([-_.@])([A-Za-z0-9][A-Za-z0-9_-]{0,80})")
_MEASURES: Final = re.compile(r"[0-9]{1,5}x[0-9]{1,5}")
_CALLED: Final = re.compile(
    r"([A-Za-z][A-Za-z0-9_.]{0,60}\((?:[A-Za-z][A-Za-z0-9_]{0,60}=)?(?:(?:guid|binary|X)?')?)([^()']{1,128})('?\))"
)
"""A thing by its key, as OData writes it, in all its versions."""
_KINDED: Final = re.compile(r"((?:[A-Za-z][A-Za-z_.-]{0,30}[:|]|eq\.){1,3})([^:|]{1,128})")
_MIXED: Final = re.compile(r"[A-Za-z0-9_~!-]{6,512}={0,2}(?:--[0-9a-f]{40,128})?")
_PIECES: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_PICTURES: Final = frozenset(".png .gif .webp .avif .jpg .jpeg .mp3 .mp4 .webm".split())
_PAPERS: Final = re.compile(
    r"[^/\x00-\x1f]{1,250}\.(?:pdf|docx?|rtf|tiff?|jpe?g|png|dcm|zip|xlsx?|csv|hl7|p7m|eml|msg)", re.IGNORECASE
)

IDENTIFIERS: Final = frozenset(
    "id doc docid doc_id docuid docguid document documentid document_id documentguid file fileid file_id filename file_name "
    "fileguid attachment attachmentid attachment_id record recordid record_id report reportid report_id letter letterid scan "
    "f fn scanid image imageid uuid guid oid uid study studyuid seriesuid objectuid accession item itemid blob object objectid "
    "patient patientid patient_id mrn nhi subject".split()
)
"""Parameters that name a document, or whose it is, in whatever form: all that is no word counts as an id."""

YEARS: Final = range(1900, 2101)
YEAR: Final = 4
"""Digits of a year."""
NO_ID: Final = ("", 0, 0, 0)
_ORDERED: Final = 15
"""Digits to the base 16 of an id that may be a number. Longer ones are made by chance."""
_PARTS: Final = 16
"""Of a path that is a parameter's value, which are looked at."""
_SHORT: Final = 3
"""Digits of a number that is one of years, pages or parts."""
_LONGEST: Final = 512
"""Characters of an id. Signed ones, which hold what they are, have some two hundred."""
_LONG: Final = 8
"""Characters of a token whose letters are all large or all small."""

Formed = tuple[str, int, int, int]


@functools.lru_cache(maxsize=65_536)
def shape(segment: str) -> tuple[str, int | None]:
    """The form of an id, as {int}, {uuid} …, and its number if it has one; ("", None) for what is no id."""
    form, start, end, base = formed(segment)
    return form, bounded(int(segment[start:end], base)) if end else None


def formed(segment: str) -> Formed:
    """(form, start, end, base): where the digits of its number stand, and to what base; an end of 0 where it has none.

    Where the form has digits in it that are the id's own, others of the same outline have another form.
    """
    if not segment or len(segment) > _LONGEST:
        return NO_ID
    suffixed = _SUFFIX.fullmatch(segment)
    stem, suffix = (suffixed[1], suffixed[2]) if suffixed else (segment, "")
    if _INT.fullmatch(stem):
        return "{int}" + suffix, 0, len(stem), 10
    if any(map(str.isdigit, stem)):
        found = _plain(stem)
        if found == NO_ID:
            found = _grouped(stem)
        if found != NO_ID:
            return found[0] + suffix, *found[1:]
    built = suffix.lower() in _PICTURES and ("-" in stem or "_" in stem)  # pictures of a page, with a digest
    if _opaque(stem) and not built:
        return "{token}" + suffix, 0, 0, 0
    return NO_ID


def asked(value: str) -> Formed:
    """The same of a parameter's value, which may be a path, or tell its kind before the id. An address is none."""
    if "/" not in value:
        return formed(value)
    parts = value.split("/")[: _PARTS + 1]
    if not parts[0] or len(parts) > _PARTS or ":" in parts[0]:
        return NO_ID
    forms, last, at = [], NO_ID, 0
    for part in parts:
        form, start, end, base = formed(part)
        forms.append(form or part)
        if form:
            last = (form, at + start if end else 0, at + end if end else 0, base)
        at += len(part) + 1
    return ("/".join(forms), *last[1:]) if last != NO_ID else NO_ID


def named(parameter: str, value: str) -> str:
    """The form of an id that is one by the name of its parameter; "" for what is none."""
    known = parameter.lower() in IDENTIFIERS and (_OPAQUE.fullmatch(value) or _PAPERS.fullmatch(value))
    return "{id}" if known else ""


def _plain(stem: str) -> Formed:
    """An id of one piece, or a name and a number."""
    if _UUID.fullmatch(stem):
        return "{uuid}", 0, 0, 0
    if _CODE.fullmatch(stem):
        return "{code}", 0, len(stem), 36
    if _HEX.fullmatch(stem):
        return "{hex}", 0, len(stem) if len(stem) <= _ORDERED else 0, 16
    if _TOKEN.fullmatch(stem):
        return "{token}", 0, 0, 0
    prefixed = _PREFIXED.fullmatch(stem)
    if prefixed and not (len(prefixed[2]) == YEAR and int(prefixed[2]) in YEARS):
        return prefixed[1] + "{int}", prefixed.start(2), len(stem), 10
    return NO_ID


def _grouped(stem: str) -> Formed:
    """An id of several pieces."""
    if _DATE.fullmatch(stem):
        return NO_ID
    if _OID.fullmatch(stem):
        return "{oid}", 0, 0, 0
    if _GROUPS.fullmatch(stem):
        return _longest(stem)
    if led := _LED.fullmatch(stem):
        return led[1] + "{int}", led.start(2), len(stem), 10
    if followed := _FOLLOWED.fullmatch(stem):
        what = "{size}" if _MEASURES.fullmatch(followed[3]) else followed[3] if followed[3].isalpha() else "{name}"
        return "{int}" + followed[2] + what, 0, followed.end(1), 10
    for pattern in (_CALLED, _KINDED):
        if around := pattern.fullmatch(stem):
            form, start, end, base = formed(around[2])
            if not form:
                return NO_ID
            at = around.start(2)
            return stem[:at] + form + stem[around.end(2) :], at + start if end else 0, at + end if end else 0, base
    return NO_ID


def _longest(stem: str) -> Formed:
    """Numbers side by side: the last is the id's, or the longest where that is short; four digits before it may be a year."""
    groups = [(found.end() - found.start(), found.start(), found.end()) for found in re.finditer("[0-9]+", stem)]
    _, start, end = groups[-1] if groups[-1][0] >= _SHORT else max(groups)
    form, at = "", 0
    for length, begin, finish in groups:
        stays = length == YEAR and finish < start
        form += stem[at:begin] + (stem[begin:finish] if stays else "{int}")
        at = finish
    return form, start, end, 10


def _opaque(stem: str) -> bool:
    """Whether letters of both kinds and digits follow each other as chance has it, and not as in words that are joined."""
    if not _MIXED.fullmatch(stem):
        return False
    bare = stem.rstrip("=")
    pieces = _PIECES.findall(bare)
    digits = sum(piece.isdigit() for piece in pieces)
    letters = sum(map(len, pieces))
    if 5 * len(pieces) < 2 * letters:
        return False
    if bare.lower() != bare and bare.upper() != bare:
        return digits > 0 or letters > _LONG
    return letters >= _LONG and digits > 1 and letters == len(bare)


def bounded(number: int) -> int | None:
    """The number, where it fits into 64 bits."""
    return number if number <= INT64_MAX else None
