"""Logs that grow: which bytes of which file are new, whatever rotation does to names.

A log is known by its first bytes, not by its name: renamed, copied and cut short, or packed by gzip it is the same log, and is read
on where reading stopped. A file that is named as one is followed to NAME.1, once. Logs of lines are read as far as their last whole
line; a last line without an end is one when the log is packed, or has made way for another and stands still. Bundles of entries of
our own log, which are published again under another name as they grow (c2sp.org/tlog-tiles), are one log each and read as far as
their last whole entry. Documents, datagrams and objects in a bucket are read once, when
they are whole (a file: when nothing has changed between two looks). Nothing here waits or remembers on disk: `poll` looks, `behind`
says what is to be read next, `read` reads a piece of it, `dump` says where it all stands.
"""

import contextlib
import hashlib
from codecs import BOM_UTF8
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from strongroom.errors import OperationError, UsageError
from strongroom.logs import files, formats, guess, read, s3
from strongroom.logs.bundles import gathered
from strongroom.logs.files import Source
from strongroom.logs.formats import Format
from strongroom.logs.mapping import Mapping
from strongroom.logs.strongroom_log import entries_end
from strongroom.logs.units import MAX_LINE, is_document

HEAD: Final = 4096
"""Bytes by which a log is known again."""
PIECE: Final = 1024 * 1024
"""Bytes that are read at once."""
GONE: Final = 10_000
"""Logs that are gone and are still known again when they come back."""
_PREFIX: Final = 64 * 1024
"""Bytes of headings that are kept."""


@dataclass(slots=True)
class Followed:
    """One log. `position` is in the unpacked stream; `last` the latest time of its events, None before the first."""

    number: int
    name: str
    known: int = 0  # bytes of `digest`
    digest: bytes = b""
    position: int = 0
    last: int | None = None
    prefix: bytes = b""  # headings that say how the lines after them are read
    mark: tuple[int, int, int] = (0, 0, 0)  # size, time of change and inode at the last look
    done: bool = False  # everything that the mark promises was read
    before: str = ""  # the name that it had before it was renamed
    open: bool = False  # it ends with a line without an end, which was not read
    source: Source | None = None
    format: Format | None = None
    whole: bool = False
    still: bool = False
    ended: bool = False  # nobody finishes its last line
    stream: Iterator[bytes] | None = None
    rest: bytes = b""
    account: read.Account = field(default_factory=read.Account)

    def is_of(self, head: bytes) -> bool:
        """Whether a log that begins like this is this one."""
        return bool(self.known) and len(head) >= self.known and _digest(head[: self.known]) == self.digest

    def learn(self, head: bytes) -> None:
        """More of the beginning is there."""
        if len(head) > self.known:
            self.known, self.digest = len(head), _digest(head)


