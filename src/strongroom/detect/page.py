"""A hunt as one page of HTML that opens from disk: no script, no network, nothing from a log that could be markup.

The page carries its own policy, by which a browser loads nothing and runs nothing, and takes this one style and no other.
"""

import base64
import hashlib
from collections.abc import Iterable, Iterator
from typing import Final
from xml.etree.ElementTree import Element, tostring

from strongroom.detect import draw, say
from strongroom.detect.evidence import Opened
from strongroom.detect.finding import Finding
from strongroom.detect.hunt import File, Result
from strongroom.detect.markup import el
from strongroom.detect.series import Pictures
from strongroom.sigma import official

_LINE: Final = 2_000
"""Characters of an event's line that are shown."""
_WORST: Final = 10
"""Bins that stand in the table below the drawing."""

STYLE: Final = """
:root{color-scheme:light dark;--ink:#1b1f24;--paper:#fff;--soft:#57606a;--line:#d0d7de;--box:#f6f8fa;--all:#5b7ea6;
--band:#c5d5e8;--found:#b3261e;--link:#0b57d0}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--paper:#0f1318;--soft:#9aa7b4;--line:#30363d;--box:#171c23;
--all:#7ea3cf;--band:#34465a;--found:#ff8a80;--link:#8ab4f8}}
body{margin:0 auto;max-width:62rem;padding:1.5rem;font:1rem/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);
overflow-wrap:break-word}
h1{font-size:1.5rem}h2{font-size:1.25rem;margin-top:2.5rem}h3{font-size:1.05rem;margin:0 0 .5rem}
a{color:var(--link)}a:focus-visible,summary:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.skip{position:absolute;left:-99rem}.skip:focus{left:1rem}
.soft,figcaption{color:var(--soft)}.answer{font-size:1.15rem}
article,figure{border:1px solid var(--line);border-radius:.5rem;padding:1rem;margin:1rem 0;background:var(--box)}
.level{border:2px solid currentColor;border-radius:.3rem;padding:0 .4rem;font-size:.85rem;margin-right:.5rem}
.high,.critical{color:var(--found)}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{border-bottom:1px solid var(--line);padding:.3rem .5rem;text-align:left;vertical-align:top}
caption{text-align:left;font-weight:600;padding:.3rem 0}
code,pre{font:.85rem/1.4 ui-monospace,monospace}pre{white-space:pre-wrap;margin:.2rem 0}
td code,td pre{overflow-wrap:anywhere}
figure{overflow-x:auto}.drawing{width:100%;min-width:34rem;height:auto;display:block}
.drawing text{font:12px system-ui,sans-serif;fill:var(--ink)}
.drawing .end{text-anchor:end}.drawing .middle{text-anchor:middle}
.grid{stroke:var(--line);fill:none}.band{fill:var(--band)}.all{fill:none;stroke:var(--all);stroke-width:1.5}
.all.bar{fill:var(--all);stroke:none}.found{fill:var(--found)}.much{stroke:var(--ink);stroke-dasharray:4 3;fill:none}
.dots{stroke:var(--found);stroke-width:4;stroke-linecap:round}.crosses{stroke:var(--soft);stroke-width:1.2;fill:none}
@media print{article,figure{break-inside:avoid}}
"""
_HASH: Final = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY: Final = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'"

Shown = list[tuple[Finding, list[Opened]]]


