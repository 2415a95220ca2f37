"""`strongroom reencrypt`: other keys and other ciphertext for all that was released since a time."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from strongroom.cli.common import DOCUMENT, PATIENT, Told, emit, find_store, json_option, store_option
from strongroom.cli.show import millis
from strongroom.cli.signing import act, officer_option
from strongroom.errors import UsageError

if TYPE_CHECKING:
    from strongroom.respond.reencrypt import Outcome

STEP = 100
"""Versions between two lines of progress."""
SHOWN = 20
"""Failures that are told one by one."""


@click.command("reencrypt")
@click.option("--since", required=True, help="What was released from then on: an ISO date or time.")
@click.option("--until", help="Up to then, not included: an ISO date or time. Default: until now.")
@click.option("--session", help="Only what was released to this session.")
@click.option("--account", help="Only what was released to this login.")
@click.option("--client", help="Only what was released through this client program.")
@click.option("--organisation", help="Only what was released to this organisation's people and programs.")
@click.option("--patient", type=PATIENT, help="Only documents of this patient.")
@click.option("--document", type=DOCUMENT, help="Only this document.")
@click.option("--listed", is_flag=True, help="Also what was merely listed, so that its title was shown.")
@click.option("--do", "do_it", is_flag=True, help="Do it. Without this the plan is shown and nothing is changed.")
@click.option("--at-once", is_flag=True, help="Take old ciphertext away within a minute, not after the deletion delay.")
@click.option("--reason", help="Why; it is logged. Needed with --do.")
@store_option
@officer_option
@json_option
def command(  # one parameter an option
    *, store: Path | None, officers: tuple[Path, ...], since: str, until: str | None, listed: bool, do_it: bool,
    at_once: bool, reason: str | None, as_json: bool, **selectors: str | None,
) -> None:  # fmt: skip
    """Re-encrypt every version of a document whose key was released since a time, to anybody or to whom you name.

    Keys that went out before open nothing then that the store keeps. Everybody reads on meanwhile. Two privacy or
    security officers sign. Broken off, or when something was released meanwhile: run it again, it does what is left.

    \b
    Examples:
      strongroom reencrypt --since 2026-03-14T02:00 --session 8hx2…
      strongroom reencrypt --since 2026-03-14T02:00 --session 8hx2… --do --reason "stolen login" \\
          --officer ana.key --officer ben.key
    """
    place = find_store(store)
    args: dict[str, object] = {name: value for name, value in selectors.items() if value}
    args |= {"since": millis(since), "listed": listed} | ({"until": millis(until)} if until else {})
    if do_it and not reason:
        msg = "Say why: --reason."
        raise UsageError(msg, advice="It stands in the log, sealed.")
    if do_it:
        from strongroom.wiring.reencrypt import check_user

        check_user(place)
    receipt, plan = act(place, officers, "reencrypt-plan", args)
    if not do_it:
        shape = {"done": False, "receipt": receipt, "plan": plan}
        emit("reencrypt", shape, as_json=as_json, text=f"{_plan(plan)}\nNothing was changed. With --do it is done.")
        return
    from strongroom.wiring.reencrypt import reencrypt

    click.echo(_plan(plan), err=True)
    receipt, begun = act(place, officers, "reencrypt", {**args, "reason": reason, "most": plan["versions"]})
    ticket = begun.pop("ticket")
    outcome = reencrypt(place, ticket, begun["versions"], _progress, at_once=at_once)
    _tell(outcome, {"done": True, "receipt": receipt, "plan": begun}, at_once=at_once, as_json=as_json)


def _plan(plan: dict[str, int]) -> str:
    text = f"{plan['versions']} versions of documents of {plan['patients']} patients, {plan['bytes']} bytes."
    if plan["gaps"]:
        text += f"\nGAP: {plan['gaps']} releases are of documents that the log cannot name any more."
    return text


def _progress(done: int, versions: int) -> None:
    if done % STEP == 0 or done == versions:
        click.echo(f"  {done} of {versions}", err=True)


def _tell(outcome: "Outcome", shape: dict[str, object], *, at_once: bool, as_json: bool) -> None:
    when = "within a minute" if at_once else "after the deletion delay"
    text = f"{outcome.moved} versions have other keys and other ciphertext; the old is taken away {when}."
    if outcome.settled:
        text += f"\n{outcome.settled} that an earlier run left half done are settled."
    more = len(outcome.failed) - SHOWN
    text += "".join(f"\nNOT DONE: {one}" for one in outcome.failed[:SHOWN]) + (
        f"\n… and {more} more" if more > 0 else ""
    )
    result = {"moved": outcome.moved, "bytes": outcome.bytes, "settled": outcome.settled, "failed": outcome.failed}
    emit("reencrypt", {**shape, **result}, as_json=as_json, text=text)
    if outcome.failed:
        msg = f"{len(outcome.failed)} versions stay as they were."
        raise Told(msg, advice="Run it again; `strongroom restore --verify` says what is damaged.")
