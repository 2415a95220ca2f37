"""Many bytes for one client in an hour or a day, against its peers and its own past.

The weakest of the hunts: a real theft of 1,168 documents was 1.8 MiB, so that no limit on bytes would have seen it. It is kept for
what has no ids in its addresses. Of flows, which have directions, `flows` tells.

The limit is ten times what is much among peers (`peers`), or five times what was rare for a client that has a past of TEN windows,
and never below a floor. A window with so much that floor and peers would have told of it is no past for four weeks, as in `wide`;
in the first days of a kind (`peers.LEARN`) from SURE times the floor on.

Who never has as much in an hour as is told may have it in a day. So may a practice of a dozen, or an address of a mobile network:
in the first days, when nobody has a past, a day is told of with a low level, and as ever from SURE times the limit on.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from sys import intern
from typing import Any, Final, NamedTuple

from strongroom.clock import DAY, HOUR
from strongroom.detect import packed, peers
from strongroom.detect.detection import ABOUT, Base, Detection, Fire, Joint, simple
from strongroom.detect.parts import By, Here, Parts, Step
from strongroom.detect.readers import DOUBT, SURE, served
from strongroom.detect.shelf import Column
from strongroom.sigma.rule import Head, Level

PEERS, OWN, TEN = 10, 5, 10
"""As in `wide`."""
RARE: Final = 99
MIB: Final = 1024 * 1024
"""What is learned is learned in these, rounded up."""
MANY: Final = 2**52
"""Of them in a window: more than there are. Sizes in a log may be made up."""


class Window(NamedTuple):
    """Buckets of `size` milliseconds, in which fewer than `floor` MiB, a multiple of PEERS, are never too many.

    `sure`: so many times what is enough is needed while nobody has a past. `cold`: this is told of what is less.
    """

    size: int
    floor: int
    words: str
    sure: int = 1
    cold: bool = False


HOURLY: Final = Window(HOUR, 100, "an hour")
"""Some 400 documents of the mean size of 252 kB."""
DAILY: Final = Window(DAY, 250, "a day", SURE)
"""Some 1,000. A patient's day on a telephone is below 50, with a picture of 30 MB too; a clinician's, of 25 people with four
documents each, some 30; a study of radiology, of hundreds, is fetched at once and told of by the hour, as a clinic of sixty is."""


class Words(NamedTuple):
    """What is said: `title` has a place for the window; `seen` begins the description. `ends` of the ids: of the hour, of the day,
    and of the day while nobody has a past.
    """

    title: str
    seen: str
    ends: tuple[str, str, str]


def detections() -> list[Detection]:
    """The hunt for bytes."""
    words = Words("Unusually many bytes went to one client in {}", "One client was sent", ("02", "1c", "1d"))
    return [*told(words, (By("sent", _BASE.sql, "about", kept=False),), (_BASE,), Egress)]


_BASE: Final = simple(
    """status_id = 1 AND "traffic.bytes_out" > 0 AND "principal.kind" <> 'service' AND principal IS NOT NULL
        AND "metadata.log_name" NOT IN ('network', 'network-file')""",
    g=ABOUT, about=ABOUT, kind='"principal.kind"', size='"traffic.bytes_out"',
)  # fmt: skip


def told(
    words: Words, sent: tuple[Step, ...], bases: tuple[Base, ...], fold: Callable[[], Joint]
) -> Iterator[Detection]:
    """One for an hour, two for a day. `sent`: steps that end in a table (event, time, about, kind, size), size above 0."""
    kinds: tuple[tuple[Window, Level, str], ...] = (
        (HOURLY, "medium", ""), (DAILY, "medium", ""), (DAILY._replace(cold=True), "low", ", while nobody has a past"),
    )  # fmt: skip
    for (window, level, besides), end in zip(kinds, words.ends, strict=True):
        head = Head(
            id=f"4d0cc0de-7a1c-4d52-9c3b-6a2f0d1e7b{end}", title=words.title.format(window.words) + besides, level=level,
            description=f"{words.seen} far more bytes in {window.words} than its peers and its own past let expect.",
            honest=_HONEST, tags=("attack.t1020", "attack.t1030", "d3fend.d3-isva", "d3fend.d3-udta"), by=(),
        )  # fmt: skip
        note = f"at least {window.floor} MiB in {window.words}, {PEERS} times its peers' most or {OWN} times its own"
        parts = Parts((*sent, *_steps(window)), _hits(window.size, "hint" if window.cold else "enough"))
        yield Detection(head, parts.sql, shape="egress", note=note, bases=bases, fold=fold, joint=window, parts=parts)


_HONEST: Final = (
    "films, pictures or archives were downloaded that are meant for everybody",
    "an address behind which many people are: a clinic, a mobile network, a proxy of your own",
    "a backup or a mirror",
)
_MIBS: Final = f"least((c + {MIB - 1}) // {MIB}, {MANY})::BIGINT"


def _steps(window: Window) -> tuple[Step, ...]:
    """Towards `large`: (about, b, c, enough, hint) of the windows that have as much as is told, bytes."""
    size, floor = window.size, MIB * window.floor
    large = f"""
    WITH asked AS (  -- whom no window can be too much of has no past
        SELECT about, b, c, {_MIBS} AS mib, {MIB}::HUGEINT * {PEERS} * coalesce(much, 0) AS far, young
        FROM (SELECT *, b * {size} // {DAY} AS d FROM whole) LEFT JOIN peers USING (kind, d)
        SEMI JOIN (SELECT about FROM whole GROUP BY about HAVING max(c) >= {floor}) AS ample USING (about)
    ),
    both_ AS (
        SELECT about, b, c, far, young, NULL AS was FROM asked
        UNION ALL SELECT about, b + CASE WHEN c < CASE WHEN young THEN {SURE * floor} ELSE greatest({floor}, far) END THEN 1
            ELSE {DOUBT // size} END, NULL, NULL, NULL, mib FROM asked
    ),
    past AS (
        SELECT *, count(was) OVER earlier AS known, quantile_disc(was, 0.99) OVER earlier AS own
        FROM both_ WINDOW earlier AS (PARTITION BY about ORDER BY b RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
    ),
    usual AS (
        SELECT about, b, c, greatest({floor}, CASE WHEN known >= {TEN} THEN {MIB}::HUGEINT * {OWN} * own ELSE far END) AS usual,
            young AND known < {TEN} AS cold
        FROM past WHERE was IS NULL
    )
    SELECT about, b, c, usual * CASE WHEN cold THEN {window.sure} ELSE 1 END AS enough, CASE WHEN cold THEN usual END AS hint
    FROM usual WHERE c >= usual
    """
    return (
        Here("whole", f"SELECT about, kind, time // {size} AS b, sum(size) AS c FROM sent GROUP BY ALL"),
        Here("bucket", f"SELECT about AS g, kind, b, {_MIBS} AS c FROM whole"),
        peers.known(size),
        Here("large", large),
    )


def _hits(size: int, enough: str) -> str:
    """Of whoever was sent too much in a window."""
    return f"""
WITH running AS (
    SELECT about, b, event, time, {enough} AS enough, sum(size) OVER (PARTITION BY about, b ORDER BY time, event) AS so_far
    FROM (SELECT *, time // {size} AS b FROM sent) JOIN large USING (about, b) WHERE c >= {enough}
)
SELECT about, min(CASE WHEN so_far >= enough THEN time END) OVER (PARTITION BY about, b) AS fired, event FROM running
"""


class Client:
    """What a watch keeps of one client and one window: bytes of the present bucket, and how many MiB earlier ones had."""

    __slots__ = ("bucket", "doubted", "enough", "kind", "known", "later", "most", "past", "size")

    def __init__(self, kind: str) -> None:
        self.kind = intern(kind)
        self.bucket, self.size = -1, 0
        self.past: packed.Packed = b""  # MiB -> in how many buckets
        self.later: packed.Packed = b""  # buckets that are no past yet -> MiB
        self.doubted = False  # whether the present one is none for a while
        self.known = 0
        self.most = 0  # MiB in a bucket, the present one too
        self.enough: int | None = None  # MiB; None: not yet known

    def turn(self, bucket: int, doubt: int) -> None:
        """A bucket has begun: those before it are known now, what is doubted when it is `doubt` buckets old."""
        if self.size and self.doubted:
            self.later = packed.put(self.later, self.bucket, self.mib())
        elif self.size:
            self._learn(self.mib())
        for number, mib in [one for one in packed.items(self.later) if one[0] <= bucket - doubt]:
            self.later = packed.without(self.later, number)
            self._learn(mib)
        self.bucket, self.size, self.doubted = bucket, 0, False

    def _learn(self, mib: int) -> None:
        self.past = packed.put(self.past, mib, max(packed.get(self.past, mib), 0) + 1)
        self.known += 1

    def mib(self) -> int:
        """What it had in this bucket, rounded up."""
        return min(-(-self.size // MIB), MANY)

    def dump(self) -> list[Any]:
        """As lists, numbers and bytes. Bytes may be more than a number of 64 bits can say."""
        size, past = [*divmod(self.size, MIB)], [packed.dump(self.past), packed.dump(self.later)]
        return [self.kind, self.bucket, size, *past, self.doubted, self.known, self.most, self.enough]

    @classmethod
    def loaded(cls, kept: list[Any]) -> "Client":
        """The way back."""
        kind, bucket, (mib, rest), past, later, doubted, known, most, enough = kept
        one = cls(kind)
        one.bucket, one.size, one.past, one.later = bucket, mib * MIB + rest, packed.load(past), packed.load(later)
        one.doubted, one.known, one.most, one.enough = doubted, known, most, enough
        return one


class Watched:
    """A window that is watched: of which detections, its peers, its present bucket, its clients."""

    def __init__(self, window: Window) -> None:
        self.size, self.floor, self.sure = window.size, window.floor, window.sure
        self.least = MIB * self.floor
        self.id = self.cold = ""  # of the detections that are told, where they are watched
        self.peers = peers.Peers()
        self.clients = Column(Client.dump, Client.loaded)
        self.held: dict[str, list[tuple[int, int]]] = {}  # while peers are learned: who -> (MiB, when they were full)
        self.now, self.end = -1, 0

    def feed(self, g: str, kind: str, time: int, size: int) -> Sequence[Fire]:
        """Somebody was sent so much. The day is known (`passed`)."""
        if time >= self.end:
            self.now = time // self.size
            self.end = (self.now + 1) * self.size
        known, at = self.clients.row(g), self.clients.at
        client = known[at]
        if client is None:
            client = known[at] = Client(kind)
        if client.bucket != self.now:
            client.turn(self.now, DOUBT // self.size)
            client.enough = self._limit(client)
        client.size += size
        if client.size > client.most * MIB and (mib := client.mib()) > client.most:
            self.peers.rise(client.kind, client.most, mib)
            client.most = mib
        if client.size < self.least:
            return ()
        full = client.size // MIB
        client.doubted = client.doubted or full >= self._bar(client.kind)
        if client.enough is None:
            held, full = self.held.setdefault(g, []), full // PEERS * PEERS
            if not held or full > held[-1][0]:
                held.append((full, time))
            return ()
        return (Fire(g, time, client.size, of=self.id),) if self.id and full >= client.enough else ()

    def _limit(self, client: Client) -> int | None:
        """What is enough in a bucket that has begun. In the first days of a kind that is known when the day is over."""
        if client.known >= TEN:
            return max(self.floor, OWN * peers.rank(packed.items(client.past), RARE))
        return None if self.peers.learning(client.kind) else self._by_peers(self.peers.much, client.kind)

    def _by_peers(self, much: Mapping[str, int], kind: str) -> int:
        return max(self.floor, PEERS * much.get(kind, 0))

    def _bar(self, kind: str) -> int:
        """From how much on a bucket is no past for a while: what is told of but for the past."""
        return SURE * self.floor if self.peers.learning(kind) else self._by_peers(self.peers.much, kind)

    def passed(self, day: int) -> Iterator[Fire]:
        """A day has begun: of whoever had much on a first one it is known now whether that is told."""
        self.peers.turn(day)
        for g, held in self.held.items():
            client = self.clients.get(g)
            if client is None:
                continue
            enough = self._by_peers(self.peers.ended, client.kind)
            for id_, times in ((self.cold, 1), (self.id, self.sure)):
                first = next(((full, when) for full, when in held if full >= times * enough), None)
                if id_ and first is not None:
                    yield Fire(g, first[1], first[0] * MIB, of=id_)
        self.held = {}


class Egress:
    """The fold."""

    def __init__(self) -> None:
        self.windows: list[Watched] = []  # the longest last
        self.until = 0  # the end of the present day

    def serve(self, id_: str, what: Window) -> None:
        """See `Joint`."""
        self.windows = served(self.windows, Watched(what), id_, cold=what.cold)

    def feed(self, row: Sequence[Any]) -> Sequence[Fire]:
        """See `Fold`."""
        _, time, g, _, kind, size = row
        fires = self.passed(time) if time >= self.until else ()
        for window in self.windows:
            if found := window.feed(g, kind, time, size):
                fires = [*fires, *found]
        return fires

    def passed(self, time: int) -> Sequence[Fire]:
        """See `Fold`."""
        if time < self.until:
            return ()
        day = time // DAY
        self.until = (day + 1) * DAY
        return [fire for window in self.windows for fire in window.passed(day)]

    def tidy(self, time: int) -> None:
        """See `Fold`."""

    def dump(self) -> Any:
        """See `Fold`."""
        return [self.until, [[one.peers.dump(), one.held] for one in self.windows]]

    def shelves(self) -> Sequence[Column[Any]]:
        """See `Shelved`."""
        return [one.clients for one in self.windows]

    def load(self, kept: Any) -> None:
        """See `Fold`."""
        self.until, windows = kept
        for window, (known, held) in zip(self.windows, windows, strict=True):
            window.peers.load(known)
            window.held = {g: [(full, time) for full, time in one] for g, one in held.items()}
