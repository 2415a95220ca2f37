"""People read in the order of their names or numbers: somebody goes through a list of everybody.

Work comes in the order of appointments. RUN people in a row, each after the one before by the order of text, forwards or back,
have a chance of 2 to RUN! of being chance. Who comes back to a person within a day has not gone on. Programs go through lists by
nature: who did so in the log's first week is left alone. Nobody's day has more than `readers.MOST` people: always too many.
"""

from collections.abc import Sequence
from typing import Any, Final

from strongroom.clock import DAY
from strongroom.detect import readers, slow
from strongroom.detect.detection import ABOUT, PLACE, SERVED, SOURCE, Detection, Fire, simple
from strongroom.detect.parts import By, Here, Parts
from strongroom.detect.shelf import Column
from strongroom.sigma.rule import Head

RUN: Final = 12
LEARN: Final = 7 * DAY

HEAD: Final = Head(
    id="4d0cc0de-7a1c-4d52-9c3b-6a2f0d1e7b11",
    title="People were read in the order of a list",
    level="medium",
    description="One principal read documents of many people in the order of their names or numbers.",
    honest=("a recall, an invoice run or another task that goes through everybody", "a program that was set up"),
    tags=("attack.t1119", "attack.t1213", "d3fend.d3-rapa", "d3fend.d3-udta"),
    by=(),
)


def detection() -> Detection:
    """Needs people: logs or a mapping that tell whose documents are."""
    met = f"""
    SELECT about, patient, time // {DAY} AS d, time, source, place FROM reading
    QUALIFY row_number() OVER (PARTITION BY about, patient, time // {DAY} ORDER BY time, source, place) = 1
    """
    step = f"""
    WITH many AS (SELECT about FROM met GROUP BY about HAVING count(*) >= {RUN}),
    bounded AS (
        SELECT * FROM met SEMI JOIN many USING (about)
        QUALIFY row_number() OVER (PARTITION BY about, d ORDER BY time, source, place) <= {readers.MOST}
    )
    SELECT *, sign((patient > lag(patient) OVER w)::INT - (patient < lag(patient) OVER w)::INT) AS way FROM bounded
    WINDOW w AS (PARTITION BY about ORDER BY time, source, place)
    """
    run = """
    WITH turn AS (
        SELECT *, coalesce(way <> lag(way) OVER w OR way = 0, true) AS turns FROM step
        WINDOW w AS (PARTITION BY about ORDER BY time, source, place)
    )
    SELECT about, patient, d, time, source, place, sum(turns::INT) OVER w AS run FROM turn WHERE way IS NOT NULL
    WINDOW w AS (PARTITION BY about ORDER BY time, source, place)
    """
    hits = f"""
    WITH long AS (
        SELECT about, run, time AS fired FROM run
        QUALIFY row_number() OVER (PARTITION BY about, run ORDER BY time, source, place) = {RUN - 1}
    ),
    usual AS (SELECT DISTINCT about FROM long WHERE fired < (SELECT first FROM span) + {LEARN}),
    odd AS (
        SELECT about, patient, d, min(fired) AS fired FROM run JOIN long USING (about, run) ANTI JOIN usual USING (about)
        GROUP BY ALL
    )
    SELECT reading.about, fired, event
    FROM reading JOIN odd ON odd.about = reading.about AND odd.patient = reading.patient AND odd.d = reading.time // {DAY}
    """
    steps = (By("reading", _BASE.sql, "about"), Here("met", met), Here("step", step), Here("run", run))
    note = f"at least {RUN} people in a row"
    parts, bases = Parts(steps, hits), (_BASE, slow.FIRST)
    return Detection(HEAD, parts.sql, shape="wide", note=note, bases=bases, fold=Order, parts=parts)


_BASE: Final = simple(
    f"""{SERVED} AND patient IS NOT NULL AND "principal.kind" <> 'service' AND principal IS NOT NULL""",
    g=ABOUT, about=ABOUT, patient="patient", source=SOURCE, place=PLACE,
)  # fmt: skip


class Reader:
    """How far somebody is in a list."""

    __slots__ = ("day", "last", "length", "met", "usual", "way")

    def __init__(self) -> None:
        self.day, self.met = -1, set[str]()  # the people of that day
        self.last: str | None = None
        self.way, self.length = 0, 0
        self.usual = False

    def meets(self, patient: str, day: int) -> bool:
        """Whether this is one person more in the same direction."""
        if day != self.day:
            self.day, self.met = day, set()
        if patient in self.met or len(self.met) >= readers.MOST:
            return False
        self.met.add(patient)
        if self.last is not None:
            way = (patient > self.last) - (patient < self.last)
            self.length = self.length + 1 if way and way == self.way else 1
            self.way = way
        self.last = patient
        return self.length >= RUN - 1

    def dump(self) -> list[Any]:
        """As lists, texts and numbers."""
        return [self.day, [*self.met], self.last, self.way, self.length, self.usual]

    @classmethod
    def loaded(cls, kept: list[Any]) -> "Reader":
        """The way back."""
        one = cls()
        one.day, met, one.last, one.way, one.length, one.usual = kept
        one.met = set(met)
        return one


class Order:
    """The fold."""

    def __init__(self) -> None:
        self.began: int | None = None
        self.readers = Column(Reader.dump, Reader.loaded)

    def feed(self, row: Sequence[Any]) -> Sequence[Fire]:
        """See `Fold`."""
        time, g, patient = row[1], row[2], row[4]
        if self.began is None:
            self.began = time
        if g is None:
            return ()
        reader = self.readers.get(g)
        if reader is None:
            reader = self.readers.add(g, Reader())
        if reader.usual or not reader.meets(patient, time // DAY):
            return ()
        if time < self.began + LEARN:
            reader.usual, reader.met = True, set()
            return ()
        return (Fire(g, time, reader.length + 1),)

    def passed(self, time: int) -> Sequence[Fire]:  # noqa: ARG002  # of all folds
        """See `Fold`."""
        return ()

    def tidy(self, time: int) -> None:
        """See `Fold`."""
        for reader in self.readers.values():
            if reader.met and reader.day < time // DAY:
                reader.met = set()

    def dump(self) -> Any:
        """See `Fold`."""
        return self.began

    def shelves(self) -> Sequence[Column[Any]]:
        """See `Shelved`."""
        return (self.readers,)

    def load(self, kept: Any) -> None:
        """See `Fold`."""
        self.began = kept
