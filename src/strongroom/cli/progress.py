"""How far a hunt is, on the screen of somebody who watches: rate and time left while it reads, and then how many have looked."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from strongroom.logs.files import codec

if TYPE_CHECKING:
    from strongroom.logs.files import Source

PACKED: Final = 10.0
"""Bytes in a packed byte of a log, until a file tells better."""


class Total:
    """How many bytes a hunt will read, unpacked: known of plain files, and of packed ones guessed by those that were read."""

    def __init__(self, sources: "list[Source]", packed: set[str]) -> None:
        """`packed`: names of those that are."""
        self._ahead = {source.name: source.size for source in sources}
        self._packed = packed
        self._now, self._size, self._seen = "", 0, 0
        self._done = 0
        self._in, self._out = 0, 0  # of packed files that ended: bytes before and after

    def told(self, name: str, bytes_: int) -> float:
        """Of this file so many bytes more were read: the guess from now on."""
        if name != self._now:
            self._ended()
            self._now, self._size, self._seen = name, self._ahead.pop(name, 0), 0
        self._seen += bytes_
        ahead = sum(self._guess(one, size) for one, size in self._ahead.items())
        return self._done + max(self._seen, self._guess(name, self._size)) + ahead

    def _ended(self) -> None:
        if self._now in self._packed:
            self._in += self._size
            self._out += self._seen
        self._done += self._seen

    def _guess(self, name: str, size: int) -> float:
        if name not in self._packed:
            return size
        return size * (self._out / self._in if self._in else PACKED)


Told = Callable[[str, int], None]
Looked = Callable[[int, int], None]
_READING: Final = "reading"


class _HowFar(ProgressColumn):
    """Bytes and their rate while it reads; then how many detections have looked."""

    def __init__(self) -> None:
        super().__init__()
        self._bytes, self._rate = DownloadColumn(), TransferSpeedColumn()

    def render(self, task: Task) -> Text:
        """One task's."""
        if task.description == _READING:
            return Text.assemble(self._bytes.render(task), "  ", self._rate.render(task))
        return Text(f"{task.completed:.0f} of {task.total or 0:.0f} detections")


@contextmanager
def shown(sources: "list[Source]", *, quiet: bool) -> Iterator[tuple[Told, Looked]]:
    """What a hunt calls as it reads, and as its detections look. Nothing is shown where nobody watches."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda _name, _bytes: None, lambda _done, _of: None
        return
    total = Total(sources, {source.name for source in sources if codec(source) != "plain"})
    with Progress(
        TextColumn("{task.description}"), BarColumn(), _HowFar(), TimeRemainingColumn(), console=console, transient=True
    ) as bar:
        reading = bar.add_task(_READING, total=None)
        looking = bar.add_task("looking", total=None, visible=False)

        def told(name: str, bytes_: int) -> None:
            bar.update(reading, advance=bytes_, total=total.told(name, bytes_))

        def looked(done: int, of: int) -> None:
            bar.update(reading, visible=False)
            bar.update(looking, completed=done, total=of, visible=True)

        yield told, looked
