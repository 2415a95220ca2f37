"""`strongroom rules`: the rules that hunts run, and the proof that they catch what they must and leave alone what they must."""

from pathlib import Path

import click

from strongroom.cli.common import Told, emit, json_option


@click.group("rules")
def command() -> None:
    """List and test the rules that hunts run.

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
