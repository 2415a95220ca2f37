"""Which addresses are documents and whose, as an operator writes it.

    /patients/{patient}/letters/{document}
    /get?id={document}                          other parameters may stand beside it, in whatever order
    /fhir/Binary?subject=Patient/{patient}&id={document}

A name in braces stands for one segment of the path each, or for a part of a parameter's value. Documents that are called by a
name or a small number, such as letter.pdf or 3, begin anew with each patient: where the route tells the patient, such a document is
both.
"""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_plus

from strongroom.logs.forms import shape
from strongroom.logs.route import PARAMETERS

_NAME: Final = re.compile(r"\{([a-z]+)\}")
_KNOWN: Final = frozenset({"document", "patient"})
_ALONE: Final = 5
"""Characters of an id from which on it is believed to be one document's alone."""

Told = tuple[str, str | None, int | None, str | None]
"""(route, document, number, patient)."""


@dataclass(frozen=True, slots=True)
class Route:
    """One of them."""

    written: str
    path: re.Pattern[str]
    query: tuple[tuple[str, re.Pattern[str]], ...] = ()

    def told(self, path: str, query: str) -> Told | None:
        """What the address means; None where the route does not match."""
        found = self.path.fullmatch(path)
        if found is None:
            return None
        named, whole = found.groupdict(), path
        if self.query:
            given = _parameters(query)
            matched = [pattern.fullmatch(given.get(name.lower(), "")) for name, pattern in self.query]
            for one in matched:
                if one is None:
                    return None
                named |= one.groupdict()
            whole += "?" + "&".join(f"{name}={given[name.lower()]}" for name, _ in self.query)
        document, patient = named.get("document"), named.get("patient")
        within = document and patient and not (len(document) >= _ALONE and shape(document)[0])
        _, number = shape((patient if within else document or patient) or "")
        return self.written, f"{patient}/{document}" if within else document or whole, number, patient


def read(written: str) -> Route | None:
    """A route; None where it does not fit: it begins with / and names {document}, {patient} or both, each once."""
    names = _NAME.findall(written)
    path, _, query = written.partition("?")
    asked = [part.partition("=") for part in query.split("&") if part]
    if not written.startswith("/") or not names or set(names) - _KNOWN or len(set(names)) != len(names):
        return None
    if any(_NAME.search(name) or not value for name, _, value in asked):
        return None
    return Route(written, _pattern(path, "[^/]+"), tuple((name, _pattern(value, ".+")) for name, _, value in asked))


def _pattern(text: str, stands: str) -> re.Pattern[str]:
    parts = _NAME.split(text)
    return re.compile(
        "".join(f"(?P<{part}>{stands})" if place % 2 else re.escape(part) for place, part in enumerate(parts))
    )


def _parameters(query: str) -> dict[str, str]:
    """By names in small letters, the first of each."""
    found: dict[str, str] = {}
    for part in query.split("&")[:PARAMETERS]:
        name, _, value = part.partition("=")
        found.setdefault(unquote_plus(name).lower(), unquote_plus(value))
    return found