class Follower:
    """All logs of some paths."""

    def __init__(
        self,
        paths: tuple[str, ...],
        wanted: Format | None = None,
        mapping: Mapping | None = None,
        *,
        grow: bool = True,
        sure: dict[str, Format] | None = None,
    ) -> None:
        """`wanted`: the format of all; None: each is recognised. Not `grow`: what is there is whole.

        `sure`: directories of `paths` whose format is known, whatever is wanted.
        """
        self._paths, self._wanted, self._mapping, self._grow = paths, wanted, mapping, grow
        self._sure = sure or {}
        self.logs: list[Followed] = []
        self.names: dict[int, str] = {}
        self.unknown: set[str] = set()
        self._named: dict[str, Followed] = {}
        self._listed: dict[str, list[Source]] = {}
        self._next = 0

    # ---- what is there

    def poll(self, *, buckets: bool = True) -> None:
        """Look at all paths. One that is not there yet may come. `buckets`: list them anew, which takes a request or more."""
        sources = gathered(source for path in self._paths for source in self._sources(path, again=buckets))
        heads = {name: self._head(name, source) for name, source in sources.items()}
        taken = {name for name, log in self._named.items() if name in heads and _same(log, heads[name])}
        for name, head in heads.items():
            if not head:
                self._rests(name)
                if name in taken and self._named[name].name == name:
                    self.names[self._named[name].number] = sources[name].name
                continue
            log = self._named[name] if name in taken else self._known(head, taken)
            if log is None:
                log = Followed(self._next, name)
                self._next += 1
                self.logs.append(log)
            self._named[name] = log
            taken.add(name)
            if log.name != name and log.name in taken and self._named[log.name] is log:
                continue  # a copy of a log that is there
            if log.name != name:
                log.before = log.name
            log.name, log.done = name, False
            self.names[log.number] = sources[name].name
            log.learn(head)
            self._look(log, sources[name])
        self._forget(sources)

    def _rests(self, name: str) -> None:
        """Nothing has changed. If the log has made way for another, nobody finishes its last line."""
        log = self._named.get(name)
        if log is None or log.source is None or not log.open or self._named.get(log.before, log) is log:
            return
        if log.format is None:
            self._recognise(log, log.source)
        log.ended, log.done = True, log.format is None

    def has_read(self, path: Path) -> bool:
        """Whether everything that was there at the last look was read."""
        log = self._named.get(str(path))
        return log is not None and log.name == str(path) and log.done

    def _sources(self, path: str, *, again: bool) -> list[Source]:
        if not path.startswith(s3.SCHEME) or again or path not in self._listed:
            self._listed[path] = []
            with contextlib.suppress(UsageError):
                self._listed[path] = files.expand((path,))
                self._listed[path] += self._turned(path)
        return self._listed[path]

    def _turned(self, path: str) -> list[Source]:
        """The file that had this name before, if it was read: what was written to it last is still to be read."""
        before = Path(f"{path}.1")
        if path.startswith(s3.SCHEME) or not Path(path).is_file() or not before.is_file():
            return []
        number = before.stat().st_ino
        return [Source(str(before), before, named=True)] if any(log.mark[2] == number for log in self.logs) else []

    def _head(self, name: str, source: Source) -> bytes | None:
        """Its first bytes; None when nothing has changed since the last look, or it cannot be read now."""
        log = self._named.get(name)
        with contextlib.suppress(OSError, OperationError, files.CutOff):
            if log is not None and log.name == name and log.mark == _mark(source):
                known = log.format is not None and not log.whole
                if log.done or known:
                    log.source = source
                    return None
            return next(files.blocks(source, HEAD), b"")
        return None

    def _forget(self, sources: dict[str, Source]) -> None:
        """Logs that are gone, the oldest first, when there are very many."""
        gone = [log for log in self.logs if log.name not in sources]
        for log in gone[: max(0, len(gone) - GONE)]:
            self.logs.remove(log)
            self.names.pop(log.number, None)
        self._named = {name: log for name, log in self._named.items() if name in sources or log.name == name}

    def _known(self, head: bytes, taken: set[str]) -> Followed | None:
        """The log that begins like this: by all of HEAD; or by less when it is not where it was."""
        for log in self.logs:
            if log.is_of(head) and (log.known == HEAD or log.name not in taken or self._named.get(log.name) is not log):
                return log
        return None

    def _look(self, log: Followed, source: Source) -> None:
        mark = _mark(source)
        log.still = source.remote is not None or mark == log.mark or not self._grow
        log.mark, log.source, log.stream, log.rest, log.ended = mark, source, None, b"", False
        if files.codec(source) == "plain" and log.position > mark[0]:  # the same beginning, and shorter: written anew
            log.position, log.last = 0, None
        if log.format is None:
            self._recognise(log, source)
        if log.whole and log.position:  # it was read; a document that changes afterwards is another's affair
            log.done = True

    def _recognise(self, log: Followed, source: Source) -> None:
        sample = b""
        with contextlib.suppress(files.CutOff):
            sample = next(files.blocks(source, formats.SAMPLE), b"")
        mapped = self._mapping.format_of(sample) if self._mapping else None
        sure = self._sure.get(str(source.path.parent))
        log.format = sure or self._wanted or mapped or guess.recognise(sample)
        if log.format is None:
            self.unknown.add(source.name)
            log.done = True
            return
        self.unknown.discard(source.name)
        document = is_document(sample) if log.format.unit == "json" else log.format.unit == "document"
        log.whole = document or log.format.unit not in {"lines", "json", "entries"}
        if log.whole:
            return
        lines = sample[: _end(sample, log.format)].removeprefix(BOM_UTF8)
        if not log.prefix and log.format.heading is not None:
            log.prefix = _headings(lines, log.format)
        if log.last is None:
            times = [_latest(found, first=True) for found in read.tables([lines], log.format, 0, read.Account())]
            log.last = min((time for time in times if time is not None), default=None)

    # ---- what is read

    def behind(self) -> Followed | None:
        """The log that is to be read next: the one whose events are the earliest. None: nothing new is there."""
        ready = [log for log in self.logs if self._ready(log)]
        return min(ready, key=lambda log: (log.last is not None, log.last or 0, log.name), default=None)

    def hold(self) -> int | None:
        """No event before this time has been left unread, as far as logs are in order; None where nothing is unread."""
        ready = [log for log in self.logs if self._ready(log)]
        return min((-1 if log.last is None else log.last for log in ready), default=None)

    @staticmethod
    def _ready(log: Followed) -> bool:
        return log.source is not None and log.format is not None and not log.done and (not log.whole or log.still)

    def read(self, log: Followed) -> list[pa.Table]:
        """A piece of it, as events. Raises OperationError when a bucket or disk gives out; then nothing was read."""
        source, format_ = log.source, log.format
        if source is None or format_ is None:
            return []
        if log.whole:
            found = list(read.tables(files.blocks(source), format_, log.number, log.account))
            log.position, log.done = log.account.bytes, True
        else:
            piece = self._piece(log, source, format_)
            found = self._units(log, format_, piece) if piece else []
        for events in found:
            latest = _latest(events)
            if latest is not None:
                log.last = latest if log.last is None else max(log.last, latest)
        return found

    def _piece(self, log: Followed, source: Source, format_: Format) -> bytes:
        """Whole lines, or entries, from the position on; nothing when there are none now."""
        plain = source.remote is None and files.codec(source) == "plain"
        if plain:
            try:
                with source.path.open("rb") as file:
                    file.seek(log.position)
                    data = more = file.read(PIECE)
                    while len(more) == PIECE and not _end(data, format_) and len(data) <= MAX_LINE:
                        more = file.read(PIECE)
                        data += more
                    log.done = len(more) < PIECE
            except OSError:  # it went away between two looks
                data, log.done = b"", True
        else:
            data = self._unpacked(log, source, format_)
        end = _end(data, format_)
        finished = not plain or not self._grow or log.ended
        if (not end and len(data) > MAX_LINE) or (log.done and finished):
            end = len(data)
        log.open = end < len(data)
        log.rest = b"" if plain else data[end:]
        return data[:end]

    def _unpacked(self, log: Followed, source: Source, format_: Format) -> bytes:
        if log.stream is None:
            log.stream, log.rest = _after(files.blocks(source, PIECE), log.position), b""
        try:
            return log.rest + next(log.stream)
        except StopIteration:
            log.done = True
            return log.rest
        except files.CutOff:  # it is still being written, or damaged: what comes may be read when it has come
            log.done, log.stream = True, None
            return log.rest[: _end(log.rest, format_)]

    def _units(self, log: Followed, format_: Format, piece: bytes) -> list[pa.Table]:
        account = read.Account()
        base = log.position - len(log.prefix)
        found = [
            _moved(events, base) for events in read.tables([log.prefix + piece], format_, log.number, account)
        ]  # fmt: skip
        for reason, places in account.places.items():
            log.account.unreadable[reason] = log.account.unreadable.get(reason, 0) + account.unreadable[reason]
            log.account.places.setdefault(reason, [place + base for place in places])
        log.account.events += account.events
        log.position += len(piece)
        if format_.heading is not None:
            more = b"".join(line for line in piece.splitlines(keepends=True) if line.startswith(b"#"))
            if more and len(log.prefix) + len(more) <= _PREFIX and more not in log.prefix:
                log.prefix += more
        return found

    # ---- where it stands

    def dump(self) -> list[list[Any]]:
        """As lists, texts, bytes and numbers."""
        return [
            [
                log.number,
                log.name,
                log.known,
                log.digest,
                log.position,
                log.last,
                log.prefix,
                list(log.mark),
                log.done,
                log.before,
                log.open,
            ]
            for log in self.logs
        ]

    def load(self, kept: list[list[Any]]) -> None:
        """The way back."""
        self.logs = []
        for number, name, known, digest, position, last, prefix, mark, *rest in kept:
            self.logs.append(Followed(number, name, known, digest, position, last, prefix, tuple(mark), *rest))
        self._named = {log.name: log for log in self.logs}
        self.names = {log.number: log.name for log in self.logs}
        self._next = max(self.names, default=-1) + 1


