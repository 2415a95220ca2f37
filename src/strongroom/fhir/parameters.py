"""The input of an operation: a Parameters resource, a plain JSON object, or the pairs of a query string.

All three become one flat mapping of names to values, which the operation then gives its types. A Parameters resource
carries each value under a name that tells its type (`valueString`, `valueInstant`); of a reference or a coded concept
we take the one text that says it.
"""

from collections.abc import Sequence
from typing import TypeVar

import msgspec

from strongroom.fhir.fault import Fault, Unacceptable, Unreadable
from strongroom.fhir.grammar import read_object

MAX_BODY = 16_384
"""Bytes. An operation takes a handful of short values."""

T = TypeVar("T")


def read_body(raw: bytes) -> dict[str, object]:
    """Names and values in `raw`. Raises Unreadable or Unacceptable."""
    found = read_object(raw)
    if found.get("resourceType") != "Parameters":
        found.pop("resourceType", None)
        return found
    listed = found.get("parameter", [])
    return _unique([_one(item) for item in listed] if isinstance(listed, list) else [])


def read_pairs(pairs: Sequence[tuple[str, str]]) -> dict[str, object]:
    """Names and values of a query string. Raises Unreadable when a name is there twice."""
    return _unique([(name, value) for name, value in pairs if value])


def typed(values: dict[str, object], kind: type[T]) -> T:
    """`values` as the struct `kind`, texts taken for numbers and truth values. Raises Unacceptable."""
    try:
        return msgspec.convert(values, kind, strict=False)
    except (msgspec.ValidationError, OverflowError):
        names = ", ".join(kind.__struct_fields__)  # type: ignore[attr-defined]  # T is always a Struct here
        fault = Fault(
            "value", f"The operation takes {names}; one is missing, unknown or of another form.", "Parameters"
        )
        raise Unacceptable(fault) from None


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Unreadable(Fault("structure", "A parameter is there twice."))
    return found


def _one(item: object) -> tuple[str, object]:
    if isinstance(item, dict) and isinstance(item.get("name"), str):
        values = [_plain(value) for key, value in item.items() if key.startswith("value")]
        if len(values) == 1:
            return item["name"], values[0]
    raise Unacceptable(Fault("structure", "Each parameter has a name and one value.", "Parameters.parameter"))


def _plain(value: object) -> object:
    """The text of a reference, an identifier or a coded concept; any other value as it is."""
    if not isinstance(value, dict):
        return value
    if isinstance(coding := value.get("coding"), list) and coding and isinstance(coding[0], dict):
        value = coding[0]
    if "code" in value:
        return f"{value['system']}|{value['code']}" if "system" in value else value["code"]
    return value.get("reference") or value.get("value")
