"""`strongroom unfreeze`: undo a freeze."""

from pathlib import Path

import click

from strongroom.cli.common import emit, find_store, json_option, store_option
from strongroom.cli.freeze import SCOPES
from strongroom.cli.signing import act, officer_option


@click.command("unfreeze")
@click.argument("scope", type=click.Choice(SCOPES))
@click.argument("name", required=False, default="")
@click.option("--reason", required=True, help="Why; it is logged.")
@store_option
@officer_option
@json_option
def command(  # one parameter an option
    scope: str, name: str, reason: str, store: Path | None, officers: tuple[Path, ...], *, as_json: bool
) -> None:
    """Let SCOPE NAME go on. Needs a security or privacy officer.

    \b
    Example:
      strongroom unfreeze account 4kq3… --reason "password changed, patient called back"
    """
    receipt, _ = act(find_store(store), officers, "unfreeze", {"scope": scope, "name": name, "reason": reason})
    emit(
        "freeze",
        {"scope": scope, "name": name, "frozen": False, "receipt": receipt},
        as_json=as_json,
        text=f"No longer frozen: {scope} {name}".rstrip() + f" (log entry {receipt}).",
    )
