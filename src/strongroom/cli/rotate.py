"""`strongroom rotate`: another key, while everybody reads on."""

from pathlib import Path

import click

from strongroom.cli.common import emit, find_store, json_option, store_option
from strongroom.cli.show import when
from strongroom.cli.signing import act, officer_option


@click.group("rotate")
def command() -> None:
    """Another key for a patient or for the whole store, while everybody reads on.

    \b
    Examples:
      strongroom rotate patient 7fk2…
      strongroom rotate root --officer ana.key --officer ben.key
      strongroom rotate log --officer ana.key --officer ben.key
      strongroom rotate status
    """


@command.command("patient")
@click.argument("patient")
@store_option
@officer_option
@json_option
def _patient(patient: str, store: Path | None, officers: tuple[Path, ...], *, as_json: bool) -> None:
    """Give PATIENT a new key, and wrap the keys of all their documents under it. Needs an officer.

    \b
    Example:
      strongroom rotate patient 7fk2…
    """
    receipt, result = act(find_store(store), officers, "rotate-patient", {"patient": patient.removeprefix("Patient/")})
    text = (
        f"{patient} has key {result['key_version']}; {result['versions']} versions are under it (log entry {receipt})."
    )
    emit("rotate-patient", {"patient": patient, "receipt": receipt, **result}, as_json=as_json, text=text)


@command.command("root")
@store_option
@officer_option
@json_option
def _root(store: Path | None, officers: tuple[Path, ...], *, as_json: bool) -> None:
    """Make a new root key, wrap every patient's key under it, and destroy the old one. Two officers sign.

    The keeper does it, some hundred patients a second; it goes on after a restart.

    \b
    Example:
      strongroom rotate root --officer ana.key --officer ben.key
    """
    receipt, _ = act(find_store(store), officers, "rotate-root", {})
    text = f"There is a new root key (log entry {receipt}). How far it is: strongroom rotate status"
    emit("rotate-root", {"receipt": receipt}, as_json=as_json, text=text)


@command.command("log")
@click.option(
    "--overlap-days",
    type=click.IntRange(0, 90),
    default=7,
    show_default=True,
    help="For how long the old key signs beside the new one; 0 when it was stolen.",
)
@store_option
@officer_option
@json_option
def _log(store: Path | None, officers: tuple[Path, ...], *, overlap_days: int, as_json: bool) -> None:
    """Make a new signing key for the log. Two officers sign.

    Checkpoints bear both signatures until the overlap is over. Hand the new public key to whoever verifies, and to the
    witnesses, meanwhile.

    \b
    Example:
      strongroom rotate log --officer ana.key --officer ben.key
    """
    receipt, result = act(find_store(store), officers, "rotate-log", {"overlap_days": overlap_days})
    until = f"until {when(result['until'])}" if result["until"] else "no more"
    text = (
        f"The log has a new key (log entry {receipt}); the old one signs beside it {until}.\n"
        f"Hand it to your witnesses and to whoever verifies:\n  {result['vkey']}"
    )
    emit("rotate-log", {"receipt": receipt, **result}, as_json=as_json, text=text)


@command.command("status")
@store_option
@officer_option
@json_option
def _status(store: Path | None, officers: tuple[Path, ...], *, as_json: bool) -> None:
    """How far the rotation of the root key is, and until when an old key of the log signs beside the new one.

    \b
    Example:
      strongroom rotate status
    """
    _, result = act(find_store(store), officers, "rotate-status", {})
    text = (f"{result['done']} of {result['patients']} patients' keys are under the new root key." if result["turning"]
            else f"No rotation is under way; {result['patients']} patients' keys are under the root key.")  # fmt: skip
    if result["log"]["until"]:
        text += f"\nThe log is signed by two keys until {when(result['log']['until'])}."
    emit("rotate-status", result, as_json=as_json, text=text)
