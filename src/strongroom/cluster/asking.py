"""All steps of all detections, round by round: in each, all parts are asked whatever can be asked by now."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Generic

import msgspec
import pyarrow as pa

from strongroom.cluster.part import EVENT, FAILED, MOVED, Judging, prepare, together
from strongroom.cluster.piece import Cluster, Data, packed, unpacked
from strongroom.cluster.steps import START, Chain, Job, chains, hits_of, job_of, parts_of
from strongroom.detect.detection import Detection
from strongroom.detect.duckdb import Engine, Error
from strongroom.detect.hunt import Looked
from strongroom.detect.parts import Known
from strongroom.detect.rules import Stopped
from strongroom.logs.mapping import Mapping
from strongroom.sigma.sql import literal

_HITS: Final = pa.schema(
    [("detection", pa.string()), ("about", pa.string()), ("fired", pa.int64()), ("event", pa.int64())]
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What every part may know from the beginning: the times of all events (`span`), and the operator's tables."""

    span: pa.Table
    mapping: Mapping | None


@dataclass(frozen=True, slots=True)
class Found:
    """The hits of those that ran, and who did not."""

    ran: tuple[Detection, ...]
    stopped: tuple[Stopped, ...]
    hits: pa.Table


def ask(detections: tuple[Detection, ...], events: Data, cluster: Cluster[Data], facts: Facts, looked: Looked) -> Found:
    """Ask until every detection has its hits."""
    with Engine(threads=1, disk=False).numbered() as engine:
        if facts.mapping is not None:
            facts.mapping.fill(engine)
        stopped = {one: reason for one in detections if (reason := _refused(one, engine))}
        ran = tuple(one for one in detections if one not in stopped)
        rounds = _Rounds(cluster, facts, ran, engine, {START: (events, EVENT)})
        while rounds.ahead:
            rounds.go()
            looked(len(ran) - sum(name in rounds.detections for name in rounds.ahead), len(ran))
        for name, reason in rounds.failed.items():
            stopped |= dict.fromkeys(rounds.users(name), reason)
        ran = tuple(one for one in ran if one not in stopped)
        told = (
            Stopped("", one.head.title, f"The engine refuses it: {stopped[one]}")
            for one in detections
            if one in stopped
        )
        hits = [
            _of(one, rows) for name, one in rounds.detections.items() for rows in rounds.answers[name] if one in ran
        ]
        return Found(ran, tuple(told), pa.concat_tables([_HITS.empty_table(), *hits]))


def _refused(detection: Detection, engine: Engine) -> str:
    """Why an engine does not take it at all; empty where it does."""
    try:
        engine.run(
            f"INSERT INTO hit SELECT {literal(detection.head.id)}, about, fired, event FROM ({detection.hits})"  # a detection's own
        )
    except Error as error:
        return str(error).splitlines()[0][:200]
    return ""


def _of(detection: Detection, rows: pa.Table) -> pa.Table:
    names = pa.repeat(pa.scalar(detection.head.id, pa.string()), rows.num_rows)
    return rows.add_column(0, "detection", names).cast(_HITS)


