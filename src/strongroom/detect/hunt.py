"""The whole of a hunt: sources to events, detections over them, findings."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pyarrow as pa

from strongroom.detect import (
    books,
    borrowed,
    campaign,
    egress,
    flows,
    foreign,
    group,
    newcomer,
    order,
    relay,
    rules,
    silence,
    slow,
    suppress,
    surge,
    unlisted,
    walk,
    wide,
)
from strongroom.detect.detection import Detection
from strongroom.detect.duckdb import Engine, Error
from strongroom.detect.finding import Finding, findings
from strongroom.detect.kept import Kept
from strongroom.detect.stage import Stage
from strongroom.detect.unnamed import Unnamed, names
from strongroom.logs import files, formats, guess, proxies, read, stranger
from strongroom.logs.files import Source
from strongroom.logs.formats import Format
from strongroom.logs.mapping import Mapping


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of a hunt. `format` is None when each file's is to be recognised; times in milliseconds."""

    format: Format | None = None
    mapping: Mapping | None = None
    since: int | None = None
    until: int | None = None
    rules: tuple[Path, ...] = ()
    suppressions: tuple[suppress.Suppression, ...] = ()
    kept: Kept | None = None


@dataclass(frozen=True, slots=True)
class File:
    """What became of one source. `format` is None when it is no log that is known: it was left out, and `looks` like something."""

    source: Source
    format: Format | None
    account: read.Account
    looks: str = ""  # what is to be said of it besides, with what to do


CLAIMED: Final = (
    "most requests come from addresses outside that say for whom they ask (X-Forwarded-For), as behind a content network, and "
    "count as theirs: a --mapping with proxies, its networks, tells who asked (docs/hunt.md)"
)


@dataclass(slots=True)
class Result:
    """What a hunt found, and what it could and could not read."""

    files: list[File] = field(default_factory=list)
    duplicates: int = 0
    detections: tuple[Detection, ...] = ()
    stopped: list[rules.Stopped] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    campaigns: list[group.Campaign] = field(default_factory=list)
    suppressed: list[suppress.Suppressed] = field(default_factory=list)
    unnamed: list[Unnamed] = field(default_factory=list)
    first: int | None = None
    last: int | None = None

    @property
    def events(self) -> int:
        """Events that were read, before those that came twice were taken out."""
        return sum(file.account.events for file in self.files)


Told = Callable[[str, int], None]
"""Called with a source's name and the bytes of it that were read since the last call."""


Looked = Callable[[int, int], None]
"""Called with how many detections have looked, and how many there are."""


def hunt(
    sources: list[Source], wanted: Wanted, engine: Engine, told: Told = lambda _name, _bytes: None,
    looked: Looked = lambda _done, _of: None,
) -> Result:  # fmt: skip
    """Read everything, run every detection, and say what was found. Raises OperationError when the machine gives out."""
    result = Result(files=[take(source, number, wanted, engine, told) for number, source in enumerate(sources)])
    result.duplicates = engine.run(TWICE)
    if wanted.mapping:
        wanted.mapping.fill(engine)
    narrow(wanted, engine)
    result.first, result.last = engine.rows("SELECT first, last FROM span")[0]
    every = detections(wanted, result)
    result.detections = run(_watching(every, looked), engine, result.stopped)
    conclude(result, wanted, engine)
    if not told_all(wanted):
        result.unnamed = names(engine)
    if wanted.kept:
        wanted.kept.forget()
    return result


def narrow(wanted: Wanted, engine: Engine) -> None:
    """Let events go that are not of the time that is asked about."""
    for bound, sign in ((wanted.since, "<"), (wanted.until, ">=")):
        if bound is not None:
            engine.run(f"DELETE FROM event WHERE time {sign} {int(bound)}")


def detections(wanted: Wanted, result: Result) -> tuple[Detection, ...]:
    """All that will look. Rules that cannot are named in the result."""
    loaded = rules.load(rules.files((rules.OURS, *wanted.rules)))
    result.stopped += loaded.stopped
    return (*own(wanted.mapping), *loaded.detections)


