"""`strongroom destroy`: destroy a patient's key, so that no copy of their documents opens again."""

from pathlib import Path

import click

from strongroom.cli.common import emit, find_store, json_option, store_option
from strongroom.cli.show import table, when
from strongroom.cli.signing import act, officer_option
from strongroom.errors import UsageError

_COLUMNS = ("patient", "asked", "due", "cancelled", "done")


@click.command("destroy")
@click.argument("patient", required=False)
@click.option("--reason", help="Why; it is logged. Needed to destroy and to cancel.")
@click.option("--cancel", is_flag=True, help="Do not destroy it after all. One officer is enough.")
@click.option("--list", "listing", is_flag=True, help="Destroy nothing; show what is waiting, done and cancelled.")
@store_option
@officer_option
@json_option
def command(  # one parameter an option
    *, patient: str | None, reason: str | None, cancel: bool, listing: bool, store: Path | None,
    officers: tuple[Path, ...], as_json: bool,
) -> None:  # fmt: skip
    """Destroy the key of PATIENT 72 hours from now. Two privacy or security officers sign.

    Nothing opens the patient's documents after that: not the store, not a copy of it, and no backup whose life keys were
    renewed (strongroom backup --renew).

    \b
    Examples:
      strongroom destroy 7fk2… --reason "erasure request 2026-118" --officer ana.key --officer ben.key
      strongroom destroy 7fk2… --cancel --reason "asked for by mistake"
      strongroom destroy --list
    """
    place = find_store(store)
    if listing:
        _, result = act(place, officers, "destroy-ls", {})
        names = _COLUMNS[1:]
        rows = [{**row, **{name: when(row[name]) if row[name] else "-" for name in names}}
                for row in result["destructions"]]  # fmt: skip
        emit("destroy", result, as_json=as_json, text=table(_COLUMNS, rows, f"{len(rows)} in all."))
        return
    if not patient or not reason:
        msg = "Say whose key, and why: PATIENT and --reason."
        raise UsageError(msg, advice="`strongroom destroy --list` shows what is waiting.")
    receipt, result = act(place, officers, "destroy-cancel" if cancel else "destroy",
                          {"patient": patient.removeprefix("Patient/"), "reason": reason})  # fmt: skip
    text = (f"{patient} is not destroyed after all (log entry {receipt})." if cancel else
            f"The key of {patient} is destroyed at {when(result['due'])} (log entry {receipt}). Until then: --cancel."
            "\nAfterwards renew your backups: strongroom backup --renew DIR")  # fmt: skip
    emit("destroy", {"patient": patient, "receipt": receipt, "due": result.get("due")}, as_json=as_json, text=text)
