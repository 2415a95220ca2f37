"""A program of the store that can be made to end at a named moment. `python dying.py FOLDER run NAME --store PLACE`.

The moments stand here and not in the product: code that can end a keeper on command is code that somebody may find a
way to call. Before the program is started, the functions named below are wrapped; whoever writes the name of a moment
into FOLDER/armed ends the next process that passes it, by SIGKILL: nothing is flushed, closed or told.

A name that leads nowhere is an error here, and a moment that is never passed one of `bench/crash.py`.
"""

import importlib
import inspect
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Literal

ARMED = "armed"
SNAPSHOT_TICKS = 3
"""Instead of sixty, so that snapshots are taken between two deaths."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Before or after one function is run. `only` looks at its arguments."""

    name: str
    program: str
    where: str
    when: Literal["before", "after"]
    only: Callable[..., bool] = lambda *_: True
    at_start: bool = False
    """Passed once, when the program starts."""


def _checkpoint(_directory: object, path: str, _content: bytes) -> bool:
    return path == "checkpoint"


_CUSTODY = "strongroom.keys.custody:Custody"
_SHELF = "strongroom.api.shelf:Shelf"
MOMENTS = (
    # a download, in the order of the door
    Moment("charged-before-append", "keeper", "strongroom.budget.ledger:Ledger.charge", "after"),
    Moment("written-before-commit", "keeper", "strongroom.audit.sqlite:Journal.add", "after"),
    Moment("committed-before-receipt", "keeper", "strongroom.audit.receipt:ReceiptSeal.issue", "before"),
    Moment("recorded-before-unwrap", "keeper", f"{_CUSTODY}.release", "before"),
    Moment("unwrapped-before-answer", "keeper", f"{_CUSTODY}.release", "after"),
    Moment("listed-before-keys", "keeper", f"{_CUSTODY}.listing", "before"),
    Moment("released-before-bytes", "app", f"{_SHELF}.read", "before"),
    Moment("delivered-before-told", "app", "strongroom.api.words:Words._give", "before"),
    # an upload
    Moment("prepared-before-opened", "keeper", f"{_CUSTODY}.prepare", "after"),
    Moment("opened-before-answer", "keeper", f"{_CUSTODY}.open_written", "before"),
    Moment("opened-before-bytes", "app", f"{_SHELF}.keep", "before"),
    Moment("bytes-before-metadata", "app", f"{_SHELF}.enter", "before"),
    Moment("metadata-before-finish", "app", f"{_SHELF}.enter", "after"),
    Moment("finished-before-told", "keeper", "strongroom.keeper.writing:Writing.deposited", "after"),
    Moment("finished-before-answer", "app", "strongroom.api.deposit:_finish", "after"),
    # what is deleted
    Moment("deleted-before-told", "keeper", "strongroom.keeper.writing:Writing.delete", "after"),
    # every second
    Moment("signed-before-kept", "keeper", "strongroom.audit.write:Pen.keep", "before"),
    Moment("kept-before-published", "keeper", "strongroom.audit.write:Pen.keep", "after"),
    Moment("tiles-before-checkpoint", "keeper", "strongroom.audit.files:Directory.write", "before", _checkpoint),
    Moment("checkpoint-before-tidying", "keeper", "strongroom.audit.files:Directory.write", "after", _checkpoint),
    Moment("charged-before-snapshot", "keeper", "strongroom.keeper.snapshot:Snapshots.keep", "before"),
    Moment("snapshot-before-next", "keeper", "strongroom.keeper.snapshot:Snapshots.keep", "after"),
    # a start
    Moment("checked-before-opened", "keeper", "strongroom.audit.write:Pen.prove", "after", at_start=True),
    Moment("opened-before-started", "keeper", "strongroom.keeper.server:Keeper.start", "before", at_start=True),
    Moment("started-before-sockets", "keeper", "strongroom.keeper.socket:Listener.start", "before", at_start=True),
    Moment("opened-before-probe", "app", "strongroom.documents.probe:_compare", "before", at_start=True),
    Moment("opened-before-served", "signin", "strongroom.wiring.programs:_serve", "before", at_start=True),
)


class Reaper:
    """Ends this process at the moment that is written into a file."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def look(self, moment: Moment) -> None:
        """Called whenever a moment is passed."""
        try:
            armed = self._file.read_text()
        except OSError:
            return
        if armed == moment.name:
            os.kill(os.getpid(), signal.SIGKILL)

    def wrap(self, moment: Moment) -> None:
        """Put the moment before or after its function. Raises AttributeError, ImportError when there is none."""
        module, _, path = moment.where.partition(":")
        *outer, name = path.split(".")
        holder: Any = importlib.import_module(module)
        for one in outer:
            holder = getattr(holder, one)
        setattr(holder, name, self._wrapped(moment, getattr(holder, name)))

    def _wrapped(self, moment: Moment, inner: Callable[..., Any]) -> Callable[..., Any]:
        early, late = moment.when == "before", moment.when == "after"

        @wraps(inner)
        def plain(*arguments: Any, **named: Any) -> Any:
            passed = moment.only(*arguments)
            if early and passed:
                self.look(moment)
            result = inner(*arguments, **named)
            if late and passed:
                self.look(moment)
            return result

        @wraps(inner)
        async def waiting(*arguments: Any, **named: Any) -> Any:
            if early:
                self.look(moment)
            result = await inner(*arguments, **named)
            if late:
                self.look(moment)
            return result

        return waiting if inspect.iscoroutinefunction(inner) else plain


def main(folder: Path, arguments: list[str]) -> None:
    """Wrap what belongs to the program, and run it."""
    from strongroom.cli.main import entry  # noqa: PLC0415  # after the arguments were looked at
    from strongroom.keeper import server  # noqa: PLC0415  # as above

    server.MINUTE_TICKS = SNAPSHOT_TICKS
    reaper = Reaper(folder / ARMED)
    for moment in MOMENTS:
        if moment.program == arguments[1]:
            reaper.wrap(moment)
    sys.argv = ["strongroom", *arguments]
    entry()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
