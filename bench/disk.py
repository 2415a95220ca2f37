"""Power loss: what was on the disk at any moment of a real run, out of a record of every file operation (strace).

A record holds when each system call began and ended, and the bytes that were written. From the files as they were before,
`Disk` plays the record up to a moment and knows then what is durable, and what is only in memory:

* The bytes and the length of a file are durable when an fsync or fdatasync of it, begun after they were written, has
  returned. Until then each write may be on the disk or not, in any order, whole or by sectors of 512 bytes, or as
  zeros where the file grew.
* A name (made, moved, linked, removed) is durable when an fsync of its folder has returned. Until then the changes of
  one folder may be on the disk up to any of them. Folders are independent of each other and of the files' bytes.

That is less than ext4, XFS or btrfs promise: a store that bears this bears them. What is not modelled: a disk that says
synced and is not (`lying`, which the tests use to see that the loss is then found), and bytes that rot.
"""

import os
import random
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

SECTOR = 512
PATIENCE = 60.0
"""Seconds for a tracer to write what it has."""
FOREVER = float("inf")
SHARED = "-shm"
"""SQLite's index of the WAL lives in shared memory; the first who opens the database after a start makes it anew."""
CALLS = (
    "openat,open,creat,close,dup,dup2,dup3,fcntl,write,pwrite64,writev,pwritev,pwritev2,ftruncate,truncate,fallocate,"
    "rename,renameat,renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat,rmdir,fsync,fdatasync,syncfs,sync,lseek,"
    "copy_file_range,sendfile,clone,clone3,fork,vfork"
)
OPENING = frozenset({"openat", "open", "dup", "dup2", "dup3", "fcntl"})
UNKNOWN = frozenset({"copy_file_range", "sendfile", "pwritev", "pwritev2", "syncfs", "sync", "creat", "truncate"})
"""Calls that the model has no answer for; none of our programs makes them upon a store's file."""


def recording(folder: Path) -> tuple[str, ...]:
    """What to put before a program, so that its file operations are recorded in `folder`, one file a process.

    The program stays the child of whoever started it (-D): signals reach it, and its end is told.
    """
    traced = f"exec strace -D -f -q -ttt -T -xx -s 100000000 --seccomp-bpf -e trace={CALLS}"
    return ("sh", "-c", f'{traced} -o "$0/$$" "$@"', str(folder))


# ---- the record -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Call:
    """One system call that succeeded."""

    start: float
    end: float
    process: int
    name: str
    arguments: str
    result: int

    @property
    def effect(self) -> float:
        """When it counts. A number that was free when a file was opened may have been closed by another thread meanwhile."""
        return self.end if self.name in OPENING else self.start


_LINE = re.compile(r"(?P<process>\d+) +(?P<start>\d+\.\d+) (?P<rest>.*)")
_WHOLE = re.compile(r"(?P<name>\w+)\((?P<arguments>.*)\) += (?P<result>-?\d+|0x[0-9a-f]+)[^<]*<(?P<took>[\d.]+)>")
_BEGUN = re.compile(r"(?P<name>\w+)\((?P<arguments>.*?),? *<unfinished \.\.\.>")
_ENDED = re.compile(r"<\.\.\. (?P<name>\w+) resumed>,? *(?P<arguments>.*)")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


def read(folder: Path) -> list[Call]:
    """Every call of every process, in the order of their effects. Waits until every process has ended."""
    return sorted((call for path in folder.iterdir() for call in _calls(path)), key=lambda call: call.effect)


def _calls(path: Path) -> Iterator[Call]:
    _finished(path)
    begun: dict[str, tuple[float, str, str]] = {}
    with path.open() as lines:
        for line in lines:
            if (found := _LINE.fullmatch(line.rstrip("\n"))) is None:
                continue
            process, start, rest = found["process"], float(found["start"]), found["rest"]
            if (first := _BEGUN.fullmatch(rest)) is not None:
                begun[process] = (start, first["name"], first["arguments"])
                continue
            if (later := _ENDED.fullmatch(rest)) is not None:
                start, name, arguments = begun.pop(process, (start, later["name"], ""))
                joined = (
                    f"{arguments}, {later['arguments']}"
                    if not later["arguments"].startswith(")")
                    else (f"{arguments}{later['arguments']}")
                )
                rest = f"{name}({joined}"
            if (whole := _WHOLE.fullmatch(rest)) is not None:
                result = int(whole["result"], 0)
                if result >= 0:
                    yield Call(
                        start, start + float(whole["took"]), int(process), whole["name"], whole["arguments"], result
                    )


def _finished(path: Path) -> None:
    """Waits for the tracer, which writes the end of its process last. Raises TimeoutError."""
    end = time.monotonic() + PATIENCE
    last = re.compile(rb"%s +[\d.]+ \+\+\+ .*\n" % path.name.encode())
    while True:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 200))
            lines = file.readlines()
        if lines and last.fullmatch(lines[-1]):
            return
        if time.monotonic() > end:
            raise TimeoutError(path)
        time.sleep(0.05)


