"""Narrative: the small XHTML that FHIR allows, and nothing that acts. Checked, not cleaned: what is wrong is refused.

Source: https://hl7.org/fhir/R4/narrative.html#xhtml. The words of a resource are shown by whoever reads it; a script in
them would run in somebody else's page.
"""

import re
from collections.abc import Iterator
from xml.parsers import expat

from strongroom.fhir.fault import Fault

XHTML = "http://www.w3.org/1999/xhtml"

ELEMENTS = frozenset(
    "div p br hr h1 h2 h3 h4 h5 h6 span b i u s em strong small big tt code kbd samp var cite q blockquote pre sub sup"
    " ins del dfn abbr acronym address a img ul ol li dl dt dd table caption colgroup col thead tbody tfoot tr th"
    " td".split()
)
ATTRIBUTES = frozenset(
    "id class style title lang dir href src alt name width height border align valign colspan rowspan scope headers"
    " summary cellpadding cellspacing bgcolor span start type value abbr axis char charoff rules frame nowrap hspace"
    " vspace longdesc cite datetime rel rev tabindex accesskey".split()
)
_LINK = re.compile(
    r"(https?://|mailto:|tel:|#)\S*|[A-Za-z0-9/][^:\s]*|data:image/(png|jpeg|gif);base64,[A-Za-z0-9+/=]*"
)
_STYLE = re.compile(r"[^<>\\@]*")
_ACTIVE_STYLE = re.compile(r"url\s*\(|expression\s*\(|behaviou?r|javascript|-moz-binding", re.IGNORECASE)


class _Refused(Exception):
    pass


def narrative_fault(div: str, expression: str) -> Iterator[Fault]:
    """At most one fault: `div` is not the harmless XHTML that FHIR asks for."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = _element
    parser.StartDoctypeDeclHandler = _refuse  # before any entity could be declared, let alone expanded
    parser.ProcessingInstructionHandler = _refuse
    try:
        parser.Parse(div, True)  # noqa: FBT003  # expat takes no keywords
    except (expat.ExpatError, UnicodeEncodeError):  # half a character, escaped in JSON, is none of XML's
        yield Fault("invalid", "The narrative is not well-formed XHTML.", expression)
    except _Refused:
        yield Fault("invalid", "The narrative has elements or attributes that FHIR does not allow in it.", expression)
    else:
        if not div.lstrip().startswith("<div"):
            yield Fault("invalid", "The narrative must be one div.", expression)


def _refuse(*_: object) -> None:
    raise _Refused


def _element(name: str, attributes: dict[str, str]) -> None:
    namespace, _, local = name.rpartition(" ")
    if namespace != XHTML or local not in ELEMENTS:
        raise _Refused
    for attribute, value in attributes.items():
        if not _harmless(attribute, value):
            raise _Refused


def _harmless(attribute: str, value: str) -> bool:
    if attribute in {"href", "src", "longdesc", "cite"}:
        return _LINK.fullmatch(value) is not None
    if attribute == "style":
        return _STYLE.fullmatch(value) is not None and _ACTIVE_STYLE.search(value) is None
    return attribute in ATTRIBUTES or attribute == "http://www.w3.org/XML/1998/namespace lang"
