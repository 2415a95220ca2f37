"""Many bytes for one client."""

from strongroom.detect import egress
from tests.detect.conftest import Scene

MIB = 1024 * 1024


def sent(at: int, size: int, who: str) -> dict[str, object]:
    """An answer at a second."""
    return {"time": at * 1_000, "traffic.bytes_out": size, "principal": who}


def test_far_more_than_anybody_fires_when_the_limit_is_passed(scene: Scene) -> None:
    """At the answer that passes 100 MiB; all answers of that hour are hits."""
    scene.add(*(sent(at * 30, MIB, f"p{at}") for at in range(100)), *(sent(at, 10 * MIB, "eve") for at in range(20)))
    found = scene.hits(egress.detection())
    assert {(about, fired) for about, fired, _ in found} == {("login eve", 9_000)}
    assert len(found) == 20


def test_what_all_do_is_not_unusual(scene: Scene) -> None:
    """A site of films."""
    scene.add(*(sent(at, 200 * MIB, f"p{at}") for at in range(50)))
    assert scene.hits(egress.detection()) == []


def test_a_past_excuses_what_was_always_so(scene: Scene) -> None:
    """A mirror that fetches 300 MiB every hour."""
    scene.add(*(sent(hour * 3_600, 300 * MIB, "mirror") for hour in range(40)))
    scene.add(*(sent(at, 1_000, f"p{at}") for at in range(4_000)))
    found = {time for _, _, time in scene.hits(egress.detection())}
    assert max(found, default=0) < 10 * 3_600_000  # only while it had no past
    assert found
