"""What each running process can really reach, tried in its place, against the table of processes (`border/table.py`)."""

import contextlib
import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from strongroom.border.dns import ask
from strongroom.border.process import REACHED, Ends, Tries, attempt, seat_of
from strongroom.border.table import FACES, Book, Borders, End, Row, addresses, declare
from strongroom.config import Config, Layout
from strongroom.errors import OperationError
from strongroom.wiring.finding import Finding

MOST_FILES = 100
"""Of one directory that are tried one by one: it may be open to be passed through, and they open to be read."""
SHOWN = 4
"""Ends that one finding names."""
CLOSE = "Load rules: strongroom network --format nftables (docs/network.md)."
TIGHTEN = "Run: chmod, chown as `strongroom doctor` says under permissions; look at who changed it."


@dataclass(frozen=True, slots=True)
class Around:
    """What there is to try, besides the table. `ours`: ports that we listen on ourselves; `outside`: an address, and a port."""

    book: Book
    ours: tuple[tuple[str, int], ...]
    outside: tuple[str, int] | None
    pids: dict[str, int]


def reach(config: Config, layout: Layout, outside: tuple[str, int] | None) -> Iterator[Finding]:
    """A finding for each process: as the table says, or what it reaches besides. `outside`: what nobody should reach."""
    borders = declare(config, layout)
    if not borders.separate:
        yield Finding("reach", "warn", "not tried: all processes are one user, and may do what that user may")
        return
    if os.geteuid() != 0:
        yield Finding("reach", "warn", "not tried: only root can be in other processes' places", "Run as root.")
        return
    book: dict[str, tuple[str, ...]] = {}
    for host in borders.hosts:
        try:
            book[host] = ask(host)
        except OperationError as error:
            yield Finding("reach", "warn", f"not tried: {error.message}", error.advice)
    pids = {row.name: pid for row in borders.rows if row.uid for pid in [running(row, layout.root)] if pid}
    with contextlib.ExitStack() as stack:
        ours = tuple(stack.enter_context(_listening(address)) for address in ("127.0.0.1", *own_address()))
        around = Around(book, tuple(one.getsockname()[:2] for one in ours), outside, pids)
        rows = [row for row in borders.rows if row.name in pids]
        with ThreadPoolExecutor() as pool:
            for row, found in zip(
                rows, pool.map(lambda row: _findings(borders, row, around, config), rows), strict=True
            ):
                yield from found
                if not found:
                    yield Finding(f"reach of {row.name}", "ok", "what the table lists, and nothing else that was tried")
    for row in borders.rows:
        if row.uid and row.name not in pids and _needed(row):
            yield Finding(f"reach of {row.name}", "warn", "not tried: it does not run under its user")
    if outside is None:
        yield Finding(
            "reach outside",
            "warn",
            "not tried",
            "Name an address that answers: strongroom doctor --outside ADDRESS:PORT",
        )


def running(row: Row, store: Path) -> int | None:
    """The process of a row: by its user and its command. None where it does not run."""
    for entry in sorted(Path("/proc").iterdir()):
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and entry.stat().st_uid == row.uid:
                words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
                if row.name == FACES or {"run", row.name, str(store)} <= set(words):
                    return int(entry.name)
    return None


def own_address() -> tuple[str, ...]:
    """The address that others would know this machine by, if it has one. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one, contextlib.suppress(OSError):
        one.connect(("192.0.2.1", 9))
        return (str(one.getsockname()[0]),)
    return ()


def _needed(row: Row) -> bool:
    """Whether this store has the process: one that nobody comes to, and that has nowhere to go, is not started."""
    return bool(row.listens or row.process.offers or any(end.place != "resolvers" for end in row.connects))


def _listening(address: str) -> socket.socket:
    one = socket.socket()
    one.bind((address, 0))
    one.listen(64)
    return one


def _findings(borders: Borders, row: Row, around: Around, config: Config) -> list[Finding]:
    wanted = _wanted(borders, row, around.book)
    memory = tuple(pid for name, pid in around.pids.items() if name != row.name)
    ends = [(address, port) for _, address, port in _ends(borders, around)]
    tries = Tries(
        tcp=tuple(dict.fromkeys([*([around.outside] if around.outside else []), *ends, *around.ours])),
        sockets=tuple(str(path) for path in borders.sockets.values() if path.exists()),
        files=tuple(_closed_files(borders, row)),
        memory=(*memory, os.getpid()),
    )
    try:
        found = attempt(seat_of(around.pids[row.name], row.uid, row.groups), tries)
    except (OperationError, OSError) as error:
        return [Finding(f"reach of {row.name}", "warn", f"not tried: {error}")]
    names = _names(borders, around)
    told = {names.get(name, name): end for name, end in found.items()}
    return list(
        _judged(row, told, {names.get(name, name) for name in wanted}, demonstration=config.store.demonstration)
    )


def _names(borders: Borders, around: Around) -> dict[str, str]:
    """What `attempt` tried, in words of the table."""
    found = {f"tcp {host} {port}": f"whatever listens on {host}" for host, port in around.ours}
    if around.outside is not None:
        found["tcp {} {}".format(*around.outside)] = "outside {}:{}".format(*around.outside)
    for end, address, port in _ends(borders, around):
        found[f"tcp {address} {port}"] = f"{end.place} {address}:{port}"
    return found


def _judged(row: Row, ends: Ends, wanted: set[str], *, demonstration: bool) -> Iterator[Finding]:
    """More than the table lists is bad; on the network of a demonstration, whose machine nobody closed, it is worth a word."""
    what = f"reach of {row.name}"
    more = [name for name, end in ends.items() if end == REACHED and name not in wanted]
    network = [name for name in more if not name.startswith(("socket", "file", "memory"))]
    if network:
        yield Finding(what, "warn" if demonstration else "bad", f"not in the table: {_shown(network)}", CLOSE)
    local = [name for name in more if name not in network]
    if local:
        yield Finding(what, "bad", f"not in the table: {_shown(local)}", TIGHTEN)
    less = [name for name in sorted(wanted) if ends.get(name, REACHED) != REACHED]
    if less:
        said = _shown([f"{name} ({ends[name]})" for name in less])
        yield Finding(
            what, "warn", f"in the table, and not reached: {said}", "Is it there, and do the rules know where?"
        )


def _shown(names: list[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _wanted(borders: Borders, row: Row, book: Book) -> frozenset[str]:
    """What the table lists for the process's user, in the words of `attempt`."""
    rows = borders.uids()[row.uid]
    ends = [end for one in rows for end in one.connects if end.host in book or end.host not in borders.hosts]
    tcp = {f"tcp {_local(address)} {end.port}" for end in ends for address in addresses(end, book)}
    return frozenset(tcp | {f"socket {path}" for one in rows for path in (*one.opens, *borders.offered(one))})


def _ends(borders: Borders, around: Around) -> Iterator[tuple[End, str, int]]:
    for place in borders.places.values():
        for end in place:
            if end.host in around.book or end.host not in borders.hosts:
                yield from ((end, _local(address), end.port) for address in addresses(end, around.book))


def _local(address: str) -> str:
    """Where what listens on every address is reached on this machine."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)  # noqa: S104  # listened on by whoever configured it


def _closed_files(borders: Borders, row: Row) -> Iterator[str]:
    """What is not this process's, as root sees it: directories, and what lies in them."""
    for path in borders.closed(row.uid):
        if path.is_socket():
            continue
        if path.exists():
            yield str(path)
        if path.is_dir():
            yield from (str(one) for one in islice(path.rglob("*"), MOST_FILES) if one.is_file())
