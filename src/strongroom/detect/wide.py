"""Many documents, or people where the logs tell them, for one principal in an hour or a day.

The limit is three times what is much among its peers (`peers`): those of its kind, and of its role where roles are told. Once a
principal has a past of TEN windows the limit is twice what was rare for itself (its 99th percentile, nearest rank), or four
standard deviations over its median on a logarithmic scale (by its quartiles) where that is more: some have quiet days and busy
ones. Fewer windows excuse twice of what was rare in them; peers still do. A past is of windows that had ended before the one that
is judged began: what is done now is no past. The limit is never below a floor that an honest person hardly reaches, and it is the
floor where there is neither a past nor a crowd. Counts are exact in windows that slide; buckets of a window's length serve only
for learning. A limit never looks ahead: a watch has the same. Nobody's count goes beyond MOST, which is always too many.
"""

from typing import Final

from strongroom.clock import DAY, HOUR
from strongroom.detect import peers
from strongroom.detect.correlation import windowed
from strongroom.detect.detection import ABOUT, SERVED, Detection, digest, simple
from strongroom.detect.parts import By, Here, Parts
from strongroom.detect.readers import MOST, OWN, PEERS, TEN, Readers, Window
from strongroom.sigma.rule import Head

FLOORS: Final = ((HOUR, 25, "an hour", "04"), (DAY, 60, "a day", "05"))
"""(window, the least that is much, in words, end of the id). A primary-care clinician sees some 25 patients a day; reception up
to 150, which its own past or its peers excuse."""
_SPREAD: Final = """(quantile_disc(c, 0.5) OVER earlier)
    * pow((quantile_disc(c, 0.75) OVER earlier)::DOUBLE / quantile_disc(c, 0.25) OVER earlier, 3)"""
"""Four standard deviations over the median: between the quartiles of a normal distribution are 1.35 of them."""


def detections() -> list[Detection]:
    """One a window."""
    return [_detection(*floor) for floor in FLOORS]


def _detection(window: int, floor: int, words: str, end: str) -> Detection:
    head = Head(
        id=f"4d0cc0de-7a1c-4d52-9c3b-6a2f0d1e7b{end}",
        title=f"Unusually many different documents or people in {words}",
        level="medium",
        description="One principal read more different documents (people, where the logs tell them) than its peers and its "
        "own past let expect.",
        honest=(
            "a clinician, a reception or a migration at work: give relations or roles by a mapping",
            "an address behind which many people are: a clinic, a mobile network, a proxy of your own",
            "a patient who takes all their own documents at once",
        ),
        tags=("attack.t1213", "d3fend.d3-rapa", "d3fend.d3-udta"),
        by=(),
    )
    note = f"at least {floor} in {words}, {PEERS} times its peers' most or {OWN} times its own"
    past = f"greatest({OWN} * own, CASE WHEN known >= {TEN} THEN spread ELSE {PEERS} * much END)"
    enough = f"least({MOST}, greatest({floor}, {past}))"
    whole = parts(window, enough, floor)
    return Detection(
        head, whole.sql, shape="wide", note=note, bases=(LIVE,), fold=Readers, joint=Window(window, floor), parts=whole
    )


_WHERE: Final = f"""{SERVED} AND "principal.kind" <> 'service' AND principal IS NOT NULL"""
BASE: Final = simple(
    _WHERE,
    g=f"""{ABOUT} || coalesce(chr(31) || "actor.user.type", '')""", about=ABOUT,
    kind=""""principal.kind" || coalesce(' ' || "actor.user.type", '')""", v="coalesce(patient, document)",
)  # fmt: skip
"""Who works as several things is several, each with a past and peers of its own."""
LIVE: Final = simple(
    _WHERE,
    g=ABOUT,
    about=ABOUT,
    kind='"principal.kind"',
    v=digest("coalesce(patient, document)"),
    role='"actor.user.type"',
)
"""What a watch is told of it."""


def parts(window: int, enough: str, floor: int) -> Parts:
    """Hits of principals who read at least `enough` different documents or people within a window.

    `enough` is SQL of `known` (windows in which the principal read before), `own` (what was rare for it in these), `spread` (what
    would be rare by how they differ), `much` (what is much among its peers) and `age` (windows since the first event of all).
    Null: never enough; it is never below `floor`.
    """
    once = f"SELECT DISTINCT g, kind, time // {window} AS b, v FROM reading"
    bucket = f"SELECT g, kind, b, least({MOST}, count(v)) AS c FROM ({once}) GROUP BY ALL"
    fire = f"""
    WITH ample AS (SELECT g FROM bucket GROUP BY g HAVING 2 * max(c) >= {floor}),  -- whom no window can be too much of has no past
    past AS (
        SELECT g, kind, b, c, count(*) OVER earlier AS known, quantile_disc(c, 0.99) OVER earlier AS own, {_SPREAD} AS spread,
            b - (SELECT first // {window} FROM span) AS age, b * {window} // {DAY} AS d
        FROM bucket SEMI JOIN ample USING (g)
        WINDOW earlier AS (PARTITION BY g ORDER BY b RANGE BETWEEN UNBOUNDED PRECEDING AND 2 PRECEDING)
    ),
    limits AS (
        SELECT g, b, c, {enough} AS enough,
            coalesce(sum(c) OVER (PARTITION BY g ORDER BY b RANGE BETWEEN 1 PRECEDING AND 1 PRECEDING), 0) AS previous
        FROM past LEFT JOIN peers USING (kind, d)
    ),
    candidate AS (SELECT DISTINCT g FROM limits WHERE c + previous >= enough),
    value AS (
        SELECT g, time,
            lag(time) OVER (PARTITION BY g, v ORDER BY time) AS before,
            lead(time) OVER (PARTITION BY g, v ORDER BY time) AS next
        FROM base SEMI JOIN candidate USING (g)
    ),
    change AS (
        SELECT g, time AS t, CASE WHEN before IS NULL OR before < time - {window} THEN 1 ELSE 0 END AS x FROM value
        UNION ALL SELECT g, time + {window} + 1, -1 FROM value WHERE next IS NULL OR next > time + {window}
    ),
    level AS (SELECT g, t, x, t // {window} AS b, sum(x) OVER (PARTITION BY g ORDER BY t) AS level FROM change)
    SELECT DISTINCT g, t FROM level JOIN limits USING (g, b) WHERE level >= enough AND x >= 0  -- at an event, not at an end
    """
    hits = windowed("SELECT * FROM reading", fire, window)
    return Parts((By("reading", BASE.sql, "g"), Here("bucket", bucket), peers.known(window)), hits)
