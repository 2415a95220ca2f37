"""Many documents or people for one principal."""

import random
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.detect import readers, wide
from tests.detect.conftest import Scene, read
from tests.detect.replayed import same

HOUR, COLD_HOUR, DAY, COLD_DAY = wide.detections()


def honest(people: int = 200) -> list[dict[str, object]]:
    """Each reads three documents of their own, over ten days."""
    rng = random.Random(4)
    return [
        read(10_000 + person * 3 + nth, rng.randrange(10) * 86_400 + rng.randrange(80_000), principal=f"p{person}")
        for person in range(people)
        for nth in range(3)
    ]


def test_a_burst_fires_at_the_floor(scene: Scene) -> None:
    """With peers that read three, at the twenty-fifth document, across the edge of a clock's hour; while nobody has a past with a
    low level, and from five times as many on as ever.
    """
    scene.add(*honest(), *(read(at, 3_590 + at, principal="eve") for at in range(130)))
    for detection, enough, level in ((COLD_HOUR, 25, "low"), (HOUR, 125, "medium")):
        found = scene.hits(detection)
        assert {(about, fired) for about, fired, _ in found} == {("login eve", (3_590 + enough - 1) * 1_000)}
        assert (len(found), detection.head.level) == (130, level)


def test_a_slow_reader_fires_within_a_day(scene: Scene) -> None:
    """One every ten minutes is nothing in an hour."""
    scene.add(*honest(), *(read(at, at * 600, principal="eve") for at in range(100)))
    assert scene.hits(COLD_HOUR) == []
    assert {(about, fired) for about, fired, _ in scene.hits(COLD_DAY)} == {("login eve", 59 * 600_000)}


def test_the_same_documents_again_count_once(scene: Scene) -> None:
    """A refresh storm is no theft."""
    scene.add(*honest(), *(read(at % 5, at, principal="ann") for at in range(500)))
    assert scene.hits(COLD_HOUR) == []


def test_people_are_counted_where_they_are_known(scene: Scene) -> None:
    """Three hundred documents of one patient are one person's; one each of thirty are thirty people's."""
    own = [read(at, at, principal="carol", patient="carol") for at in range(300)]
    others = [read(1_000 + at, at, principal="eve", patient=f"x{at}") for at in range(30)]
    scene.add(*own, *others)
    assert {about for about, _, _ in scene.hits(COLD_HOUR)} == {"login eve"}


@pytest.mark.parametrize("code", [302, 304, 403, 404])
def test_answers_without_a_document_do_not_count(scene: Scene, code: int) -> None:
    """Redirections, copies that are still good, and refusals."""
    change = {"http_response.code": code, "status_id": 1 if code < 400 else 2}
    scene.add(*(read(at, at, **change) for at in range(100)))
    assert scene.hits(COLD_HOUR) == []


def test_a_past_excuses_what_was_always_so(scene: Scene) -> None:
    """A desk that reads fifty an hour is told of until it has a past; who read five and now reads fifty is told of then."""
    busy = [read(hour * 100 + at, hour * 3_600 + at, principal="desk") for hour in range(30) for at in range(50)]
    new = [read(hour * 100 + at, hour * 3_600 + at, principal="new") for hour in range(29) for at in range(5)]
    late = [read(9_000 + at, 29 * 3_600 + at, principal="new") for at in range(50)]
    scene.add(*busy, *new, *late)
    assert max(time for about, _, time in scene.hits(COLD_HOUR) if about == "login desk") < 11 * 3_600_000
    assert {(about, fired, time >= 29 * 3_600_000) for about, fired, time in scene.hits(HOUR)} == {
        ("login new", (29 * 3_600 + 24) * 1_000, True)
    }


def test_what_is_done_now_is_no_past(scene: Scene) -> None:
    """A theft across the edge of two hours is not excused by its own beginning."""
    past = [read(hour * 10, hour * 3_600, principal="eve") for hour in range(20)]
    scene.add(*past, *(read(9_000 + at, 30 * 3_600 - 1_200 + at * 60, principal="eve") for at in range(25)))
    assert {about for about, _, _ in scene.hits(HOUR)} == {"login eve"}


def test_a_crowd_excuses_what_many_do(scene: Scene) -> None:
    """Thirty clinicians who read forty an hour are no finding, and the thief among them who reads two hundred is."""
    rng = random.Random(5)
    crowd = [
        read(person * 1_000 + nth, rng.randrange(3_000), principal=f"c{person}")
        for person in range(30)
        for nth in range(40)
    ]
    scene.add(*crowd, *(read(10**6 + at, at, principal="eve") for at in range(200)))
    assert {about for about, _, _ in scene.hits(COLD_HOUR)} == {"login eve"}


