"""`strongroom hunt`: was this store emptied, by whom, and whose documents; from logs that already exist."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from strongroom.cli import reports
from strongroom.cli.common import Told, json_option
from strongroom.cli.show import millis
from strongroom.errors import OperationError, UsageError

if TYPE_CHECKING:
    from strongroom.cluster.spark import Spark
    from strongroom.detect.evidence import Opened
    from strongroom.detect.finding import Finding
    from strongroom.detect.hunt import File, Result
    from strongroom.detect.suppress import Suppression
    from strongroom.logs.files import Source
    from strongroom.logs.mapping import Mapping

LEVELS = ("informational", "low", "medium", "high", "critical")


def _install(context: click.Context, _: click.Parameter, wanted: bool) -> None:  # noqa: FBT001  # click's signature
    """Install pyspark, and end."""
    from strongroom.cli import locked

    if wanted:
        lock = locked.lock("spark")
        place = locked.install(locked.folder("spark", lock), lock, "Spark")
        click.echo(f"Spark is in {place}.")
        context.exit()


@click.command("hunt")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--mapping",
    type=click.Path(path_type=Path),
    help="What only you know: addresses, owners, columns (docs/hunt.md).",
)
@click.option("--format", "format_name", help="Read everything in this format instead of recognising it.")
@click.option(
    "--log-format",
    "log_format",
    metavar="STRING",
    help="An access log's own format: nginx' log_format or Apache's LogFormat.",
)
@click.option(
    "--rules",
    type=click.Path(path_type=Path, exists=True),
    multiple=True,
    help="More Sigma rules: a file or directory.",
)
@click.option(
    "--suppress",
    type=click.Path(path_type=Path),
    help="What is known and need not be told again: a TOML file, each entry with author, reason and end.",
)
@click.option("--since", help="Events from then on: an ISO date or time.")
@click.option("--until", help="Events up to then, not included: an ISO date or time.")
@click.option(
    "--level", type=click.Choice(LEVELS), default="low", show_default=True, help="The least that is a finding."
)
@click.option("--top", type=click.IntRange(1, 10_000), default=10, show_default=True, help="How many findings to show.")
@click.option("--explain", metavar="ID", help="One finding with all its evidence, the lines of the log included.")
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    help="A directory in which what was read is kept: an interrupted hunt goes on, and a repeated one is quick.",
)
@click.option(
    "--spark",
    metavar="MASTER",
    help="Hunt on a cluster of Apache Spark: spark://host:7077, yarn, local[4] … (docs/sizing.md).",
)
@click.option(
    "--install-spark",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_install,
    help="Install what --spark needs.",
)
@reports.options
@json_option
def command(  # one parameter an option
    *, paths: tuple[str, ...], mapping: Path | None, format_name: str | None, log_format: str | None, rules: tuple[Path, ...],
    since: str | None, until: str | None, level: str, top: int, explain: str | None, as_json: bool, suppress: Path | None,
    keep: Path | None, spark: str | None, **files_: Path | None,
) -> None:  # fmt: skip
    """Hunt in logs: files, directories, globs, s3:// addresses, or - for stdin; each format and packing recognised.

    \b
    Examples:
      strongroom hunt /var/log/nginx
      strongroom hunt 'logs/access.log*' --mapping portal.toml
      strongroom hunt access.log --html report.html --documents taken.csv
      zcat cloudtrail/*.gz | strongroom hunt - --json
      strongroom hunt --spark yarn 's3://our-logs/**' --json
    """
    from strongroom.cli import progress
    from strongroom.cluster import hunt as many
    from strongroom.detect.duckdb import Engine
    from strongroom.detect.hunt import Wanted, hunt
    from strongroom.detect.kept import Kept
    from strongroom.logs import files, formats

    if format_name is not None and format_name not in formats.NAMES:
        raise UsageError(f"There is no format of that name. The formats: {', '.join(formats.NAMES)}.")
    asked = reports.check(files_)
    if spark is not None:
        _distributable(paths, keep, asked)
    wanted = Wanted(
        format=formats.NAMES[format_name] if format_name else None,
        mapping=_mapping(mapping, log_format),
        since=millis(since) if since else None,
        until=millis(until) if until else None,
        rules=rules,
        suppressions=_suppressions(suppress),
        kept=Kept(keep, b"".join((str(log_format).encode(), mapping.read_bytes() if mapping else b"")))
        if keep
        else None,
    )
    if wanted.since is not None and wanted.until is not None and wanted.since >= wanted.until:
        raise UsageError("--since is not before --until.")
    sources = files.expand(paths)
    try:
        with (
            Engine() as engine,
            _cluster(spark, sources) as cluster,
            progress.shown(sources, quiet=as_json) as (told, looked),
        ):
            found = (
                hunt(sources, wanted, engine, told, looked)
                if cluster is None
                else (many.hunt(sources, wanted, engine, cluster, told, looked))
            )
            if found.first is None:
                _refuse(found)
            found.findings = [one for one in found.findings if LEVELS.index(one.level) >= LEVELS.index(level)]
            shown = _shown(found, top, explain, engine)
            reports.write(asked, found, shown, engine, _answer(found))
    finally:
        files.forget(sources)
    _print(found, shown, explain=explain is not None, as_json=as_json)
    if asked and not as_json:
        click.echo(f"\nWrote {', '.join(str(path) for path in asked.values())}.")
    if found.findings:
        raise Told(f"{len(found.findings)} to look at.")


def _distributable(paths: tuple[str, ...], keep: Path | None, asked: dict[str, Path]) -> None:
    """Raises UsageError for what needs all events in one place."""
    if "-" in paths:
        raise UsageError("A cluster cannot read the standard input.", advice="Put it where every machine can read it.")
    if keep is not None:
        raise UsageError(
            "--keep and --spark do not go together.", advice="A cluster keeps what it reads while it runs."
        )
    if "html" in asked:
        msg = "--html draws all events, which a hunt on a cluster does not bring together."
        raise UsageError(msg, advice="--csv, --ocsf, --documents and --json do.")


@contextmanager
def _cluster(master: str | None, sources: "list[Source]") -> "Iterator[Spark | None]":
    """The cluster that is asked for."""
    if master is None:
        yield None
        return
    from strongroom.cli import locked
    from strongroom.cluster.spark import Spark

    library = locked.library(locked.folder("spark", locked.lock("spark")))
    with Spark(master, library, sum(source.size for source in sources)) as cluster:
        yield cluster


def _mapping(path: Path | None, log_format: str | None) -> "Mapping | None":
    from strongroom.logs import mapping as mappings
    from strongroom.logs.log_format import Misfit

    told = mappings.load(path) if path else None
    try:
        return mappings.by_string(log_format, told) if log_format is not None else told
    except Misfit as error:
        advice = "Give the string of nginx' log_format or Apache's LogFormat, in single quotes."
        raise UsageError(str(error), advice=advice) from error


def _suppressions(path: Path | None) -> "tuple[Suppression, ...]":
    """Those in force. Those that have ended are told: what they quietened is found again."""
    from datetime import UTC, datetime

    from strongroom.clock import SystemClock
    from strongroom.detect import say, suppress

    if path is None:
        return ()
    today = datetime.fromtimestamp(SystemClock().now() / 1000, UTC).date()
    given, ended = suppress.load(path, today)
    for one in ended:
        what = say.harmless(one.detection or one.about)
        click.echo(
            f"A suppression has ended on {one.until} ({what}, {say.harmless(one.author)}): look again, or renew it.",
            err=True,
        )
    return given


def _refuse(found: "Result") -> None:
    """Nothing was read, or nothing is left: that is no good news, and must not look like any."""
    if found.events:
        msg = f"None of the {found.events:,} events is of the time that --since and --until name."
        raise OperationError(msg, advice="Times without a zone are UTC.")
    tried = [_of_file(file) for file in found.files[:20] if file.format]
    lines = "\n".join([*tried, *_alike([file for file in found.files if not file.format], "no log that is known")])
    known = "Formats that are read: docs/hunt.md. Force one with --format, and see the reasons."
    raise OperationError(f"Nothing in these files could be read as a log.\n{lines}", advice=known)


def _shown(found: "Result", top: int, explain: str | None, engine: object) -> "list[tuple[Finding, list[Opened]]]":
    from strongroom.detect.duckdb import Engine
    from strongroom.detect.evidence import opened
    from strongroom.detect.finding import events_of

    if explain is None:
        shown = found.findings[:top]
        again = iter(opened([at for one in shown for at in one.evidence], found.files))
        return [(one, [next(again) for _ in one.evidence]) for one in shown]
    asked = [one for one in found.findings if one.id == explain]
    if not asked or not isinstance(engine, Engine):
        raise UsageError(
            f"There is no finding {explain} in these logs.", advice="Ids stand in brackets behind each finding."
        )
    return [(asked[0], opened(events_of(engine, asked[0].about), found.files))]


def _print(found: "Result", shown: "list[tuple[Finding, list[Opened]]]", *, explain: bool, as_json: bool) -> None:
    from strongroom.detect import shape

    if as_json:  # in ASCII: what a log holds must not move a terminal that JSON is printed to
        click.echo(json.dumps({"schema": "strongroom/hunt/v1", **shape.result(found, shown)}))
    else:
        click.echo("\n".join(_text(found, shown, explain=explain)))


def _text(found: "Result", shown: "list[tuple[Finding, list[Opened]]]", *, explain: bool) -> Iterator[str]:
    from strongroom.detect import say

    yield _answer(found)
    if not explain:
        yield from (say.campaign(one) for one in found.campaigns[:5])
    for place, (one, evidence) in enumerate(shown, 1):
        yield ""
        yield f"{place}. {one.level.upper()}  {say.headline(one)}  [{one.id}]"
        for sentence in say.sentences(one):
            yield f"   {sentence}"
        for at in evidence if explain else evidence[:1]:
            changed = "" if at.same else "  CHANGED SINCE IT WAS READ"
            yield f"   {say.harmless(at.file)} byte {at.offset}, {at.length} bytes, sha256 {at.sha256[:16]}{changed}"
            if explain:
                yield f"     {say.harmless(at.unit.decode('utf-8', 'backslashreplace'), 2_000)}"
    if len(found.findings) > len(shown) and not explain:
        yield f"\n{len(found.findings) - len(shown)} more: --top {len(found.findings)}."
    yield ""
    yield from _read(found)


def _answer(found: "Result") -> str:
    """The short answer, first."""
    from strongroom.detect import say

    quiet = f" {len(found.suppressed)} suppressed." if found.suppressed else ""
    if not found.findings:
        return f"Nothing was found in {say.count(found.events, 'event')}.{quiet} {_limits(found)}{_pages(found)}{_claims(found)}"
    taken = [one for one in found.findings if one.documents]
    worst = found.findings[0]
    left = f", {len(taken)} of them with documents that left" if taken else ", and no document left by what they saw"
    return (
        f"{say.count(len(found.findings), 'finding')}{left}. The worst: {say.headline(worst)}.{quiet}{_claims(found)}"
    )


def _claims(found: "Result") -> str:
    """Words of warning where findings may be about a proxy's addresses, or a log was read by a guess."""
    from strongroom.detect.hunt import CLAIMED
    from strongroom.logs import guess

    read = [file for file in found.files if file.format]
    claimed = (
        " Addresses may be a proxy's and not who asked: see below." if any(CLAIMED in one.looks for one in read) else ""
    )
    guessed = any(one.format and guess.said(one.format) for one in read)
    return claimed + (" How a log is to be read was guessed: see below." if guessed else "")


def _pages(found: "Result") -> str:
    return " What was taken for pages, and may be documents, stands below." if found.unnamed else ""


def _limits(found: "Result") -> str:
    return f"{len(found.detections)} detections looked; what is not in these logs they cannot see."


def _read(found: "Result") -> Iterator[str]:
    from strongroom.detect import say

    if found.first is not None and found.last is not None:
        twice = f", {say.count(found.duplicates, 'duplicate')} left out" if found.duplicates else ""
        yield f"Read {say.count(found.events, 'event')} from {say.when(found.first)} to {say.when(found.last)} UTC{twice}:"
    listed = [file for file in found.files if file.format or file.source.named]
    for file in listed[:20]:
        yield f"  {_of_file(file)}"
    yield from (f"  {note}" for note in _alike([file for file in listed if file.format and file.looks]))
    if len(listed) > 20:  # noqa: PLR2004  # lines of a screen
        yield f"  … and {len(listed) - 20} more files (--json lists all)"
    unknown = [file.source.name for file in found.files if not file.format and not file.source.named]
    if unknown:
        yield f"  left out, no log that is known: {', '.join(say.harmless(name) for name in unknown[:5])}" + (
            f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""  # noqa: PLR2004  # as many as above
        )
    for other in found.unnamed:
        yield (
            f"  taken for pages, not looked at as documents: {say.count(other.addresses, 'address', 'addresses')} like "
            f'{say.harmless(other.like)}. If documents, --mapping says so: routes = ["{say.harmless(other.route)}"]'
        )
    for quiet in found.suppressed:
        yield f"  suppressed: {say.suppression(quiet)}"
    for one in found.stopped[:20]:
        place = f"{say.harmless(one.file)}{f':{one.line}' if one.line else ''}: " if one.file else ""
        yield f"  rule left out: {place}{say.harmless(one.title)}: {say.harmless(one.reason)}"


def _alike(files: "list[File]", first: str = "") -> Iterator[str]:
    """What is said of several files, each sentence once, with the first of its files."""
    from strongroom.detect import say

    said: dict[str, list[str]] = {}
    for file in files:
        said.setdefault(file.looks, []).append(say.harmless(file.source.name))
    for note, names in said.items():
        many = f"{', '.join(names[:3])}{f' and {len(names) - 3} more' if len(names) > 3 else ''}"  # noqa: PLR2004  # the first
        yield f"{many}: {'; '.join(part for part in (first, say.harmless(note, 1_000)) if part)}"


def _of_file(file: "File") -> str:
    from strongroom.detect import say

    name = say.harmless(file.source.name)
    if file.format is None:
        return f"{name}: no log that is known" + (f"; {say.harmless(file.looks, 1_000)}" if file.looks else "")
    reasons = "".join(
        f"; {say.count(number, 'unit')} unreadable: {why} (byte {', '.join(map(str, file.account.places[why]))}"
        f"{', …' if number > len(file.account.places[why]) else ''})"
        for why, number in file.account.unreadable.items()
    )
    return f"{name}: {file.format.what}, {say.count(file.account.events, 'event')}{reasons}"
