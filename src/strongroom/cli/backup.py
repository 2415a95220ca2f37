"""`strongroom backup`: the whole store, while it runs."""

import dataclasses
from pathlib import Path

import click

from strongroom.cli.common import emit, find_store, json_option, load, store_option
from strongroom.clock import SystemClock
from strongroom.config import Layout


@click.command("backup")
@click.option(
    "--to", "target", required=True, type=click.Path(path_type=Path), help="A new directory, on another disk."
)
@click.option("--with-objects", is_flag=True, help="With a bucket: copy its objects too, instead of leaving them to the"
              " bucket's own replication.")  # fmt: skip
@store_option
@json_option
def command(*, target: Path, with_objects: bool, store: Path | None, as_json: bool) -> None:
    """Copy the whole store to a new directory, consistent and sealed. It may go on running.

    Without the recovery key the backup tells nothing but sizes. The root key and officers' keys are not in it.

    \b
    Example:
      strongroom backup --to /mnt/backup/2026-03-14
    """
    from strongroom.wiring.backup import back_up  # loads the whole program

    place = find_store(store)

    def say(line: str) -> None:
        click.echo(f"  {line}", err=True)

    made = back_up(load(place), Layout(place), target, SystemClock(), say, with_objects=with_objects)
    kept = "left in the bucket" if made.objects is None else f"{made.objects} ({made.object_bytes} bytes)"
    text = (f"Backup in {made.path}: {made.files} files sealed ({made.sealed_bytes} bytes), log of {made.log_size} entries,"
            f" objects: {kept}.\nTry it now and then: strongroom restore {made.path} --store DIR --verify")  # fmt: skip
    shape = {**dataclasses.asdict(made), "path": str(made.path)}
    emit("backup", shape, as_json=as_json, text=text)