def test_peers_are_those_of_the_days_before(scene: Scene) -> None:
    """What a crowd does tomorrow excuses nobody today; what it did yesterday does."""
    early = [
        read(person * 100 + at, person * 9 + at, principal=f"p{person}") for person in range(30) for at in range(3)
    ]
    for day, name in ((1, "eve"), (3, "zoe")):
        scene.add(*(read(10**6 + at, day * 86_400 + at, principal=name) for at in range(40)))
    crowd = [
        read(person * 100 + at, 2 * 86_400 + at * 60, principal=f"p{person}")
        for person in range(30)
        for at in range(20)
    ]
    scene.add(*early, *crowd)
    assert {about for about, _, _ in scene.hits(COLD_HOUR)} == {"login eve"}


def test_a_monday_is_known_by_its_end(scene: Scene) -> None:
    """In the first week those who all do the same are a crowd on that very day; and who does far more than they is seen."""
    weekend = [read(person * 10, person % 2 * 86_400 + person, principal=f"p{person}") for person in range(200)]
    monday = [
        read(10**6 + who * 1_000 + at, 2 * 86_400 + at * 300, principal=f"s{who}")
        for who in range(30)
        for at in range(90)
    ]
    eve = [read(10**8 + at, 2 * 86_400 + at * 60, principal="eve") for at in range(400)]
    scene.add(*weekend, *monday, *eve)
    assert {(about, fired) for about, fired, _ in scene.hits(COLD_DAY)} == {
        ("login eve", (2 * 86_400 + 269 * 60) * 1_000)
    }


def few_among_many(eves: int = 1, day: int = 0, who: str = "") -> list[dict[str, object]]:
    """A day of five hundred who read two, of thirty desks that read eighty, and of some who read hundreds."""
    start = day * 86_400
    many = [read(one * 10 + nth, start + one * 60, principal=f"{who}p{one}") for one in range(500) for nth in range(2)]
    desks = [
        read(10**6 + one * 1_000 + at, start + at * 300, principal=f"{who}d{one}")
        for one in range(30)
        for at in range(80)
    ]
    eve = [
        read(10**8 + one * 1_000 + at, start + at * 60, principal=f"{who}eve{one}")
        for one in range(eves)
        for at in range(400)
    ]
    return [*many, *desks, *eve]


def test_a_work_that_few_do_is_no_theft_in_a_first_week(scene: Scene) -> None:
    """A desk reads forty times as much as nearly all; who reads five times as much as the desks is seen."""
    scene.add(*few_among_many())
    assert {(about, fired) for about, fired, _ in scene.hits(COLD_DAY)} == {("login eve0", 239 * 60_000)}


def test_fewer_than_a_crowd_are_no_work(scene: Scene) -> None:
    """Nineteen with four hundred each do not excuse one another."""
    events = [one for one in few_among_many(eves=19) if not str(one["principal"]).startswith("d")]
    scene.add(*events)
    assert len({about for about, _, _ in scene.hits(COLD_DAY)}) == 19


def test_a_watch_tells_a_work_as_a_hunt_does() -> None:
    """On that day and on one after the first two weeks, when nobody is excused any more."""
    later = few_among_many(day=15, who="new ")
    found = same([*few_among_many(), *later], *wide.detections(), rng=random.Random(2))
    assert (COLD_DAY.head.id, "login eve0") in found
    assert (DAY.head.id, "login new eve0") in found
    assert (COLD_DAY.head.id, "login new eve0") not in found


def test_what_waited_for_a_days_end_may_be_earlier_than_what_was_told() -> None:
    """On a first day the hour in which ten windows become a past is judged at once, and the one before it when the day is over."""
    usual = [read(hour, hour * 3_600, principal="eve") for hour in (*range(9), 10)]
    much = [read(1_000 + at, 12 * 3_600 - 3 - 124 * 10 + at * 10, principal="eve") for at in range(130)]
    after = [read(1, 2 * 86_400, principal="ann")]
    found = same([*usual, *much, *after], HOUR, rng=random.Random(1))
    assert found == {(HOUR.head.id, "login eve"): (12 * 3_600 - 3) * 1_000}


