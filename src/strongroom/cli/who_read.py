"""`strongroom who-read`: the exact list of who was read, by whom, when."""

from pathlib import Path

import click

from strongroom.cli.common import DOCUMENT, PATIENT, emit, find_store, json_option, store_option
from strongroom.cli.show import millis, table, when
from strongroom.cli.signing import act, officer_option

_COLUMNS = ("at", "op", "name", "account", "patient", "documents", "bytes", "basis", "index")


@click.command("who-read")
@click.option("--patient", type=PATIENT, help="Who read this patient.")
@click.option("--account", help="What this login read.")
@click.option("--session", help="What was read in this session.")
@click.option("--client", help="What was read through this client program.")
@click.option("--organisation", help="What this organisation's people and programs read.")
@click.option("--document", type=DOCUMENT, help="Who read this document.")
@click.option("--since", help="From then on: an ISO date or time.")
@click.option("--until", help="Up to then, not included: an ISO date or time.")
@store_option
@officer_option
@json_option
def command(  # one parameter an option
    *, store: Path | None, officers: tuple[Path, ...], since: str | None, until: str | None, as_json: bool,
    **selectors: str | None,
) -> None:  # fmt: skip
    """List everything that was listed or released, narrowed by every option given, and count the people exactly.

    \b
    Examples:
      strongroom who-read --account 4kq3… --since 2026-03-14T02:00 --until 2026-03-14T03:00
      strongroom who-read --patient 7fk2… --json
    """
    args: dict[str, object] = {name: value for name, value in selectors.items() if value}
    args |= {"since": millis(since)} if since else {}
    args |= {"until": millis(until)} if until else {}
    receipt, result = act(find_store(store), officers, "who-read", args)
    while result["next"] is not None:  # a long list comes in pieces, all of the log as it was at the first
        args |= {"size": result["log_size"], "first": result["next"]}
        receipt, more = act(find_store(store), officers, "who-read", args)
        result = {**more, "rows": result["rows"] + more["rows"]}
    result["people"] = len({row["patient"] for row in result["rows"]})
    del result["next"]
    rows = [{**row, "at": when(row["at"]), "documents": len(row["documents"])} for row in result["rows"]]
    count = result["people"]
    who = f"{count} person" if count == 1 else f"{count} people"
    last = f"{who}, in {len(rows)} disclosures, as of {result['log_size']} log entries."
    gaps = "".join(f"\nGAP: {gap}" for gap in result["gaps"])
    emit("who-read", {**result, "receipt": receipt}, as_json=as_json, text=table(_COLUMNS, rows, last) + gaps)
