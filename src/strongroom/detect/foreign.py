"""People to whom a login has no relation, where the operator's tables tell relations: the surest of the hunts."""

from collections.abc import Sequence
from typing import Any, Final

from strongroom.detect.correlation import together
from strongroom.detect.detection import ABOUT, SERVED, Base, Detection, Fire
from strongroom.sigma.rule import Head

MANY: Final = 2
"""Strangers. One may be a relation that the table does not know yet."""
_WINDOW: Final = 366 * 24 * 3_600_000

HEAD: Final = Head(
    id="4d0cc0de-7a1c-4d52-9c3b-6a2f0d1e7b03",
    title="Documents of strangers were read",
    level="critical",
    description="A login read documents of people to whom it has no relation in the table that was given.",
    honest=("the table of relations is older than the log", "an emergency access, which has its own record"),
    tags=("attack.t1078", "attack.t1213", "d3fend.d3-rapa"),
    by=(),
)


def detection() -> Detection:
    """Needs the tables `relation` (account or group, patient) and `member` (account, role, group)."""
    base = f"""
    WITH met AS (
        SELECT rowid AS event, time, {ABOUT} AS g, principal, patient AS v FROM event
        WHERE patient IS NOT NULL AND "principal.kind" = 'login' AND {SERVED}
    ),
    pair AS (SELECT DISTINCT principal, v FROM met),
    named AS (
        SELECT principal, v, principal AS account FROM pair
        UNION ALL SELECT principal, v, "group" FROM pair JOIN member ON member.account = principal
    ),
    known AS (SELECT DISTINCT principal, v FROM named JOIN relation ON relation.account = named.account AND patient = v)
    SELECT event, time, g, g AS about, v FROM met ANTI JOIN known USING (principal, v)
    """
    fire = f"""
    WITH met AS (SELECT g, v, min(time) AS t FROM base GROUP BY ALL),
    counted AS (SELECT g, t, count(*) OVER (PARTITION BY g ORDER BY t) AS n FROM met)
    SELECT g, t FROM counted WHERE n >= {MANY}
    """
    note = f"at least {MANY} strangers"
    parts = together(base, fire, _WINDOW)
    return Detection(
        HEAD, parts.sql, shape="foreign", note=note, bases=(Base(base, tables=True),), fold=Foreign, parts=parts
    )


class Foreign:
    """The fold: the first strangers of each login."""

    def __init__(self) -> None:
        self.met: dict[str, list[str]] = {}

    def feed(self, row: Sequence[Any]) -> Sequence[Fire]:
        """See `Fold`."""
        _, time, g, _, stranger = row
        met = self.met.setdefault(g, [])
        if stranger not in met and len(met) < MANY:
            met.append(stranger)
        return (Fire(g, time, len(met)),) if len(met) >= MANY else ()

    def passed(self, time: int) -> Sequence[Fire]:  # noqa: ARG002  # of all folds
        """See `Fold`."""
        return ()

    def tidy(self, time: int) -> None:
        """See `Fold`."""

    def dump(self) -> Any:
        """See `Fold`."""
        return self.met

    def load(self, kept: Any) -> None:
        """See `Fold`."""
        self.met = kept