def test_a_short_past_excuses_and_never_blames(scene: Scene) -> None:
    """After three nights a program's hundred are its own; somebody with three small days is still as good as their peers."""
    nights = [
        read(night * 1_000 + at, night * 86_400 + at * 300, principal="sync") for night in range(9) for at in range(100)
    ]
    scene.add(*nights, *(read(10**7 + day, day * 86_400, principal="ann") for day in range(3)))
    assert max(time for _, _, time in scene.hits(COLD_DAY)) < 3 * 86_400_000
    crowd = [
        read(10**8 + who * 1_000 + at, 4 * 86_400 + at * 60, principal=f"s{who}")
        for who in range(30)
        for at in range(50)
    ]
    scene.add(*crowd, *(read(10**9 + at, 8 * 86_400 + at * 300, principal="ann") for at in range(100)))
    assert "login ann" not in {about for about, _, _ in (*scene.hits(COLD_DAY), *scene.hits(DAY))}


def test_a_limit_is_passed_at_an_event(scene: Scene) -> None:
    """Not at the moment at which something leaves the window, though the limit of the new hour be lower than the last one's."""
    crowd = [
        read(person * 100 + at, at * 60, principal=f"p{person}") for person in range(30) for at in range(20)
    ]  # whose limit is sixty
    past = [
        read(10**5 + hour, hour * 3_600, principal="eve") for hour in range(24, 34)
    ]  # ten: its own limit from hour 35 on
    burst = [read(10**6 + at, 34 * 3_600 + 10 + at, principal="eve") for at in range(30)]
    scene.add(*crowd, *past, *burst, read(10**7, 35 * 3_600 + 30, principal="eve"))
    assert scene.hits(HOUR) == []
    scene.add(read(10**7 + 1, 35 * 3_600 + 9, principal="eve"))
    assert {fired for _, fired, _ in scene.hits(HOUR)} == {(35 * 3_600 + 9) * 1_000}


def test_services_are_left_out(scene: Scene) -> None:
    """The provider's own programs read everything."""
    scene.add(*(read(at, at, **{"principal.kind": "service"}) for at in range(100)))
    assert scene.hits(COLD_HOUR) == []


def desks(count: int, days: int = 20, **more: object) -> list[dict[str, object]]:
    """Desks that read eighty a day from the log's first day on."""
    return [
        read(desk * 100_000 + day * 100 + n, day * 86_400 + n * 300, principal=f"desk{desk}", **more)
        for desk in range(count)
        for day in range(days)
        for n in range(80)
    ]


def test_those_of_the_same_role_are_peers(scene: Scene) -> None:
    """Where roles are told, a desk's hundred are nothing among desks, and a patient's hundred are much."""
    once = [
        read(10**8 + n, 9 * 86_400 + n * 300, principal="eve", **{"actor.user.type": "patient"}) for n in range(100)
    ]
    busy = [read(10**9 + n, 86_400 + n * 300, principal="desk0", **{"actor.user.type": "desk"}) for n in range(100)]
    scene.add(*honest(400), *desks(25, days=2, **{"actor.user.type": "desk"}), *busy, *once)
    assert {about for about, _, _ in scene.hits(COLD_DAY)} == {"login eve"}


def test_quiet_days_and_busy_ones_are_a_habit(scene: Scene) -> None:
    """Whose days differ by ten has its limit further up than whose days are alike."""
    rng = random.Random(6)
    days = [(who, day, spread) for who, spread in (("even", 0.05), ("uneven", 1.0)) for day in range(30)]
    past = [
        read(day * 10_000 + n, day * 86_400 + n * 10, principal=who)
        for who, day, spread in days
        for n in range(int(100 * rng.lognormvariate(0, spread)))
    ]
    busy = [read(10**7 + n, 40 * 86_400 + n * 10, principal=who) for who in ("even", "uneven") for n in range(900)]
    scene.add(*past, *busy)
    assert {about for about, _, time in scene.hits(DAY) if time >= 40 * 86_400_000} == {"login even"}


def quiet(who: str, days: int) -> list[dict[str, object]]:
    """One a day."""
    return [read(10**5 + day, day * 86_400 + 9 * 3_600, principal=who) for day in range(days)]


def daily(who: str, start: int, amounts: Iterable[int], **more: object) -> list[dict[str, object]]:
    """So many different documents on each of the days from `start` on."""
    return [
        read(10**7 + day * 10_000 + n, (start + day) * 86_400 + n * 100, principal=who, **more)
        for day, amount in enumerate(amounts)
        for n in range(amount)
    ]


