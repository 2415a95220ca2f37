"""`strongroom relation`: relations by officers' hands, where a feed or a patient's own grant does not bring them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from strongroom.cli.common import PATIENT, emit, find_store, json_option, store_option
from strongroom.cli.show import millis, table, when
from strongroom.cli.signing import act, officer_option

F = TypeVar("F", bound=Callable[..., Any])
KINDS = ("enrolment", "share", "delegate", "parent", "login")


@click.group("relation")
def command() -> None:
    """Add, end and list relations; agree to what needs a second person.

    \b
    Examples:
      strongroom relation ls 7fk2…
      strongroom relation add share 7fk2… harbour --until 2026-12-31
    """


def _common(function: F) -> F:
    return store_option(officer_option(json_option(function)))


@command.command("add")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("patient", type=PATIENT)
@click.argument("other")
@click.option("--until", help="When it ends: an ISO date or time. Default: without end.")
@_common
def add(  # one parameter an option
    *,
    kind: str,
    patient: str,
    other: str,
    until: str | None,
    store: Path | None,
    officers: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Let OTHER reach PATIENT. OTHER is an organisation (enrolment, share) or a login; `login` says it is PATIENT's own.

    \b
    Example:
      strongroom relation add delegate 7fk2… 4kq3… --until 2027-01-31
    """
    args: dict[str, object] = {"kind": kind, "patient": patient, "other": other}
    if until:
        args["until"] = millis(until)
    receipt, _ = act(find_store(store), officers, "relation-add", args)
    text = f"Added: {kind} of {patient} with {other} (log entry {receipt})."
    emit("relation", {**args, "there": True, "receipt": receipt}, as_json=as_json, text=text)


@command.command("end")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("patient", type=PATIENT)
@click.argument("other")
@_common
def end(*, kind: str, patient: str, other: str, store: Path | None, officers: tuple[Path, ...], as_json: bool) -> None:
    """End a relation now.

    \b
    Example:
      strongroom relation end share 7fk2… harbour
    """
    args = {"kind": kind, "patient": patient, "other": other}
    receipt, _ = act(find_store(store), officers, "relation-end", args)
    text = f"Ended: {kind} of {patient} with {other} (log entry {receipt})."
    emit("relation", {**args, "there": False, "receipt": receipt}, as_json=as_json, text=text)


@command.command("ls")
@click.argument("patient", type=PATIENT)
@_common
def listing(*, patient: str, store: Path | None, officers: tuple[Path, ...], as_json: bool) -> None:
    """List everybody who may reach PATIENT, or could once.

    \b
    Example:
      strongroom relation ls 7fk2…
    """
    _, result = act(find_store(store), officers, "relation-ls", {"patient": patient})
    rows = [{**row, "since": when(row["since"]), "until": when(row["until"])} for row in result["relations"]]
    text = table(("kind", "other", "since", "until"), rows, f"{len(rows)} relations.")
    emit("relation-ls", result, as_json=as_json, text=text)


@command.command("agree")
@click.argument("account")
@click.argument("patient", type=PATIENT)
@_common
def agree(*, account: str, patient: str, store: Path | None, officers: tuple[Path, ...], as_json: bool) -> None:
    """Agree, as the second person, that ACCOUNT may break the glass of PATIENT once more, within an hour.

    \b
    Example:
      strongroom relation agree 4kq3… 7fk2…
    """
    _agreed("agree", account, patient, store, officers, as_json=as_json)


@command.command("rerun")
@click.argument("account")
@click.argument("patient", type=PATIENT)
@_common
def rerun(*, account: str, patient: str, store: Path | None, officers: tuple[Path, ...], as_json: bool) -> None:
    """Agree, with two officers, that the program ACCOUNT may read the past of PATIENT again, within a day.

    \b
    Example:
      strongroom relation rerun 4kq3… 7fk2… --officer ana.key --officer ben.key
    """
    _agreed("rerun", account, patient, store, officers, as_json=as_json)


def _agreed(
    op: str, account: str, patient: str, store: Path | None, officers: tuple[Path, ...], *, as_json: bool
) -> None:
    receipt, result = act(find_store(store), officers, op, {"account": account, "patient": patient})
    shape = {"account": account, "patient": patient, "until": result["until"], "receipt": receipt}
    text = f"Agreed until {when(result['until'])} (log entry {receipt})."
    emit(f"relation-{op}", shape, as_json=as_json, text=text)


@command.command("grant")
@click.argument("organisation")
@click.option("--issuer", required=True, help="Who issues the program's tokens.")
@click.option("--subject", required=True, help="The program's subject there.")
@click.option("--name", required=True, help="What people call it.")
@click.option("--purpose", required=True, help="What it reads for: a purpose-of-use code such as TREAT.")
@click.option(
    "--since", help="It reads only what was written from then on: an ISO date or time. Two officers sign. Default: now."
)
@click.option("--size", type=click.IntRange(1, 1_000_000), default=5_000, show_default=True, help="Documents a day.")
@click.option("--until", help="When the grant ends: an ISO date or time. Default: in a year.")
@_common
def grant(  # one parameter an option
    *, organisation: str, issuer: str, subject: str, name: str, purpose: str, since: str | None, size: int,
    until: str | None, store: Path | None, officers: tuple[Path, ...], as_json: bool,
) -> None:  # fmt: skip
    """Let a program read documents of ORGANISATION's own patients.

    \b
    Example:
      strongroom relation grant harbour --issuer https://id.example --subject sync --name "Harbour sync" --purpose TREAT
    """
    args: dict[str, object] = {
        "organisation": organisation, "issuer": issuer, "subject": subject, "name": name, "purpose": purpose, "size": size,
    }  # fmt: skip
    args |= {"cursor": millis(since)} if since else {}
    args |= {"until": millis(until)} if until else {}
    receipt, result = act(find_store(store), officers, "grant-past" if since else "grant", args)
    shape = {**args, "account": result["account"], "receipt": receipt}
    text = f"{name} may read as account {result['account']} (log entry {receipt})."
    emit("relation-grant", shape, as_json=as_json, text=text)
