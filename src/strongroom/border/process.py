"""What a process can really reach: tried in its place, by a child that has its user and its namespaces and nothing else.

The child is this module as a program. It loads what it needs, enters, becomes the user for good, tries, and tells how each try
ended. It says nothing to what it reaches: a connection is opened and closed (of UDP: an empty datagram), a file is not read.
"""

import errno
import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from strongroom.border import kernel
from strongroom.errors import OperationError

PATIENCE = 10.0
"""Seconds after which what has not answered counts as not reached."""
REACHED = "reached"
SILENT = "silent"
_GRACE = 60.0
"""Seconds for the child to start on a busy machine."""


@dataclass(frozen=True, slots=True)
class Seat:
    """A process's place: its user, groups, namespaces to enter (paths, the mount namespace last), control group ("": ours)."""

    uid: int
    groups: tuple[int, ...] = ()
    namespaces: tuple[str, ...] = ()
    cgroup: str = ""


@dataclass(frozen=True, slots=True)
class Tries:
    """What to try. `tcp`, `udp`: address and port; `sockets`, `files`: paths; `memory`: process ids."""

    tcp: tuple[tuple[str, int], ...] = ()
    udp: tuple[tuple[str, int], ...] = ()
    sockets: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    memory: tuple[int, ...] = ()


Ends = dict[str, str]
"""What was tried, as `kind target`, -> `reached`, `silent`, or the system's word for the error."""


def attempt(seat: Seat, tries: Tries, patience: float = PATIENCE) -> Ends:
    """Try all of it in that place. Raises OperationError when nobody could get there."""
    order = json.dumps({"seat": asdict(seat), "tries": asdict(tries), "patience": patience})
    try:
        done = subprocess.run(  # noqa: S603  # our own interpreter and module
            [sys.executable, "-m", __name__], input=order, capture_output=True, text=True,
            timeout=patience + _GRACE, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        msg = f"What user {seat.uid} can reach could not be tried: it took too long."
        raise OperationError(msg) from error
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        msg = f"What user {seat.uid} can reach could not be tried: {said[0]}"
        raise OperationError(msg)
    found: Ends = json.loads(done.stdout)
    return found


def seat_of(pid: int, uid: int, groups: tuple[int, ...]) -> Seat:
    """The place of a running process. Namespaces that are ours too are left out. Raises OSError when it is gone."""
    own, its = Path("/proc/self/ns"), Path(f"/proc/{pid}/ns")
    names = [one for one in ("net", "mnt") if (own / one).readlink() != (its / one).readlink()]
    group = Path(f"/proc/{pid}/cgroup").read_text().rpartition("0::")[2].strip()
    mine = Path("/proc/self/cgroup").read_text().rpartition("0::")[2].strip()
    procs = Path(f"/sys/fs/cgroup{group}/cgroup.procs")
    cgroup = str(procs) if group and group != mine and procs.exists() else ""
    return Seat(uid, groups, tuple(str(its / one) for one in names), cgroup)


def _sit(seat: Seat) -> None:
    handles = [os.open(one, os.O_RDONLY | os.O_CLOEXEC) for one in seat.namespaces]
    if seat.cgroup:
        Path(seat.cgroup).write_text(str(os.getpid()))
    for handle in handles:
        kernel.enter(handle)
    if os.geteuid() == 0:
        os.setgroups(seat.groups)
        os.setresgid(seat.uid, seat.uid, seat.uid)
        os.setresuid(seat.uid, seat.uid, seat.uid)
    kernel.no_new_privileges()


def _tried(tries: Tries, patience: float) -> Ends:
    """Everything on the network at once; what is on this machine answers without delay."""
    found = _connected(tries.tcp, socket.SOCK_STREAM, patience) | _connected(tries.udp, socket.SOCK_DGRAM, patience)
    for path in tries.sockets:
        with socket.socket(socket.AF_UNIX) as one:
            one.settimeout(patience)
            try:
                one.connect(path)
                found[f"socket {path}"] = REACHED
            except OSError as error:
                found[f"socket {path}"] = _word(error.errno)
    opened = [(f"file {path}", path) for path in tries.files]
    opened += [(f"memory {pid}", f"/proc/{pid}/mem") for pid in tries.memory]  # the kernel decides when it is opened
    for name, path in opened:
        try:
            os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
            found[name] = REACHED
        except OSError as error:
            found[name] = _word(error.errno)
    return found


def _connected(ends: Sequence[tuple[str, int]], kind: socket.SocketKind, patience: float) -> Ends:
    """TCP: whether the other side accepts. UDP: whether anything comes back for an empty datagram."""
    name = "tcp" if kind is socket.SOCK_STREAM else "udp"
    waiting: dict[int, tuple[socket.socket, str]] = {}
    found: Ends = {}
    poll = select.poll()
    for host, port in ends:
        target = f"{name} {host} {port}"
        try:
            one = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind)
        except OSError as error:  # a unit that may not even make one
            found[target] = _word(error.errno)
            continue
        one.settimeout(0)
        failed = one.connect_ex((host, port))
        if name == "udp" and not failed:
            failed = _sent(one)
        if failed not in {0, errno.EINPROGRESS}:
            found[target] = _word(failed)
            one.close()
            continue
        waiting[one.fileno()] = one, target
        poll.register(one, select.POLLOUT if name == "tcp" else select.POLLIN)
    end = time.monotonic() + patience
    while waiting and (left := end - time.monotonic()) > 0:
        for handle, _ in poll.poll(left * 1000):
            one, target = waiting.pop(handle)
            poll.unregister(handle)
            failed = one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            found[target] = _word(failed) if failed else REACHED
            one.close()
    for one, target in waiting.values():
        found[target] = SILENT
        one.close()
    return found


def _sent(one: socket.socket) -> int:
    try:
        one.send(b"")
    except OSError as error:
        return error.errno or errno.EIO
    return 0


def _word(number: int | None) -> str:
    return errno.errorcode.get(number or 0, "error")


def main() -> None:
    """The child."""
    order = json.load(sys.stdin)
    seat = Seat(**order["seat"])
    _sit(seat)
    print(json.dumps(_tried(Tries(**order["tries"]), order["patience"])))  # noqa: T201  # what the parent reads


if __name__ == "__main__":
    main()
