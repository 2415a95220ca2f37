"""FHIR's JSON, before any resource is thought of: one reading of the bytes, no duplicates, nothing empty, no controls.

Source: https://hl7.org/fhir/R4/json.html. Two parsers that disagree about a document are how a check is passed by one
reading and the act done by another; so the text is read once here, and `parse` only gives the result its types.
"""

import json
import re
from collections.abc import Iterator
from itertools import islice
from math import isfinite

from strongroom.fhir.fault import Fault, Unacceptable, Unreadable
from strongroom.fhir.narrative import narrative_fault

MAX_DEPTH = 32
"""Levels. FHIR's own examples nest to 12; beyond 32 somebody is trying the parser."""
MAX_STRING = 65_536
"""Characters of any string but `data`; the same as the bound of all metadata together."""
MAX_MARKS = 65_536
"""Commas, braces and brackets in a body. All metadata has at most so many bytes, and base64 has none of these; millions of
them would be hundreds of megabytes of small objects.
"""
MAX_FAULTS = 10
"""Faults reported at once."""

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
"""Control characters that FHIR strings may not have, and halves of characters, which no UTF-8 can hold."""


def read_object(raw: bytes) -> dict[str, object]:
    """The JSON object in `raw`. Raises Unreadable when it is none, Unacceptable when FHIR would not have it."""
    if sum(map(raw.count, (b",", b"{", b"["))) > MAX_MARKS:
        raise _unreadable("The JSON has too many members.")
    try:
        found = json.loads(
            raw.decode(), object_pairs_hook=_no_duplicates, parse_constant=_no_constant, parse_float=_finite
        )
    except RecursionError:
        raise _unreadable("The JSON is nested too deeply.") from None
    except ValueError:  # JSONDecodeError, UnicodeDecodeError, integers of more than 4,300 digits, and our own
        raise _unreadable("The body is not well-formed JSON in UTF-8 with every member named once.") from None
    if not isinstance(found, dict):
        raise _unreadable("The body is not a JSON object.")
    faults = list(islice(_faults(found, str(found.get("resourceType", "")), 0), MAX_FAULTS))
    if faults:
        raise Unacceptable(*faults)
    return found


def _unreadable(text: str) -> Unreadable:
    return Unreadable(Fault("structure", text))


def _no_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        msg = "A member appears twice."
        raise ValueError(msg)
    return found


def _finite(text: str) -> float:
    found = float(text)
    if not isfinite(found):  # JSON may say 1e999; nobody could say it back
        msg = "A number is too large."
        raise ValueError(msg)
    return found


def _no_constant(name: str) -> object:
    msg = f"{name} is not JSON."
    raise ValueError(msg)


def _faults(value: object, path: str, depth: int) -> Iterator[Fault]:
    if depth > MAX_DEPTH:
        yield Fault("structure", f"This is nested deeper than {MAX_DEPTH} levels.", _shown(path))
    elif isinstance(value, str):
        yield from _string_faults(value, path)
    elif value is None or value in ({}, []):
        yield Fault(
            "structure", "FHIR has no nulls and no empty objects or lists: leave the element out.", _shown(path)
        )
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from _string_faults(name, path)
            yield from _faults(member, f"{path}.{name}", depth + 1)
        if isinstance(value.get("div"), str):
            yield from narrative_fault(value["div"], _shown(f"{path}.div"))
        yield from _extension_faults(value.get("extension"), f"{path}.extension")
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _faults(member, f"{path}[{index}]", depth + 1)


def _extension_faults(extensions: object, path: str) -> Iterator[Fault]:
    for index, one in enumerate(extensions if isinstance(extensions, list) else ()):
        if isinstance(one, dict) and one and not isinstance(one.get("url"), str):
            yield Fault("required", "An extension needs a url.", _shown(f"{path}[{index}].url"))


def _string_faults(value: str, path: str) -> Iterator[Fault]:
    if not value.strip():
        yield Fault("structure", "FHIR has no empty strings: leave the element out.", _shown(path))
    elif len(value) > MAX_STRING and not path.endswith(".data"):
        yield Fault("too-long", f"A string is longer than {MAX_STRING} characters.", _shown(path))
    elif _FORBIDDEN.search(value) is not None:
        yield Fault("structure", "A string has control characters or half a character in it.", _shown(path))


_PATH = re.compile(r"[A-Za-z][A-Za-z0-9_.\[\]]{0,199}")


def _shown(path: str) -> str:
    """`path`, unless a client's member name makes it something that is no FHIRPath."""
    return path if _PATH.fullmatch(path) else ""
