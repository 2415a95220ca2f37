"""Low and slow: more different documents or people in a week than a principal ever read before, and more than a few.

Against its own past alone: what peers do in a week differs by their work, which logs do not tell. It needs AGE weeks of log; a
principal that was silent in them has a past of nothing, so that a login that wakes up and reads is seen.
"""

from collections.abc import Sequence
from typing import Any, Final

from strongroom.clock import DAY
from strongroom.detect import wide
from strongroom.detect.detection import Base, Detection, Fire
from strongroom.sigma.rule import Head

WEEK: Final = 7 * DAY
FLOOR, OWN, AGE = 30, 2, 4

HEAD: Final = Head(
    id="4d0cc0de-7a1c-4d52-9c3b-6a2f0d1e7b06",
    title="More different documents or people in a week than ever before",
    level="medium",
    description="One principal read more than twice what was its own most in a week, over some weeks of log.",
    honest=(
        "somebody new, or somebody who came back or took over another's work",
        "a patient who takes all their own documents",
        "an address that other people use now",
    ),
    tags=("attack.t1213", "attack.t1030", "d3fend.d3-rapa", "d3fend.d3-udta"),
    by=(),
)


def detection() -> Detection:
    """The hunt for patience."""
    enough = f"CASE WHEN age >= {AGE} THEN least({wide.MOST}, greatest({FLOOR}, {OWN} * coalesce(own, 0))) END"
    note = f"at least {FLOOR} in a week, {OWN} times its own most, after {AGE} weeks of log"
    parts = wide.parts(WEEK, enough, FLOOR)
    bases = (wide.BASE, FIRST)
    return Detection(HEAD, parts.sql, shape="wide", note=note, bases=bases, fold=Slow, parts=parts)


FIRST: Final = Base("""
    SELECT rowid AS event, time, NULL AS g, NULL AS about, NULL AS kind, NULL AS v
    FROM event WHERE time = (SELECT min(time) FROM event) LIMIT 1
""")
"""What a watch asks besides: when the log began, whatever its first event was."""


class Slow(wide.Wide):
    """The fold: as of `wide`, but against one's own past alone, once the log is old enough."""

    def __init__(self) -> None:
        super().__init__(WEEK, FLOOR)
        self.began: int | None = None

    def feed(self, row: Sequence[Any]) -> Sequence[Fire]:
        """See `Fold`."""
        if self.began is None:
            self.began = row[1] // WEEK
        return () if row[2] is None else super().feed(row)

    def limit(self, reader: wide.Reader) -> None:
        """See `Wide`."""
        old = self.began is not None and reader.bucket - self.began >= AGE
        reader.enough = min(wide.MOST, max(FLOOR, OWN * reader.own())) if old else None

    def learn(self, g: str, reader: wide.Reader) -> None:
        """Peers are not asked."""

    def wait(self, reader: wide.Reader, level: int, time: int) -> None:
        """There is nothing to wait for."""

    def passed(self, time: int) -> Sequence[Fire]:  # noqa: ARG002  # of all folds
        """See `Fold`."""
        return ()

    def dump(self) -> Any:
        """See `Fold`."""
        return [self.began, super().dump()]

    def load(self, kept: Any) -> None:
        """See `Fold`."""
        self.began, readers = kept
        super().load(readers)
