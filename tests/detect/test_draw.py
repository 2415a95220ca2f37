"""Drawings say in words what they show, and stay on their paper."""

import re
from xml.etree.ElementTree import Element

from hypothesis import given
from hypothesis import strategies as st

from strongroom.clock import DAY, HOUR
from strongroom.detect import draw
from strongroom.detect.forecast import Band
from strongroom.detect.series import BINS, POINTS, Bin, Flow, Reader, Readers, Walk


def words(drawn: Element) -> str:
    """Its description."""
    return drawn.findtext("desc") or ""


def path(drawn: Element, kind: str) -> str:
    """The path of a class."""
    return next(one.get("d", "") for one in drawn.iter("path") if one.get("class") == kind)


def flow(*amounts: int, found: int = 0, band: Band | None = None) -> Flow:
    """Hours with these amounts; `found` of the last."""
    bins = [Bin(at * HOUR, amount, found if at == len(amounts) - 1 else 0, band) for at, amount in enumerate(amounts)]
    return Flow("bytes", HOUR, tuple(bins), 0)


def test_the_flow_says_its_sums() -> None:
    """All, the worst hour, and what findings are about."""
    drawn = draw.flow(flow(1_000, 3_000_000, 2_000, found=1_500), "x")
    assert words(drawn) == (
        "3.0 MB in all, the most in one hour 3.0 MB at 1970-01-01 01:00:00 UTC; 1.5 kB of all to those whom findings are about."
    )
    assert drawn.get("aria-labelledby") == "x-title x-told"
    assert path(drawn, "found").count("M") == 1


def test_the_band_has_a_shape_for_each_stretch() -> None:
    """Where nothing was to be expected there is none."""
    band = Band(1, 2, 3)
    bins = [Bin(at * HOUR, 1, 0, None if at == 2 else band) for at in range(5)]
    assert path(draw.flow(Flow("documents", HOUR, tuple(bins), 0), "x"), "band").count("Z") == 2


@given(st.lists(st.integers(0, 10**15), min_size=1, max_size=50))
def test_everything_stays_on_the_paper(amounts: list[int]) -> None:
    """Whatever the amounts."""
    band = Band(0, max(amounts), 3 * max(amounts))
    drawn = draw.flow(flow(*amounts, found=amounts[-1], band=band), "x")
    for kind in ("all", "band", "found"):
        for x, y in re.findall(r"(-?[\d.]+) (-?[\d.]+)", path(drawn, kind)):
            assert draw.LEFT <= float(x) <= draw.WIDTH
            assert 0 <= float(y) <= draw.HEIGHT


def test_long_drawings_are_whole() -> None:
    """As many bins and points as a drawing may hold: nothing is cut off at its end."""
    long = draw.flow(flow(*range(BINS), band=Band(1, 2, 3)), "x")
    assert path(long, "all").count("H") == BINS
    assert path(long, "band").endswith("Z")
    points = tuple((at, at, True) for at in range(POINTS))
    assert path(draw.walk(Walk("/d/{int}", points, POINTS), "x"), "dots").count("M") == POINTS


def test_readers_have_a_bar_each_and_long_names_are_cut() -> None:
    """Those whom findings are about are marked by a sign and not by colour alone."""
    top = (Reader("login " + "m" * 90, 700, found=True), Reader("login b", 2, found=False))
    drawn = draw.readers(Readers("people", top, 1_000, 1, 3), "x")
    assert (
        words(drawn)
        == "1,000 principals; half of them read at most 1, 95 of 100 at most 3, and the first of these 700."
    )
    texts = [one.text for one in drawn.iter("text")]
    assert texts[0] == "login " + "m" * 37 + "…"
    assert texts[1:4] == ["700 ●", "login b", "2"]


def test_a_walk_has_dots_and_crosses() -> None:
    """What left and what did not."""
    drawn = draw.walk(Walk("/d/{int}", ((0, 1, True), (DAY, 2, False), (4 * DAY, 3, True)), 3), "x")
    assert (path(drawn, "dots").count("M"), path(drawn, "crosses").count("M")) == (2, 1)
    assert words(drawn) == "3 ids from 1 to 3 between 1970-01-01 00:00:00 and 1970-01-05 00:00:00 UTC; 2 of them left."


def test_bins_have_names() -> None:
    """Also those of odd lengths."""
    assert draw.width(flow(1)) == "hour"
    assert draw.width(Flow("events", 3_650 * DAY, (), 0)) == "ten years"
