"""One picture of a rehearsal: a lane for each run, time to the right; what was got, what was refused, and honest people."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from strongroom.rehearse.attack import Moment
from strongroom.rehearse.scorecard import Run

WIDTH, LANE, LEFT, TOP = 960, 46, 250, 64
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#1b1f24}.dim{fill:#57606a}.lane{fill:#f3f4f6}.refused{fill:#9aa4af}"
    ".own{fill:#2f7d4f}.foreign{fill:#c0392b}.honest{fill:#2f6fb0}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.dim{fill:#9198a1}.lane{fill:#20262d}.refused{fill:#5b6570}"
    ".own{fill:#4fb477}.foreign{fill:#ff6b57}.honest{fill:#5aa9e6}svg{background:#0d1117}}"
)
BINS = 120


@dataclass(frozen=True, slots=True)
class Lane:
    """One run and what happened in it."""

    run: Run
    moments: Sequence[Moment]


def draw(playbook: str, lanes: Sequence[Lane]) -> str:
    """The picture as SVG. No script, no outside reference; colours follow the reader's theme."""
    height = TOP + LANE * len(lanes) + 40
    lost = sum(lane.run.people_lost for lane in lanes)
    title = f"Rehearsal {playbook}: {len(lanes)} runs, {lost} people lost in all"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="t d">',
        f"<title id='t'>{escape(title)}</title>",
        (
            "<desc id='d'>One lane for each run. Bars above the line: the attacker's requests, red where somebody else's document"
            " was got, grey where refused. Bars below: honest people's requests.</desc>"
        ),
        f"<style>{_STYLE}</style>",
        f"<text x='16' y='24' font-weight='600'>{escape(title)}</text>",
        _legend(),
    ]
    for number, lane in enumerate(lanes):
        parts.append(_lane(lane, TOP + number * LANE))
    parts.append("</svg>")
    return "".join(parts)


def _legend() -> str:
    words = (
        ("foreign", "got somebody else's document"),
        ("own", "got own"),
        ("refused", "refused"),
        ("honest", "honest people"),
    )
    x, parts = 16, []
    for kind, word in words:
        parts.append(
            f"<rect class='{kind}' x='{x}' y='38' width='10' height='10'/><text x='{x + 15}' y='47'>{word}</text>"
        )
        x += 40 + 7 * len(word)
    return "".join(parts)


def _lane(lane: Lane, top: int) -> str:
    run, span = lane.run, max([moment.at for moment in lane.moments], default=0.0) or 1.0
    plot = WIDTH - LEFT - 16
    middle = top + LANE // 2 + 4
    label = f"{run.condition}, {run.logins} login{'s' if run.logins != 1 else ''}, {run.rate}"
    told = f"{run.people_lost} of at most {run.bound} people; {run.stopped_by or 'nothing to stop'}"
    parts = [
        f"<rect class='lane' x='{LEFT}' y='{top + 2}' width='{plot}' height='{LANE - 6}' rx='3'/>",
        f"<text x='16' y='{top + 18}'>{escape(label)}</text><text class='dim' x='16' y='{top + 34}'>{escape(told)}</text>",
    ]
    counts: dict[tuple[int, str], int] = {}
    for moment in lane.moments:
        place = min(BINS - 1, int(moment.at / span * BINS))
        kind = "honest" if moment.honest else moment.outcome if moment.outcome in ("foreign", "own") else "refused"
        counts[place, kind] = counts.get((place, kind), 0) + 1
    most = max(counts.values(), default=1)
    for place in range(BINS):
        x, y = LEFT + place * plot / BINS, float(middle)
        for kind in ("foreign", "own", "refused"):
            if count := counts.get((place, kind), 0):
                tall = max(2.0, count / most * 18)
                y -= tall
                parts.append(
                    f"<rect class='{kind}' x='{x:.1f}' y='{y:.1f}' width='{plot / BINS - 1:.1f}' height='{tall:.1f}'/>"
                )
        if count := counts.get((place, "honest"), 0):
            tall = max(2.0, count / most * 14)
            parts.append(
                f"<rect class='honest' x='{x:.1f}' y='{middle + 1}' width='{plot / BINS - 1:.1f}' height='{tall:.1f}'/>"
            )
    parts.append(f"<text class='dim' x='{WIDTH - 16}' y='{top + LANE - 8}' text-anchor='end'>{span:.0f} s</text>")
    return "".join(parts)
