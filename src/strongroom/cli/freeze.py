"""`strongroom freeze`: stop somebody or something, reversibly."""

from pathlib import Path

import click

from strongroom.cli.common import emit, find_store, json_option, store_option
from strongroom.cli.signing import act, officer_option

SCOPES = ("session", "account", "client", "organisation", "class", "module")


@click.command("freeze")
@click.argument("scope", type=click.Choice(SCOPES))
@click.argument("name", required=False, default="")
@click.option("--reason", required=True, help="Why; it is logged and shown to whoever asks why they are stopped.")
@store_option
@officer_option
@json_option
def command(  # one parameter an option
    scope: str, name: str, reason: str, store: Path | None, officers: tuple[Path, ...], *, as_json: bool
) -> None:
    """Stop SCOPE NAME until `unfreeze`. `module` stops strangers only: patients still read their own.

    \b
    Examples:
      strongroom freeze account 4kq3…  --reason "login stolen"
      strongroom freeze class export   --reason "under review"
      strongroom freeze module         --reason "mass reading, 02:10"
    """
    receipt, _ = act(find_store(store), officers, "freeze", {"scope": scope, "name": name, "reason": reason})
    emit(
        "freeze",
        {"scope": scope, "name": name, "frozen": True, "receipt": receipt},
        as_json=as_json,
        text=f"Frozen: {scope} {name}".rstrip()
        + f" (log entry {receipt}). Undo with `strongroom unfreeze {scope} {name}`.",
    )
