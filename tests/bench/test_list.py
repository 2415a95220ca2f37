"""The bench of lists: it finds the whole theft, and lists through the real door."""

import pytest

from bench import list as lists
from bench.scale import Standing


def test_the_lists_are_whole(standing: Standing, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every release and everybody of the theft; what is measured is told."""
    monkeypatch.setitem(lists.LISTINGS, "small", 2)
    figures = {figure.name: figure for figure in lists.run("small")}
    sizes = standing.world.sizes
    assert figures["releases on the list"].value == sizes.stolen
    assert figures["people on the list"].value == sizes.victims
    assert figures["releases on the list"].holds
    assert all(figure.value > 0 for figure in figures.values())