@dataclass(slots=True)
class _Rounds(Generic[Data]):
    """Jobs that are ahead, what was answered, and where rows lie that were brought together."""

    cluster: Cluster[Data]
    facts: Facts
    ran: tuple[Detection, ...]
    engine: Engine  # without events; it makes of shares what all must know
    lies: dict[Chain, tuple[Data, str]]
    ahead: dict[str, Job] = field(default_factory=dict)
    chains: dict[str, Chain] = field(default_factory=dict)
    detections: dict[str, Detection] = field(default_factory=dict)
    answers: dict[str, list[pa.Table]] = field(default_factory=dict)
    known: dict[Chain, pa.Table] = field(default_factory=dict)
    empty: dict[Chain, pa.Table] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    bare: set[Chain] = field(default_factory=set)  # places where nothing lies: nobody is asked there

    def __post_init__(self) -> None:
        """What each step makes of nothing tells its columns."""
        self.engine.make("span", self.facts.span)
        for number, chain in enumerate(chains(self.ran)):
            name = f"step{number}"
            self.chains[name], job = chain, job_of(name, chain)
            self.ahead[name], self.empty[chain] = job, self._nothing(job)
            if isinstance(chain[-1], Known):
                self.known[chain] = self._whole(chain, self.empty[chain])
        self.known.clear()  # that was of nothing
        for number, one in enumerate(self.ran):
            name = f"hits{number}"
            self.detections[name], self.ahead[name] = one, hits_of(name, one)
        self.answers = {name: [] for name in self.ahead}

    def _nothing(self, job: Job) -> pa.Table:
        there: dict[str, Chain] = {}
        if job.place != START:
            self.engine.make(job.place[-1].name, self.empty[job.place])
        prepare(job, self.engine, there, lambda chain: self.known[chain])
        return self.engine.table(job.sql)

    def _whole(self, chain: Chain, share: pa.Table) -> pa.Table:
        """What all must know, of all shares. Raises Error."""
        for end in range(1, len(chain)):
            if isinstance(chain[end - 1], Known):
                self.engine.make(chain[end - 1].name, self.known[chain[:end]])
        step, name = chain[-1], f"{chain[-1].name}_share"
        self.engine.make(name, share)
        found = self.engine.table(step.whole if isinstance(step, Known) else step.rows)
        self.engine.make(name, share.slice(0, 0))
        return found

    def users(self, name: str) -> Iterator[Detection]:
        """The detections that need what this job makes."""
        if name in self.detections:
            yield self.detections[name]
            return
        chain = self.chains[name]
        yield from (one for one in self.ran if parts_of(one).steps[: len(chain)] == chain)

    def go(self) -> None:
        """A round: one turn of each data in which something can be asked."""
        ready = {
            name: job
            for name, job in self.ahead.items()
            if (job.place in self.lies or job.place in self.bare) and all(chain in self.known for chain in job.known)
        }
        self.ahead = {name: job for name, job in self.ahead.items() if name not in ready}
        asked = [job for job in ready.values() if job.place not in self.bare]
        for data in {id(data): data for data in (self.lies[job.place][0] for job in asked)}.values():
            self._turn(tuple(job for job in asked if self.lies[job.place][0] is data), data)
        self.bare |= {self.chains[name] for name, job in ready.items() if job.key is not None} - self.lies.keys()
        for name in ready.keys() & self.chains.keys():
            chain = self.chains[name]
            if isinstance(chain[-1], Known):
                share = together(self.empty[chain], self.answers.pop(name))
                try:
                    self.known[chain] = self._whole(chain, share)
                except Error as error:
                    self.failed[name] = str(error).splitlines()[0][:200]
                    self.known[chain] = self._whole(chain, share.slice(0, 0))

    def _turn(self, jobs: tuple[Job, ...], data: Data) -> None:
        places = {self.lies[job.place][1]: job.place for job in jobs}
        tables = {name: (place, packed(self.empty[place]) if place else b"") for name, place in places.items()}
        known = {chain: packed(self.known[chain]) for job in jobs for chain in job.known}
        mapping = self.facts.mapping if START in places.values() else None
        judging = Judging(jobs, tables, known, packed(self.facts.span), self.cluster.parts, mapping)
        answers, moved = self.cluster.turn(data, judging), set()
        for piece in self.cluster.gather(answers):
            if piece.name in self.answers:
                self.answers[piece.name].append(unpacked(piece.body))
            elif piece.name.startswith(MOVED):
                moved.add(piece.name.removeprefix(MOVED))
            else:
                self.failed[piece.name.removeprefix(FAILED)] = msgspec.msgpack.decode(piece.body)
        if moved:
            met = self.cluster.meet(answers)
            self.lies |= {self.chains[name]: (met, name) for name in moved}