def days_of(scene: Scene, about: str) -> set[int]:
    """The days of the events by which somebody is told of."""
    return {time // 86_400_000 for who, _, time in scene.hits(DAY) if who == about}


def test_a_theft_does_not_excuse_the_next(scene: Scene) -> None:
    """Who takes a hundred a day for ten days has all ten days told, and not the first two alone."""
    scene.add(*honest(), *quiet("eve", 19), *daily("eve", 20, [100] * 10))
    assert days_of(scene, "login eve") == set(range(20, 30))


def test_small_steps_excuse_no_large_ones(scene: Scene) -> None:
    """Who takes a little less than twice as much each day is told of from the day on that would be too much without a past."""
    scene.add(*honest(), *quiet("eve", 19), *daily("eve", 20, [45, 85, 160, 300, 550]))
    assert days_of(scene, "login eve") == {21, 22, 23, 24}


def test_who_was_told_of_for_four_weeks_is_known(scene: Scene) -> None:
    """A desk that was set up later: nobody minded, so it is a habit."""
    scene.add(*honest(), *quiet("desk", 19), *daily("desk", 20, [100] * 40))
    assert days_of(scene, "login desk") == set(range(20, 48))


def test_what_peers_do_is_a_past_at_once(scene: Scene) -> None:
    """Where roles are told, a desk's hundred are no theft among desks, and excuse a busy day of a hundred and fifty."""
    role = {"actor.user.type": "desk"}
    crowd = [one for who in range(25) for one in daily(f"desk{who}", 0, [80] * 16, **role)]
    scene.add(*crowd, *daily("ann", 15, [*[100] * 14, 180], **role))
    assert days_of(scene, "login ann") == set()


def test_a_watch_doubts_as_a_hunt_does() -> None:
    """By day, for as long as it does."""
    theft = daily("eve", 20, [100] * 32)
    others = [read(at, at * 9_000, principal=f"p{at % 50}") for at in range(540)]
    found = same([*quiet("eve", 20), *theft, *others], *wide.detections(), rng=random.Random(3))
    assert (DAY.head.id, "login eve") in found


def test_a_portals_own_role_reads_for_everybody_from_the_first_day(scene: Scene) -> None:
    """Four hundred a day are low while nobody has a past, and are a past; four times as many later are much."""
    role = {"principal.kind": "role"}
    scene.add(*daily("app", 0, [400] * 18, **role), *daily("app", 18, [1_600], **role))
    assert {about for about, _, _ in scene.hits(COLD_DAY)} == {"role app"}
    assert {(about, fired // 86_400_000) for about, fired, _ in scene.hits(DAY)} == {("role app", 18)}
    assert same(
        [*daily("app", 0, [400] * 18, **role), *daily("app", 18, [1_600], **role)],
        *wide.detections(),
        rng=random.Random(5),
    )


def test_no_limit_is_known_of_a_role_that_reads_more_than_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A login that reads so much is told of, for whatever it is."""
    for room in (wide, readers):
        monkeypatch.setattr(room, "MOST", 80)
        monkeypatch.setattr(room, "NEVER", 81)
    events = [*daily("app", 0, [90] * 17, **{"principal.kind": "role"}), *daily("svc", 0, [90] * 17)]
    found = same(events, *wide.detections(), rng=random.Random(7))
    assert {about for id_, about in found if id_ == DAY.head.id} == {"login svc"}


@settings(max_examples=3)
@given(seed=st.integers(0, 2**32))
def test_a_watch_learns_its_first_weeks_as_a_hunt_does(seed: int) -> None:
    """Some who come every day and many who come once, of whom some read far more than others."""
    rng = random.Random(seed)
    events = [
        read(rng.randrange(10**6), day * 86_400 + rng.randrange(80_000) + rng.randrange(3_000), principal=f"s{who}")
        for day in range(17)
        for who in range(rng.randrange(15, 26))
        for _ in range(rng.choice([1, 3, 8]))
    ]
    for at in range(25):
        begin, many = rng.randrange(17 * 86_400), rng.choice([25, 60, 90, 130])
        events += [
            read(rng.randrange(10**6), begin + rng.randrange(3_600 * rng.choice([1, 20])), principal=f"p{at // 2}")
            for _ in range(many)
        ]
    events += [read(10**7 + at, 9 * 86_400 + at, principal="eve") for at in range(800)]
    assert (COLD_HOUR.head.id, "login eve") in same(events, *wide.detections(), rng=rng)
