"""Low and slow: more different documents or people in a week than a principal ever read before, and more than a few.

Once there are AGE weeks of log, against its own past alone: what peers do in a week differs by their work, which logs do not tell.
A principal that was silent in them has a past of nothing, so that a login that wakes up and reads is seen. A week with FLOOR or
more is no past for four weeks, as in `wide`.

Until then nobody has a past, and peers are all there is: from the second week on, ten times what is much in a week among those
of its kind and role, by the weeks before; where a work that few do is seen (`peers`), ten times what is much among these. So who
goes on from the first week as no peer does is seen, and among peers who do as much is not. Those who work at a small practice look
so too, all of them: it is told with a low level, however much it is, and these weeks are a past as any other.
"""

from typing import Final

from strongroom.clock import DAY
from strongroom.detect import peers, readers, wide
from strongroom.detect.detection import Base, Detection
from strongroom.detect.parts import Parts
from strongroom.sigma.rule import Head, Level

WEEK: Final = 7 * DAY
FLOOR, AGE = 30, 4

TITLE: Final = "More different documents or people in a week than ever before"


def detections() -> list[Detection]:
    """The hunt for patience, and the same while nobody has a past."""
    hint = f"least({readers.MOST}, greatest({FLOOR}, {readers.FAR} * much))"
    limits = f"""
        CASE WHEN age >= {AGE} THEN least({readers.MOST}, greatest({FLOOR}, {readers.OWN} * coalesce(own, 0))) END AS enough,
        CASE WHEN age < {AGE} AND much > 0 THEN {hint} END AS hint
    """
    bar = f"CASE WHEN age < {AGE} THEN {readers.NEVER} END"
    steps = wide.steps(WEEK, FLOOR, peers.known(WEEK, WEEK, AGE), bar, limits)
    note = (
        f"at least {FLOOR} in a week, {readers.OWN} times its own most; in a log's first {AGE} weeks {readers.FAR} times "
        "its peers' most"
    )
    return [
        _detection("06", "medium", TITLE, note, wide.parts(steps, WEEK, "enough")),
        _detection("14", "low", f"{TITLE}, while nobody has a past", note, wide.parts(steps, WEEK, "hint")),
    ]


def _detection(end: str, level: Level, title: str, note: str, parts: Parts) -> Detection:
    head = Head(
        id=f"4d0cc0de-7a1c-4d52-9c3b-6a2f0d1e7b{end}",
        title=title,
        level=level,
        description="One principal read more than twice what was its own most in a week, over some weeks of log; or, in the "
        "first weeks of a log, far more than its peers.",
        honest=(
            "somebody new, or somebody who came back or took over another's work",
            "a patient who takes all their own documents",
            "an address that other people use now",
        ),
        tags=("attack.t1213", "attack.t1030", "d3fend.d3-rapa", "d3fend.d3-udta"),
        by=(),
    )
    bases, joint = (wide.LIVE, FIRST), readers.Window(WEEK, FLOOR, AGE, cold=level == "low")
    return Detection(
        head, parts.sql, shape="wide", note=note, bases=bases, fold=readers.Readers, joint=joint, parts=parts
    )


FIRST: Final = Base("""
    SELECT rowid AS event, time, NULL AS g, NULL AS about, NULL AS kind, NULL AS v
    FROM event WHERE time = (SELECT min(time) FROM event) LIMIT 1
""")
"""What a watch asks besides: when the log began, whatever its first event was. It asks as long as it has judged none."""
