"""`strongroom ls`: a patient's documents, as a user."""

from pathlib import Path
from typing import Any

import click

from strongroom.cli.common import PATIENT, emit, json_option
from strongroom.cli.http import open_api, reach_options
from strongroom.cli.show import table


@click.command("ls")
@click.option("--patient", type=PATIENT, help="Whose documents. Default: the patient whose own login this is.")
@reach_options
@json_option
def command(  # one parameter an option
    *, patient: str | None, base: str | None, token: str | None, store: Path | None, as_json: bool
) -> None:
    """List a patient's documents. This is logged as listed; nothing is released.

    \b
    Example:
      strongroom ls --patient 7fk2…
    """
    with open_api(base, token, store) as api:
        rows = [row_of(one) for one in api.listed(patient)]
    rows.sort(key=lambda row: str(row["date"] or ""), reverse=True)
    headings = ("id", "date", "type", "title", "content_type", "size")
    emit("ls", {"documents": rows}, as_json=as_json, text=table(headings, rows, f"{len(rows)} documents."))


def row_of(resource: dict[str, Any]) -> dict[str, object]:
    """What a listing shows of a DocumentReference."""
    attachment = resource.get("content", [{}])[0].get("attachment", {})
    coding = (resource.get("type", {}).get("coding") or [{}])[0]
    return {
        "id": resource.get("id"),
        "version": int(resource.get("meta", {}).get("versionId", 0)),
        "patient": resource.get("subject", {}).get("reference", "").removeprefix("Patient/"),
        "date": resource.get("date"),
        "type": coding.get("display") or coding.get("code"),
        "title": attachment.get("title"),
        "content_type": attachment.get("contentType"),
        "size": attachment.get("size"),
    }
