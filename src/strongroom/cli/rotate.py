"""`strongroom rotate`: another key for a patient, while everybody reads on."""

from pathlib import Path

import click

from strongroom.cli.common import emit, find_store, json_option, store_option
from strongroom.cli.signing import act, officer_option


@click.command("rotate")
@click.argument("what", type=click.Choice(["patient"]))
@click.argument("name")
@store_option
@officer_option
@json_option
def command(what: str, name: str, store: Path | None, officers: tuple[Path, ...], *, as_json: bool) -> None:
    """Give the patient NAME a new key, and wrap the keys of all their documents under it. Needs an officer.

    \b
    Example:
      strongroom rotate patient 7fk2…
    """
    receipt, result = act(find_store(store), officers, f"rotate-{what}", {"patient": name.removeprefix("Patient/")})
    text = f"{name} has key {result['key_version']}; {result['versions']} versions are under it (log entry {receipt})."
    emit("rotate", {"patient": name, "receipt": receipt, **result}, as_json=as_json, text=text)
