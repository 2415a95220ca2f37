"""The page: what stands in it, and what can never."""

import base64
import datetime as dt
import hashlib
import re
from pathlib import Path

from strongroom.detect import page, series, walk
from strongroom.detect.duckdb import Engine
from strongroom.detect.evidence import opened
from strongroom.detect.hunt import Wanted, hunt
from strongroom.detect.suppress import Suppression
from strongroom.logs import files
from tests.detect.test_markup import Read

HOSTILE = "</pre><script>alert(1)</script><img src=x onerror=alert(2)>\"'&lt;"


def made(log: Path, lines: list[str]) -> str:
    """The page of a hunt."""
    log.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    sources = files.expand((str(log),))
    with Engine() as engine:
        found = hunt(sources, Wanted(), engine)
        shown = [(one, opened(one.evidence, found.files)) for one in found.findings]
        drawn = series.pictures(engine, [one.about for one, _ in shown], walk.HEAD.id)
    return page.page(found, shown, drawn, "The answer.", 0)


def theft(agent: str = "curl/8", user: str = "mallory", many: int = 60) -> list[str]:
    """A walk."""
    return [
        f'203.0.113.5 - {user} [29/Dec/2025:22:{n // 60:02d}:{n % 60:02d} +1300] "GET /documents/{500_000 + n} HTTP/1.1" '
        f'{404 if n % 4 == 3 else 200} 252000 "-" "{agent}"'
        for n in range(many)
    ]


def test_a_theft_with_its_drawings(tmp_path: Path) -> None:
    """The answer, the finding, its loss and its evidence; three drawings, each with words for those who cannot see it."""
    html = made(tmp_path / "a.log", theft())
    read = Read(html)
    assert read.open == []
    assert "The answer." in read.text
    assert "login mallory: 45 documents, 11.3 MB" in read.text
    assert "8 documents had left when this would first have fired" in read.text
    assert "GET /documents/500000 HTTP/1.1" in read.text
    assert "T1119 T1213 D3-RAPA" in read.text
    assert read.tags.count("svg") == read.tags.count("desc") == 3
    assert read.attributes.count(("role", "img")) == 3


def test_nothing_of_a_log_is_markup(tmp_path: Path) -> None:
    """Names, addresses and lines that try: no tag of theirs is there, their text is."""
    read = Read(made(tmp_path / "a.log", theft(HOSTILE.replace('"', '\\"'), "<b>bold</b>")))
    assert not {"script", "img", "b"} & set(read.tags)
    assert "<script>alert(1)</script>" in read.text
    assert "login <b>bold</b>" in read.text


def test_the_page_needs_nothing_and_nobody(tmp_path: Path) -> None:
    """No address but places on the page itself, no handler, no style but the one that the policy names by its hash."""
    html = made(tmp_path / "a.log", theft())
    read = Read(html)
    assert {value[:1] for name, value in read.attributes if name == "href" and value} == {"#"}
    assert not {
        name for name, _ in read.attributes if name.startswith("on") or name in {"src", "style", "srcset", "action"}
    }
    (style,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    policy = dict(read.attributes)["content"]
    named = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{named}'" in html
    assert "default-src 'none'" in html
    assert policy is not None


def test_ids_on_the_page_are_different(tmp_path: Path) -> None:
    """Two findings have two drawings, and every label finds its own."""
    read = Read(made(tmp_path / "a.log", theft() + theft(user="trudy", many=40)))
    ids = [value for name, value in read.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    labels = [one for name, value in read.attributes if name == "aria-labelledby" and value for one in value.split()]
    assert set(labels) <= set(ids)


def test_findings_that_are_one_campaign_lead_to_each_other(tmp_path: Path) -> None:
    """Two logins from addresses that are nobody else's: said once, with a link to each."""
    read = Read(made(tmp_path / "a.log", theft() + theft(user="trudy", many=40)))
    assert "2 findings are one campaign" in read.text
    links = [value for name, value in read.attributes if name == "href"]
    assert max(links.count(link) for link in set(links)) == 2  # in the list of findings, and in the campaign's


def test_nothing_found_and_things_left_out_are_said(tmp_path: Path) -> None:
    """A page without a finding is no clean bill."""
    read = Read(made(tmp_path / "a.log", [*theft(many=5), "this is no line of a log"]))
    assert "0 findings" in read.text
    assert "1: not written in this format" in read.text
    assert "no finding is no proof" in read.text


def test_what_is_suppressed_stopped_or_left_for_another_page_is_said(tmp_path: Path) -> None:
    """With author, reason and end; with the rule's reason; with the number of findings that are not there."""
    log = tmp_path / "a.log"
    log.write_text("".join(f"{line}\n" for line in theft() + theft(user="trudy", many=40)), encoding="utf-8")
    (tmp_path / "old.yml").write_text("title: Old\nlogsource: {product: dos}\ndetection: {s: {a: b}, condition: s}\n")
    known = Suppression("Ann", "a try", dt.date(2026, 11, 28), about="login trudy", detection=walk.HEAD.id)
    with Engine() as engine:
        wanted = Wanted(rules=(tmp_path / "old.yml",), suppressions=(known,))
        found = hunt(files.expand((str(log),)), wanted, engine)
        shown = [(one, opened(one.evidence, found.files)) for one in found.findings[:1]]
        drawn = series.pictures(engine, [], walk.HEAD.id)
    text = Read(page.page(found, shown, drawn, "", 0)).text
    assert "login trudy: Ids were asked for in a row: 40 events, 30 documents. a try (Ann, until 2026-11-28)" in text
    assert "Logs of dos are not read yet." in text
    assert "1 more are not on this page" in text
    assert "changed since it was read" not in text


def test_evidence_that_changed_is_said_to_have(tmp_path: Path) -> None:
    """A page shows bytes that were read, or says that they are no longer there."""
    lines = theft()
    first = Read(made(tmp_path / "a.log", lines)).text
    assert "changed since it was read" not in first
    with Engine() as engine:
        found = hunt(files.expand((str(tmp_path / "a.log"),)), Wanted(), engine)
        (tmp_path / "a.log").write_text("x" * 20_000, encoding="utf-8")
        shown = [(one, opened(one.evidence, found.files)) for one in found.findings]
    assert "changed since it was read" in Read(page.page(found, shown, series.Pictures(None, None, {}), "", 0)).text


def test_dark_and_light_have_contrast() -> None:
    """Text against what it stands on: at least 4.5 to 1, in both."""
    light, dark = (
        dict(re.findall(r"--(\w+):(#[0-9a-f]+)", part))
        for part in page.STYLE.split("@media(prefers-color-scheme:dark)")
    )
    for colours in (light, dark):
        for text, below in (
            ("ink", "paper"),
            ("ink", "box"),
            ("soft", "paper"),
            ("soft", "box"),
            ("link", "box"),
            ("found", "box"),
        ):
            assert contrast(colours[text], colours[below]) >= 4.5, (text, below)
        for mark in ("all", "found"):  # what is drawn: 3 to 1
            assert contrast(colours[mark], colours["box"]) >= 3, mark


def contrast(one: str, two: str) -> float:
    """As WCAG 2.2 computes it."""
    dark, light = sorted((luminance(one), luminance(two)))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """Of #rgb or #rrggbb."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * c for c in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
