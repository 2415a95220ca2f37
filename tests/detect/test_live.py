"""A watch says what a hunt says: the same events, in any batches and any order within the tolerance, the same verdicts."""

import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.clock import DAY
from strongroom.detect import egress, foreign, hunt, rules, slow, walk, wide
from strongroom.detect.detection import Base, Detection
from strongroom.detect.live import AGAIN, Live
from strongroom.detect.state import State
from strongroom.logs.mapping import Mapping
from tests.detect.conftest import read
from tests.detect.replayed import Event, hunted, numbered, rows, same

START = 20_453 * DAY  # a Thursday: weeks begin with it
MAPPING = Mapping(
    (),
    tuple((f"/d/{number}", f"x{number // 3}") for number in range(0, 3_000, 2)),
    (*((f"p{at}", f"x{at}") for at in range(40)), ("ward", "x1")),
    accounts=(("p3", "nurse", "ward"),),
)


def own(mapping: Mapping | None) -> tuple[Detection, ...]:
    """What a hunt looks for, as far as a watch can."""
    all_ = (*hunt.own(mapping), *rules.load(rules.files([rules.OURS])).detections)
    return tuple(one for one in all_ if one.fold is not None)


WITH, WITHOUT = own(MAPPING), own(None)


class World:
    """Weeks of a small portal."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.seconds = rng.choice([2, 9, 44]) * 86_400
        self.events: list[Event] = []
        self.crowd()
        self.sequences()
        self.pages()
        self.guesses()
        self.cloud()

    def read_by(self, who: str, at: int, nth: int, /, **more: Any) -> None:
        """A document was read; or whatever `more` makes of it."""
        role = {"actor.user.type": self.rng.choice(["nurse", "clerk"])} if who in {"p0", "p2"} else {}
        self.events.append({**read(nth, at, principal=who), "time": START + at * 1_000, **role, **more})

    def any_time(self) -> int:
        """A second of it."""
        return self.rng.randrange(self.seconds)

    def crowd(self) -> None:
        """Each more or less busy, now and then with a large answer."""
        for _ in range(self.rng.randrange(200, 700)):
            who = min(int(self.rng.expovariate(0.12)), 39)
            self.read_by(f"p{who}", self.any_time(), self.rng.randrange(3_000))
        for _ in range(self.rng.randrange(60)):
            size = self.rng.choice([1, 20, 70, 300]) * 2**20
            self.read_by(f"p{self.rng.randrange(25)}", self.any_time(), 7, **{"traffic.bytes_out": size})

    def sequences(self) -> None:
        """Busy desks, walks up and in steps, bursts, slow readers, with refusals among them."""
        for _ in range(self.rng.randrange(3, 12)):
            name, begin = self.rng.choice(["p1", "p2", "p3", "p30", "eve", "zoe"]), self.any_time()
            pace, first_ = self.rng.choice([1, 30, 140, 2_000, 30_000]), self.rng.randrange(10**6)
            stride, refused = self.rng.choice([1, 7, 37, 0]), self.rng.choice([0, 0.5])
            for at in range(self.rng.randrange(5, 100)):
                number = first_ + at * stride if stride else self.rng.randrange(10**6)
                failed = {"status_id": 2, "http_response.code": 404} if self.rng.random() < refused else {}
                self.read_by(name, begin + at * pace, number, **failed)

    def pages(self) -> None:
        """Pictures with numbers that everybody opens."""
        for picture in range(12):
            for _ in range(self.rng.randrange(6)):
                self.read_by(f"p{self.rng.randrange(40)}", self.any_time(), 5_000_000 + picture)

    def guesses(self) -> None:
        """Addresses that are not there."""
        for _ in range(self.rng.randrange(6)):
            begin, pace = self.any_time(), self.rng.choice([5, 20])
            for at in range(self.rng.choice([10, 45, 80])):
                path = {"document": None, "number": None, "http_request.url.path": f"/x{at}.php"}
                missed = {"status_id": 2, "http_response.code": 404, "http_request.http_method": "GET"}
                self.read_by("192.0.2.9", begin + at * pace, 0, **path, **missed)

    def cloud(self) -> None:
        """Stores are looked for, listed and read."""
        for _ in range(self.rng.randrange(40)):
            call = self.rng.choice(["ListBuckets", "ListObjects", "GetObject"])
            more = {
                "metadata.log_name": "cloudtrail", "principal.kind": "role", "api.operation": call, "number": None,
                "act": "read" if call == "GetObject" else "list", "route": None,
                "store": "letters" if call != "ListBuckets" else None,
            }  # fmt: skip
            self.read_by(f"r{self.rng.randrange(3)}", self.rng.randrange(9_000), self.rng.randrange(9), **more)


def world(rng: random.Random) -> list[Event]:
    """Its events."""
    return World(rng).events


@settings(max_examples=6)
@given(seed=st.integers(0, 2**32))
def test_a_watch_says_what_a_hunt_says(seed: int) -> None:
    """Late and twice, in any batches, over restarts: the same detections about the same, first fired at the same instant."""
    rng = random.Random(seed)
    mapping, detections = (MAPPING, WITH) if rng.random() < 0.5 else (None, WITHOUT)
    same(world(rng), *detections, rng=rng, mapping=mapping)


def test_the_world_has_something_of_everything() -> None:
    """Else the property would say little. Detections that need other worlds are held to the same in their own files."""
    meant = (foreign.detection(), walk.detection(), *wide.detections(), slow.detections()[0], egress.detections()[0])
    every = (*meant, *rules.load(rules.files([rules.OURS])).detections)
    fired: set[str] = set()
    for seed in range(12):
        rng = random.Random(seed)
        fired |= {id_ for id_, _ in hunted(numbered(world(rng), rng), every, MAPPING)}
    titles = {one.head.title for one in every if one.head.id in fired}
    assert {one.head.title for one in meant} <= titles
    assert len(titles) >= 9


WALK = next(one for one in WITHOUT if one.shape == "walk")


def walk_of(*times: int, **more: Any) -> Any:
    """Ids in a row, at these seconds."""
    return rows([{**read(at, time, **more), "record.offset": at} for at, time in enumerate(times)])


@pytest.fixture
def live() -> Any:
    """A watch for walks, without tolerance."""
    found = Live([WALK], None, 0)
    yield found
    found.close()


def test_an_alert_names_the_event_by_which_it_fired(live: Live) -> None:
    """Whom it is about, since when, how many, and where that stands in the log; the next ones of the walk are no news."""
    alerts = live.feed(walk_of(*range(30)), 10**12)
    (alert,) = alerts
    assert (alert.about, alert.fired, alert.amount, alert.place) == ("login ann", 9_000, 10, (0, 9, 1))
    assert alert.level == "high"


def test_what_is_told_again(live: Live) -> None:
    """After a day of silence; and when something left where nothing had."""
    refused = {"status_id": 2, "http_response.code": 404}
    assert [one.level for one in live.feed(walk_of(*range(30), **refused), 10**12)] == ["low"]
    assert [one.level for one in live.feed(rows([read(30, 31), read(31, 32)]), 10**12)] == ["high"]
    later = (32_000 + AGAIN) // 1_000
    soon = live.feed(rows([read(1_000 + at, later - 12 + at) for at in range(14)]), 10**12)
    assert soon == []
    last = later + 2 * AGAIN // 1_000
    assert len(live.feed(rows([read(5_000 + at, last + at) for at in range(20)]), 10**12)) == 1


def test_events_wait_until_the_tolerance_has_passed() -> None:
    """And are judged then, without another event, when told that the time has come."""
    live = Live([WALK], None, 60_000)
    assert live.feed(walk_of(*range(30)), 10**12) == []
    (alert,) = live.advance(live.latest)
    assert alert.fired == 9_000
    live.close()


def test_an_event_that_comes_too_late_is_counted() -> None:
    """It is judged by rules about single events alone."""
    single = next(one for one in WITHOUT if one.head.title == "A store or a copy of one was made public")
    live = Live([WALK, single], None, 1_000)
    live.feed(walk_of(500), 10**12)
    live.advance(500_000)
    late = {"metadata.log_name": "cloudtrail", "meaning": "made-public", "time": 1_000}
    alerts = live.feed(rows([late]), 10**12)
    assert [one.detection.head.title for one in alerts] == [single.head.title]
    assert live.feed(walk_of(*range(30)), 10**12) == []
    assert live.late == 31
    live.close()


def test_an_event_from_the_future_makes_no_other_late(live: Live) -> None:
    """Whoever can write one line into a log must not blind the watch."""
    now = 100_000
    live.feed(rows([{**read(1, 0), "time": 253_402_300_799_000}]), now)
    assert (live.future, live.latest) == (1, -1)
    assert len(live.feed(walk_of(*range(30)), now)) == 1


def test_what_no_watch_can_say_is_said(live: Live) -> None:
    """Detections without a fold are named, and the others run; every one of a hunt's own has a fold."""
    assert [one.head.title for one in hunt.own(MAPPING) if one.fold is None] == []
    whole = Detection(WALK.head, WALK.hits)
    some = Live([WALK, whole, Detection(WALK.head, "", bases=(Base("SELECT nothing"),), fold=WALK.fold)])
    assert [one.title for one in some.without] == [WALK.head.title] * 2
    assert some.detections == [WALK]
    some.close()


def test_a_state_of_other_rules_begins_anew(live: Live) -> None:
    """What a detection kept under other limits is of no use to it."""
    state = State(None)
    shelves = live.resume(state)
    live.feed(walk_of(*range(9)), 10**12)
    shelves.begin(live.dump(), 0)
    shelves.go_on()
    other = Live([replace(WALK, hits="other limits")], None, 0)
    other.resume(state)
    assert other.feed(walk_of(*range(9, 12)), 10**12) == []
    other.close()
    same_ = Live([WALK], None, 0)
    same_.resume(state)
    assert same_.feed(walk_of(*range(9, 12)), 10**12) == [], "what was forgotten is gone"
    same_.close()
    state.close()
