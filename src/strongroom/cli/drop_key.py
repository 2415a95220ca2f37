"""`strongroom drop-key`: the answer to a stolen signing key of an issuer."""

from pathlib import Path

import click

from strongroom.cli.common import emit, find_store, json_option, store_option
from strongroom.cli.signing import act, officer_option


@click.command("drop-key")
@click.argument("issuer")
@click.argument("kid")
@click.option("--reason", required=True, help="Why; it is logged.")
@store_option
@officer_option
@json_option
def command(  # one parameter an option
    *, issuer: str, kid: str, reason: str, store: Path | None, officers: tuple[Path, ...], as_json: bool
) -> None:
    """Believe no token any more that the key KID of ISSUER signed. For good: the issuer signs with another key.

    \b
    Example:
      strongroom drop-key https://id.example 2026-11 --reason "stolen, as the provider told us"
    """
    receipt, result = act(find_store(store), officers, "drop-key", {"issuer": issuer, "kid": kid, "reason": reason})
    shape = {"issuer": issuer, "kid": kid, "thumbprint": result["thumbprint"], "receipt": receipt}
    text = f"Tokens signed with {kid} of {issuer} are believed no more (log entry {receipt})."
    emit("drop-key", shape, as_json=as_json, text=text)
