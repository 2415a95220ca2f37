"""Drawings as SVG elements: egress by hour with what was to be expected, people per principal, and walks over ids.

Each is an image with a title and a description that says in words what it shows; how it looks is said by the page's style, by
class, so that it follows light and dark. What differs by colour differs by form too.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final
from xml.etree.ElementTree import Element

from strongroom.clock import DAY, HOUR
from strongroom.detect import say
from strongroom.detect.markup import el
from strongroom.detect.series import Bin, Flow, Readers, Walk

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 900, 260, 92, 14, 34
_RIGHT: Final = WIDTH - 12
_ROW: Final = 22
_WORDS: Final = {HOUR: "hour", DAY: "day", 30 * DAY: "30 days"}


def width(flow: Flow) -> str:
    """How long its bins are, in words."""
    return _WORDS.get(flow.width, "ten years")


def flow(drawn: Flow, name: str) -> Element:
    """Bins as steps; in front of them, filled, what went to those whom findings are about; behind, the band."""
    most = max([1.0, *(max(one.amount, one.expected.high if one.expected else 0) for one in drawn.bins)])
    first, last = drawn.bins[0].t, drawn.bins[-1].t + drawn.width
    frame = _Frame(first, last, 0, _ceiling(most))
    worst = max(drawn.bins, key=lambda one: one.amount)
    found = sum(one.found for one in drawn.bins)
    told = (
        f"{_amount(drawn, sum(one.amount for one in drawn.bins))} in all, the most in one {width(drawn)} "
        f"{_amount(drawn, worst.amount)} at {say.when(worst.t)} UTC; {_amount(drawn, found)} of all to those whom findings "
        "are about."
    )
    return _svg(
        name, f"{drawn.what.capitalize()} by {width(drawn)}", told, HEIGHT,
        *frame.vertical(lambda value: _amount(drawn, value)), *frame.times(),
        el("path", {"class": "band", "d": " ".join(_band(drawn, frame))}),
        el("path", {"class": "all", "d": _steps(drawn, frame)}),
        el("path", {"class": "found", "d": " ".join(_bars(drawn, frame))}),
    )  # fmt: skip


def readers(drawn: Readers, name: str) -> Element:
    """A bar for each, longest first, and a line where 95 of 100 stay below."""
    most = max(1, drawn.top[0].count)
    left, right = 330, WIDTH - 70
    line = left + (right - left) * min(1.0, drawn.much / most)
    height = TOP + _ROW * len(drawn.top) + 26
    told = (
        f"{say.count(drawn.principals, 'principal')}; half of them read at most {drawn.median:,}, 95 of 100 at most "
        f"{drawn.much:,}, and the first of these {drawn.top[0].count:,}."
    )
    rows: list[Element] = []
    for place, one in enumerate(drawn.top):
        y = TOP + _ROW * place
        length = max(2.0, (right - left) * one.count / most)
        marked = "found" if one.found else "all bar"
        rows += [
            el("text", {"x": left - 8, "y": y + 14, "class": "end"}, _short(one.about)),
            el("rect", {"class": marked, "x": left, "y": y + 3, "width": f"{length:.1f}", "height": _ROW - 7}),
            el("text", {"x": f"{left + length + 6:.1f}", "y": y + 14}, f"{one.count:,}{' ●' if one.found else ''}"),
        ]
    low = TOP + _ROW * len(drawn.top)
    mark = el("path", {"class": "much", "d": f"M{line:.1f} {TOP}V{low + 4}"})
    label = el("text", {"x": f"{line:.1f}", "y": low + 18, "class": "middle"}, f"95 of 100: {drawn.much:,}")
    return _svg(name, f"Different {drawn.what} per principal", told, height, *rows, mark, label)


def walk(drawn: Walk, name: str) -> Element:
    """Each id at its time: a dot where it left, a cross where it was refused or was not there."""
    times = [t for t, _, _ in drawn.points]
    numbers = [number for _, number, _ in drawn.points]
    frame = _Frame(min(times), max(times), min(numbers), max(numbers))
    left = sum(served for _, _, served in drawn.points)
    told = (
        f"{say.count(len(drawn.points), 'id')} from {min(numbers)} to {max(numbers)} between {say.when(min(times))} and "
        f"{say.when(max(times))} UTC; {left:,} of them left."
    )
    dots = " ".join(f"M{frame.x(t):.1f} {frame.y(number):.1f}h0" for t, number, served in drawn.points if served)
    crosses = " ".join(
        f"M{frame.x(t) - 3:.1f} {frame.y(number) - 3:.1f}l6 6m0-6l-6 6"
        for t, number, served in drawn.points
        if not served
    )
    return _svg(
        name, "Ids in the order of time", told, HEIGHT,
        *frame.vertical(lambda value: f"{value:.0f}"), *frame.times(),
        el("path", {"class": "dots", "d": dots}), el("path", {"class": "crosses", "d": crosses}),
    )  # fmt: skip


class _Frame:
    """Where values stand on the paper."""

    def __init__(self, first: float, last: float, low: float, high: float) -> None:
        self._first, self._long = first, max(1.0, last - first)
        self._low, self._tall = low, max(1.0, high - low)

    def x(self, t: float) -> float:
        """From the left."""
        return LEFT + (_RIGHT - LEFT) * (t - self._first) / self._long

    def y(self, value: float) -> float:
        """From above."""
        return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * (value - self._low) / self._tall

    def vertical(self, words: Callable[[float], str]) -> Iterator[Element]:
        """Lines with their values."""
        for part in range(5):
            value = self._low + self._tall * part / 4
            y = f"{self.y(value):.1f}"
            yield el("path", {"class": "grid", "d": f"M{LEFT} {y}H{_RIGHT}"})
            yield el("text", {"class": "end", "x": LEFT - 8, "y": f"{self.y(value) + 4:.1f}"}, words(value))

    def times(self) -> Iterator[Element]:
        """Five times below."""
        for part, kind in ((0, ""), (1, "middle"), (2, "middle"), (3, "middle"), (4, "end")):
            t = self._first + self._long * part / 4
            text = say.when(round(t))[: 16 if self._long < 3 * DAY else 10]
            yield el("text", {"class": kind, "x": f"{self.x(t):.1f}", "y": HEIGHT - 12}, text)


def _svg(name: str, title: str, told: str, height: int, *parts: Element) -> Element:
    return el(
        "svg",
        {
            "viewBox": f"0 0 {WIDTH} {height}", "role": "img", "aria-labelledby": f"{name}-title {name}-told",
            "class": "drawing",
        },
        el("title", {"id": f"{name}-title"}, title),
        el("desc", {"id": f"{name}-told"}, told),
        *parts,
    )  # fmt: skip


def _steps(drawn: Flow, frame: _Frame) -> str:
    parts = [f"M{frame.x(drawn.bins[0].t):.1f} {frame.y(0):.1f}"]
    parts += [f"V{frame.y(one.amount):.1f}H{frame.x(one.t + drawn.width):.1f}" for one in drawn.bins]
    return "".join([*parts, f"V{frame.y(0):.1f}Z"])


def _bars(drawn: Flow, frame: _Frame) -> Iterator[str]:
    for one in drawn.bins:
        if one.found:
            left, right = frame.x(one.t), frame.x(one.t + drawn.width)
            yield f"M{left:.1f} {frame.y(0):.1f}V{frame.y(one.found):.1f}H{max(right, left + 1):.1f}V{frame.y(0):.1f}Z"


def _band(drawn: Flow, frame: _Frame) -> Iterator[str]:
    """One closed shape for each stretch in which something was to be expected."""
    for known, group in groupby(drawn.bins, key=lambda one: one.expected is not None):
        if known:
            stretch = list(group)
            upper = _edge(stretch, drawn.width, frame, high=True)
            lower = _edge(stretch[::-1], drawn.width, frame, high=False)
            yield "M" + "L".join([*upper, *lower]) + "Z"


def _edge(bins: Sequence[Bin], wide: int, frame: _Frame, *, high: bool) -> Iterable[str]:
    for one in bins:
        if one.expected is not None:
            value = one.expected.high if high else one.expected.low
            yield f"{frame.x(one.t + wide / 2):.1f} {frame.y(value):.1f}"


def _ceiling(most: float) -> float:
    """The next round number: 1, 2, 4 or 8 times a power of ten."""
    power = 1.0
    while power * 10 <= most:
        power *= 10
    return next((step * power for step in (1, 2, 4, 8) if step * power >= most), 10 * power)


def _amount(drawn: Flow, value: float) -> str:
    return say.size(value) if drawn.what == "bytes" else f"{value:,.0f}"


def _short(text: str, longest: int = 44) -> str:
    shown = say.harmless(text)
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"
