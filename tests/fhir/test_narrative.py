"""A narrative is harmless XHTML or a fault."""

import json
from pathlib import Path

import pytest

from strongroom.fhir.narrative import XHTML, narrative_fault

HARMLESS = [
    "<p>plain</p>",
    '<a href="https://example.org/x">a</a><a href="#part">b</a><a href="mailto:a@example.org">c</a>',
    '<table class="t"><tbody><tr><td colspan="2" style="color: red">x</td></tr></tbody></table>',
    '<img src="data:image/png;base64,AAAA" alt="x"/>',
    "<b>&lt;script&gt;</b>",
]
HARMFUL = [
    "<script>alert(1)</script>",
    "<p onclick='x()'>a</p>",
    "<a href='javascript:alert(1)'>a</a>",
    "<a href=' javascript:alert(1)'>a</a>",
    "<a href='vbscript:x'>a</a>",
    "<img src='data:text/html;base64,AAAA'/>",
    "<iframe src='https://example.org'/>",
    "<form/>",
    "<object/>",
    "<style>p{}</style>",
    "<p style='background:url(https://example.org)'>a</p>",
    "<p style='width: expression(alert(1))'>a</p>",
    "<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>",
    "<x:p xmlns:x='urn:other'/>",
    "<p>&undefined;</p>",
    "<p>unclosed",
    "<?php x ?>",
]


def _div(inner: str) -> str:
    return f'<div xmlns="{XHTML}">{inner}</div>'


@pytest.mark.parametrize("inner", HARMLESS)
def test_formatting_is_taken(inner: str) -> None:
    """What FHIR allows is left alone."""
    assert list(narrative_fault(_div(inner), "X.text.div")) == []


@pytest.mark.parametrize("inner", HARMFUL)
def test_what_acts_is_refused(inner: str) -> None:
    """Scripts in every dress, foreign elements and broken markup are one fault at the right place."""
    faults = list(narrative_fault(_div(inner), "X.text.div"))
    assert [fault.expression for fault in faults] == ["X.text.div"]


@pytest.mark.parametrize(
    "text",
    [
        "<div>no namespace</div>",
        f'<p xmlns="{XHTML}">no div</p>',
        f'<!DOCTYPE div [<!ENTITY a "aaaa">]>{_div("&a;")}',
        "words",
        "\x00",
        _div("half a character: \udd12"),
    ],
)
def test_only_one_div_without_declarations(text: str) -> None:
    """Entities cannot be declared, so they cannot be multiplied."""
    assert len(list(narrative_fault(text, ""))) == 1


def test_published_narratives_are_taken(examples: Path) -> None:
    """HL7's own narratives pass, so the rule is not stricter than FHIR."""
    seen = 0
    for file in examples.glob("hl7-r4/*.json"):
        if div := json.loads(file.read_text()).get("text", {}).get("div"):
            assert list(narrative_fault(div, "")) == [], file.name
            seen += 1
    assert seen > 30
