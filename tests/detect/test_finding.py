"""Findings: everything they say is counted."""

from typing import Any

from strongroom.detect import walk, wide
from strongroom.detect.detection import ABOUT, SERVED, Detection
from strongroom.detect.finding import EVIDENCE, events_of, findings
from strongroom.detect.hunt import run
from strongroom.detect.say import headline, sentences
from strongroom.sigma.rule import Head, Level
from tests.detect.conftest import Scene, read


def head(name: str, level: Level) -> Head:
    """A detection's head."""
    return Head(name, name.title(), level, "d", ("h",), (), ())


def every(name: str, level: Level, condition: str, fired: int = 0, *, quiet: bool = False) -> Detection:
    """Hits every event that fits."""
    sql = f"SELECT {ABOUT} AS about, {fired} AS fired, rowid AS event FROM event WHERE {condition}"  # noqa: S608
    return Detection(head(name, level), sql, quiet=quiet)


def test_a_finding_counts_documents_people_bytes_and_losses(scene: Scene) -> None:
    """Different documents that left, whose, how many bytes, and how many were gone when it fired; refusals took nothing."""
    refused = read(9, 9, **{"status_id": 2, "http_response.code": 403, "patient": "z"})
    scene.add(*(read(at, at, patient=f"p{at // 2}") for at in range(6)), read(0, 7, patient="p0"), refused)
    (found,) = findings(scene.engine, run([every("all", "high", "true", 2_000)], scene.engine, []))
    assert (found.about, found.level, found.events) == ("login ann", "high", 8)
    assert (found.documents, found.people, found.bytes) == (6, 3, 7_000)
    assert (found.first, found.last, found.fired) == (0, 9_000, 2_000)
    assert (found.lost, found.lost_people) == (3, 2)
    (reason,) = found.reasons
    assert (reason.events, reason.documents, reason.asked, reason.missed) == (8, 6, 7, 1)
    assert (reason.first_number, reason.last_number) == (0, 9)


def test_people_are_not_guessed(scene: Scene) -> None:
    """Where no log tells whose documents are, no number is given."""
    scene.add(read(1, 1))
    (found,) = findings(scene.engine, run([every("all", "high", "true")], scene.engine, []))
    assert found.people is None
    assert found.lost_people is None


def test_detections_about_one_are_one_finding(scene: Scene) -> None:
    """With its worst level, its reasons by weight, its earliest alarm, and no event twice."""
    scene.add(*(read(at, at) for at in range(5)))
    ran = run([every("late", "low", "true", 4_000), every("early", "high", "number < 3", 1_000)], scene.engine, [])
    (found,) = findings(scene.engine, ran)
    assert [reason.detection.head.id for reason in found.reasons] == ["early", "late"]
    assert (found.level, found.events, found.fired, found.lost) == ("high", 5, 1_000, 2)


def test_what_a_detection_saw_has_a_time_of_its_own(scene: Scene) -> None:
    """A finding of weeks holds the hour in which most left; what is low besides is named."""
    scene.add(*(read(at, at * 86_400) for at in range(5)))
    ran = run([every("all", "low", "true"), every("hour", "high", "number IN (2, 3)")], scene.engine, [])
    (found,) = findings(scene.engine, ran)
    assert [(one.first, one.last) for one in found.reasons] == [(2 * 86_400_000, 3 * 86_400_000), (0, 4 * 86_400_000)]
    first, hour, besides, *_ = sentences(found)
    assert first.startswith("1970-01-01 00:00:00 to 1970-01-05 00:00:00 UTC")
    assert hour.endswith(", 1970-01-03 00:00:00 to 1970-01-04 00:00:00.")
    assert besides == "Of a low level besides: All."


def test_what_is_low_alone_is_told(scene: Scene) -> None:
    """With all that it saw; its events are the finding's, and no time is said twice."""
    scene.add(*(read(at, at) for at in range(5)))
    (found,) = findings(scene.engine, run([every("all", "low", "true")], scene.engine, []))
    assert list(sentences(found))[1] == "All: 5 events, 5 documents."


def test_findings_are_ranked(scene: Scene) -> None:
    """By level, then by what left."""
    scene.add(
        *(read(at, at, principal="a") for at in range(2)),
        *(read(at, at, principal="b") for at in range(9)),
        read(1, 1, principal="c"),
    )
    ran = run([every("all", "medium", "true"), every("worst", "critical", "principal = 'c'")], scene.engine, [])
    assert [one.about for one in findings(scene.engine, ran)] == ["login c", "login b", "login a"]


