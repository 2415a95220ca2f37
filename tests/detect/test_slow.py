"""Low and slow: against one's own past, and in a log's first weeks against peers."""

import random
from typing import Any

from strongroom.detect import slow
from strongroom.detect.detection import Detection
from tests.detect.conftest import Scene, read
from tests.detect.replayed import same

WEEK = 7 * 86_400
DETECTION, COLD = slow.detections()


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
    assert (scene.hits(DETECTION), scene.hits(COLD)) == ([], [])


def people(count: int, each: int, weeks: int = 4) -> list[dict[str, Any]]:
    """Patients of whom each reads so often in these weeks, at any time."""
    rng = random.Random(8)
    return [
        read(10**8 + who * 100 + nth, rng.randrange(weeks * WEEK), principal=f"p{who}")
        for who in range(count)
        for nth in range(each)
    ]


def told(scene: Scene, detection: Detection = DETECTION) -> dict[str, int]:
    """Whom it is told of, and on which day first."""
    return {about: fired // 86_400_000 for about, fired, _ in scene.hits(detection)}


def test_twenty_a_day_from_the_first_day_on_are_seen(scene: Scene) -> None:
    """Nobody has a past, but nobody else does so: told of in the second week, with a low level, as a clinician would be."""
    theft = [read(at, at * 86_400 // 20, principal="eve") for at in range(20 * 28)]
    scene.add(*people(200, 6), *theft)
    assert (told(scene), told(scene, COLD)) == ({}, {"login eve": 7})
    assert COLD.head.level == "low"


def test_five_a_day_for_four_weeks_are_seen(scene: Scene) -> None:
    """Among people who each read one or two a month, in a log of these four weeks."""
    theft = [read(at, at * 86_400 // 5 + 3_600, principal="eve") for at in range(5 * 28)]
    scene.add(*people(150, 2), *theft)
    assert (told(scene), told(scene, COLD)) == ({}, {"login eve": 7})


def test_those_of_a_small_practice_are_no_alarm_when_the_first_weeks_end(scene: Scene) -> None:
    """Three of sixty patients' clinic who always read far more than these: their first weeks are their past."""
    staff = [one for who in range(3) for one in weekly(8, 120 + 20 * who, f"dr{who}", who * 10**6)]
    scene.add(*people(60, 12, 8), *staff)
    assert told(scene) == {}


def test_a_work_that_few_do_is_no_theft_in_the_first_weeks(scene: Scene) -> None:
    """Thirty desks of three hundred a week each, among six hundred patients."""
    desks = [one for who in range(30) for one in weekly(4, 300, f"desk{who}", who * 10**6)]
    scene.add(*people(600, 4), *desks)
    assert told(scene, COLD) == {}


def test_without_a_crowd_nothing_is_said_in_the_first_weeks(scene: Scene) -> None:
    """Three desks of a small practice are one another's peers, and too few to say what is much."""
    scene.add(*people(10, 4), *(one for who in range(3) for one in weekly(4, 300, f"desk{who}", who * 10**6)))
    assert told(scene, COLD) == {}


def test_a_theft_does_not_excuse_the_next(scene: Scene) -> None:
    """What is taken after a quiet past is told for four weeks, and not for two."""
    theft = [read(10**7 + at, 6 * WEEK + at * 86_400 // 20, principal="eve") for at in range(20 * 28)]
    scene.add(*weekly(6, 1, "eve"), *theft)
    assert {time // 1_000 // WEEK for _, _, time in scene.hits(DETECTION)} == {6, 7, 8, 9}


def test_a_watch_says_the_same_of_its_first_weeks() -> None:
    """Against peers, with a work that few do, and later against one's own past."""
    rng = random.Random(5)
    staff = [one for who in range(6) for one in weekly(6, rng.randrange(20, 60), f"s{who}", who * 10**6)]
    thieves = [
        read(10**9 + who * 10**6 + at, who * WEEK + at * 86_400 // 30, principal=f"eve{who}")
        for who in range(6)
        for at in range(350)
    ]
    found = same([*people(150, 6, 6), *staff, *thieves], DETECTION, COLD, rng=rng)
    assert (COLD.head.id, "login eve1") in found
    assert (DETECTION.head.id, "login eve5") in found