def page(found: Result, shown: Shown, drawn: Pictures, answer: str, now: int) -> str:
    """The whole page. `answer` is the short answer in a sentence; `now` when the hunt ended, milliseconds."""
    style = el("style")
    style.text = STYLE
    html = el(
        "html", {"lang": "en"},
        el(
            "head", None,
            el("meta", {"charset": "utf-8"}),
            el("meta", {"http-equiv": "Content-Security-Policy", "content": POLICY}),
            el("meta", {"name": "referrer", "content": "no-referrer"}),
            el("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}),
            el("title", None, f"Hunt: {say.count(len(found.findings), 'finding')}"),
            style,
        ),
        el(
            "body", None,
            el("a", {"class": "skip", "href": "#findings"}, "To the findings"),
            el("header", None, el("h1", None, "Has it happened to us?"), el("p", {"class": "answer"}, answer)),
            el("main", None, *_overview(found, drawn), *_findings(found, shown, drawn), *_read(found)),
            el("footer", None, *_foot(found, now)),
        ),
    )  # fmt: skip
    return "<!doctype html>\n" + tostring(html, encoding="unicode", method="html") + "\n"


def _overview(found: Result, drawn: Pictures) -> Iterator[Element]:
    if found.first is not None and found.last is not None:
        span = f"{say.count(found.events, 'event')} from {say.when(found.first)} to {say.when(found.last)} UTC."
        yield el("p", {"class": "soft"}, span)
    if drawn.flow is not None:
        expected = any(one.expected for one in drawn.flow.bins)
        band = (
            " The pale band is what earlier weeks or days let expect: the median of the same hours, and three robust "
            "deviations on either side." if expected else " The log is too short to say what was to be expected."
        )  # fmt: skip
        outside = drawn.flow.outside
        far = (
            f" {say.count(outside, 'event')} of times far from all others {'is' if outside == 1 else 'are'} not drawn."
        )
        yield el(
            "figure", None,
            draw.flow(drawn.flow, "flow"),
            el(
                "figcaption", None,
                f"{drawn.flow.what.capitalize()} by {draw.width(drawn.flow)} (UTC). Filled: to those whom findings are about.",
                band, far if outside else "",
            ),
            _numbers(drawn),
        )  # fmt: skip
    if drawn.readers is not None:
        whose = (
            ""
            if drawn.readers.what == "people"
            else " Whose documents they are these logs do not tell; a mapping would."
        )
        yield el(
            "figure", None,
            draw.readers(drawn.readers, "readers"),
            el(
                "figcaption", None,
                f"Different {drawn.readers.what} that each login, role or address read in the whole log, those who read most. "
                f"● and filled: findings are about them.{whose}",
            ),
        )  # fmt: skip


def _numbers(drawn: Pictures) -> Element:
    """The drawing's largest bins, for people who cannot see it."""
    if drawn.flow is None:
        return el("p")
    largest = sorted(drawn.flow.bins, key=lambda one: -one.amount)[:_WORST]
    rows = [
        (
            say.when(one.t),
            f"{one.amount:,}",
            f"{one.found:,}",
            f"{one.expected.low:,.0f} to {one.expected.high:,.0f}" if one.expected else "-",
        )
        for one in largest
    ]
    head = ("begins (UTC)", drawn.flow.what, "of findings", "expected")
    return el("details", None, el("summary", None, "The largest in numbers"), _table("", head, rows))


def _findings(found: Result, shown: Shown, drawn: Pictures) -> Iterator[Element]:
    yield el("h2", {"id": "findings"}, say.count(len(found.findings), "finding"))
    if len(shown) > 1:
        links = (
            el("li", None, el("a", {"href": f"#f-{one.id}"}, f"{one.level}: {say.headline(one)}")) for one, _ in shown
        )
        yield el("nav", {"aria-label": "Findings"}, el("ol", None, *links))
    ids = {one.id for one, _ in shown}
    for campaign in found.campaigns:
        links = (el("li", None, el("a", {"href": f"#f-{id_}"}, id_)) for id_ in campaign.findings if id_ in ids)
        yield el("section", None, el("p", None, say.campaign(campaign)), el("ul", None, *links))
    for one, evidence in shown:
        yield _finding(one, evidence, drawn)
    if len(found.findings) > len(shown):
        yield el("p", {"class": "soft"}, f"{len(found.findings) - len(shown)} more are not on this page (--top).")


def _finding(one: Finding, evidence: list[Opened], drawn: Pictures) -> Element:
    first, *others = say.sentences(one)
    reasons = [
        (
            reason.detection.head.title,
            reason.level,
            f"{reason.events:,}",
            f"{reason.documents:,}",
            f"{reason.lost:,} at {say.when(reason.fired)}",
            " ".join([*official.attacks(reason.detection.head.tags), *official.defences(reason.detection.head.tags)]),
        )
        for reason in one.reasons
    ]
    head = ("why", "level", "events", "documents", "had left when it would have fired", "ATT&CK, D3FEND")
    return el(
        "article", {"id": f"f-{one.id}", "aria-labelledby": f"h-{one.id}"},
        el("h3", {"id": f"h-{one.id}"}, el("span", {"class": f"level {one.level}"}, one.level), say.headline(one)),
        el("p", None, first),
        el("ul", None, *(el("li", None, sentence) for sentence in others)),
        *_walked(one, drawn),
        _table("What was seen", head, reasons),
        _evidence(one, evidence),
        el("p", {"class": "soft"}, f"Finding {one.id}: strongroom hunt … --explain {one.id} shows every event."),
    )  # fmt: skip


def _walked(one: Finding, drawn: Pictures) -> Iterator[Element]:
    walk = drawn.walks.get(one.about)
    if walk is not None and walk.points:
        some = "" if len(walk.points) == walk.asked else f" {len(walk.points):,} of {walk.asked:,} are drawn."
        yield el(
            "figure", None,
            draw.walk(walk, f"walk-{one.id}"),
            el("figcaption", None, f"Ids asked for on {walk.route}: a dot left, a cross was denied or not there.{some}"),
        )  # fmt: skip


def _evidence(one: Finding, evidence: list[Opened]) -> Element:
    rows: list[tuple[str | Element, ...]] = []
    for at in evidence:
        line = at.unit.decode("utf-8", "backslashreplace")
        rows.append((
            el("code", None, f"{at.file} byte {at.offset}, {at.length} bytes"),
            el("code", None, at.sha256[:16]) if at.same else "changed since it was read",
            el("pre", None, say.harmless(line, _LINE)),
        ))  # fmt: skip
    summary = f"Evidence: the first {len(evidence)} of {say.count(one.events, 'event')}"
    return el("details", None, el("summary", None, summary), _table("", ("where", "sha256", "what stands there"), rows))


def _read(found: Result) -> Iterator[Element]:
    if found.suppressed:
        yield el("h2", None, "What was suppressed")
        yield el("ul", None, *(el("li", None, say.suppression(one)) for one in found.suppressed))
    yield el("h2", None, "What was read")
    rows = [
        (
            one.source.name,
            one.format.what if one.format else "no log that is known: left out",
            f"{one.account.events:,}",
            _unreadable(one),
        )
        for one in found.files
    ]
    yield _table("Every line is an event or is counted here", ("file", "format", "events", "unreadable"), rows)
    if found.stopped:
        left = [(one.title, one.file, one.reason) for one in found.stopped]
        yield _table("Rules that did not run", ("rule", "file", "why"), left)


def _unreadable(one: File) -> str:
    return "; ".join(f"{number:,}: {why}" for why, number in one.account.unreadable.items()) or "none"


def _foot(found: Result, now: int) -> Iterator[Element]:
    yield el(
        "p", {"class": "soft"},
        f"Hunted {say.when(now)} UTC, {len(found.detections)} detections. What is not in these logs they cannot see; no finding "
        f"is no proof. ATT&CK {official.ATTACK}, D3FEND {official.D3FEND}. This page names people: keep it as you keep the logs.",
    )  # fmt: skip


def _table(caption: str, head: tuple[str, ...], rows: Iterable[tuple[str | Element, ...]]) -> Element:
    return el(
        "div", {"class": "wide"},
        el(
            "table", None,
            *([el("caption", None, caption)] if caption else []),
            el("thead", None, el("tr", None, *(el("th", {"scope": "col"}, name) for name in head))),
            el("tbody", None, *(el("tr", None, *(el("td", None, cell) for cell in row)) for row in rows)),
        ),
    )  # fmt: skip
