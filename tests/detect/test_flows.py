"""Bytes by the network's own count."""

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.detect import flows
from tests.detect.conftest import Scene
from tests.detect.replayed import same

SERVED, *DAILY, UNSEEN = flows.detections()  # of an hour; of a day, and while nobody has a past
MIB, DAY = 1024 * 1024, 86_400
SERVER = "10.0.0.10"


def flow(
    at: int, src: str, dst: str, out: int, back: int | None = None, *, ports: tuple[int | None, int] = (50_000, 443)
) -> dict[str, Any]:
    """A flow, at a second."""
    return {
        "time": at * 1_000, "metadata.log_name": "network", "act": "other", "principal": src, "principal.kind": "address",
        "src_endpoint.ip": src, "dst_endpoint.ip": dst, "src_endpoint.port": ports[0], "dst_endpoint.port": ports[1],
        "traffic.bytes_out": out, "traffic.bytes_in": back, "http_response.code": None, "document": None,
    }  # fmt: skip


def visitors(days: int = 3, server: str = SERVER) -> list[dict[str, Any]]:
    """Two hundred clients get a megabyte each, every day."""
    return [flow(day * DAY + n * 300, f"198.51.100.{n}", server, 5_000, MIB) for day in range(days) for n in range(200)]


def test_what_is_served_on_flows_that_came_in_counts(scene: Scene) -> None:
    """At a hundred and ten MiB in an hour; a public address is ours if a hundred others begin with it."""
    for server in (SERVER, "203.0.113.1"):
        scene.clear()
        theft = [flow(2 * DAY + n * 60, "192.0.2.9", server, 5_000, 20 * MIB) for n in range(10)]
        scene.add(*visitors(server=server), *theft)
        found = scene.hits(SERVED)
        assert {(about, fired) for about, fired, _ in found} == {("address 192.0.2.9", (2 * DAY + 4 * 60) * 1_000)}
        assert scene.hits(UNSEEN) == []


def test_a_day_of_answers_counts_where_no_hour_has_much(scene: Scene) -> None:
    """Four hours of 95 MiB each: told with a low level of a log's second day, and as ever once it has weeks."""
    for day, told in ((1, DAILY[1]), (16, DAILY[0])):
        scene.clear()
        theft = [flow(day * DAY + n * 3_600, "192.0.2.9", SERVER, 5_000, 95 * MIB) for n in range(4)]
        scene.add(*visitors(day + 1), *theft)
        found = {one.head.id: {(about, fired) for about, fired, _ in scene.hits(one)} for one in (SERVED, *DAILY)}
        assert {id_ for id_, hits in found.items() if hits} == {told.head.id}
        assert found[told.head.id] == {("address 192.0.2.9", (day * DAY + 2 * 3_600) * 1_000)}


def test_a_flow_counts_when_it_has_ended(scene: Scene) -> None:
    """Five minutes after it began."""
    long = {**flow(2 * DAY, "192.0.2.9", SERVER, 5_000, 200 * MIB), "end_time": (2 * DAY + 300) * 1_000}
    scene.add(*visitors(), long)
    assert {fired for _, fired, _ in scene.hits(SERVED)} == {(2 * DAY + 300) * 1_000}


def test_records_that_count_one_way_are_answers_from_the_lower_port(scene: Scene) -> None:
    """As VPC flow logs have them; what was sent to us is no answer."""
    asked = [flow(n, f"198.51.100.{n}", SERVER, 500) for n in range(50)]
    answers = [flow(n, SERVER, "192.0.2.9", 50 * MIB, ports=(443, 50_000)) for n in range(5)]
    scene.add(*asked, *answers, *(flow(n, "192.0.2.8", SERVER, 50 * MIB) for n in range(5)))
    assert {about for about, _, _ in scene.hits(SERVED)} == {"address 192.0.2.9"}


def usual(days: int = 5) -> list[dict[str, Any]]:
    """Our server sends some kilobytes to the same fifty places, and to a new one now and then."""
    rng = random.Random(2)
    return [
        flow(
            day * DAY + n * 60,
            SERVER,
            f"198.51.100.{n}" if n else f"203.0.113.{day}",
            rng.randrange(1_000, 90_000),
            500,
        )
        for day in range(days)
        for n in range(50)
    ]


def test_much_to_an_unseen_destination_fires_when_it_is_much(scene: Scene) -> None:
    """A MiB; the same to a place that is known is a habit."""
    scene.add(*usual(), *(flow(4 * DAY + 9_000 + n, SERVER, "192.0.2.7", MIB // 3, 500) for n in range(8)))
    found = scene.hits(UNSEEN)
    assert {(about, fired) for about, fired, _ in found} == {(f"server {SERVER}", (4 * DAY + 9_003) * 1_000)}
    scene.clear()
    scene.add(*usual(), *(flow(4 * DAY + 9_000 + n, SERVER, "198.51.100.7", 2 * MIB, 500) for n in range(8)))
    assert scene.hits(UNSEEN) == []


def test_a_first_day_and_backups_are_no_finding(scene: Scene) -> None:
    """Everything is new on a first day, and who sends gigabytes every day is known for it."""
    scene.add(*(flow(n, SERVER, f"192.0.2.{n}", 50 * MIB, 500) for n in range(30)))
    assert scene.hits(UNSEEN) == []
    scene.clear()
    backups = [flow(day * DAY + n, SERVER, f"198.51.{day}.{n}", 60 * MIB, 500) for day in range(4) for n in range(10)]
    scene.add(*usual(), *backups)
    assert scene.hits(UNSEEN) == []


@settings(max_examples=12)
@given(seed=st.integers(0, 2**32))
def test_a_watch_says_the_same(seed: int) -> None:
    """Servers with private and public addresses, asked by many or few; one way and both; thefts, drops and backups."""
    rng = random.Random(seed)
    server = rng.choice([SERVER, "203.0.113.1"])
    events = [event for event in visitors(4, server) if rng.random() < rng.choice([0.4, 0.9])]
    if rng.random() < 0.5:
        events += [{**event, "src_endpoint.ip": server} for event in usual()]
    for _ in range(rng.randrange(12)):
        at, other = rng.choice([DAY, 2 * DAY - 600, rng.randrange(5 * DAY)]), f"192.0.2.{rng.randrange(6)}"
        size, ports = rng.choice([MIB // 3, 2 * MIB, 50 * MIB]), rng.choice([(50_000, 443), (443, 50_000), (None, 443)])
        back = rng.choice([None, 0, 400, size])
        pair = (server, other) if rng.random() < 0.6 else (other, server)
        for n in range(rng.randrange(1, 12)):
            ends = {"end_time": (at + n * 60 + rng.choice([-5, 3, 4_000])) * 1_000} if rng.random() < 0.3 else {}
            events.append({**flow(at + n * 60, *pair, size, back, ports=ports), **ends})
    same(events, SERVED, *DAILY, UNSEEN, rng=rng)


def test_the_property_says_something() -> None:
    """A theft and a drop are among what is compared."""
    theft = [flow(4 * DAY + n * 60, "192.0.2.9", SERVER, 5_000, 20 * MIB) for n in range(10)]
    drop = [flow(4 * DAY + 9_000 + n, SERVER, "192.0.2.7", MIB // 3, 500) for n in range(8)]
    assert len(same([*visitors(), *usual(), *theft, *drop], SERVED, UNSEEN, rng=random.Random(1))) == 2
