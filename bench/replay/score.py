"""What a hunt over a replay was worth: documents and people that were gone when each playbook's first finding fired.

Truth is the requests themselves. An event of a log is a playbook's when its second and its principal are those of one of its
requests (at a store: its second and its document; of flows: a client's address while it was at it). A finding is a
playbook's when at least half of its events in the time of the playbook are; every other is a false alarm. Detections never see any
of this.
"""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa

from bench.replay.ask import DAYS, Ask, at
from strongroom.detect.duckdb import Engine
from strongroom.detect.hunt import Result
from strongroom.sigma.rule import LEVELS

ALARM: Final = LEVELS.index("medium")
"""From this level on a finding asks for a person; below it stands in the list and waits."""
HALF: Final = 0.5
COLD: Final = 10
"""Days in which nobody has a past yet."""


@dataclass(slots=True)
class Theft:
    """All that one playbook asked for, in order."""

    times: "array[int]" = field(default_factory=lambda: array("q"))  # milliseconds
    documents: "array[int]" = field(default_factory=lambda: array("q"))  # 0: nothing left by it
    people: "array[int]" = field(default_factory=lambda: array("q"))
    who: list[str] = field(default_factory=list)
    addresses: set[str] = field(default_factory=set)

    @property
    def began(self) -> int:
        """When the first document left: looking about before takes nothing."""
        return next(time for time, document in zip(self.times, self.documents, strict=True) if document)

    def gone(self, until: int | None) -> tuple[int, int]:
        """(documents, people) that had left by a time; None: by the end. A book that tells whole seconds means all of one."""
        if until is not None and until % 1000 == 0:
            until += 999
        left = [
            (document, person)
            for time, document, person in zip(self.times, self.documents, self.people, strict=True)
            if document and (until is None or time <= until)
        ]
        return len({document for document, _ in left}), len({person for _, person in left})


