"""What flows tell: bytes that a server of ours served to one client, and bytes that one of ours sent to where nobody ever sent.

A thief of a portal is a client: what is stolen leaves in answers, on flows that came in. Bytes are those of packets where the
log has them (`zeek` takes them, which cannot lie), and count when the flow, or the time that its record is of, has ended: before,
nobody can know. A record that counts one way is an answer if it comes from the lower port. Ours are private addresses, and from
then on those with which KNOWN others began a flow in one day (of UTC).
"""

from collections.abc import Sequence
from typing import Any, Final

from strongroom.clock import DAY
from strongroom.detect import egress, peers
from strongroom.detect.detection import Base, Detection, Fire
from strongroom.detect.met import Met, digest
from strongroom.detect.parts import By, Here, Known, Parts
from strongroom.sigma.rule import Head

KNOWN: Final = 100
FLOOR: Final = 1024 * 1024
"""Bytes in a day to a new destination: a dozen documents of the commonest kind."""
TIMES, CROWD = 10, 20
UNIT: Final = 64 * 1024
"""Bytes. What is usual is learned in these, rounded up."""
ASKED: Final = 200_000
"""Public destinations in a day of which a watch counts who asks them."""

SERVED: Final = egress.Words(
    "Unusually many bytes were served to one client in {}, by the network's own count",
    "On flows that came in, one client was sent",
    ("0c", "1e", "1f"),
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
_FLOW: Final = f"""
    SELECT rowid AS event, greatest(coalesce(end_time, time), time) AS time, "src_endpoint.ip" AS src, "dst_endpoint.ip" AS dst,
        "src_endpoint.port" AS from_, "dst_endpoint.port" AS to_, "traffic.bytes_out" AS out, "traffic.bytes_in" AS back,
        regexp_matches("src_endpoint.ip", '{_PRIVATE}') AS src_ours, regexp_matches("dst_endpoint.ip", '{_PRIVATE}') AS dst_ours
    FROM event WHERE "metadata.log_name" = 'network' AND status_id = 1 AND "src_endpoint.ip" IS NOT NULL
        AND "dst_endpoint.ip" IS NOT NULL
"""
_PAIRS: Final = f"""
    SELECT dst AS ip, time // {DAY} AS d, src AS other, min(time) AS since FROM flow WHERE NOT dst_ours
    GROUP BY dst, d, src
    QUALIFY row_number() OVER (PARTITION BY dst, d ORDER BY since) <= {KNOWN}  -- as many as can matter
    UNION ALL SELECT DISTINCT dst, NULL, NULL, -1 FROM flow WHERE dst_ours
    UNION ALL SELECT DISTINCT src, NULL, NULL, -1 FROM flow WHERE src_ours
"""
_ASKED: Final = f"""
    WITH asked AS (SELECT ip, d, other, min(since) AS since FROM ours_share GROUP BY ALL)
    SELECT ip, min(since) AS since FROM (
        SELECT ip, since FROM asked QUALIFY other IS NULL OR row_number() OVER (PARTITION BY ip, d ORDER BY since) = {KNOWN}
    ) GROUP BY ip
"""
_OURS: Final = (Here("flow", _FLOW), Known("ours", _PAIRS, _ASKED))
_BETWEEN: Final = """FROM flow SEMI JOIN ours ON ours.ip = {} AND ours.since < flow.time
        ANTI JOIN ours AS us ON us.ip = {} AND us.since < flow.time"""
_IN, _OUT = _BETWEEN.format("dst", "src"), _BETWEEN.format("src", "dst")
_SENT: Final = (
    By(
        "out",
        f"""SELECT event, time, src AS host, dst, out, time // {DAY} AS d {_OUT}
        WHERE out > 0 AND (back IS NOT NULL OR from_ >= to_)""",
        "dst",
    ),
    By("sent", "SELECT *, min(time) OVER (PARTITION BY dst) AS debut FROM out", "host"),
)


def detections() -> list[Detection]:
    """In answers, and on flows that we began."""
    sent = f"""
    WITH answer AS (
        SELECT event, time, src AS client, back AS size {_IN} WHERE back > 0
        UNION ALL SELECT event, time, dst, out {_OUT} WHERE back IS NULL AND from_ < to_ AND out > 0
    )
    SELECT event, time, 'address ' || client AS about, 'client' AS kind, size FROM answer
    """
    bases, steps = (Base(_FLOW, ("network",)),), (*_OURS, By("sent", sent, "about"))
    rare = f"at least 1 MiB in a day, {TIMES} times what it nearly ever sent"
    unseen = Parts((*_OURS, *_SENT), _UNSEEN)
    return [
        *egress.told(SERVED, steps, bases, Served),
        Detection(UNSEEN, unseen.sql, shape="egress", note=rare, bases=bases, fold=Unseen, parts=unseen),
    ]


_UNSEEN: Final = f"""
WITH daily AS (SELECT host, dst, d, debut, sum(out) AS c FROM sent GROUP BY ALL),
usual AS (
    SELECT day.host, day.d, quantile_disc((daily.c + {UNIT - 1}) // {UNIT}, 0.99) AS c
    FROM (SELECT DISTINCT host, d FROM daily) AS day
    JOIN daily ON daily.host = day.host AND daily.d < day.d GROUP BY ALL HAVING count(*) >= {CROWD}
),
large AS (
    SELECT host, dst, d, greatest({FLOOR}, {TIMES * UNIT} * usual.c) AS enough FROM daily JOIN usual USING (host, d)
    WHERE debut // {DAY} = d AND daily.c >= enough
),
running AS (
    SELECT host, d, event, time, enough, sum(out) OVER (PARTITION BY host, dst, d ORDER BY time, event) AS so_far
    FROM sent JOIN large USING (host, dst, d)
)
SELECT 'server ' || host AS about, min(CASE WHEN so_far >= enough THEN time END) OVER (PARTITION BY host, d) AS fired, event
FROM running
"""


class Ours:
    """Which addresses are ours, and since when."""

    def __init__(self) -> None:
        self.since: dict[str, int] = {}
        self.day = -1
        self.asked: dict[str, list[str]] = {}  # by whom, on this day

    def between(self, row: Sequence[Any]) -> tuple[bool, bool]:
        """Whether source and destination of this flow are ours; and what it says of that for later ones."""
        time, src, dst, src_ours, dst_ours = row[1], row[2], row[3], row[8], row[9]
        if dst_ours:
            return src_ours or self._is(src, time), True
        if time // DAY != self.day:
            self.day, self.asked = time // DAY, {}
        if dst not in self.since:
            asked = self.asked.get(dst)
            if asked is None and len(self.asked) < ASKED:
                asked = self.asked[dst] = []
            if asked is not None and src not in asked:
                asked.append(src)
                if len(asked) == KNOWN:
                    self.since[dst] = time
                    del self.asked[dst]
        return src_ours or self._is(src, time), self._is(dst, time)

    def _is(self, address: str, time: int) -> bool:
        return self.since.get(address, time) < time

    def dump(self) -> Any:
        """See `Fold`."""
        return [self.since, self.day, self.asked]

    def load(self, kept: Any) -> None:
        """See `Fold`."""
        self.since, self.day, self.asked = kept


class Served(egress.Egress):
    """The fold of bytes in answers."""

    def __init__(self) -> None:
        super().__init__()
        self.ours = Ours()

    def feed(self, row: Sequence[Any]) -> Sequence[Fire]:
        """See `Fold`."""
        event, time, src, dst, from_, to_, out, back = row[:8]
        src_ours, dst_ours = self.ours.between(row)
        if src_ours == dst_ours:
            return ()
        if dst_ours and back is not None and back > 0:
            client, size = f"address {src}", back
        elif src_ours and back is None and None not in {from_, to_, out} and from_ < to_ and out > 0:
            client, size = f"address {dst}", out
        else:
            return ()
        return super().feed((event, time, client, client, "client", size))

    def dump(self) -> Any:
        """See `Fold`."""
        return [self.ours.dump(), super().dump()]

    def load(self, kept: Any) -> None:
        """See `Fold`."""
        ours, clients = kept
        self.ours.load(ours)
        super().load(clients)


class Unseen:
    """The fold of bytes to new destinations."""

    def __init__(self) -> None:
        self.ours = Ours()
        self.day = -1
        self.met = Met()  # destinations of earlier days
        self.today: dict[str, dict[str, int]] = {}  # bytes of each host of ours to each destination, on this day
        self.past: dict[str, dict[int, int]] = {}  # of each host: how much it sent to somewhere in a day -> how often
        self.enough: dict[str, int | None] = {}  # of each host, on this day

    def feed(self, row: Sequence[Any]) -> Sequence[Fire]:
        """See `Fold`."""
        _, time, host, dst, from_, to_, out, back = row[:8]
        src_ours, dst_ours = self.ours.between(row)
        oneway = back is None and (None in {from_, to_} or from_ < to_)
        if not src_ours or dst_ours or oneway or out is None or out <= 0:
            return ()
        self.passed(time)
        sent = self.today.setdefault(host, {})
        so_far = sent[dst] = sent.get(dst, 0) + out
        if so_far < FLOOR or digest(dst) in self.met:
            return ()
        if host not in self.enough:
            self.enough[host] = self._limit(host)
        enough = self.enough[host]
        return (Fire(f"server {host}", time, so_far),) if enough is not None and so_far >= enough else ()

    def _limit(self, host: str) -> int | None:
        past = self.past.get(host, {})
        if sum(past.values()) < CROWD:
            return None
        return max(FLOOR, TIMES * UNIT * peers.rank(past.items(), egress.RARE))

    def passed(self, time: int) -> Sequence[Fire]:
        """See `Fold`."""
        if time // DAY > self.day:
            self.day = time // DAY
            for host, sent in self.today.items():
                past = self.past.setdefault(host, {})
                for size in sent.values():
                    past[-(-size // UNIT)] = past.get(-(-size // UNIT), 0) + 1
            new = {digest(dst) for sent in self.today.values() for dst in sent}
            if new:
                self.met.add(one for one in new if one not in self.met)
            self.today, self.enough = {}, {}
        return ()

    def tidy(self, time: int) -> None:
        """See `Fold`."""

    def dump(self) -> Any:
        """See `Fold`. Numbers are no keys of every form in which a state may be written."""
        past = [[host, [*counts.items()]] for host, counts in self.past.items()]
        return [self.ours.dump(), self.day, self.met.dump(), self.today, past, self.enough]

    def load(self, kept: Any) -> None:
        """See `Fold`."""
        ours, self.day, met, self.today, past, self.enough = kept
        self.ours.load(ours)
        self.met = Met(met)
        self.past = {host: dict(counts) for host, counts in past}
