"""`strongroom rehearse`: attack a store made for it, or your own, and say what would be lost."""

import asyncio
import json
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from strongroom.cli.common import Told
from strongroom.errors import UsageError

if TYPE_CHECKING:
    from strongroom.rehearse.stage import Stage, StageOptions
    from strongroom.rehearse.timeline import Lane

Say = Callable[[str], None]
PATIENT = 15.0
"""Seconds that the store of a rehearsal waits for its own parts. Asked is whether guards refuse honest people; what a busy machine
refuses, having no answer within 0.7 s, is another question. Less than honest people themselves wait (`rehearse.http`).
"""


@click.command("rehearse")
@click.argument("playbooks", type=click.Choice(["P1", "P2", "P3", "P4", "P9"]), nargs=-1, required=True)
@click.option("--through", type=click.Choice(["store", "gateway"]), default="store", show_default=True,
              help="gateway: the vulnerable portal, with the gateway before it. P2 and on are rehearsed so alone.")  # fmt: skip
@click.option("--store", "url", help="Attack your own running store at this FHIR address instead; its guards stay on.")
@click.option("--logins", type=click.Path(path_type=Path, exists=True, dir_okay=False),
              help="With --store: access tokens of test logins, one a line.")  # fmt: skip
@click.option("--documents", type=click.Path(path_type=Path, exists=True, dir_okay=False),
              help="With --store: document ids that the test logins may not read, one a line.")  # fmt: skip
@click.option("--quick", is_flag=True, help="Fewer logins and shorter runs: for automatic checks.")
@click.option("--patients", default=120, show_default=True, help="Synthetic patients in the store that is made.")
@click.option("--seed", default=20_251_230, show_default=True, help="Same seed, same walk.")
@click.option("--svg", type=click.Path(path_type=Path, dir_okay=False), default=Path("rehearsal-P1.svg"),
              show_default=True, help="Where to draw the timeline.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON of a documented shape (docs/rehearse.md).")
def command(  # one parameter an option
    playbooks: tuple[str, ...], *, through: str, url: str | None, logins: Path | None, documents: Path | None, patients: int,
    seed: int, svg: Path, quick: bool, as_json: bool,
) -> None:  # fmt: skip
    """Attack a temporary store with a playbook and report people and documents lost, and honest people refused.

    P1 is ManageMyHealth: stolen patient logins that walk through every document. It takes about five minutes; --quick one.

    \b
    Examples:
      strongroom rehearse P1
      strongroom rehearse P1 P2 P3 P4 P9 --through gateway
      strongroom rehearse P1 --store https://portal.example/fhir --logins tokens.txt
    """

    def say(line: str) -> None:
        click.echo(line, err=True)

    if through == "gateway":
        _through_gateway(playbooks, seed, say, quick=quick, as_json=as_json)
        return
    if set(playbooks) != {"P1"}:
        raise UsageError("Before a store P1 is rehearsed alone.", advice="The others: add --through gateway.")
    attack = (lambda: _own_store(url, logins, documents, seed, say)) if url else None
    lanes = attack() if attack else _rehearse(patients, seed, say, quick=quick)
    from strongroom.rehearse.scorecard import as_json as shape
    from strongroom.rehearse.timeline import draw

    runs = [lane.run for lane in lanes]
    svg.write_text(draw("P1", lanes))
    if as_json:
        click.echo(json.dumps(shape("P1", runs)))
    else:
        _table(lanes)
        click.echo(f"Timeline: {svg}")
    if not all(run.holds for run in runs):
        broken = ", ".join(sorted({run.condition for run in runs if not run.holds}))
        raise Told(f"A promise was broken: {broken}.", advice="Look at the table above; keep the log.")


def _through_gateway(playbooks: tuple[str, ...], seed: int, say: Say, *, quick: bool, as_json: bool) -> None:
    from strongroom.rehearse import through
    from strongroom.rehearse.robbers import robberies
    from strongroom.wiring.front import open_fronts

    broken = []
    found: list[through.Loss] = []
    with open_fronts() as open_front:
        for playbook in dict.fromkeys(playbooks):
            losses = []
            for robbery in robberies(playbook, quick=quick):
                with open_front(robbery.patients, robbery.listed) as front:
                    loss = through.rob(front, robbery, seed, crowd=0.2 if quick else 1.0)
                say(f"{playbook}, {loss.condition}, {loss.logins} logins, {loss.hours} h (simulated): {loss.documents_lost}"
                    f" of at most {loss.bound} documents lost;"
                    f" honest {loss.honest_requests}, refused {loss.honest_refused}")  # fmt: skip
                losses.append(loss)
            if as_json:
                click.echo(json.dumps(through.as_json(playbook, losses)))
            broken += [f"{loss.playbook}, {loss.condition}" for loss in losses if not loss.holds]
            found += losses
    if not as_json:
        _draw("Through the gateway, on a simulated clock", through.COLUMNS, [(loss, loss.holds) for loss in found])
    if broken:
        raise Told(f"A promise was broken: {'; '.join(broken)}.", advice="Look at the runs above.")


