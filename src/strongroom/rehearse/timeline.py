"""One picture of a rehearsal: a lane for each run, time to the right; what was got, what was refused, and honest people."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from strongroom.rehearse.attack import Moment
from strongroom.rehearse.scorecard import Run

WIDTH, LANE, LEFT, RIGHT, TOP = 1080, 46, 350, 62, 64
PLOT = WIDTH - LEFT - RIGHT
BINS = 120
UP, DOWN = 24.0, 12.0
"""Height of the tallest bar above a lane's line (the attacker) and below it (honest people)."""
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#1b1f24}.dim{fill:#57606a}.lane{fill:#f3f4f6}.refused{fill:#9aa4af}"
    ".own{fill:#2f7d4f}.foreign{fill:#c0392b}.honest{fill:#2f6fb0}.wronged{fill:#b35900;stroke:#1b1f24}.end{stroke:#c0392b}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.dim{fill:#9198a1}.lane{fill:#20262d}.refused{fill:#5b6570}"
    ".own{fill:#4fb477}.foreign{fill:#ff6b57}.honest{fill:#5aa9e6}.wronged{fill:#ffa94d;stroke:#e6edf3}.end{stroke:#ff6b57}"
    "svg{background:#0d1117}}"
)
_LEGEND = (
    ("foreign", "got somebody else's document (line: the last one)"), ("own", "got own"),
    ("refused", "refused, or nothing there"), ("honest", "honest people"), ("wronged", "honest people refused"),
)  # fmt: skip
_ABOVE = ("foreign", "own", "refused")
_BELOW = ("wronged", "honest")


@dataclass(frozen=True, slots=True)
class Lane:
    """One run and what happened in it."""

    run: Run
    moments: Sequence[Moment]


def draw(playbook: str, lanes: Sequence[Lane]) -> str:
    """The picture as SVG. No script, no outside reference; colours follow the reader's theme."""
    height = TOP + LANE * len(lanes) + 16
    lost = sum(lane.run.people_lost for lane in lanes)
    refused = sum(lane.run.honest_refused for lane in lanes)
    title = (
        f"Rehearsal {playbook} (simulated, synthetic people): {len(lanes)} runs, {lost} people lost in all,"
        f" {refused} honest requests refused"
    )
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height}' role='img' aria-labelledby='t d'>",
        f"<title id='t'>{escape(title)}</title>",
        f"<desc id='d'>{escape(_told(lanes))}</desc>",
        f"<style>{_STYLE}</style>",
        f"<text x='16' y='24' font-weight='600'>{escape(title)}</text>",
        *_legend(),
    ]
    for number, lane in enumerate(lanes):
        parts += _lane(lane, TOP + number * LANE)
    return "".join((*parts, "</svg>"))


def _told(lanes: Sequence[Lane]) -> str:
    """The picture in words, for those who do not see it."""
    runs = "; ".join(f"{_label(lane.run)}: {_outcome(lane.run)}" for lane in lanes)
    return (
        "One lane for each run. Bars above the line: the attacker's requests, red where somebody else's document was got,"
        f" grey where it was refused. Bars below: honest people's requests. {runs}."
    )


def _label(run: Run) -> str:
    return f"{run.condition}, {run.logins} login{'s' if run.logins != 1 else ''}, {run.rate}"


def _outcome(run: Run) -> str:
    return f"{run.people_lost} of at most {run.bound} people; {run.stopped_by or 'nothing to stop'}"


def _legend() -> Iterator[str]:
    x = 16
    for kind, word in _LEGEND:
        yield f"<rect class='{kind}' x='{x}' y='38' width='10' height='10'/><text x='{x + 15}' y='47'>{word}</text>"
        x += 40 + 6 * len(word)


def _lane(lane: Lane, top: int) -> Iterator[str]:
    span = max((moment.at for moment in lane.moments), default=0.0) or 1.0
    line = top + 2 + UP + 2
    yield f"<rect class='lane' x='{LEFT}' y='{top + 2}' width='{PLOT}' height='{LANE - 6}' rx='3'/>"
    yield f"<text x='16' y='{top + 18}'>{escape(_label(lane.run))}</text>"
    yield f"<text class='dim' x='16' y='{top + 34}'>{escape(_outcome(lane.run))}</text>"
    yield f"<text class='dim' x='{WIDTH - RIGHT + 8}' y='{top + 26}'>{duration(span)}</text>"
    bins = _tally(lane.moments, span)
    yield from _bars(bins, _ABOVE, line, -UP)
    yield from _bars(bins, _BELOW, line + 1, DOWN)
    last = max((moment.at for moment in lane.moments if _kind(moment) == "foreign"), default=None)
    if last is not None:
        x = LEFT + (min(BINS - 1, int(last / span * BINS)) + 1) * PLOT / BINS
        yield f"<line class='end' x1='{x:.1f}' x2='{x:.1f}' y1='{top + 2}' y2='{top + LANE - 4}'/>"


def _kind(moment: Moment) -> str:
    if moment.honest:
        return "wronged" if moment.outcome == "refused" else "honest"
    return moment.outcome if moment.outcome in ("foreign", "own") else "refused"


def _tally(moments: Sequence[Moment], span: float) -> dict[int, Counter[str]]:
    bins: dict[int, Counter[str]] = {}
    for moment in moments:
        bins.setdefault(min(BINS - 1, int(moment.at / span * BINS)), Counter())[_kind(moment)] += 1
    return bins


def _bars(bins: dict[int, Counter[str]], kinds: Sequence[str], line: float, tallest: float) -> Iterator[str]:
    """Stacked bars from `line` on: upwards where `tallest` is negative. The fullest bin is `tallest` pixels tall."""
    most = max((sum(counts[kind] for kind in kinds) for counts in bins.values()), default=0)
    for place, counts in sorted(bins.items()):
        y = line
        for kind in kinds:
            if not counts[kind]:
                continue
            tall = counts[kind] / most * tallest
            yield (
                f"<rect class='{kind}' x='{LEFT + place * PLOT / BINS:.1f}' y='{min(y, y + tall):.1f}'"
                f" width='{PLOT / BINS - 1:.1f}' height='{abs(tall):.1f}'/>"
            )
            y += tall


_UNITS = ((86_400, "days"), (3_600, "h"), (60, "min"))


def duration(seconds: float) -> str:
    """`seconds` for people: 4.2 s, 45 s, 12 min, 3 h, 29 days; from two of a unit on."""
    for size, unit in _UNITS:
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"  # noqa: PLR2004  # one figure more for few
