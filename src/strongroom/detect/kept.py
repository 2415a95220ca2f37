"""What was read of each file, kept in a directory, so that an interrupted hunt goes on and a repeated one reads nothing twice.

    DIR/mark               that the directory is ours
    DIR/NAME.events        a file's events as they were read, before any mapping: Arrow's streaming form, packed
    DIR/NAME.json          what became of its units, and its seal; written last, so that without it nothing is there

NAME is a digest of the file's place, size and time of change, of the format it is read in, and of how this version names
columns: whatever changes is read anew. The directory holds what the logs hold, and only its owner may look into it. One hunt has
one directory: what a hunt that ended did not ask for is removed.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from strongroom import __version__
from strongroom.errors import OperationError, UsageError
from strongroom.logs.files import Source
from strongroom.logs.formats import NAMES, Format
from strongroom.logs.read import Account
from strongroom.logs.record import COLUMNS
from strongroom.logs.seal import Seal

_MARK: Final = "mark"
_SOURCE: Final = "record.source"


class Kept:
    """The directory of one hunt. `custom` tells apart formats that an operator describes, such as a mapping's columns."""

    def __init__(self, folder: Path, custom: bytes = b"") -> None:
        """Make or open it. Raises UsageError for a directory that is something else's, OperationError when it cannot be made."""
        self._folder = folder
        self._custom = custom
        self._asked: set[str] = {_MARK}
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not (folder / _MARK).exists():
                if any(folder.iterdir()):
                    msg = f"{folder} is not empty, and no hunt has kept anything there."
                    raise UsageError(msg, advice="Name a new directory.")
                (folder / _MARK).write_text("strongroom hunt\n", encoding="ascii")
        except OSError as error:
            raise OperationError(f"{folder} cannot be used: {error.strerror}.") from error

    def through(
        self, source: Source, format_: Format, number: int, account: Account, found: Iterator[pa.Table],
        told: Callable[[str, int], None],
    ) -> Iterator[pa.Table]:  # fmt: skip
        """The events that are kept of this file, else those that are `found`, which are kept as they pass."""
        name = self._name(source, format_)
        if name is None:
            yield from found
            return
        self._asked |= {f"{name}.json", f"{name}.events"}
        known = self._known(name)
        if known is None:
            yield from self._keep(name, account, found)
            return
        _fill(account, known)
        told(source.name, known["bytes"])
        yield from self._again(name, number)

    def forget(self) -> None:
        """Remove what the hunt that ends did not ask for: earlier states of files, and halves of them."""
        for path in self._folder.iterdir():
            if path.name not in self._asked:
                path.unlink(missing_ok=True)

    def _name(self, source: Source, format_: Format) -> str | None:
        """None for what has no place that is the same next time: the standard input, objects of a bucket."""
        if source.remote is not None or source.name == "-":
            return None
        stat = source.path.stat()
        custom = b"" if NAMES.get(format_.name) is format_ else self._custom
        told = (str(source.path.resolve()), stat.st_size, stat.st_mtime_ns, format_.name, format_.fields, custom.hex())
        whole = json.dumps((__version__, sorted(COLUMNS.items()), told), default=str)
        return hashlib.blake2b(whole.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()

    def _known(self, name: str) -> dict[str, Any] | None:
        try:
            known: dict[str, Any] = json.loads((self._folder / f"{name}.json").read_bytes())
        except (OSError, ValueError):
            return None
        events = self._folder / f"{name}.events"
        return known if events.exists() and events.stat().st_size == known["kept"] else None

    def _again(self, name: str, number: int) -> Iterator[pa.Table]:
        """What is kept, as of the source of this number. Raises OperationError when it is damaged."""
        try:
            with pa.OSFile(str(self._folder / f"{name}.events")) as file, pa.ipc.open_stream(file) as stream:
                for batch in stream:
                    events = pa.Table.from_batches([batch])
                    numbers = pa.repeat(pa.scalar(number, pa.int32()), events.num_rows)
                    yield events.set_column(events.column_names.index(_SOURCE), _SOURCE, numbers)
        except (OSError, pa.ArrowInvalid) as error:
            raise OperationError(
                f"What was kept in {self._folder} is damaged.", advice="Remove the directory: all will be read anew."
            ) from error

    def _keep(self, name: str, account: Account, found: Iterator[pa.Table]) -> Iterator[pa.Table]:
        events = self._folder / f"{name}.events"
        try:
            private = os.open(events, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(private, "wb") as file:
                yield from _written(file, found)
            part = self._folder / f"{name}.part"
            part.write_text(json.dumps({**_told(account), "kept": events.stat().st_size}), encoding="ascii")
            part.rename(self._folder / f"{name}.json")
        except OSError as error:
            raise OperationError(f"What was read cannot be kept in {self._folder}: {error.strerror}.") from error


def _written(file: Any, found: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """The events, as they are written. A file without any is one without batches."""
    writer: Any = None
    schema = pa.schema([(_SOURCE, pa.int32())])
    try:
        for events in found:
            if writer is None:
                schema = events.schema
                writer = _writer(file, schema)
            writer.write_table(events.cast(schema))
            yield events
    finally:
        (writer or _writer(file, schema)).close()


def _writer(file: Any, schema: pa.Schema) -> Any:
    return pa.ipc.new_stream(file, schema, options=pa.ipc.IpcWriteOptions(compression="zstd"))


def _told(account: Account) -> dict[str, Any]:
    digests, held, last = account.seal.kept()
    return {
        "events": account.events,
        "bytes": account.bytes,
        "unreadable": account.unreadable,
        "places": account.places,
        "seal": [digests.hex(), held, last.hex()],
    }


def _fill(account: Account, known: dict[str, Any]) -> None:
    digests, held, last = known["seal"]
    account.events, account.bytes = known["events"], known["bytes"]
    account.unreadable, account.places = known["unreadable"], known["places"]
    account.seal = Seal.again(bytes.fromhex(digests), held, bytes.fromhex(last))
