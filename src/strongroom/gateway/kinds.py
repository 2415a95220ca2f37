"""The kinds of values that a described address may hold: a strict grammar each, matched in full.

An id of a strict kind counts as one, however it is spelled, and is in no way text: it is safe to count and to compare.
`text` and `name` are for what people write.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

MAX_TEXT: Final = 1_024
"""Characters in a search term or the like."""

KINDS: Final[Mapping[str, re.Pattern[str]]] = MappingProxyType(
    {
        "int": re.compile(r"0|[1-9][0-9]{0,18}"),
        "digits": re.compile(r"[0-9]{1,20}"),
        "uuid": re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
        "guid": re.compile(r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}"),
        "hex": re.compile(r"[0-9a-f]{1,128}"),
        "token": re.compile(r"[A-Za-z0-9_-]{1,200}"),
        "base64": re.compile(r"[A-Za-z0-9+/_-]{1,400}={0,2}"),  # of either alphabet, RFC 4648, padded or not
        "id": re.compile(r"[A-Za-z0-9.-]{1,64}"),  # FHIR R4, datatypes.html#id
        "reference": re.compile(r"(?:[A-Z][A-Za-z]{1,40}/)?[A-Za-z0-9.-]{1,64}"),  # the same, with its type
        "date": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
        "bool": re.compile(r"true|false|0|1"),
        "name": re.compile(r"[\w][\w .,()+@-]{0,199}"),  # of a file; \w knows every alphabet
        "text": re.compile(rf"[^\x00-\x1f\x7f]{{0,{MAX_TEXT}}}"),
    }
)
"""Name -> grammar."""

STRICT: Final = frozenset(KINDS) - {"name", "text"}
"""Kinds whose values are no language."""

_ALIKE: Final = {"uuid": "0" * 8 + "-0000-0000-0000-" + "0" * 12, "date": "2000-01-01"}
_ONE_ALPHABET: Final = str.maketrans("+/", "-_")
_FOLDED: Final = frozenset({"guid"})


def fits(kind: str, value: str) -> bool:
    """Whether `value` is wholly of this kind."""
    return KINDS[kind].fullmatch(value) is not None


def counted(kind: str, value: str) -> str:
    """What a value counts as: two spellings of one id are one id."""
    if kind == "digits":
        return value.lstrip("0") or "0"
    if kind == "reference":
        return value.rpartition("/")[2]
    if kind == "base64":
        return value.rstrip("=").translate(_ONE_ALPHABET)
    return value.lower() if kind in _FOLDED else value


def alike(kind: str, value: str) -> str:
    """One value that stands for all of this kind and length to whoever looks for attacks: digits, and ids of a fixed shape.

    For other kinds the value itself: letters make words, and rules know words.
    """
    if kind in {"int", "digits"}:
        return "1" * len(value)
    return _ALIKE["uuid" if kind == "guid" else kind] if kind in {"uuid", "guid", "date"} else value
