"""What exporters of NetFlow v9 and IPFIX tell of themselves: how their records are laid out, and at which rates they sample.

A template is known by its domain and its number (RFC 3954 section 5, RFC 7011 section 8). Records by the templates of options are
about the exporter: of these count when it began, and at which rates it samples: all of a domain, an interface, or a sampler that
flows name.
"""

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MAX_TEMPLATES: Final = 4_096
"""Templates of one stream. Exporters have some ten for each of their domains."""
MAX_FIELDS: Final = 1_024
"""Fields of one template: a record of more fits into no datagram."""
MAX_HELD: Final = 16_384
"""Fields of all templates of one stream: a bound on memory, some 2 MB."""
MAX_RATES: Final = 4_096
"""Rates that one stream may tell. Routers have some for each line card or interface."""
MOST: Final = 2**32
"""The highest rate that is believed: fields of it have 32 bits."""

Domain = tuple[int, int]
"""(version, number) of a part of an exporter."""
Field = tuple[int, int, int]
"""(enterprise, number, length)."""
Values = dict[tuple[int, int], bytes]
Rate = int | float
"""One packet in so many was looked at."""

_VARIABLE: Final = 65_535
_SCOPE: Final = -1  # v9 numbers scopes by themselves; no enterprise has this number
_OPTIONS: Final = frozenset({1, 3})
_FIRST: Final = 256  # numbers of templates begin here
_SAMPLER, _SELECTOR, _INGRESS, _EGRESS = (0, 48), (0, 302), (0, 10), (0, 14)
_BEGAN: Final = (0, 160)  # systemInitTimeMilliseconds
_INTERFACE: Final = (_SCOPE, 2)
_SPACED, _SPACE, _SIZE, _POPULATION, _PROBABILITY = (0, 305), (0, 306), (0, 309), (0, 310), (0, 311)


@dataclass(frozen=True, slots=True)
class Template:
    """The fields of a record, in their order; `least`: the bytes of the shortest; `options`: whether it is about the exporter."""

    fields: tuple[Field, ...]
    least: int
    options: bool


class Templates:
    """Of one stream: a file, or what one exporter sends."""

    def __init__(self) -> None:
        self._templates: dict[tuple[Domain, int], Template] = {}
        self._fields = 0
        self._rates: dict[tuple[Domain, str, int], Rate] = {}
        self.began: dict[Domain, int] = {}
        """When exporters began, by their own word: milliseconds since 1970."""
        self.learned = 0
        """How often a template came."""

    def __len__(self) -> int:
        return len(self._templates)

    def of(self, domain: Domain, number: int) -> Template | None:
        """The template; None before it came."""
        return self._templates.get((domain, number))

    # ---- how records are laid out

    def learn(self, domain: Domain, set_: int, content: bytes) -> None:
        """A set of templates: 0 and 1 of v9, 2 and 3 of IPFIX; others say nothing. One that is cut ends it."""
        version = domain[0]
        if set_ not in ({0, 1} if version == 9 else {2, 3}):  # noqa: PLR2004  # the version
            return
        at = 0
        while at + 4 <= len(content):
            number, count = struct.unpack_from(">HH", content, at)
            if number < _FIRST:  # padding, or nothing that is to be believed
                return
            if version == 9 and set_ in _OPTIONS:  # noqa: PLR2004  # the version
                if at + 6 > len(content):
                    return
                scopes = count // 4
                count = scopes + int.from_bytes(content[at + 4 : at + 6]) // 4
                at += 6
            else:
                scopes = 0
                at += 6 if set_ in _OPTIONS and count else 4
            fields, at = _fields(content, at, min(count, MAX_FIELDS), version, scopes)
            if at > len(content) or count > MAX_FIELDS:
                return
            self._keep((domain, number), tuple(fields), options=set_ in _OPTIONS)

    def _keep(self, name: tuple[Domain, int], fields: tuple[Field, ...], *, options: bool) -> None:
        known = self._templates.pop(name, None)
        self._fields -= len(known.fields) if known else 0
        if not fields:  # withdrawn
            return
        if len(self._templates) < MAX_TEMPLATES and self._fields + len(fields) <= MAX_HELD:
            least = sum(1 if length == _VARIABLE else length for _, _, length in fields)
            self._templates[name] = Template(fields, least, options)
            self._fields += len(fields)
            self.learned += 1

    # ---- at which rates it samples

    def told(self, domain: Domain, values: Values) -> None:
        """A record about the exporter. What is neither rate nor beginning says nothing here."""
        began = number(values, _BEGAN)
        if began is not None and (domain in self.began or len(self.began) < MAX_RATES):
            self.began[domain] = began
        rate = _rate(values)
        if rate is None:
            return
        name = next(_names(values, domain), (domain, "all", 0))
        if name in self._rates or len(self._rates) < MAX_RATES:
            self._rates[name] = rate

    def rate(self, domain: Domain, values: Values) -> Rate:
        """By what a flow's counts are to be multiplied: what it says itself, or its sampler, its interface, its domain; else 1."""
        own = _rate(values)
        if own is not None or not self._rates:
            return own or 1
        names = (*_names(values, domain), (domain, "all", 0))
        return next((self._rates[name] for name in names if name in self._rates), 1)


def _fields(content: bytes, at: int, count: int, version: int, scopes: int) -> tuple[list[Field], int]:
    """(fields, where they end): behind the content where they are cut."""
    fields: list[Field] = []
    for place in range(count):
        kind, length = int.from_bytes(content[at : at + 2]), int.from_bytes(content[at + 2 : at + 4])
        at += 4
        enterprise = _SCOPE if place < scopes else 0
        if version == 10 and kind & 0x8000:  # noqa: PLR2004  # the version, and the bit of an enterprise's number
            kind, enterprise = kind & 0x7FFF, int.from_bytes(content[at : at + 4])
            at += 4
        fields.append((enterprise, kind, length))
    return fields, at


def _names(values: Values, domain: Domain) -> Iterator[tuple[Domain, str, int]]:
    """By what a rate may be known that holds for a flow, or of which an option tells; the most particular first."""
    for field, kind in (
        (_SAMPLER, "sampler"), (_SELECTOR, "selector"), (_INTERFACE, "interface"), (_INGRESS, "interface"), (_EGRESS, "interface"),
    ):  # fmt: skip
        if field in values:
            yield domain, kind, int.from_bytes(values[field])


def _rate(values: Values) -> Rate | None:
    """One in how many, where it is told: as an interval, as packets and those between, as a share, or as a probability."""
    rate: Rate | None = number(values, (0, 34), (0, 50))
    for taken, others, more in ((_SPACED, _SPACE, 1), (_SIZE, _POPULATION, 0)):
        few, many = number(values, taken), number(values, others)
        if rate is None and few and many is not None and max(few, many) <= MOST:
            rate = more + many / few
    if rate is None and len(values.get(_PROBABILITY, b"")) in {4, 8}:
        raw = values[_PROBABILITY]
        (share,) = struct.unpack(">f" if len(raw) == 4 else ">d", raw)  # noqa: PLR2004  # bytes of a short one
        rate = 1 / share if math.isfinite(share) and share > 1 / MOST else None
    return rate if rate is not None and 1 <= rate <= MOST else None


def number(values: Values, *names: tuple[int, int]) -> int | None:
    """The first of these that a record has."""
    return next((int.from_bytes(values[name]) for name in names if name in values), None)
