"""`strongroom restore`: a backup back into an empty directory; verification of everything; a set-back log accepted."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from strongroom.cli.common import Told, emit, find_store, json_option, load
from strongroom.cli.signing import officer_option, signed
from strongroom.clock import SystemClock
from strongroom.config import Layout
from strongroom.errors import UsageError

if TYPE_CHECKING:
    from strongroom.wiring.verify import Found


@click.command("restore")
@click.argument("backup", type=click.Path(path_type=Path, exists=True, file_okay=False), required=False)
@click.option("--store", required=True, type=click.Path(path_type=Path, file_okay=False),
              help="An empty directory, to be the store. Without BACKUP: an existing store, which is stopped.")  # fmt: skip
@click.option("--recovery-key-file", type=click.Path(path_type=Path, exists=True, dir_okay=False),
              help="A file with the recovery key. Default: it is asked for.")  # fmt: skip
@click.option("--config", "given", type=click.Path(path_type=Path, exists=True, dir_okay=False),
              help="Use this strongroom.toml instead of the one in the backup.")  # fmt: skip
@click.option("--verify", is_flag=True, help="Verify the whole log and open every version of every document.")
@click.option("--accept-log", is_flag=True, help="Let the log of an existing store go on although it was set back."
              " Two officers sign.")  # fmt: skip
@click.option("--reason", help="With --accept-log: why; it is logged.")
@officer_option
@json_option
def command(  # one parameter an option
    *, backup: Path | None, store: Path, recovery_key_file: Path | None, given: Path | None, verify: bool,
    accept_log: bool, reason: str | None, officers: tuple[Path, ...], as_json: bool,
) -> None:  # fmt: skip
    """Bring BACKUP back into an empty directory with the recovery key, under a new root key.

    Officers' key files are not in a backup: officers go on using theirs.

    \b
    Examples:
      strongroom restore /mnt/backup/2026-03-14 --store /var/lib/strongroom --verify
      strongroom restore --store /var/lib/strongroom --verify
      strongroom restore --store DIR --accept-log --officer ana.key --officer ben.key --reason "disk of 14 March lost"
    """
    if backup is None and not (verify or accept_log):
        msg = "Say what to do: name a backup, or --verify or --accept-log for an existing store."
        raise UsageError(msg)
    shape: dict[str, Any] = {"store": str(store), "restored": None, "accepted_log_size": None, "verified": None}
    said: list[str] = []
    if backup is not None:
        shape["restored"] = _restore(backup, store, recovery_key_file, given, said)
    if accept_log:
        shape["accepted_log_size"] = _accept(store, officers, reason, said)
    found = _verify(store, said) if verify else None
    shape["verified"] = dataclasses.asdict(found) if found else None
    if said and backup is not None:
        said.append(f"Start it: strongroom serve --store {store}")
    emit("restore", shape, as_json=as_json, text="\n".join(said))
    if found and found.failures:
        msg = f"{len(found.failures)} things do not hold."
        raise Told(msg, advice="They are listed above; restore them from another backup.")


def _restore(backup: Path, store: Path, key_file: Path | None, given: Path | None, said: list[str]) -> dict[str, Any]:
    from strongroom.wiring.restore import Whence, read_paper, restore  # loads the whole program

    text = key_file.read_text() if key_file else click.prompt("Recovery key", hide_input=True, err=True)
    whence = Whence(backup, read_paper(text), given.read_text() if given else None)
    made = restore(whence, store, SystemClock(), _say)
    kept = "left in the bucket" if made.objects is None else str(made.objects)
    said.append(
        f"Restored {made.store} in {store}: {made.patients} patients' keys, objects {kept}, log of {made.log_size}."
    )
    if made.destroyed:
        said.append(f"{made.destroyed} patients' keys were destroyed: nothing of theirs opens.")
    if made.warning:
        said.append(made.warning)
    return dataclasses.asdict(made)


def _accept(store: Path, officers: tuple[Path, ...], reason: str | None, said: list[str]) -> int:
    from strongroom.identity.officers import compose_act
    from strongroom.wiring.restore import ACCEPT, accept_log

    if not reason or len(officers) < 2:  # noqa: PLR2004  # two persons
        msg = "Accepting a set-back log takes two officers and a reason."
        raise UsageError(msg, advice="Name both key files with --officer, and say why with --reason.")
    place, clock = find_store(store), SystemClock()
    config = load(place)
    body = compose_act(config.store.name, ACCEPT, {"reason": reason}, clock.now())
    size = accept_log(config, Layout(place), body, signed(officers, body), clock)
    said.append(f"The log goes on from {size} entries; what was published before is kept beside keeper/log.")
    return size


def _verify(store: Path, said: list[str]) -> "Found":
    from strongroom.wiring.verify import verify_store

    place = find_store(store)
    found = verify_store(load(place), Layout(place), _say)
    said += [f"  FAILED {failure}" for failure in found.failures]
    said.append(f"Verified: log of {found.log_size} entries, {found.versions} document versions of {found.patients} patients,"
                f" {found.bytes} bytes; {len(found.failures)} failures.")  # fmt: skip
    return found


def _say(line: str) -> None:
    click.echo(f"  {line}", err=True)