def _end(data: bytes, format_: Format) -> int:
    """Where the last whole line, or entry, of it ends."""
    return entries_end(data) if format_.unit == "entries" else data.rfind(b"\n") + 1


def _same(log: Followed, head: bytes | None) -> bool:
    """Whether a look at a log's name found the log: nothing has changed, or it begins as it did."""
    return head is None or log.is_of(head)


def _mark(source: Source) -> tuple[int, int, int]:
    if source.remote is not None:
        return source.remote.size, 0, 0
    status = source.path.stat()
    return status.st_size, status.st_mtime_ns, status.st_ino


def _digest(head: bytes) -> bytes:
    return hashlib.blake2b(head, digest_size=16).digest()


def _after(blocks: Iterator[bytes], position: int) -> Iterator[bytes]:
    """The blocks from there on."""
    for block in blocks:
        if position < len(block):
            yield block[position:]
        position = max(0, position - len(block))


def _headings(lines: bytes, format_: Format) -> bytes:
    """The lines at a file's beginning by which the others are read."""
    found = b""
    for line in lines.splitlines(keepends=True):
        first = not found and format_.heading is not None and format_.heading(line.rstrip(b"\r\n")) is not None
        if not first and not (found and line.startswith(b"#")):
            break
        found += line
    return found[:_PREFIX]


def _moved(events: pa.Table, by: int) -> pa.Table:
    """The same, with offsets of the whole log."""
    place = events.column_names.index("record.offset")
    return events.set_column(place, "record.offset", pc.add(events["record.offset"], pa.scalar(by, pa.int64())))


def _latest(events: pa.Table, *, first: bool = False) -> int | None:
    time: int | None = (pc.min if first else pc.max)(events["time"]).as_py() if events.num_rows else None
    return time
