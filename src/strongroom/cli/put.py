"""`strongroom put`: one document in, as a user."""

import dataclasses
from pathlib import Path

import click

from strongroom.cli.common import PATIENT, emit, json_option
from strongroom.cli.http import CATEGORIES, Order, open_api, reach_options


@click.command("put")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--patient", type=PATIENT, help="Whose document it is. Default: the patient whose own login this is.")
@click.option("--title", default="", help="Its title. Default: the file's name.")
@click.option("--type", "kind", help="What kind of document it is: a LOINC code, for example 18842-5.")
@click.option("--category", type=click.Choice(CATEGORIES), default="normal", show_default=True, help="Who may read it.")
@click.option("--date", help="When it was written: 2026-03-14, or with a time and its zone. Default: now.")
@click.option("--content-type", help="Media type. Default: by the file's name.")
@reach_options
@json_option
def command(  # one parameter an option
    *, file: Path, patient: str | None, title: str, kind: str | None, category: str, date: str | None,
    content_type: str | None, base: str | None, token: str | None, store: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Put FILE in. What the store keeps is compared with the file before this says that it is kept.

    \b
    Example:
      strongroom put letter.pdf --title "Discharge letter" --type 18842-5
    """
    with open_api(base, token, store) as api:
        kept = api.put(Order(file, patient or api.own_patient(), title, kind, category, date, content_type))
    text = f"Kept as document {kept.document}, version {kept.version} ({kept.size} bytes)."
    emit("put", dataclasses.asdict(kept), as_json=as_json, text=text)