@contextmanager
def _stage(options: "StageOptions", say: Say) -> "Iterator[Stage]":
    from strongroom.wiring.stage import open_stage  # loads the whole program

    say(f"Making a store: {options.patients} patients, {options.decoys} decoys"
        f"{', authorization OFF' if options.authorization_broken else ''}")  # fmt: skip
    with open_stage(options, lambda line: say(f"  {line}")) as stage:
        yield stage


def _rehearse(patients: int, seed: int, say: Say, *, quick: bool) -> "list[Lane]":
    from strongroom.rehearse import insiders, playbook  # loads the whole program
    from strongroom.rehearse.stage import StageOptions

    lanes: list[Lane] = []

    def done(lane: "Lane") -> None:
        run = lane.run
        lanes.append(lane)
        say(f"  {run.condition}, {run.logins} logins, {run.rate}: {run.people_lost} of at most {run.bound} people lost,"
            f" stopped by {run.stopped_by}; honest {run.honest_requests}, refused {run.honest_refused}")  # fmt: skip

    rng = random.Random(seed)  # noqa: S311  # a walk that can be repeated, no secret
    with _stage(StageOptions(patients=patients, patience=PATIENT), say) as stage:
        used: set[str] = set()
        for plan in playbook.plans_with_guards(stage, rng, used, quick=quick):
            done(asyncio.run(playbook.over_http(stage, plan, seed, say)))
        done(asyncio.run(insiders.hostile_app(stage, [], frozenset(used), seed, say)))
        before = frozenset(used)
        live = playbook.thieves(stage, 20, rng, used)
        done(asyncio.run(insiders.hostile_app(stage, live, before, seed, say)))
        for which in (["objects"], ["catalogue", "keeper_db"], ["objects", "catalogue", "keeper_db"]):
            done(asyncio.run(insiders.copied_stores(stage, which, frozenset(used), seed, say)))
        done(asyncio.run(insiders.app_mints(stage, frozenset(used), seed, say)))
    with _stage(StageOptions(patients=patients, patience=PATIENT, authorization_broken=True), say) as stage:
        used = set()
        for plan in playbook.plans_broken(stage, rng, used, misses=True, quick=quick):
            done(asyncio.run(playbook.over_http(stage, plan, seed, say)))
    with _stage(StageOptions(patients=patients, patience=PATIENT, decoys=0, authorization_broken=True), say) as stage:
        used = set()
        for plan in playbook.plans_broken(stage, rng, used, misses=False, quick=quick):
            done(asyncio.run(playbook.over_http(stage, plan, seed, say)))
        before = frozenset(used)
        [login] = playbook.thieves(stage, 1, rng, used)
        done(asyncio.run(playbook.patiently(stage, login, before, seed, say)))
    return lanes


def _own_store(url: str, logins: Path | None, documents: Path | None, seed: int, say: Say) -> "list[Lane]":
    from strongroom.rehearse.outside import attack_own_store

    if logins is None:
        msg = "Attacking your own store needs tokens of test logins."
        raise UsageError(msg, advice="Put them into a file, one a line, and name it with --logins.")
    tokens = [line.strip() for line in logins.read_text().splitlines() if line.strip()]
    known = [line.strip() for line in documents.read_text().splitlines() if line.strip()] if documents else []
    if not tokens:
        msg = f"There is no token in {logins}."
        raise UsageError(msg)
    return [asyncio.run(attack_own_store(url.rstrip("/"), tokens, known, seed, say))]


def _table(lanes: "list[Lane]") -> None:
    from strongroom.rehearse.scorecard import COLUMNS

    _draw(
        "P1: the ManageMyHealth replay (simulated, on loopback)", COLUMNS,
        [(lane.run, lane.run.holds) for lane in lanes],
    )  # fmt: skip


def _draw(title: str, columns: "tuple[tuple[str, str], ...]", rows: "Sequence[tuple[object, bool]]") -> None:
    """One row a run; those that broke a promise stand out."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title)
    for heading, _ in columns:
        table.add_column(heading, min_width=24 if heading == "stopped by" else None)
    for run, holds in rows:
        table.add_row(*(_cell(getattr(run, name)) for _, name in columns), style=None if holds else "bold red")
    Console(width=max(168, Console().width)).print(table)


def _cell(value: object) -> str:
    """As people read it; `None` is what there was nothing to say of."""
    if isinstance(value, bool) or value is None:
        return {None: "-", True: "yes", False: "NO"}[value]
    return f"{value:,.2f}" if isinstance(value, float) else str(value)