class Truth:
    """Who did what in a replay."""

    def __init__(self) -> None:
        """Nothing was done yet."""
        self.thefts: dict[str, Theft] = {}

    def watch(self, asks: Iterable[Ask]) -> Iterator[Ask]:
        """The same requests; those of playbooks are remembered as they pass."""
        for one in asks:
            if one.play:
                self._remember(one)
            yield one

    def _remember(self, one: Ask) -> None:
        theft = self.thefts.setdefault(one.play, Theft())
        left = one.document if one.status == 200 and one.kind != "page" else 0
        theft.times.append(one.time)
        theft.documents.append(left)
        theft.people.append(-1 if one.person is None else one.person)
        theft.who.append(one.who or one.address)
        theft.addresses.add(one.address)

    def mark(self, engine: Engine) -> None:
        """The table `attack` (event, play): which events are a playbook's."""
        engine.run("CREATE TABLE truth (play VARCHAR, second BIGINT, who VARCHAR, document BIGINT)")
        engine.run("CREATE TABLE client (play VARCHAR, address VARCHAR, since BIGINT, until BIGINT)")
        for play, theft in self.thefts.items():
            names = ["play", "second", "who", "document"]
            seconds = [time // 1000 for time in theft.times]
            columns = [pa.array([play] * len(seconds)), *map(pa.array, (seconds, theft.who, theft.documents))]
            engine.load("truth", pa.table(columns, names=names))
            since, until = seconds[0], seconds[-1]
            rows = [(play, address, since, until) for address in sorted(theft.addresses)]
            columns = [pa.array(column) for column in zip(*rows, strict=True)]
            engine.load("client", pa.table(columns, names=["play", "address", "since", "until"]))
        engine.run(_MARK)


_MARK: Final = """
CREATE TABLE attack AS
SELECT DISTINCT event.rowid AS event, play FROM event JOIN truth
    ON truth.second = event.time // 1000 AND truth.who = event.principal
UNION SELECT event.rowid, play FROM event JOIN truth
    ON truth.second = event.time // 1000 AND truth.document = event.number WHERE event.store IS NOT NULL
UNION SELECT event.rowid, play FROM event JOIN client
    ON client.address = event."src_endpoint.ip" AND event.time // 1000 BETWEEN since - 600 AND until
    WHERE event."metadata.log_name" LIKE 'network%' AND client.address LIKE '198.%'
UNION SELECT event.rowid, play FROM event JOIN client
    ON client.address = event."dst_endpoint.ip" AND event.time // 1000 BETWEEN since - 600 AND until
    WHERE event."metadata.log_name" LIKE 'network%' AND client.address LIKE '198.%'
"""
"""Flows of an address that an honest person has too are left to honest people."""


@dataclass(frozen=True, slots=True)
class Score:
    """One playbook, under one condition. `seconds` is None when it was never found: then all of it was lost."""

    play: str
    documents: int
    people: int
    seconds: int | None
    taken: int
    by: str
    """The detection that fired first."""


@dataclass(frozen=True, slots=True)
class Scores:
    """A whole replay."""

    condition: str
    plays: tuple[Score, ...]
    alarms: float
    """False ones a day that ask for a person."""
    settled: float
    """Of them those a day after the first COLD days."""
    hints: float
    """False ones a day below."""
    events: int


def score(condition: str, result: Result, engine: Engine, truth: Truth) -> Scores:
    """How the hunt did. `truth` has seen all of the replay."""
    truth.mark(engine)
    stolen = {(about, play) for about, play, events, attack in engine.rows(_SHARES) if attack >= HALF * events}
    fired: dict[str, tuple[int, str]] = {}
    titles = {detection.head.id: detection.head.title for detection in result.detections}
    loud = {
        (reason.detection.head.id, finding.about)
        for finding in result.findings
        for reason in finding.reasons
        if LEVELS.index(reason.level) >= ALARM
    }
    for detection, about, when, play in engine.rows(_FIRED):
        ours = (detection, about) in loud and (about, play) in stolen
        if (
            ours
            and when // 1000 >= truth.thefts[play].times[0] // 1000
            and (play not in fired or when < fired[play][0])
        ):
            fired[play] = when, titles[detection]
    theirs = {about for about, _ in stolen}
    false = [one for one in result.findings if one.about not in theirs]
    wrong = [one for one in false if LEVELS.index(one.level) >= ALARM]
    alarms, settled = len(wrong), sum(one.fired >= at(COLD) for one in wrong)
    plays = tuple(_score(play, theft, fired.get(play)) for play, theft in sorted(truth.thefts.items()))
    return Scores(condition, plays, alarms / DAYS, settled / (DAYS - COLD), (len(false) - alarms) / DAYS, result.events)


def _score(play: str, theft: Theft, fired: tuple[int, str] | None) -> Score:
    taken, _ = theft.gone(None)
    documents, people = theft.gone(fired[0] if fired else None)
    seconds = max(0, fired[0] // 1000 - theft.began // 1000) if fired else None
    return Score(play, documents, people, seconds, taken, fired[1] if fired else "")


_SHARES: Final = """
WITH of AS (SELECT about, of.event, time FROM (SELECT DISTINCT about, event FROM hit) AS of JOIN event ON event.rowid = of.event),
span AS (SELECT play, min(time) AS since, max(time) AS until FROM attack JOIN event ON event.rowid = attack.event GROUP BY play),
met AS (
    SELECT about, attack.play, count(DISTINCT attack.event) AS stolen FROM of JOIN attack ON attack.event = of.event GROUP BY ALL
)
SELECT about, play, count(*), min(stolen) FROM met JOIN span USING (play) JOIN of USING (about)
WHERE time BETWEEN since AND until GROUP BY about, play
"""
"""Of whom findings are about, and of each playbook that these have events of: how many there are in its time, and of it."""
_FIRED: Final = """
SELECT detection, about, min(fired), play FROM hit JOIN attack ON attack.event = hit.event GROUP BY detection, about, play
"""
