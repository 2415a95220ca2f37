"""Many bytes for one client in an hour, against its peers and its own past. The weakest of the hunts: a real theft of 1,168
documents was 1.8 MiB, so that no limit on bytes would have seen it. It is kept for what has no ids in its addresses. Flows, which
have directions, are not judged here.
"""

from typing import Final

from strongroom.clock import DAY, HOUR
from strongroom.detect import peers
from strongroom.detect.detection import ABOUT, Detection
from strongroom.sigma.rule import Head

FLOOR: Final = 100 * 1024 * 1024
"""Bytes in an hour: some 400 documents of the mean size of 252 kB."""
PEERS, OWN, TEN = 10, 5, 10
"""As in `wide`."""
MIB: Final = 1024 * 1024
"""What is learned is learned in these, rounded up."""

HEAD: Final = Head(
    id="4d0cc0de-7a1c-4d52-9c3b-6a2f0d1e7b02",
    title="Unusually many bytes went to one client in an hour",
    level="medium",
    description="One client was sent far more bytes in an hour than its peers and its own past let expect.",
    honest=(
        "films, pictures or archives were downloaded that are meant for everybody",
        "an address behind which many people are: a clinic, a mobile network, a proxy of your own",
        "a backup or a mirror",
    ),
    tags=("attack.t1020", "d3fend.d3-isva", "d3fend.d3-udta"),
    by=(),
)


def detection() -> Detection:
    """The hunt for bytes."""
    note = f"at least 100 MiB, {PEERS} times its peers' most or {OWN} times its own"
    return Detection(HEAD, _SQL, shape="egress", note=note)


_SQL: Final = f"""
WITH sent AS (
    SELECT rowid AS event, time, {ABOUT} AS about, "principal.kind" AS kind, "traffic.bytes_out" AS size,
        time // {HOUR} AS b
    FROM event WHERE status_id = 1 AND "traffic.bytes_out" > 0 AND "principal.kind" <> 'service'
        AND "metadata.log_name" NOT IN ('network', 'network-file')
),
hour AS (SELECT about, kind, b, sum(size) AS c FROM sent GROUP BY ALL),
bucket AS (SELECT about AS g, kind, b, (c + {MIB - 1}) // {MIB} AS c FROM hour),
{peers.sql(HOUR)},
past AS (
    SELECT g AS about, kind, b, count(*) OVER earlier AS known, quantile_disc(c, 0.99) OVER earlier AS own,
        b * {HOUR} // {DAY} AS d
    FROM bucket
    WINDOW earlier AS (PARTITION BY g ORDER BY b ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
),
large AS (
    SELECT about, b, c,
        greatest({FLOOR}, {MIB} * CASE WHEN known >= {TEN} THEN {OWN} * own ELSE {PEERS} * much END) AS enough
    FROM past LEFT JOIN peers USING (kind, d) JOIN hour USING (about, b)
),
running AS (
    SELECT about, event, time, enough, sum(size) OVER (PARTITION BY about, b ORDER BY time, event) AS so_far
    FROM sent JOIN large USING (about, b) WHERE c >= enough
)
SELECT about, min(CASE WHEN so_far >= enough THEN time END) OVER (PARTITION BY about) AS fired, event FROM running
"""
