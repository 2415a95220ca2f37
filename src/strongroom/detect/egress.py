"""Many bytes for one client in an hour, against its peers and its own past. The weakest of the hunts: a real theft of 1,168
documents was 1.8 MiB, so that no limit on bytes would have seen it. It is kept for what has no ids in its addresses. Of flows,
which have directions, `flows` tells.
"""

from collections.abc import Mapping, Sequence
from sys import intern
from typing import Any, Final

from strongroom.clock import DAY, HOUR
from strongroom.detect import packed, peers
from strongroom.detect.detection import ABOUT, Detection, Fire, simple
from strongroom.detect.parts import By, Here, Parts, Step
from strongroom.detect.shelf import Column
from strongroom.sigma.rule import Head

FLOOR: Final = 100 * 1024 * 1024
"""Bytes in an hour: some 400 documents of the mean size of 252 kB."""
PEERS, OWN, TEN = 10, 5, 10
"""As in `wide`."""
RARE: Final = 99
MIB: Final = 1024 * 1024
"""What is learned is learned in these, rounded up."""
MANY: Final = 2**52
"""Of them in an hour: more than there are. Sizes in a log may be made up."""

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
    parts = Parts(steps(_BASE.sql), HITS)
    return Detection(HEAD, parts.sql, shape="egress", note=note, bases=(_BASE,), fold=Egress, parts=parts)


_BASE: Final = simple(
    """status_id = 1 AND "traffic.bytes_out" > 0 AND "principal.kind" <> 'service' AND principal IS NOT NULL
        AND "metadata.log_name" NOT IN ('network', 'network-file')""",
    g=ABOUT, about=ABOUT, kind='"principal.kind"', size='"traffic.bytes_out"',
)  # fmt: skip


def steps(base: str, *, kept: bool = False) -> tuple[Step, ...]:
    """Towards `HITS`. `base` selects (event, time, about, kind, size), size above 0; `kept`: see `By`."""
    return (
        By("sent", f"SELECT event, time, about, kind, size, time // {HOUR} AS b FROM ({base})", "about", kept=kept),
        Here("hour", "SELECT about, kind, b, sum(size) AS c FROM sent GROUP BY ALL"),
        Here("bucket", f"SELECT about AS g, kind, b, {_MIBS} AS c FROM hour"),
        peers.known(HOUR),
        Here("large", _LARGE),
    )


_MIBS: Final = f"least((c + {MIB - 1}) // {MIB}, {MANY})::BIGINT"
_LARGE: Final = f"""
WITH ample AS (  -- whom no hour can be too much of has no past
    SELECT about, kind, b, c, {_MIBS} AS mib FROM hour
    SEMI JOIN (SELECT about FROM hour GROUP BY about HAVING max(c) >= {FLOOR}) USING (about)
),
past AS (
    SELECT about, kind, b, c, count(*) OVER earlier AS known, quantile_disc(mib, 0.99) OVER earlier AS own,
        b * {HOUR} // {DAY} AS d
    FROM ample WINDOW earlier AS (PARTITION BY about ORDER BY b ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
)
SELECT about, b, greatest({FLOOR}, {MIB} * CASE WHEN known >= {TEN} THEN {OWN} * own ELSE {PEERS} * much END) AS enough
FROM past LEFT JOIN peers USING (kind, d) WHERE c >= enough
"""
HITS: Final = """
WITH running AS (
    SELECT about, b, event, time, enough, sum(size) OVER (PARTITION BY about, b ORDER BY time, event) AS so_far
    FROM sent JOIN large USING (about, b)
)
SELECT about, min(CASE WHEN so_far >= enough THEN time END) OVER (PARTITION BY about, b) AS fired, event FROM running
"""
"""Of whoever was sent too much in an hour."""


