"""A role, key or account reads from a store for the first time, where for a week few others did: the first document fires.

A store behind an application has a few readers, always the same. A role is meant without its session: machines come and go.
Who follows a link that a key has signed is whoever has the link: the key's links are one reader, and the key itself is another.
"""

from collections.abc import Sequence
from typing import Any, Final

from strongroom.clock import DAY
from strongroom.detect.detection import ABOUT, SERVED, Detection, Fire, simple
from strongroom.detect.parts import Here, Known, Parts
from strongroom.sigma.rule import Head

AGE: Final = 7 * DAY
FEW: Final = 10
"""Readers that a store has had: where many read, one more is nothing."""

HEAD: Final = Head(
    id="4d0cc0de-7a1c-4d52-9c3b-6a2f0d1e7b0b",
    title="Somebody read from a store for the first time",
    level="medium",
    description="A principal that had never read from this store did, after a week in which the same few had.",
    honest=(
        "a new service or a new version of one",
        "an administrator who looks after something",
        "a backup that was set up",
    ),
    tags=("attack.t1530", "attack.t1078.004", "d3fend.d3-rapa", "d3fend.d3-udta"),
    by=(),
)


def detection() -> Detection:
    """First seen: principal and store. Who came at the same instant has come after as many as the other."""
    new = f"""
    WITH debut AS (SELECT g, who, min(first) AS first FROM new_share GROUP BY g, who),
    ranked AS (
        SELECT *, rank() OVER (PARTITION BY g ORDER BY first) AS nth, min(first) OVER (PARTITION BY g) AS opened FROM debut
    )
    SELECT g, who, first FROM ranked WHERE nth BETWEEN 2 AND {FEW} AND first >= opened + {AGE}
    """
    hits = f"""
    SELECT about, min(time) OVER (PARTITION BY about) AS fired, event
    FROM reading JOIN new USING (g, who) WHERE time <= first + {DAY}
    """
    note = f"after {AGE // DAY} days of at most {FEW} readers"
    came = "SELECT g, who, min(time) AS first FROM reading GROUP BY g, who"
    parts = Parts((Here("reading", _BASE.sql), Known("new", came, new)), hits)
    return Detection(HEAD, parts.sql, note=note, bases=(_BASE,), fold=Newcomer, parts=parts)


_WHO: Final = """CASE WHEN "principal.kind" = 'address' AND "actor.user.name" IS NOT NULL THEN 'links by ' || "actor.user.name"
    ELSE principal END"""
_BASE: Final = simple(
    f"""{SERVED} AND store IS NOT NULL AND "principal.kind" NOT IN ('service', 'anonymous', 'foreign')""",
    g="store", about=ABOUT, who=rf"regexp_replace({_WHO}, '(assumed-role/[^/]+)/.*', '\1')",
)  # fmt: skip


class Newcomer:
    """The fold: of each store its first readers, and since when they read."""

    def __init__(self) -> None:
        self.stores: dict[str, dict[str, int]] = {}

    def feed(self, row: Sequence[Any]) -> Sequence[Fire]:
        """See `Fold`."""
        _, time, store, about, who = row
        readers = self.stores.setdefault(store, {})
        first = readers.get(who)
        if first is None:
            if sum(one < time for one in readers.values()) >= FEW:
                return ()
            first = readers[who] = time
        opened = next(iter(readers.values()))
        return (Fire(about, time, 1),) if first >= opened + AGE and time <= first + DAY else ()

    def passed(self, time: int) -> Sequence[Fire]:  # noqa: ARG002  # of all folds
        """See `Fold`."""
        return ()

    def tidy(self, time: int) -> None:
        """See `Fold`."""

    def dump(self) -> Any:
        """See `Fold`."""
        return self.stores

    def load(self, kept: Any) -> None:
        """See `Fold`."""
        self.stores = kept
