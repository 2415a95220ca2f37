"""Many documents, or people where the logs tell them, for one principal in an hour or a day.

The limit is three times what is much among its peers (`peers`): those of its kind, and of its role where roles are told. Once a
principal has a past of TEN windows the limit is twice what was rare for itself (its 99th percentile, nearest rank), or four
standard deviations over its median on a logarithmic scale (by its quartiles) where that is more: some have quiet days and busy
ones. Fewer windows excuse twice of what was rare in them; peers still do. A past is of windows that had ended before the one that
is judged began: what is done now is no past. And a window with so much that floor and peers would have told of it is none for
four weeks (`readers.DOUBT`): else a theft would excuse the next. Who was told of for so long and goes on is known to the operator.
The limit is never below a floor that an honest person hardly reaches, and is the floor where there is neither a past nor a crowd.
Counts are exact in windows that slide; buckets of a window's length serve only for learning. A limit never looks ahead: a watch has
the same. Nobody's count goes beyond MOST, which is always too many.

In the first days of a kind (`peers.LEARN`) nobody knows who is a desk or a program: somebody without a past is then told of with
a low level, and as ever from SURE times the limit on; and what is less than SURE times the floor is a past as any other. A role of
a cloud is a program, and a portal's own reads for everybody from the first hour: of it there is a low level alone in these days,
however much it is, and all of it is a past. Where twice that past is more than is counted, no limit is known.
"""

from collections.abc import Iterator
from typing import Final

from strongroom.clock import DAY, HOUR
from strongroom.detect import peers
from strongroom.detect.correlation import windowed
from strongroom.detect.detection import ABOUT, SERVED, Detection, digest, simple
from strongroom.detect.parts import By, Here, Known, Parts, Step
from strongroom.detect.readers import DOUBT, MOST, NEVER, OWN, PEERS, ROLE, SURE, TEN, Readers, Window
from strongroom.sigma.rule import Head, Level

FLOORS: Final = ((HOUR, 25, "an hour", ("04", "12")), (DAY, 60, "a day", ("05", "13")))
"""(window, the least that is much, in words, ends of the ids). A primary-care clinician sees some 25 patients a day; reception up
to 150, which its own past or its peers excuse."""
_SPREAD: Final = """(quantile_disc(was, 0.5) OVER earlier)
    * pow((quantile_disc(was, 0.75) OVER earlier)::DOUBLE / quantile_disc(was, 0.25) OVER earlier, 3)"""
"""Four standard deviations over the median: between the quartiles of a normal distribution are 1.35 of them."""

_PROGRAM: Final = f"split_part(kind, ' ', 1) = '{ROLE}'"


def detections() -> list[Detection]:
    """Two a window: one for the days in which nobody has a past."""
    return [one for floor in FLOORS for one in _detections(*floor)]


def _detections(window: int, floor: int, words: str, ends: tuple[str, str]) -> Iterator[Detection]:
    title = f"Unusually many different documents or people in {words}"
    note = f"at least {floor} in {words}, {PEERS} times its peers' most or {OWN} times its own"
    past = f"greatest({OWN} * own, CASE WHEN known >= {TEN} THEN spread ELSE {PEERS} * much END)"
    usual, cold = f"least({MOST}, greatest({floor}, {past}))", f"(young AND known < {TEN})"
    limits = f"""
        CASE WHEN {_PROGRAM} AND ({cold} OR known >= {TEN} AND {past} >= {MOST}) THEN NULL
            WHEN {cold} THEN least({MOST}, {SURE} * {usual}) ELSE {usual} END AS enough,
        CASE WHEN {cold} THEN {usual} END AS hint
    """
    bar = f"CASE WHEN young THEN CASE WHEN {_PROGRAM} THEN {NEVER} ELSE {SURE * floor} END ELSE {PEERS} * much END"
    all_ = steps(window, floor, peers.known(window), bar, limits)
    told: tuple[tuple[Level, str, str, str], ...] = (
        ("medium", title, ends[0], "enough"), ("low", f"{title}, while nobody has a past", ends[1], "hint"),
    )  # fmt: skip
    for level, said, end, enough in told:
        head = Head(
            id=f"4d0cc0de-7a1c-4d52-9c3b-6a2f0d1e7b{end}", title=said, level=level, description=_DESCRIPTION, honest=_HONEST,
            tags=("attack.t1213", "d3fend.d3-rapa", "d3fend.d3-udta"), by=(),
        )  # fmt: skip
        whole = parts(all_, window, enough)
        joint = Window(window, floor, cold=level == "low")
        yield Detection(head, whole.sql, shape="wide", note=note, bases=(LIVE,), fold=Readers, joint=joint, parts=whole)