def test_what_is_low_besides_makes_no_finding_worse(scene: Scene) -> None:
    """Whose three documents are of a medium level is before whom weeks of ten are told of with a low one and two with a medium."""
    scene.add(
        *(read(at, at, principal="thief") for at in range(3)), *(read(at, at, principal="clinic") for at in range(10))
    )
    medium = every("much", "medium", "principal = 'thief' OR number < 2")
    ran = run([medium, every("weeks", "low", "principal = 'clinic'")], scene.engine, [])
    assert [one.about for one in findings(scene.engine, ran)] == ["login thief", "login clinic"]
    assert [one.documents for one in findings(scene.engine, ran)] == [3, 10]


def test_trying_is_not_taking(scene: Scene) -> None:
    """A detection that is about loss is low where nothing was lost."""
    scene.add(read(1, 1, **{"status_id": 2, "http_response.code": 404}))
    (found,) = findings(scene.engine, run([every("all", "high", "true", quiet=True)], scene.engine, []))
    assert found.level == "low"


def test_what_no_mapping_names_has_left_too(scene: Scene) -> None:
    """A walk over an address that the mapping does not know takes no document that it counts, and is as loud as any."""
    scene.add(*(read(at, at, document=None, route="/old?id={int}") for at in range(20)))
    scene.add(
        *(
            read(10**6 + at, at, principal="eve", document=None, **{"status_id": 2, "http_response.code": 404})
            for at in range(20)
        )
    )
    run((walk.detection(),), scene.engine, [])
    ann, eve = findings(scene.engine, (walk.detection(),))
    assert (ann.about, ann.level, ann.documents, ann.reasons[0].given, ann.reasons[0].asked) == (
        "login ann",
        "high",
        0,
        20,
        20,
    )
    assert (eve.about, eve.level, eve.reasons[0].given) == ("login eve", "low", 0)
    assert headline(ann) == "login ann: 20 answers at addresses that the mapping does not name"
    assert headline(eve) == "login eve: nothing left by these requests"


def test_answers_without_a_document_are_something(scene: Scene) -> None:
    """Lists that were taken are not said to be nothing."""
    scene.add(*({**read(at, at), "document": None, "number": None, "route": "/list"} for at in range(20)))
    (found,) = findings(scene.engine, run([every("all", "high", "true")], scene.engine, []))
    assert headline(found) == "login ann: 20.0 kB went out, and no document"


def test_evidence_is_the_first_events_and_all_on_demand(scene: Scene) -> None:
    """In the order of time."""
    scene.add(*(read(at, 100 - at) for at in range(50)))
    (found,) = findings(scene.engine, run([every("all", "high", SERVED)], scene.engine, []))
    assert len(found.evidence) == EVIDENCE
    times = [one.time for one in events_of(scene.engine, found.about)]
    assert len(times) == 50
    assert times == sorted(times)
    assert [one.time for one in found.evidence] == times[:EVIDENCE]


def test_an_id_does_not_change(scene: Scene) -> None:
    """The same finding tomorrow is the same finding: it is named by whom it is about."""
    scene.add(read(1, 1))
    (one,) = findings(scene.engine, run([every("all", "high", "true")], scene.engine, []))
    scene.engine.run("DELETE FROM hit")
    scene.add(read(2, 2))
    (other,) = findings(scene.engine, run([every("more", "low", "true")], scene.engine, []))
    assert one.id == other.id


def taken(day: float, many: int, first: int) -> list[dict[str, Any]]:
    """So many different documents, a minute each, from a day on."""
    return [read(first + at, int(day * 86_400) + at * 60, principal="ann") for at in range(many)]


def told_of(scene: Scene, *events: dict[str, Any]) -> tuple[int, int, int, int]:
    """Of a login that reads one a day before: when it would first have fired, what had left by then, of how many, and moments."""
    scene.add(*(read(10**6 + day, day * 86_400, principal="ann") for day in range(20)), *events)
    (found,) = findings(scene.engine, run([wide.detections()[2]], scene.engine, []))
    assert [(reason.fired, reason.lost) for reason in found.reasons] == [(found.fired, found.lost)]
    return found.fired, found.lost, found.documents, found.moments


def test_a_first_moment_is_of_what_is_told(scene: Scene) -> None:
    """A busy day that was told of weeks before the theft does not say when the theft would have been, whichever was first."""
    busy, theft = taken(22.5, 70, 0), taken(35.5, 500, 10**4)
    assert told_of(scene, *busy, *theft) == ((int(35.5 * 86_400) + 59 * 60) * 1_000, 60, 570, 2)
    scene.clear()
    busy, theft = taken(35.5, 70, 0), taken(22.5, 500, 10**4)
    assert told_of(scene, *busy, *theft) == ((int(22.5 * 86_400) + 59 * 60) * 1_000, 60, 570, 2)


def test_what_goes_on_is_one_moment(scene: Scene) -> None:
    """Two nights of one theft, with less than a day between them."""
    assert told_of(scene, *taken(30, 100, 0), *taken(30.9, 400, 10**4)) == (
        (30 * 86_400 + 59 * 60) * 1_000, 60, 500, 1,
    )  # fmt: skip
