"""Logs that fall silent."""

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.detect import silence
from strongroom.detect.live import Live
from tests.detect.conftest import Scene, read
from tests.detect.replayed import rows, same

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


@settings(max_examples=10)
@given(seed=st.integers(0, 2**32))
def test_a_watch_says_the_same(seed: int) -> None:
    """Two kinds of logs with silences of any length, at any time; seconds are full of events, or nearly empty."""
    rng = random.Random(seed)
    events = []
    for log in ("web", "cloudtrail"):
        begin = rng.randrange(24 * 6, 24 * 14)
        found = office(range(24 * rng.randrange(8, 18)), without=range(begin, begin + rng.choice([2, 20, 40, 60])))
        burst = [read(n, rng.randrange(9) * 86_400 + rng.choice([0, n]), principal="bob") for n in range(50)]
        events += [{**event, "metadata.log_name": log} for event in (*found, *burst) if rng.random() < 0.7]
    same(events, silence.detection(), rng=rng)


def test_a_silence_that_goes_on_is_told_by_the_clock_and_once() -> None:
    """With the instant that a hunt will name when the log goes on; then nothing is new."""
    events = office(range(24 * 20), without=range(24 * 12 + 9, 24 * 13 + 9))
    before = [event for event in events if event["time"] < (24 * 12 + 9) * HOUR * 1_000]
    (fired,) = same(events, silence.detection(), rng=random.Random(1)).values()
    live = Live([silence.detection()])
    assert live.feed(rows(before), 2**50) == []
    live.advance(live.latest)
    assert live.clock(fired - 1) == []
    (alert,) = live.clock(fired)
    assert (alert.about, alert.fired, alert.place) == ("log web", fired, None)
    assert live.clock(fired + HOUR) == []
    assert live.feed(rows(events[len(before) :]), 2**50) == []
    assert live.finish() == []
    live.close()