def _bytes(arguments: str) -> list[bytes]:
    return [bytes.fromhex(text.replace("\\x", "")) for text in _TEXT.findall(arguments)]


def _paths(arguments: str) -> list[str]:
    return [os.fsdecode(raw) for raw in _bytes(arguments)]


def _number(arguments: str, place: int) -> int:
    """An argument that stands after all texts, counted from the end when negative."""
    return int(_TEXT.sub('""', arguments).split(",")[place].strip(), 0)


# ---- what the record says of files ----------------------------------------------------------------------------------


@dataclass(slots=True)
class Change:
    """A write or a new length, not yet durable. `end`: when the call had returned."""

    end: float
    kind: Literal["write", "length"]
    place: int
    data: bytes = b""


@dataclass(slots=True, eq=False)
class Node:
    """A file. `source`: its content before the record, read when it is needed."""

    source: Path | None = None
    durable: bytearray | None = None
    pending: list[Change] = field(default_factory=list)
    size: int = 0

    def content(self) -> bytearray:
        """What is durable."""
        if self.durable is None:
            self.durable = bytearray(self.source.read_bytes() if self.source is not None else b"")
        return self.durable


@dataclass(slots=True, eq=False)
class Folder:
    """A folder: names as they are now, names as they are on the disk, and the changes between, in order."""

    now: dict[str, "Node | Folder"] = field(default_factory=dict)
    durable: dict[str, "Node | Folder"] = field(default_factory=dict)
    pending: list[tuple[float, dict[str, "Node | Folder | None"]]] = field(default_factory=list)

    def change(self, end: float, names: dict[str, "Node | Folder | None"]) -> None:
        """Names that come, or go (None), in one step."""
        _rename(self.now, names)
        self.pending.append((end, names))


def _rename(names: dict[str, Node | Folder], changes: dict[str, Node | Folder | None]) -> None:
    for name, there in changes.items():
        if there is None:
            names.pop(name, None)
        else:
            names[name] = there


@dataclass(slots=True)
class _Open:
    """An open file description: where the next `write` goes."""

    node: Node | Folder
    place: int = 0
    append: bool = False


class Disk:
    """The files below `root`, of which `base` is a copy from before the record."""

    def __init__(self, root: Path, base: Path, *, lying: bool = False) -> None:
        self._root = root
        self._lying = lying
        self._top = _load(base)
        self._tables: dict[int, dict[int, _Open]] = {}
        self._until = FOREVER

    def play(self, calls: list[Call], until: float) -> None:
        """Everything that began before `until`. What had not returned by then is not durable."""
        self._until = until
        for call in calls:
            if call.start < until:
                self._do(call)

    def _do(self, call: Call) -> None:
        table = self._tables.setdefault(call.process, {})
        if call.name in {"clone", "clone3", "fork", "vfork"}:
            self._tables[call.result] = table if "CLONE_FILES" in call.arguments else dict(table)
        elif call.name in {"open", "openat"}:
            self._open(call, table)
        elif call.name == "close":
            table.pop(_number(call.arguments, 0), None)
        elif call.name in {"dup", "dup2", "dup3"} or (call.name == "fcntl" and "F_DUPFD" in call.arguments):
            held = table.get(_number(call.arguments, 0))
            table.pop(call.result, None)
            if held is not None:
                table[call.result] = held
        elif call.name in {"rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat", "rmdir", "mkdir",
                           "mkdirat"}:  # fmt: skip
            self._name(call)
        elif (held := table.get(_first(call.arguments))) is not None:
            self._file(call, held)

    def _open(self, call: Call, table: dict[int, _Open]) -> None:
        [path] = _paths(call.arguments)
        table.pop(call.result, None)
        where = self._find(path)
        if where is None:
            return
        folder, name = where
        node = folder.now.get(name) if name else folder
        if node is None:
            node = Node()
            folder.change(self._end(call), {name: node})
        elif "O_TRUNC" in call.arguments and isinstance(node, Node):
            node.pending.append(Change(self._end(call), "length", 0))
            node.size = 0
        table[call.result] = _Open(node, append="O_APPEND" in call.arguments)

    def _name(self, call: Call) -> None:
        paths = _paths(call.arguments)
        places = [self._find(path) for path in paths]
        end = self._end(call)
        if call.name.startswith(("rename", "link")):
            source, target = places
            if source is None or target is None:
                return
            node = source[0].now[source[1]]
            changes: dict[str, Node | Folder | None] = {target[1]: node}
            if call.name.startswith("rename"):
                if source[0] is target[0]:
                    changes = {source[1]: None, **changes}
                else:
                    source[0].change(end, {source[1]: None})
            target[0].change(end, changes)
        elif places[0] is not None:
            folder, name = places[0]
            folder.change(end, {name: Folder() if call.name.startswith("mkdir") else None})

    def _file(self, call: Call, held: _Open) -> None:
        node, end = held.node, self._end(call)
        if call.name in {"fsync", "fdatasync"}:
            if call.end <= self._until and not self._lying:
                _settle(node, call.start)
            return
        if isinstance(node, Folder):
            return
        if call.name == "lseek":
            held.place = call.result
        elif call.name in {"write", "writev"}:
            data = b"".join(_bytes(call.arguments))[: call.result]
            place = node.size if held.append else held.place
            held.place = place + len(data)
            _write(node, end, place, data)
        elif call.name == "pwrite64":
            _write(node, end, _number(call.arguments, -1), b"".join(_bytes(call.arguments))[: call.result])
        elif call.name in {"ftruncate", "fallocate"}:
            size = _number(call.arguments, -1)
            if call.name == "fallocate":
                size = max(node.size, _number(call.arguments, -2) + size)
            node.pending.append(Change(end, "length", size))
            node.size = size
        elif call.name in UNKNOWN:
            raise NotImplementedError(call.name)

    def _end(self, call: Call) -> float:
        return call.end if call.end <= self._until else FOREVER

    def _find(self, path: str) -> tuple[Folder, str] | None:
        """The folder and the name; None outside the store, in its sockets' folder, and for shared memory."""
        path = os.path.normpath(path)
        if not path.startswith(f"{self._root}/") or path.endswith(SHARED):
            return (self._top, "") if path == str(self._root) else None
        *outer, name = path.removeprefix(f"{self._root}/").split("/")
        folder = self._top
        for one in outer:
            inner = folder.now.get(one)
            if not isinstance(inner, Folder):
                return None
            folder = inner
        return folder, name

    def lose_power(self, target: Path, dice: random.Random) -> None:
        """Lay out in `target` one of the states that the disk may be in now; the emptiest, if it lies."""
        keep = 0.0 if self._lying else dice.choice((0.0, 0.5, 0.5, 0.9, 1.0))
        _lay(self._top, target, dice, keep)


