"""What is much among principals of one kind, as it was known when a day (or a week, of windows as long) began.

Of every principal the most that it had in one window, over the days before; of these the 95th percentile (nearest rank), so that
one thief among CROWD does not raise it. In the first days of a kind its peers are those of that very day too: a watch, which must
say the same as a hunt, waits for its end before it judges by them. But for that nothing looks ahead. Nothing is much before CROWD
principals were seen: then a detection's floor holds.

In these first days nobody has a past that excuses it, and a work that few do, such as a desk's or a program's, is not told from a
theft by what all others do. So those few are peers of one another, where they are a crowd and no fewer than one in a hundred.
"""

from collections.abc import Iterable
from typing import Any, Final

from strongroom.clock import DAY
from strongroom.detect.parts import Known

CROWD: Final = 20
RARE: Final = 95
"""Per cent of the principals that have less, or as much."""
LEARN: Final = 14
"""Days of a kind that are among those by which they are judged themselves: nobody knows yet what a Monday is like, and who works on
five days of seven has a past after two weeks."""
APART: Final = 3
"""So many times what nearly all have: who has more does a work of its own, if FEW of a hundred do."""
FEW: Final = 1


def known(window: int, unit: int = DAY, learn: int = LEARN) -> Known:
    """The table `peers` (kind, d, much, young): as of the beginning of unit d, or the end of it in the first `learn` of a kind,
    which are young. `unit` is a day, or a window that is longer: of that nobody waits for an end.

    Made of `bucket` (g, kind, b, c), b the number of a window of `window` milliseconds and c, never 0, how much there was in it.
    `much` is null where there is no crowd.
    """
    share = f"""
    WITH daily AS (SELECT g, kind, b * {window} // {unit} AS d, max(c) AS c FROM bucket GROUP BY ALL),
    risen AS (
        SELECT kind, d, c, coalesce(max(c) OVER earlier, 0) AS was FROM daily
        WINDOW earlier AS (PARTITION BY g, kind ORDER BY d ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
        QUALIFY c > was
    )
    SELECT kind, d, c, count(*) AS n FROM risen GROUP BY ALL
    UNION ALL SELECT kind, d, was, -count(*) FROM risen WHERE was > 0 GROUP BY ALL
    UNION ALL SELECT DISTINCT kind, b * {window} // {unit}, NULL, NULL FROM bucket  -- days that are asked for
    """
    until = f"day.d + (day.d < since + {learn})::INT" if unit == DAY else "day.d"
    whole = f"""
    WITH moved AS (SELECT * FROM peers_share WHERE n IS NOT NULL),
    first AS (SELECT kind, min(d) AS since FROM moved GROUP BY kind),
    day AS (SELECT DISTINCT kind, d FROM peers_share WHERE n IS NULL),
    standing AS (
        SELECT kind, day.d, c, sum(moved.n) AS n FROM day
        JOIN first USING (kind) JOIN moved USING (kind) WHERE moved.d < {until} GROUP BY ALL
    ),
    common AS ({_ranked("standing")}),
    apart AS (
        SELECT kind, d, c, n, crowd AS all_ FROM standing JOIN common USING (kind, d) JOIN first USING (kind)
        WHERE d < since + {learn} AND c > {APART} * much
    ),
    worked AS ({_ranked("apart", f"crowd * 100 >= {FEW} * max(all_)")})
    SELECT kind, day.d, coalesce(worked.much, common.much) AS much, day.d < since + {learn} AS young
    FROM day JOIN first USING (kind) LEFT JOIN common USING (kind, d) LEFT JOIN worked USING (kind, d)
    """
    return Known("peers", share, whole)


def _ranked(of: str, enough: str = "true") -> str:
    """(kind, d, crowd, much) of the table `of` (kind, d, c, n)."""
    over = "PARTITION BY kind, d"
    ranked = f"SELECT *, sum(n) OVER ({over} ORDER BY c) AS below, sum(n) OVER ({over}) AS crowd FROM {of}"
    return f"""SELECT kind, d, crowd, min(c) AS much FROM ({ranked})
        WHERE crowd >= {CROWD} AND below * 100 >= crowd * {RARE} GROUP BY ALL HAVING {enough}"""


def rank(counts: Iterable[tuple[int, int]], per_cent: int) -> int:
    """The nearest-rank percentile of amounts that are given with how often each was there. At least one must be."""
    ordered = sorted(counts)
    crowd, below = sum(n for _, n in ordered), 0
    for amount, n in ordered:
        below += n
        if below * 100 >= crowd * per_cent:
            return amount
    raise ValueError


class Peers:
    """The same as the SQL, day by day (or week by week): what a watch knows of peers.

    It counts how many had how much at most, and leaves it to the fold what each had.
    """

    __slots__ = ("_learn", "day", "ended", "first", "moved", "much", "stands", "works")

    def __init__(self, learn: int = LEARN) -> None:
        self._learn = learn
        self.day = 0
        self.ended: dict[str, int] = {}  # what is much on the day before, where that was one of a kind's first
        self.works: dict[str, int] = {}  # what was much before this day, where that is one of a kind's first
        self.first: dict[str, int] = {}
        self.stands: dict[str, dict[int, int]] = {}  # kind -> the most in a window of days that are over -> of how many
        self.moved: dict[str, dict[int, int]] = {}  # what this day has changed of it
        self.much: dict[str, int] = {}

    def rise(self, kind: str, before: int, amount: int) -> None:
        """A principal has had more in one window than ever, which was `before` (0: nothing)."""
        moved = self.moved.get(kind)
        if moved is None:
            moved = self.moved[kind] = {}
            self.first.setdefault(kind, self.day)
        moved[amount] = moved.get(amount, 0) + 1
        if before:
            moved[before] = moved.get(before, 0) - 1

    def learning(self, kind: str) -> bool:
        """Whether it is one of this kind's first days."""
        return self.day < self.first.get(kind, self.day) + self._learn

    def turn(self, day: int) -> bool:
        """A day has begun: what was had before it is known now. False when it is the same day still."""
        if day <= self.day:
            return False
        first = [kind for kind in self.first if self.learning(kind)]
        self.day = day
        for kind, moved in self.moved.items():
            stands = self.stands.setdefault(kind, {})
            for amount, n in moved.items():
                stands[amount] = stands.get(amount, 0) + n
                if not stands[amount]:
                    del stands[amount]
            if sum(stands.values()) >= CROWD:
                self.much[kind] = rank(stands.items(), RARE)
        self.moved = {}
        self.ended = {kind: self._worked(kind) for kind in first}
        self.works = {kind: much for kind, much in self.ended.items() if self.learning(kind)}
        return True

    def _worked(self, kind: str) -> int:
        stands, much = self.stands.get(kind, {}), self.much.get(kind, 0)
        apart = [(amount, n) for amount, n in stands.items() if amount > APART * much]
        few = sum(n for _, n in apart)
        crowd = much and few >= CROWD and few * 100 >= FEW * sum(stands.values())
        return rank(apart, RARE) if crowd else much

    def dump(self) -> Any:
        """See `Fold.dump`. Numbers are no keys of every form in which a state may be written."""
        counts = [[[kind, [*one.items()]] for kind, one in counts.items()] for counts in (self.stands, self.moved)]
        return [self.day, self.first, *counts, self.much, self.works]

    def load(self, kept: Any) -> None:
        """See `Fold.load`."""
        self.day, self.first, stands, moved, self.much, self.works = kept
        self.stands, self.moved = ({kind: dict(counts) for kind, counts in one} for one in (stands, moved))
