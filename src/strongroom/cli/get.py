"""`strongroom get`: one document out, as a user."""

import os
import sys
from pathlib import Path

import click

from strongroom.cli.common import DOCUMENT, emit, json_option
from strongroom.cli.http import open_api, reach_options
from strongroom.errors import UsageError


@click.command("get")
@click.argument("document", type=DOCUMENT)
@click.option("--version", type=click.IntRange(min=1), help="An older version. Default: the newest.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("-"), show_default=True,
              help="File to write; it must not exist. `-` is the standard output.")  # fmt: skip
@reach_options
@json_option
def command(  # one parameter an option
    *, document: str, version: int | None, out: Path, base: str | None, token: str | None, store: Path | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Read DOCUMENT. This is a release: it is charged and logged.

    \b
    Example:
      strongroom get 4kq3… --out letter.pdf
    """
    if as_json and str(out) == "-":
        msg = "With --json the document needs a file to go to."
        raise UsageError(msg, advice="Name one with --out FILE.")
    if str(out) == "-":
        with open_api(base, token, store) as api:
            api.fetch(document, version, sys.stdout.buffer.write)
        sys.stdout.buffer.flush()
        return
    if out.exists():
        msg = f"{out} exists already."
        raise UsageError(msg, advice="It is left as it is. Name another file with --out.")
    beside = out.with_name(f".{out.name}.part")
    private = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(private, "wb") as file, open_api(base, token, store) as api:
            size, kind = api.fetch(document, version, file.write)
        beside.rename(out)
    finally:
        beside.unlink(missing_ok=True)
    shape = {"document": document, "file": str(out), "size": size, "content_type": kind}
    emit("get", shape, as_json=as_json, text=f"Wrote {size} bytes to {out}.")
