"""From a client's bytes to typed resources, or to faults that say where and what.

Steps: 1. one strict reading of the JSON (`grammar`), 2. types and required bindings (`resource`), 3. what types cannot
say (`checks`). The first step that finds fault speaks; values of the client are never repeated.
"""

import re
from typing import TypeVar

import msgspec

from strongroom.fhir import checks
from strongroom.fhir.fault import Fault, Unacceptable
from strongroom.fhir.grammar import read_object
from strongroom.fhir.resource import Binary, DocumentReference

T = TypeVar("T")


def parse_document_reference(raw: bytes) -> DocumentReference:
    """The DocumentReference in `raw`. Raises Unreadable (400) or Unacceptable (422)."""
    document = _typed(read_object(raw), DocumentReference)
    faults = tuple(checks.document_reference(document))
    if faults:
        raise Unacceptable(*faults)
    return document


def parse_binary(raw: bytes) -> Binary:
    """The Binary in `raw`. Raises Unreadable (400) or Unacceptable (422)."""
    binary = _typed(read_object(raw), Binary)
    faults = tuple(checks.binary(binary))
    if faults:
        raise Unacceptable(*faults)
    return binary


def _typed(found: dict[str, object], kind: type[T]) -> T:
    if found.get("resourceType") != kind.__name__:  # msgspec lets it be absent
        raise Unacceptable(Fault("structure", f"The body is not a {kind.__name__}.", "resourceType"))
    try:
        return msgspec.convert(found, kind)
    except (msgspec.ValidationError, OverflowError) as error:
        raise Unacceptable(_fault(str(error), kind.__name__)) from None


_PLACE = re.compile(r"(?P<what>.*) - at `\$(?P<path>[A-Za-z0-9.\[\]]*)`")
_NAMED = re.compile(r"Object (?P<what>contains unknown|missing required) field `(?P<name>[A-Za-z_]{1,40})`")


def _fault(message: str, resource: str) -> Fault:
    """The message of msgspec, retold: its own words repeat values of the input."""
    place = _PLACE.fullmatch(message)
    what, path = (place["what"], place["path"]) if place else (message, "")
    named = _NAMED.match(what)
    expression = resource + path
    if named and named["what"] == "missing required":
        return Fault("required", f"{named['name']} is missing.", f"{expression}.{named['name']}")
    if what.startswith("Object contains unknown"):
        name = f".{named['name']}" if named else ""
        return Fault("structure", "This element is not known here.", expression + name)
    if what.startswith("Invalid enum value"):
        return Fault("code-invalid", "This code is not one that FHIR allows here.", expression)
    return Fault("value", "This value is not of the form that FHIR asks for here.", expression)
