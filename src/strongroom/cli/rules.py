"""`strongroom rules`: the rules that hunts run, and the proof that they catch what they must and leave alone what they must."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from strongroom.cli.common import Told, emit, json_option
from strongroom.errors import OperationError, UsageError

if TYPE_CHECKING:
    from strongroom.cli.converting import Converted, Target


@click.group("rules")
def command() -> None:
    """List, test, look over and convert the rules that hunts run.

    \b
    Example:
      strongroom rules test
    """


@command.command("list")
@click.argument("places", nargs=-1, type=click.Path(path_type=Path, exists=True))
@json_option
def list_(*, places: tuple[Path, ...], as_json: bool) -> None:
    """List our rules, or those of PLACES, and say which cannot run and why.

    \b
    Examples:
      strongroom rules list
      strongroom rules list ~/sigma/rules/web --json
    """
    from strongroom.cli.show import table
    from strongroom.detect import hunt, rules, say

    loaded = rules.load(rules.files(places or (rules.OURS,)))
    detections = (*(() if places else hunt.own(None)), *loaded.detections)
    rows = [
        {"level": one.head.level, "title": say.harmless(one.head.title), "id": one.head.id, "tags": list(one.head.tags)}
        for one in detections
    ]
    stopped = [{"file": one.file, "line": one.line, "title": one.title, "reason": one.reason} for one in loaded.stopped]
    shown = [{**row, "tags": " ".join(row["tags"])} for row in rows]
    text = table(("level", "title", "id", "tags"), shown, f"{len(rows)} detections; {len(stopped)} rules cannot run.")
    for one in loaded.stopped:
        text += f"\n{say.harmless(one.file)}: {say.harmless(one.title)}: {say.harmless(one.reason)}"
    emit("rules-list", {"detections": rows, "stopped": stopped}, as_json=as_json, text=text)


@command.command("test")
@click.argument("places", nargs=-1, type=click.Path(path_type=Path, exists=True))
@json_option
def test(*, places: tuple[Path, ...], as_json: bool) -> None:
    """Run each rule file's own events: what it must match, and what it must leave alone.

    \b
    Examples:
      strongroom rules test
      strongroom rules test rules/web/scan.yml
    """
    from strongroom.detect import proof, rules, say

    outcomes = [outcome for path in rules.files(places or (rules.OURS,)) for outcome in proof.prove(path)]
    failed = [one for one in outcomes if not one.holds]
    lines = [
        f"{say.harmless(one.file)}: {say.harmless(one.case)}: "
        + (say.harmless(one.said) or ("must match and does not" if one.wanted else "must be left alone and is matched"))
        for one in failed
    ]
    lines.append(f"{len(outcomes)} cases, {len(outcomes) - len(failed)} hold, {len(failed)} do not.")
    rows = [
        {
            "file": one.file,
            "case": one.case,
            "wanted": one.wanted,
            "matched": one.matched,
            "holds": one.holds,
            "said": one.said,
        }
        for one in outcomes
    ]
    emit("rules-test", {"cases": rows, "failed": len(failed)}, as_json=as_json, text="\n".join(lines))
    if failed or not outcomes:
        raise Told("Not all rules do as they must.")


@command.command("lint")
@click.argument("places", nargs=-1, type=click.Path(path_type=Path, exists=True))
@json_option
def lint_(*, places: tuple[Path, ...], as_json: bool) -> None:
    """Look our rules over, or those of PLACES: form, official ids, events beside them, breadth, regular expressions.

    \b
    Examples:
      strongroom rules lint
      strongroom rules lint my-rules --json
    """
    from strongroom.detect import lint, rules, say

    files = rules.files(places or (rules.OURS,))
    found = lint.look(files)
    wrong = sum(one.weight == "error" for one in found)
    lines = [
        f"{one.weight}: {say.harmless(one.file)}: {say.harmless(one.title)}{': ' if one.title else ''}{say.harmless(one.said, 400)}"
        for one in found
    ]
    lines.append(f"{len(files)} files: {wrong} errors, {len(found) - wrong} warnings.")
    rows = [{"file": one.file, "title": one.title, "weight": one.weight, "said": one.said} for one in found]
    emit("rules-lint", {"files": len(files), "errors": wrong, "remarks": rows}, as_json=as_json, text="\n".join(lines))
    if wrong:
        raise Told("Something is wrong with these rules.")


@command.command("convert")
@click.argument("places", nargs=-1, type=click.Path(path_type=Path, exists=True))
@click.option("-t", "--target", "name", help="The language: splunk, elasticsearch, lucene, opensearch, kusto, loki.")
@click.option("--out", type=click.Path(path_type=Path), help="A directory, made for it, with a file for each rule.")
@click.option("--install", is_flag=True, help="Install what converts, locked by hash, in an environment of its own.")
@json_option
def convert(*, places: tuple[Path, ...], name: str | None, out: Path | None, install: bool, as_json: bool) -> None:
    """Carry our rules, or those of PLACES, to another system, and say which cannot be said there and what changes.

    \b
    Examples:
      strongroom rules convert --install
      strongroom rules convert -t splunk
      strongroom rules convert -t kusto rules/web --out sentinel
    """
    from strongroom.cli import converting
    from strongroom.detect import rules

    if install:
        place = converting.install()
        if name is None:
            return emit("rules-install", {"place": str(place)}, as_json=as_json, text=f"What converts is in {place}.")
    if name is None:
        raise UsageError("Which language?", advice=f"-t {', '.join(converting.targets())}.")
    to = converting.target(name)
    if out is not None and out.exists():
        raise UsageError(f"{out} exists already.", advice="It is left as it is. Name a directory that is not there.")
    made = converting.convert(rules.files(places or (rules.OURS,)), to)
    if out is not None:
        _write(made, to, out)
    rows = [
        {
            "file": one.file, "title": one.title, "id": one.id, "queries": one.queries, "reason": one.reason,
            "correlation": one.correlation, "note": to.windows if one.correlation and one.queries else "",
        }
        for one in made
    ]  # fmt: skip
    shape = {"target": to.name, "what": to.what, "rules": rows}
    emit("rules-convert", shape, as_json=as_json, text="\n".join(_told(made, to, queries=out is None)))
    return None


def _told(made: "list[Converted]", to: "Target", *, queries: bool) -> Iterator[str]:
    from strongroom.detect import say

    yield to.what
    for one in made:
        if one.queries and queries:
            yield f"\n# {say.harmless(one.title)}"
            if one.correlation and to.windows:
                yield f"# {one.correlation}: {to.windows}"
            yield from ("\n".join(map(_plain, query.splitlines())) for query in one.queries)
    lost = [one for one in made if not one.queries]
    for one in lost:
        kind = f" ({one.correlation})" if one.correlation else ""
        yield f"\nnot converted: {say.harmless(one.title or one.file)}{kind}: {say.harmless(one.reason)}"
    yield f"\n{len(made)} rules: {len(made) - len(lost)} converted, {len(lost)} cannot be said there."


def _plain(line: str) -> str:
    from strongroom.detect import say

    return say.harmless(line, 100_000)


def _write(made: "list[Converted]", to: "Target", out: Path) -> None:
    """A file for each rule, named after the file that it was in."""
    try:
        out.mkdir(parents=True)
        for number, one in enumerate(made):
            if one.queries:
                name = f"{Path(one.file).stem}.txt"
                name = name if not (out / name).exists() else f"{Path(one.file).stem}-{number}.txt"
                text = "\n\n".join([f"# {one.title}", *([f"# {to.windows}"] if one.correlation else []), *one.queries])
                (out / name).write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise OperationError(f"{out} cannot be written: {error.strerror}.") from error
