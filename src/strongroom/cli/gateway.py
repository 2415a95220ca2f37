"""`strongroom gateway`: a reverse proxy before a portal that is not rebuilt; and who looks after it. Needs no store."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from strongroom.cli.common import emit, json_option
from strongroom.cli.learn import command as learn
from strongroom.errors import UsageError

if TYPE_CHECKING:
    from strongroom.gateway.counts import Counts
    from strongroom.gateway.measures import Place
    from strongroom.gateway.settings import Checked

F = TypeVar("F", bound=Callable[..., Any])


def config_option(function: F) -> F:
    """`--config FILE`."""
    return click.option(
        "--config",
        "settings",
        type=click.Path(path_type=Path, dir_okay=False),
        default="gateway.toml",
        show_default=True,
        help="What the portal serves, and who is who. The counts lie beside it.",
    )(function)


@click.group("gateway", invoke_without_command=True)
@click.option("--upstream", help="Where the portal is: http://host:port, or https.")
@config_option
@click.option("--check", is_flag=True, help="Read the configuration, say what it describes, and start nothing.")
@click.pass_context
def command(ctx: click.Context, *, upstream: str | None, settings: Path, check: bool) -> None:
    """Let pass to a portal what gateway.toml describes, and nothing else, until Ctrl-C.

    \b
    Example:
      strongroom gateway --upstream http://127.0.0.1:8080 --config gateway.toml
    """
    if ctx.invoked_subcommand is not None:
        if upstream or check or ctx.get_parameter_source("settings") is not click.core.ParameterSource.DEFAULT:
            raise UsageError(f"Options of {ctx.invoked_subcommand} come after its name.")
        return
    if not upstream:
        raise UsageError("Where is the portal?", advice="Say --upstream http://host:port.")
    from strongroom.wiring.memory import begin_again_with_tcmalloc

    if not check:
        begin_again_with_tcmalloc()
    from strongroom.wiring.gateway import read_settings, run_gateway

    if check:
        checked = read_settings(settings)
        for one in checked.routes:
            words = [
                f"{name} {value}"
                for name, value in (("document", one.document), ("patient", one.patient), ("from", one.route.upstream))
                if value
            ]
            click.echo(f"{one.route.name}: {' '.join(one.route.methods)} {one.route.path} {', '.join(words)}".rstrip())
        return
    run_gateway(settings, upstream)


@command.command("status")
@config_option
@json_option
def status(*, settings: Path, as_json: bool) -> None:
    """Who is held and why, who was refused in the last day, and what is allowed.

    \b
    Example:
      strongroom gateway status --config gateway.toml
    """
    from strongroom.cli.show import table, when
    from strongroom.gateway import acts

    _, counts, now = _opened(settings)
    found = acts.status(counts, now)
    held = [
        {"place": acts.written(one.where), "rule": one.rule, "done": acts.said(one.rung), "why": one.why, "since": one.since,
         "until": one.until, "enforced": one.enforced}
        for one in found.held
    ]  # fmt: skip
    met = [{"who": one.who, "rule": one.rule, "requests": one.requests, "last": one.last} for one in found.met]
    allowed = [
        {
            "place": acts.written(one.where),
            "rule": one.rule,
            "why": one.why,
            "since": one.since,
            "until": one.until,
        }
        for one in found.allowed
    ]
    shown = [
        {**row, "done": row["done"] if row["enforced"] else f"simulated: {row['done']}", "until": when(row["until"])}
        for row in held
    ]
    parts = [
        table(("place", "rule", "done", "until", "why"), shown, f"{len(held)} held."),
        table(
            ("who", "rule", "requests", "last"),
            [{**row, "last": when(row["last"])} for row in met],
            f"{len(met)} refused in the last day.",
        ),
        table(
            ("place", "rule", "until", "why"),
            [{**row, "until": when(row["until"])} for row in allowed],
            f"{len(allowed)} allowed.",
        ),
    ]
    emit("gateway-status", {"held": held, "met": met, "allowed": allowed}, as_json=as_json, text="\n\n".join(parts))


@command.command("report")
@click.option("--days", type=click.IntRange(1, 365), default=30, show_default=True, help="How far back.")
@config_option
@json_option
def report(*, days: int, settings: Path, as_json: bool) -> None:
    """What each rule did, and what it would have done while the guard simulated: requests and people.

    \b
    Example:
      strongroom gateway report --days 7
    """
    from strongroom.cli.show import table, when
    from strongroom.clock import DAY
    from strongroom.gateway import acts

    _, counts, now = _opened(settings)
    rows = [
        {"rule": one.rule, "enforced": one.enforced, "requests": one.requests, "people": one.who, "first": one.first,
         "last": one.last}
        for one in acts.report(counts, now - days * DAY)
    ]  # fmt: skip
    shown = [
        {
            **row,
            "did": "refused" if row["enforced"] else "only told",
            "first": when(row["first"]),
            "last": when(row["last"]),
        }
        for row in rows
    ]
    text = table(("rule", "did", "requests", "people", "first", "last"), shown, f"{len(rows)} rules met somebody.")
    begin = acts.crowds_from(counts)
    if begin is None or begin > now:
        text += f"\nWho is new is still learned, until {when(begin) if begin else 'two weeks from the first document'}."
    emit("gateway-report", {"days": days, "crowds_from": begin, "rules": rows}, as_json=as_json, text=text)


@command.command("undo")
@click.argument("place")
@config_option
@json_option
def undo(*, place: str, settings: Path, as_json: bool) -> None:
    """Take back what is done about PLACE; the same rule does not do it again for as long as it looks back.

    \b
    Examples:
      strongroom gateway undo login:ann
      strongroom gateway undo session:4kq3…
    """
    from strongroom.gateway import acts

    checked, counts, now = _opened(settings)
    where = _place(checked, counts, place)
    gone = acts.undo(counts, where, checked.rules, now)
    emit(
        "gateway-undo",
        {"place": acts.written(where), "rules": gone},
        as_json=as_json,
        text=f"Taken back for {acts.written(where)}: {', '.join(gone)}.",
    )


@command.command("freeze")
@click.argument("place")
@click.option("--why", required=True, help="A reason that others read.")
@click.option("--hours", type=click.IntRange(1, 8_760), default=24, show_default=True, help="For how long.")
@config_option
@json_option
def freeze(*, place: str, why: str, hours: int, settings: Path, as_json: bool) -> None:
    """Refuse documents to PLACE at once, while the guard simulates too. Networks, routes and `module`: to strangers.

    \b
    Examples:
      strongroom gateway freeze login:ann --why "login stolen"
      strongroom gateway freeze route:letters --why "walked since 02:10" --hours 2
      strongroom gateway freeze module --why "under attack"
    """
    from strongroom.cli.show import when
    from strongroom.clock import HOUR
    from strongroom.gateway import acts

    checked, counts, now = _opened(settings)
    one = acts.freeze(counts, _place(checked, counts, place), why, now, hours * HOUR)
    where = acts.written(one.where)
    text = f"{where}: {acts.said(one.rung)} until {when(one.until)}. Undo with `strongroom gateway undo {where}`."
    emit("gateway-freeze", {"place": where, "until": one.until, "why": why}, as_json=as_json, text=text)


@command.command("allow")
@click.argument("place")
@click.option("--rule", default="*", help="One rule of the guard, by its name. Default: all of them.")
@click.option("--why", default="", help="A reason that others read. Needed to allow.")
@click.option("--days", type=click.IntRange(1, 3_650), default=365, show_default=True, help="For how long.")
@click.option("--end", is_flag=True, help="Allow it no longer.")
@config_option
@json_option
def allow(  # one parameter an option
    *, place: str, rule: str, why: str, days: int, end: bool, settings: Path, as_json: bool
) -> None:
    """The guard's rules, or one, are not about PLACE: it is neither counted nor refused by them. Freezes by hand hold.

    \b
    Examples:
      strongroom gateway allow login:ann --rule person-documents-24h --why "lawyer, 2,400 documents"
      strongroom gateway allow network:192.0.2.7/32 --why "the hospital" --days 90
      strongroom gateway allow login:ann --rule person-documents-24h --end
    """
    from strongroom.cli.show import when
    from strongroom.clock import DAY
    from strongroom.gateway import acts
    from strongroom.gateway.measures import Allowed

    checked, counts, now = _opened(settings)
    where = _place(checked, counts, place)
    name = acts.written(where)
    if end:
        acts.disallow(counts, where, rule)
        emit("gateway-allow", {"place": name, "rule": rule, "until": now}, as_json=as_json, text=f"No longer: {name}.")
        return
    if not why:
        raise UsageError("Why is it allowed?", advice='Say --why "…": others will read it.')
    one = Allowed(where, rule, why, now, now + days * DAY)
    acts.allow(counts, one, checked.rules)
    what = "every rule" if rule == "*" else rule
    text = f"Allowed until {when(one.until)}: {what} is not about {name}."
    emit("gateway-allow", {"place": name, "rule": rule, "until": one.until}, as_json=as_json, text=text)


def _opened(settings: Path) -> "tuple[Checked, Counts, int]":
    from strongroom.clock import SystemClock
    from strongroom.wiring.gateway import looked_after

    return (*looked_after(settings), int(SystemClock().now()))


def _place(checked: "Checked", counts: "Counts", text: str) -> "Place":
    from strongroom.gateway.acts import read_place
    from strongroom.gateway.person import People

    return read_place(text, People(checked.settings.people, counts).name)


command.add_command(learn)