class Client:
    """What a watch keeps of one client: bytes of this hour, and how many MiB earlier ones had."""

    __slots__ = ("enough", "hour", "kind", "known", "most", "past", "size")

    def __init__(self, kind: str) -> None:
        self.kind = intern(kind)
        self.hour, self.size = -1, 0
        self.past: packed.Packed = b""  # MiB -> in how many hours
        self.known = 0
        self.most = 0  # MiB in an hour, the present one too
        self.enough: int | None = None  # bytes; None: not yet known

    def turn(self, hour: int) -> None:
        """An hour has begun: the one before it is known now."""
        if self.size:
            mib = self.mib()
            self.past = packed.put(self.past, mib, max(packed.get(self.past, mib), 0) + 1)
            self.known += 1
        self.hour, self.size = hour, 0

    def mib(self) -> int:
        """What it had in this hour, rounded up."""
        return min(-(-self.size // MIB), MANY)

    def dump(self) -> list[Any]:
        """As lists, numbers and bytes. Bytes may be more than a number of 64 bits can say; a limit is of whole MiB."""
        enough = self.enough and self.enough // MIB
        size = [*divmod(self.size, MIB)]
        return [self.kind, self.hour, size, packed.dump(self.past), self.known, self.most, enough]

    @classmethod
    def loaded(cls, kept: list[Any]) -> "Client":
        """The way back."""
        kind, hour, (mib, rest), past, known, most, enough = kept
        one = cls(kind)
        one.hour, one.size, one.past, one.known = hour, mib * MIB + rest, packed.load(past), known
        one.most, one.enough = most, enough and enough * MIB
        return one


class Egress:
    """The fold."""

    def __init__(self) -> None:
        self.peers = peers.Peers()
        self.clients = Column(Client.dump, Client.loaded)
        self.held: dict[
            str, list[tuple[int, int]]
        ] = {}  # while peers are being learned: who -> (MiB, when they were full)
        self.hour, self.ends = -1, 0

    def feed(self, row: Sequence[Any]) -> Sequence[Fire]:
        """See `Fold`."""
        _, time, g, _, kind, size = row
        fires: Sequence[Fire] = ()
        if time >= self.ends:
            fires = self.passed(time)
            self.hour = time // HOUR
            self.ends = (self.hour + 1) * HOUR
        known, at = self.clients.row(g), self.clients.at
        client = known[at]
        if client is None:
            client = known[at] = Client(kind)
        if client.hour != self.hour:
            client.turn(self.hour)
            client.enough = self._limit(client)
        client.size += size
        if client.size > client.most * MIB and (mib := client.mib()) > client.most:
            self.peers.rise(client.kind, client.most, mib)
            client.most = mib
        if client.enough is None and self.peers.learning(client.kind):
            full, held = client.size // MIB, self.held.get(g)
            if full * MIB >= FLOOR and (held is None or full > held[-1][0]):
                self.held[g] = [*(held or ()), (full, time)]
            return fires
        if client.enough is None:
            client.enough = self._by_peers(self.peers.much, client.kind)
        return [*fires, Fire(g, time, client.size)] if client.size >= client.enough else fires

    def _limit(self, client: Client) -> int | None:
        if client.known >= TEN:
            return max(FLOOR, MIB * OWN * peers.rank(packed.items(client.past), RARE))
        return None if self.peers.learning(client.kind) else self._by_peers(self.peers.much, client.kind)

    def _by_peers(self, much: Mapping[str, int], kind: str) -> int:
        return max(FLOOR, MIB * PEERS * much.get(kind, 0))

    def passed(self, time: int) -> Sequence[Fire]:
        """See `Fold`."""
        if not self.peers.turn(time // DAY):
            return ()
        fires = []
        for g, held in self.held.items():
            client = self.clients.get(g)
            if client is None:
                continue
            enough = self._by_peers(self.peers.ended, client.kind)
            fires += [Fire(g, when, full * MIB) for full, when in held if full * MIB >= enough][:1]
        self.held = {}
        return fires

    def tidy(self, time: int) -> None:
        """See `Fold`."""

    def dump(self) -> Any:
        """See `Fold`."""
        return [self.peers.dump(), self.held]

    def shelves(self) -> Sequence[Column[Any]]:
        """See `Shelved`."""
        return (self.clients,)

    def load(self, kept: Any) -> None:
        """See `Fold`."""
        known, held = kept
        self.peers.load(known)
        self.held = {g: [(full, time) for full, time in one] for g, one in held.items()}
