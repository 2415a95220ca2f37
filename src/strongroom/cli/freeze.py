"""`strongroom freeze`: stop somebody or something, reversibly."""

from pathlib import Path

import click

from strongroom.cli.common import emit, find_store, json_option, store_option
from strongroom.cli.show import table, when
from strongroom.cli.signing import act, officer_option
from strongroom.errors import UsageError

SCOPES = ("session", "account", "client", "organisation", "class", "module")


@click.command("freeze")
@click.argument("scope", type=click.Choice(SCOPES), required=False)
@click.argument("name", required=False, default="")
@click.option("--reason", help="Why; it is logged and shown to whoever asks why they are stopped. Needed to freeze.")
@click.option("--list", "listing", is_flag=True, help="Freeze nothing; show what is frozen, why, since when, by whom.")
@store_option
@officer_option
@json_option
def command(  # one parameter an option
    *, scope: str | None, name: str, reason: str | None, listing: bool, store: Path | None, officers: tuple[Path, ...],
    as_json: bool,
) -> None:  # fmt: skip
    """Stop SCOPE NAME until `unfreeze`. `module` stops strangers only: patients still read their own.

    \b
    Examples:
      strongroom freeze account 4kq3…  --reason "login stolen"
      strongroom freeze class export   --reason "under review"
      strongroom freeze module         --reason "mass reading, 02:10"
      strongroom freeze --list
    """
    if listing:
        _, result = act(find_store(store), officers, "frozen", {})
        rows = [{**row, "at": when(row["at"])} for row in result["frozen"]]
        text = table(("scope", "name", "at", "by", "why"), rows, f"{len(rows)} frozen.")
        emit("frozen", result, as_json=as_json, text=text)
        return
    if scope is None or not reason:
        msg = "Say what to freeze, and why."
        raise UsageError(msg, advice='For example: strongroom freeze account ID --reason "login stolen".')
    receipt, _ = act(find_store(store), officers, "freeze", {"scope": scope, "name": name, "reason": reason})
    emit(
        "freeze",
        {"scope": scope, "name": name, "frozen": True, "receipt": receipt},
        as_json=as_json,
        text=f"Frozen: {scope} {name}".rstrip()
        + f" (log entry {receipt}). Undo with `strongroom unfreeze {scope} {name}`.",
    )
