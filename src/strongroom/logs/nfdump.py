"""nfcapd's files of flows, through nfdump's own output where nfdump is installed: their binary form is nobody else's business.

nfdump is run upon the file, and what it prints is the stream that offsets count in, as with any packed file. nfdump(1) describes
the output's words.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from strongroom.logs import network
from strongroom.logs.moment import any_of
from strongroom.logs.record import NO_TIME, NOT_THIS_FORMAT, Read, Unreadable, text

FIELDS = network.FIELDS
MAGIC: Final = b"\x0c\xa5"
NOT_INSTALLED: Final = Unreadable("flows of nfcapd need nfdump, which is not installed")

_WORDS: Final = ("ts", "te", "sa", "da", "sp", "dp", "pr", "ipkt", "ibyt", "opkt", "obyt")
_FORM: Final = "fmt:" + ",".join(f"%{word}" for word in _WORDS)
_CSV: Final = frozenset({"ts", "te", "sa", "da", "ipkt", "ibyt"})


def installed() -> bool:
    """Whether there is an nfdump to be asked."""
    return shutil.which("nfdump") is not None


@contextmanager
def printed(path: Path) -> Iterator[IO[bytes]]:
    """What nfdump prints of a file: a line a flow, addresses whole, numbers plain, times UTC."""
    command = ("nfdump", "-r", str(path.resolve()), "-q", "-6", "-N", "-o", _FORM)
    environment = {**os.environ, "TZ": "UTC"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment) as running:  # noqa: S603  # a fixed command; the path is one argument
        try:
            assert running.stdout is not None  # noqa: S101  # a pipe was asked for
            yield running.stdout
        finally:
            running.kill()


def heading(first: bytes) -> Callable[[bytes], Read] | None:
    """How to read the lines below the first one of nfdump's own CSV (`-o csv`); None when it is none."""
    names = text(first).split(",")
    return (lambda unit: _line(unit, names)) if set(names) >= _CSV else None


def parse(unit: bytes) -> Read:
    """One line of the form that `printed` asks for."""
    return _line(unit, list(_WORDS))


def _line(unit: bytes, names: list[str]) -> Read:
    cells = [cell.strip() for cell in text(unit).split(",")]
    if len(cells) != len(names):
        return NOT_THIS_FORMAT
    said = dict(zip(names, cells, strict=True))
    time, end = any_of(said["ts"]), any_of(said["te"])
    if time is None:
        return NO_TIME
    protocol = said.get("pr", "").lower()
    counts = {name: network.whole(said.get(name)) for name in ("sp", "dp", "ipkt", "ibyt", "opkt", "obyt")}
    two_ways = bool(counts["opkt"] or counts["obyt"])  # nfdump prints 0 where a flow counts one way only
    return network.row(
        time=time, end=end, uid=None, source=said["sa"], source_port=counts["sp"], target=said["da"], target_port=counts["dp"],
        protocol=network.PROTOCOLS.get(protocol, network.whole(protocol)), direction=None, action=None,
        sent=counts["ibyt"], received=counts["obyt"] if two_ways else None, packets=counts["ipkt"],
        packets_back=counts["opkt"] if two_ways else None,
    )  # fmt: skip


def missing(_: bytes) -> Unreadable:
    """A file of nfcapd's where there is no nfdump."""
    return NOT_INSTALLED
