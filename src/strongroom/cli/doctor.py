"""`strongroom doctor`: look for what is wrong before somebody asks."""

import ipaddress
from pathlib import Path

import click

from strongroom.cli.common import Told, emit, find_store, json_option, store_option
from strongroom.cli.signing import act, at_hand
from strongroom.errors import StrongroomError, UsageError

_SIGNS = {"ok": "ok  ", "warn": "WARN", "bad": "BAD "}
STALE_HOURS = 48.0


@click.command("doctor")
@click.option("--rows", is_flag=True, help="Count every row of the keeper's database again, however large it is.")
@click.option("--outside", metavar="ADDRESS:PORT", help="An end on the internet that answers: no process may reach it.")
@store_option
@json_option
def command(*, rows: bool, outside: str | None, store: Path | None, as_json: bool) -> None:
    """Look at a store and explain: what is well, what to mind, what is wrong. Exit code 1 when something is wrong.

    The rows that the keeper decides by are counted again and held against its log: unasked where that takes some
    seconds, with --rows always, some 300,000 a second. What each process can reach is tried in its place: as its user, in
    its namespaces; more than the table of `strongroom network` lists is wrong.

    \b
    Examples:
      strongroom doctor --store /var/lib/strongroom
      strongroom doctor --rows --outside 1.1.1.1:443
    """
    from strongroom.wiring.doctor import examine  # loads the whole program
    from strongroom.wiring.finding import Finding

    place = find_store(store)
    findings = [
        *examine(place, rows=rows, tick=_tick, outside=_end(outside)),
        *(Finding(*one) for one in _feeds(place)),
    ]
    bad = [one for one in findings if one.state == "bad"]
    lines = [
        f"{_SIGNS[one.state]} {one.what}: {one.said}" + (f"\n       {one.advice}" if one.advice else "")
        for one in findings
    ]
    shape = {
        "store": str(place), "healthy": not bad,
        "findings": [{"what": one.what, "state": one.state, "said": one.said, "advice": one.advice} for one in findings],
    }  # fmt: skip
    emit("doctor", shape, as_json=as_json, text="\n".join(lines))
    if bad:
        msg = f"{len(bad)} things are wrong."
        raise Told(msg, advice="Each says above what to do.")


def _end(text: str | None) -> tuple[str, int] | None:
    if text is None:
        return None
    host, _, port = text.rpartition(":")
    try:
        return str(ipaddress.ip_address(host.strip("[]"))), int(port)
    except ValueError as error:
        msg = f"--outside {text[:200]}: this is not ADDRESS:PORT."
        raise UsageError(msg, advice="As 1.1.1.1:443, or [2606:4700:4700::1111]:443.") from error


def _tick(table: str, rows: int) -> None:
    click.echo(f"  {table}: {rows} rows", err=True)


def _feeds(store: Path) -> list[tuple[str, str, str, str]]:
    """Freshness of feeds, where an officer's key is at hand to ask for it."""
    try:
        at_hand(store)
    except StrongroomError:
        return [
            ("feeds", "ok", "not looked at: no officer's key is at hand", "strongroom people status --officer FILE")
        ]
    try:
        _, result = act(store, (), "people-status", {})
    except StrongroomError as error:
        return [("feeds", "warn", f"not looked at: {error.message}", error.advice)]
    ages = {str(one["organisation"]): one["age_hours"] for one in result["organisations"]}
    old = [name for name, age in ages.items() if age is None or age > STALE_HOURS]
    if old:
        advice = "Ask them for a new one: people who left may still be in."
        return [("feeds", "warn", f"older than {STALE_HOURS:.0f} h: {', '.join(old[:20])}", advice)]
    return [("feeds", "ok", f"{len(ages)} organisations, all fresh", "")]