def told_all(wanted: Wanted) -> bool:
    """Whether the operator says which addresses are documents: who does, says which are none."""
    return wanted.mapping is not None and bool(wanted.mapping.routes)


def conclude(result: Result, wanted: Wanted, engine: Engine, addresses: str = "") -> None:
    """Hits to findings and campaigns, without what is suppressed. `addresses`: see `group.campaigns`."""
    result.suppressed = suppress.apply(engine, wanted.suppressions, result.detections)
    result.findings = findings(engine, result.detections)
    result.campaigns = group.campaigns(engine, result.findings, addresses)


def _watching(detections: tuple[Detection, ...], looked: Looked) -> Iterator[Detection]:
    for done, one in enumerate(detections):
        looked(done, len(detections))
        yield one
    looked(len(detections), len(detections))


def own(mapping: Mapping | None) -> tuple[Detection, ...]:
    """What no rule can express."""
    told = (foreign.detection(),) if mapping is not None and mapping.relations else ()
    placed = borrowed.placed() if mapping is not None and mapping.places else ()
    return (
        *told, walk.detection(), relay.detection(), *wide.detections(), *slow.detections(), unlisted.detection(), order.detection(),
        campaign.detection(), borrowed.detection(), *placed, newcomer.detection(), *egress.detections(),
        *flows.detections(), books.detection(), silence.detection(), surge.detection(),
    )  # fmt: skip


def run(detections: Iterable[Detection], engine: Engine, stopped: list[rules.Stopped]) -> tuple[Detection, ...]:
    """Write every detection's hits; those that the engine does not take are named and left out."""
    ran = []
    with Stage(engine) as stage:
        for detection in detections:
            try:
                stage.run(detection)
            except Error as error:
                reason = str(error).splitlines()[0][:200]
                stopped.append(rules.Stopped("", detection.head.title, f"The engine refuses it: {reason}"))
                continue
            ran.append(detection)
    return tuple(ran)


def take(source: Source, number: int, wanted: Wanted, engine: Engine, told: Told) -> File:
    """Read one source into the engine."""
    file, found = reading(source, number, wanted, told)
    for events in found:
        engine.take(events)
    return file


def reading(source: Source, number: int, wanted: Wanted, told: Told) -> tuple[File, Iterator[pa.Table]]:
    """One source and its events; the file's account is complete when they were taken."""
    account = read.Account()
    try:
        sample = next(files.blocks(source, formats.SAMPLE), b"")
    except files.CutOff:
        sample = b""
    mapped = wanted.mapping.format_of(sample) if wanted.mapping else None
    format_ = wanted.format or mapped or guess.recognise(sample)
    if format_ is None:
        return File(source, None, account, stranger.looks(sample)), iter(())
    found = read.tables(_watched(source, told), format_, number, account)
    if wanted.kept:
        found = wanted.kept.through(source, format_, number, account, found, told)
    mapping = wanted.mapping
    claims = CLAIMED if not (mapping and mapping.proxies) and proxies.claimed(sample, format_) else ""
    notes = "; ".join(note for note in (guess.said(format_), claims) if note)
    return File(source, format_, account, notes), found if mapping is None else map(mapping.changed, found)


def _watched(source: Source, told: Told) -> Iterable[bytes]:
    for block in files.blocks(source):
        told(source.name, len(block))
        yield block


TWICE: Final = """
DELETE FROM event WHERE rowid IN (
    SELECT rowid FROM event WHERE "metadata.uid" IS NOT NULL
    QUALIFY row_number() OVER (
        PARTITION BY "metadata.log_name", "metadata.uid", "api.operation", document ORDER BY rowid
    ) > 1
)
"""
"""The same event delivered twice, by the id that its source gave it. S3 logs one request for many keys once for each."""
