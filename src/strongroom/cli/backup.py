"""`strongroom backup`: the whole store, while it runs."""

import dataclasses
from pathlib import Path

import click

from strongroom.cli.common import emit, find_store, json_option, load, store_option
from strongroom.clock import SystemClock
from strongroom.config import Layout
from strongroom.errors import UsageError


@click.command("backup")
@click.option("--to", "target", type=click.Path(path_type=Path), help="A new directory, on another disk.")
@click.option("--renew", multiple=True, type=click.Path(path_type=Path, exists=True, file_okay=False),
              help="An older backup: destroy in it the keys that were destroyed since. Once for each.")  # fmt: skip
@click.option("--with-objects", is_flag=True, help="With a bucket: copy its objects too, instead of leaving them to the"
              " bucket's own replication.")  # fmt: skip
@store_option
@json_option
def command(
    *, target: Path | None, renew: tuple[Path, ...], with_objects: bool, store: Path | None, as_json: bool
) -> None:
    """Copy the whole store to a new directory, consistent and sealed. It may go on running.

    Without the recovery key the backup tells nothing but sizes. The root key and officers' keys are not in it.

    \b
    Examples:
      strongroom backup --to /mnt/backup/2026-03-14
      strongroom backup --renew /mnt/backup/2026-03-13 --renew /mnt/backup/2026-03-12
    """
    from strongroom.wiring import backup  # loads the whole program

    place = find_store(store)
    if (target is None) is not bool(renew):
        msg = "Say what to do: --to a new directory, or --renew older backups."
        raise UsageError(msg)

    def say(line: str) -> None:
        click.echo(f"  {line}", err=True)

    if target is None:
        for one in renew:
            backup.renew(load(place), Layout(place), one, SystemClock())
            say(f"{one}: renewed")
        text = "What was destroyed in the store is destroyed in these backups, too."
        emit("backup", {"renewed": [str(one) for one in renew]}, as_json=as_json, text=text)
        return
    made = backup.back_up(load(place), Layout(place), target, SystemClock(), say, with_objects=with_objects)
    kept = "left in the bucket" if made.objects is None else f"{made.objects} ({made.object_bytes} bytes)"
    text = (f"Backup in {made.path}: {made.files} files sealed ({made.sealed_bytes} bytes), log of {made.log_size} entries,"
            f" objects: {kept}.\nTry it now and then: strongroom restore {made.path} --store DIR --verify")  # fmt: skip
    shape = {**dataclasses.asdict(made), "path": str(made.path)}
    emit("backup", shape, as_json=as_json, text=text)
