"""Which steps are done, where, and once for all that share them."""

from strongroom.cluster.steps import START, chains, hits_of, job_of, place_of
from strongroom.detect.detection import Detection
from strongroom.detect.parts import EVERYTHING, By, Here, Known, Parts
from strongroom.sigma.rule import Head

OWN, FACT, ROWS, MADE = Here("a", "A"), Known("b", "B", "BB"), By("c", "C", "k"), Here("d", "D")


def detection(*steps: Here | Known | By) -> Detection:
    """One with these steps."""
    parts = Parts(steps, "SELECT 1")
    head = Head(id="x", title="T", level="low", description="", honest=(), tags=(), by=())
    return Detection(head, parts.sql, parts=parts)


def test_shared_beginnings_are_done_once() -> None:
    """Each chain once, the shorter before the longer; what a part makes for itself is no job."""
    found = list(chains([detection(OWN, FACT, ROWS), detection(OWN, FACT), detection(ROWS, MADE)]))
    assert found == [(OWN, FACT), (OWN, FACT, ROWS), (ROWS,)]


def test_a_job_knows_where_it_is_done_and_what_must_be_there() -> None:
    """What is known goes everywhere; what a part made for itself stays in its place."""
    steps = (OWN, FACT, ROWS, MADE)
    assert (place_of(steps), place_of((OWN, FACT))) == (steps[:3], START)
    job = job_of("s", steps[:3])
    assert (job.place, job.before, job.sql, job.key) == (START, ((OWN,), (OWN, FACT)), "C", "k")
    hits = hits_of("h", detection(*steps))
    assert (hits.place, hits.before, hits.key) == (steps[:3], ((OWN, FACT), steps), None)
    assert hits.known == ((OWN, FACT),)


def test_a_detection_without_parts_is_judged_where_everything_is() -> None:
    """It has one part."""
    one = Detection(detection().head, "SELECT 1")
    assert (hits_of("h", one).place, list(chains([one]))) == ((EVERYTHING,), [(EVERYTHING,)])
