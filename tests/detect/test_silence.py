"""Logs that fall silent."""

from typing import Any

from strongroom.detect import silence
from tests.detect.conftest import Scene, read

HOUR = 3_600


def office(hours: range, without: range = range(0)) -> list[dict[str, Any]]:
    """Twenty an hour from eight to eighteen, two a night."""
    return [
        read(hour * 100 + n, hour * HOUR + n * 170)
        for hour in hours
        if hour not in without
        for n in range(20 if 8 <= hour % 24 < 18 else hour % 6 == 0)
    ]


def test_a_silence_three_times_the_longest_fires(scene: Scene) -> None:
    """A day without anything, after nights of six hours."""
    scene.add(*office(range(24 * 20), without=range(24 * 12 + 9, 24 * 13 + 9)))
    found = scene.hits(silence.detection())
    assert {about for about, _, _ in found} == {"log web"}
    assert len(found) == 2
    assert 18 * HOUR * 1_000 <= found[0][1] - found[0][2] <= 20 * HOUR * 1_000


def test_nights_and_short_outages_are_usual(scene: Scene) -> None:
    """And so is whatever the first week holds."""
    scene.add(*office(range(24 * 20), without=range(24 * 12 + 9, 24 * 12 + 15)))
    assert scene.hits(silence.detection()) == []
    scene.clear()
    scene.add(*office(range(24 * 20), without=range(24 * 3, 24 * 5)))
    assert scene.hits(silence.detection()) == []


def test_few_events_leave_long_silences(scene: Scene) -> None:
    """One a day, and then none for a week: not a hundred were to be expected."""
    scene.add(*(read(day, day * 24 * HOUR) for day in (*range(10), 17, 18)))
    assert scene.hits(silence.detection()) == []
