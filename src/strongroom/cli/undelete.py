"""`strongroom undelete`: bring a deleted document back while its delay lasts."""

from pathlib import Path

import click

from strongroom.cli.common import emit, find_store, json_option, store_option
from strongroom.cli.signing import act, officer_option


@click.command("undelete")
@click.argument("document")
@click.option("--reason", required=True, help="Why; it is logged, and the patient sees it.")
@store_option
@officer_option
@json_option
def command(document: str, reason: str, store: Path | None, officers: tuple[Path, ...], *, as_json: bool) -> None:
    """Bring a deleted DOCUMENT back while its delay lasts. Needs a privacy officer.

    \b
    Example:
      strongroom undelete 7m2q… --reason "deleted with a stolen login"
    """
    receipt, _ = act(find_store(store), officers, "undelete", {"document": document, "reason": reason})
    emit(
        "undelete",
        {"document": document, "receipt": receipt},
        as_json=as_json,
        text=f"{document} can be read again (log entry {receipt}).",
    )
