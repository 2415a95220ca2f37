"""Which form of an answer a client can take. Source: RFC 9110, section 12.5.1; FHIR R4, http.html#mime-type, and for
Binary: a FHIR type asks for the resource, any other for the bytes.

`application/json` counts as FHIR: a widely used client sends nothing else.
"""

import re
from dataclasses import dataclass

from strongroom.fhir.criteria import bare_media_type

FHIR_TYPES = frozenset({"application/fhir+json", "application/json"})
_SHORT = {"json": "application/fhir+json", "text/json": "application/fhir+json"}
_QUALITY = re.compile(r"(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")


@dataclass(frozen=True, slots=True)
class Taste:
    """What the client takes: media ranges and how much it wants each, from 0 to 1."""

    ranges: tuple[tuple[str, float], ...]

    def quality(self, media_type: str) -> float:
        """How much `media_type` is wanted; the most exact range decides."""
        main = media_type.partition("/")[0]
        for name in (media_type, f"{main}/*", "*/*"):
            for pattern, quality in self.ranges:
                if pattern == name:
                    return quality
        return 0.0

    def fhir(self) -> bool:
        """Whether FHIR JSON will do."""
        return any(self.quality(one) > 0 for one in FHIR_TYPES)

    def prefers_resource(self) -> bool:
        """Whether FHIR JSON is asked for by name, and nothing else is wanted more."""
        named = max((quality for pattern, quality in self.ranges if pattern in FHIR_TYPES), default=0.0)
        return named > 0 and all(quality <= named for _, quality in self.ranges)

    def anything(self) -> bool:
        """Whether any bytes will do, so that nobody need look at the type first."""
        return self.quality("*/*") > 0


ANYTHING = Taste((("*/*", 1.0),))


def taste(accept: str | None, wanted: str | None) -> Taste:
    """What the Accept header says, unless `_format` says it. What is no media range is left out."""
    if wanted is not None:
        # A `+` in a query means a space, and clients forget to escape it.
        name = wanted.replace(" ", "+").lower()
        return Taste(((_SHORT.get(name, bare_media_type(name)), 1.0),))
    if accept is None or accept.strip() in {"", "*/*"}:
        return ANYTHING
    return Taste(tuple(_range(part) for part in accept.split(",") if part.strip()))


def _range(part: str) -> tuple[str, float]:
    name, *parameters = (one.strip() for one in part.split(";"))
    quality = 1.0
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip().lower() == "q":
            told = value.strip(" \t")
            quality = float(told) if _QUALITY.fullmatch(told) else 0.0
    return name.lower(), quality
