"""The numbers behind the drawings."""

import pytest

from strongroom.clock import DAY, HOUR
from strongroom.detect import series, walk
from strongroom.detect.hunt import run
from tests.detect.conftest import Scene, read

H = HOUR // 1_000


def test_nothing_is_drawn_of_nothing(scene: Scene) -> None:
    """No events, no drawings."""
    assert series.pictures(scene.engine, [], "x") == series.Pictures(None, None, {})


def test_bytes_by_hour_with_the_part_of_the_findings(scene: Scene) -> None:
    """Every hour between the first and the last stands there; what was refused has no bytes; hits are told apart."""
    scene.add(*(read(at, at) for at in range(12)))  # a walk
    scene.add(read(500, 2 * H, principal="bob"), read(501, 2 * H, status_id=2, principal="bob"))
    run([walk.detection()], scene.engine, [])
    flow = series.flow(scene.engine)
    assert flow is not None
    assert (flow.what, flow.width, flow.outside) == ("bytes", HOUR, 0)
    assert [(one.t, one.amount, one.found) for one in flow.bins] == [
        (0, 12_000, 12_000),
        (HOUR, 0, 0),
        (2 * HOUR, 1_000, 0),
    ]


@pytest.mark.parametrize(("served", "what"), [(1, "documents"), (2, "events")])
def test_documents_or_events_where_no_bytes_are_logged(scene: Scene, served: int, what: str) -> None:
    """What is known is drawn."""
    scene.add(read(1, 1, status_id=served, **{"traffic.bytes_out": None}))
    flow = series.flow(scene.engine)
    assert flow is not None
    assert (flow.what, flow.bins[0].amount) == (what, 1)


def test_a_record_of_1970_is_left_outside_and_said(scene: Scene) -> None:
    """Two thousand events of one day, one of 1970 and one of 9999: the day is drawn by the hour."""
    scene.add(*(read(at, 1_700_000_000 + at * 43) for at in range(2_000)), read(1, 0), read(1, 253_402_300_799))
    flow = series.flow(scene.engine)
    assert flow is not None
    assert flow.width == HOUR
    assert len(flow.bins) <= 26
    assert 2 <= flow.outside <= 10


def test_long_logs_are_drawn_by_longer_bins(scene: Scene) -> None:
    """Ten years by the day would be more than a drawing holds."""
    scene.add(*(read(at, at * 30 * 24 * H) for at in range(120)))
    flow = series.flow(scene.engine)
    assert flow is not None
    assert flow.width == 30 * DAY
    assert sum(one.amount for one in flow.bins) == 120_000


def test_readers_are_ranked_by_people_where_these_are_known(scene: Scene) -> None:
    """Documents otherwise; services are machines; the middle and the 95th of 100 are of all, not of those shown."""
    for person in range(100):
        scene.add(*(read(n, n, principal=f"p{person}") for n in range(1 + person // 50)))
    scene.add(
        *(read(n * 100, n, principal="thief") for n in range(30)),
        read(1, 1, principal="s", **{"principal.kind": "service"}),
    )
    found = series.readers(scene.engine)
    assert found is not None
    assert (found.what, found.principals, found.median, found.much) == ("documents", 101, 2, 2)
    assert found.top[0] == series.Reader("login thief", 30, found=False)
    assert len(found.top) == series.READERS
    scene.add(read(1, 1, patient="a"), read(2, 1, patient="b"))
    assert series.readers(scene.engine) == series.Readers(
        "people", (series.Reader("login ann", 2, found=False),), 1, 2, 2
    )


def test_a_walk_is_thinned_out_evenly(scene: Scene) -> None:
    """Never more points than a drawing holds, the first among them; all are counted."""
    asked = 2 * series.POINTS + 1
    scene.add(*(read(at, at, status_id=2 if at % 2 else 1) for at in range(asked)))
    run([walk.detection()], scene.engine, [])
    found = series.pictures(scene.engine, ["login ann"], walk.HEAD.id).walks["login ann"]
    assert (found.asked, found.route) == (asked, "/d/{int}")
    assert found.points[0] == (0, 0, True)
    assert found.points[1] == (3_000, 3, False)
    assert asked / 3 <= len(found.points) <= series.POINTS


def test_a_walk_that_is_none_has_no_points(scene: Scene) -> None:
    """A name of nobody."""
    assert series.pictures(scene.engine, ["it's nobody"], "x").walks == {"it's nobody": series.Walk("", (), 0)}