def _first(arguments: str) -> int:
    head = arguments.split(",", 1)[0]
    return int(head) if head.isdecimal() else -1


def _write(node: Node, end: float, place: int, data: bytes) -> None:
    node.pending.append(Change(end, "write", place, data))
    node.size = max(node.size, place + len(data))


def _settle(node: Node | Folder, start: float) -> None:
    """A sync that began at `start` has returned."""
    if isinstance(node, Folder):
        for end, names in node.pending:
            if end <= start:
                _rename(node.durable, names)
        node.pending = [one for one in node.pending if one[0] > start]
        return
    content = node.content()
    for change in node.pending:
        if change.end <= start:
            _apply(content, change)
    node.pending = [change for change in node.pending if change.end > start]


def _apply(content: bytearray, change: Change) -> None:
    if change.kind == "length":
        del content[change.place :]
        content.extend(bytes(change.place - len(content)))
        return
    end = change.place + len(change.data)
    content.extend(bytes(max(0, end - len(content))))
    content[change.place : end] = change.data


def _load(path: Path) -> Folder:
    folder = Folder()
    for entry in os.scandir(path):
        if entry.is_dir(follow_symlinks=False):
            folder.now[entry.name] = _load(Path(entry.path))
        elif entry.is_file(follow_symlinks=False) and not entry.name.endswith(SHARED):
            folder.now[entry.name] = Node(Path(entry.path), size=entry.stat().st_size)
    folder.durable = dict(folder.now)
    return folder


def _lay(folder: Folder, target: Path, dice: random.Random, keep: float) -> None:
    target.mkdir(mode=0o700)
    names = dict(folder.durable)
    survive = len(folder.pending) if keep == 1.0 else 0 if keep == 0.0 else dice.randint(0, len(folder.pending))
    for _, changes in folder.pending[:survive]:
        _rename(names, changes)
    for name, there in names.items():
        place = target / name
        if isinstance(there, Folder):
            _lay(there, place, dice, keep)
        elif there.source is not None and there.durable is None and not there.pending:
            shutil.copy2(there.source, place)
        else:
            place.write_bytes(_torn(there, dice, keep))
            place.chmod(0o600)


def _torn(node: Node, dice: random.Random, keep: float) -> bytes:
    """The file's bytes if power is lost now."""
    content = bytearray(node.content())
    for change in node.pending:
        if dice.random() < keep:
            torn = change.kind == "write" and keep < 1.0 and dice.random() < 0.3
            for one in _sectors(change, dice) if torn else (change,):
                _apply(content, one)
        elif change.kind == "write" and dice.random() < 0.3:  # the file has grown, and the bytes have not come
            content.extend(bytes(max(0, change.place + len(change.data) - len(content))))
    return bytes(content)


def _sectors(change: Change, dice: random.Random) -> Iterator[Change]:
    """Some sectors of a write. A sector is a sector of the disk: it does not begin where the write does."""
    edge = change.place
    end = change.place + len(change.data)
    while edge < end:
        following = min(end, (edge // SECTOR + 1) * SECTOR)
        if dice.random() < 0.5:
            yield Change(change.end, "write", edge, change.data[edge - change.place : following - change.place])
        edge = following