_DESCRIPTION: Final = (
    "One principal read more different documents (people, where the logs tell them) than its peers and its own "
    "past let expect."
)
_HONEST: Final = (
    "a clinician, a reception or a migration at work: give relations or roles by a mapping",
    "an address behind which many people are: a clinic, a mobile network, a proxy of your own",
    "a patient who takes all their own documents at once",
)
_WHERE: Final = f"""{SERVED} AND "principal.kind" <> 'service' AND principal IS NOT NULL"""
BASE: Final = simple(
    _WHERE,
    g=f"""hash({ABOUT}, "actor.user.type")""", about=ABOUT,
    kind=""""principal.kind" || coalesce(' ' || "actor.user.type", '')""",
    v="CASE WHEN coalesce(patient, document) IS NOT NULL THEN hash(coalesce(patient, document)) END",
)  # fmt: skip
"""Who works as several things is several, each with a past and peers of its own. Both are compared and sorted, and never told: of
names that is most of the time. Among ten million of them two have one number of 64 bits with a chance of 0.000003."""
LIVE: Final = simple(
    _WHERE,
    g=ABOUT,
    about=ABOUT,
    kind='"principal.kind"',
    v=digest("coalesce(patient, document)"),
    role='"actor.user.type"',
)
"""What a watch is told of it."""


def steps(window: int, floor: int, known: Known, bar: str, limits: str) -> tuple[Step, ...]:
    """Towards `parts`: the table `limits` (g, b, c, previous, …) of principals whom some window may be too much of.

    `limits` is SQL of `kind`, `known` (windows in which the principal read before), `own` (what was rare for it in these), `spread`
    (what would be rare by how they differ), `much` (what is much among its peers), `young` (whether it is one of its first days)
    and `age` (windows since the first event of all). A window is no past for a while from `bar` on, which is never below `floor`.
    """
    once = f"SELECT DISTINCT g, kind, time // {window} AS b, v FROM reading"
    bucket = f"SELECT g, kind, b, least({MOST}, count(v)) AS c FROM ({once}) GROUP BY ALL"
    unit = max(window, DAY)
    made = f"""
    WITH ample AS (SELECT g FROM bucket GROUP BY g HAVING 2 * max(c) >= {floor}),  -- whom no window can be too much of has no past
    asked AS (
        SELECT g, kind, b, c, much, young, b - (SELECT first // {window} FROM span) AS age
        FROM (SELECT *, b * {window} // {unit} AS d FROM bucket SEMI JOIN ample USING (g)) LEFT JOIN peers USING (kind, d)
    ),
    doubted AS (SELECT g, kind, b, c, greatest({floor}, {bar}) AS bar FROM asked),
    both_ AS (
        SELECT g, kind, b, NULL AS was, c, much, young, age FROM asked
        UNION ALL SELECT g, kind, b + CASE WHEN c < bar THEN 2 ELSE {DOUBT // window} END, c, NULL, NULL, NULL, NULL FROM doubted
    ),
    past AS (
        SELECT *, count(was) OVER earlier AS known, quantile_disc(was, 0.99) OVER earlier AS own, {_SPREAD} AS spread
        FROM both_ WINDOW earlier AS (PARTITION BY g ORDER BY b RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
    )
    SELECT g, b, c, coalesce(sum(c) OVER (PARTITION BY g ORDER BY b RANGE BETWEEN 1 PRECEDING AND 1 PRECEDING), 0) AS previous,
        {limits}
    FROM past WHERE was IS NULL
    """
    return By("reading", BASE.sql, "g"), Here("bucket", bucket), known, Here("limits", made)


def parts(made: tuple[Step, ...], window: int, enough: str) -> Parts:
    """Hits of principals who read at least `enough`, a column of `limits`, different documents or people within a window.

    Null: never enough. Whoever reaches a limit in a bucket does so by what is in this one and in the one before; no more is looked
    at.
    """
    likely = f"SELECT g, b FROM limits WHERE c + previous >= {enough}"
    near = f"""
    SELECT * FROM (SELECT *, time // {window} AS b FROM reading)
    SEMI JOIN ({likely} UNION SELECT g, b - 1 FROM ({likely})) USING (g, b)
    """
    fire = f"""
    WITH value AS (
        SELECT g, time,
            lag(time) OVER (PARTITION BY g, v ORDER BY time) AS before,
            lead(time) OVER (PARTITION BY g, v ORDER BY time) AS next
        FROM base
    ),
    change AS (
        SELECT g, time AS t, CASE WHEN before IS NULL OR before < time - {window} THEN 1 ELSE 0 END AS x FROM value
        UNION ALL SELECT g, time + {window} + 1, -1 FROM value WHERE next IS NULL OR next > time + {window}
    ),
    level AS (SELECT g, t, x, t // {window} AS b, sum(x) OVER (PARTITION BY g ORDER BY t) AS level FROM change)
    SELECT DISTINCT g, t FROM level JOIN limits USING (g, b) WHERE level >= {enough} AND x >= 0  -- at an event, not at an end
    """
    return Parts((*made, Here("near", near)), windowed("SELECT * FROM near", fire, window))
