"""What flows tell: bytes that a server of ours served to one client, and bytes that one of ours sent to where nobody ever sent.

A thief of a portal is a client: what is stolen leaves in answers, on flows that came in. Bytes are those of packets where the
log has them (`zeek` takes them, which cannot lie), and count when the flow, or the time that its record is of, has ended: before,
nobody can know. A record that counts one way is an answer if it comes from the lower port. Ours are private addresses, and those
with which at least KNOWN others began a flow.
"""

from typing import Final

from strongroom.clock import DAY
from strongroom.detect import egress
from strongroom.detect.detection import Detection
from strongroom.detect.parts import By, Here, Known, Parts
from strongroom.sigma.rule import Head

KNOWN: Final = 100
FLOOR: Final = 1024 * 1024
"""Bytes in a day to a new destination: a dozen documents of the commonest kind."""
TIMES, CROWD = 10, 20

SERVED: Final = Head(
    id="4d0cc0de-7a1c-4d52-9c3b-6a2f0d1e7b0c",
    title="Unusually many bytes were served to one client, by the network's own count",
    level="medium",
    description="On flows that came in, one client was sent far more bytes in an hour than its peers and its own past let expect.",
    honest=egress.HEAD.honest,
    tags=egress.HEAD.tags,
    by=(),
)
UNSEEN: Final = Head(
    id="4d0cc0de-7a1c-4d52-9c3b-6a2f0d1e7b0d",
    title="A server sent much to where nothing was ever sent",
    level="medium",
    description="One of our addresses sent more in a day to a destination that nobody had sent to before than it nearly ever "
    "sent to any.",
    honest=("a backup, an update or a service that was set up", "a destination whose addresses change: give it time"),
    tags=("attack.t1048", "attack.t1537", "attack.t1567", "d3fend.d3-nta", "d3fend.d3-otf"),
    by=(),
)
_PRIVATE: Final = "^(10[.]|127[.]|169[.]254[.]|192[.]168[.]|172[.](1[6-9]|2[0-9]|3[01])[.]|f[cd][0-9a-f]{2}:|fe80:)"
_FLOW: Final = """
    SELECT rowid AS event, coalesce(end_time, time) AS time, "src_endpoint.ip" AS src, "dst_endpoint.ip" AS dst,
        "src_endpoint.port" AS from_, "dst_endpoint.port" AS to_, "traffic.bytes_out" AS out, "traffic.bytes_in" AS back
    FROM event WHERE "metadata.log_name" = 'network' AND status_id = 1
"""
_PAIRS: Final = f"""
    SELECT dst AS ip, src AS other FROM (SELECT DISTINCT dst, src FROM flow)
    QUALIFY count(*) OVER (PARTITION BY dst ROWS UNBOUNDED PRECEDING) <= {KNOWN + 1}  -- as many as can matter, and null
    UNION ALL SELECT DISTINCT src, NULL FROM flow WHERE regexp_matches(src, '{_PRIVATE}')
"""
_OURS: Final = (
    Here("flow", _FLOW),
    Known(
        "ours",
        _PAIRS,
        f"""SELECT ip FROM ours_share GROUP BY ip
        HAVING count(DISTINCT other) >= {KNOWN} OR regexp_matches(ip, '{_PRIVATE}')""",
    ),
)
_SENT: Final = (
    By(
        "out",
        f"""SELECT event, time, src AS host, dst, out, time // {DAY} AS d FROM flow
        SEMI JOIN ours ON ours.ip = src ANTI JOIN ours AS us ON us.ip = dst
        WHERE out > 0 AND (back IS NOT NULL OR from_ >= to_)""",
        "dst",
    ),
    By("sent", "SELECT *, min(time) OVER (PARTITION BY dst) AS debut FROM out", "host"),
)


def detections() -> list[Detection]:
    """In answers, and on flows that we began."""
    sent = """
    WITH answer AS (
        SELECT event, time, src AS client, back AS size FROM flow
        SEMI JOIN ours ON ours.ip = dst ANTI JOIN ours AS us ON us.ip = src WHERE back > 0
        UNION ALL SELECT event, time, dst, out FROM flow
        SEMI JOIN ours ON ours.ip = src ANTI JOIN ours AS us ON us.ip = dst WHERE back IS NULL AND from_ < to_ AND out > 0
    )
    SELECT event, time, 'address ' || client AS about, 'client' AS kind, size FROM answer
    """
    note = f"at least 100 MiB in an hour, {egress.PEERS} times its peers' most or {egress.OWN} times its own"
    served, unseen = Parts((*_OURS, *egress.steps(sent)), egress.HITS), Parts((*_OURS, *_SENT), _UNSEEN)
    rare = f"at least 1 MiB in a day, {TIMES} times what it nearly ever sent"
    return [
        Detection(SERVED, served.sql, shape="egress", note=note, parts=served),
        Detection(UNSEEN, unseen.sql, shape="egress", note=rare, parts=unseen),
    ]


_UNSEEN: Final = f"""
WITH daily AS (SELECT host, dst, d, debut, sum(out) AS c FROM sent GROUP BY ALL),
usual AS (
    SELECT day.host, day.d, quantile_disc(daily.c, 0.99) AS c FROM (SELECT DISTINCT host, d FROM daily) AS day
    JOIN daily ON daily.host = day.host AND daily.d < day.d GROUP BY ALL HAVING count(*) >= {CROWD}
),
large AS (
    SELECT host, dst, d, greatest({FLOOR}, {TIMES} * usual.c) AS enough FROM daily JOIN usual USING (host, d)
    WHERE debut // {DAY} = d AND daily.c >= enough
),
running AS (
    SELECT host, event, time, enough, sum(out) OVER (PARTITION BY host, dst, d ORDER BY time, event) AS so_far
    FROM sent JOIN large USING (host, dst, d)
)
SELECT 'server ' || host AS about, min(CASE WHEN so_far >= enough THEN time END) OVER (PARTITION BY host) AS fired, event
FROM running
"""
