"""Low and slow: against one's own past alone."""

from typing import Any

from strongroom.detect import slow
from tests.detect.conftest import Scene, read

WEEK = 7 * 86_400
DETECTION = slow.detection()


def weekly(weeks: int, each: int, who: str, start: int = 0) -> list[dict[str, Any]]:
    """So many different documents in each of so many weeks, spread over five days."""
    return [
        read(start + week * each + at, week * WEEK + at * (5 * 86_400 // each), principal=who)
        for week in range(weeks)
        for at in range(each)
    ]


def test_five_a_day_is_seen_in_a_week(scene: Scene) -> None:
    """After weeks of one a week; the alarm comes with the thirtieth document of seven days."""
    theft = [read(10**6 + at, 6 * WEEK + at * 86_400 // 5, principal="eve") for at in range(150)]
    scene.add(*weekly(6, 1, "eve"), *theft)
    found = scene.hits(DETECTION)
    assert {about for about, _, _ in found} == {"login eve"}
    assert min(fired for _, fired, _ in found) == (6 * WEEK + 29 * 86_400 // 5) * 1_000


def test_a_login_that_was_silent_and_wakes_up_is_seen(scene: Scene) -> None:
    """Its past is nothing, once the log is old enough to say so."""
    scene.add(*weekly(6, 1, "ann"), *(read(10**6 + at, 6 * WEEK + at * 3_600, principal="eve") for at in range(40)))
    assert {about for about, _, _ in scene.hits(DETECTION)} == {"login eve"}


def test_what_was_always_so_is_left_alone(scene: Scene) -> None:
    """A clinician with a hundred a week, in the seventh week too; and a busier one, up to twice."""
    scene.add(*weekly(8, 100, "doctor"), *weekly(7, 60, "nurse", 10**6), *weekly(8, 110, "nurse", 2 * 10**6)[-110:])
    assert scene.hits(DETECTION) == []


def test_a_young_log_says_nothing(scene: Scene) -> None:
    """In the first weeks everybody is new."""
    scene.add(*weekly(3, 100, "doctor"))
    assert scene.hits(DETECTION) == []
