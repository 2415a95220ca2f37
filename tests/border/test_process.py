"""What is tried in another's place is told as it ended."""

import os
import socket
from pathlib import Path

import pytest

from strongroom.border.process import REACHED, SILENT, Seat, Tries, attempt, seat_of
from strongroom.errors import OperationError


def test_each_kind_of_try_tells_how_it_ended(tmp_path: Path) -> None:
    """What is there is reached; what is not, or is closed, has the system's own word."""
    (tmp_path / "open").touch()
    with (
        socket.socket() as tcp,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        socket.socket(socket.AF_UNIX) as unix,
    ):
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        udp.bind(("127.0.0.1", 0))
        unix.bind(str(tmp_path / "s"))
        unix.listen()
        here, silent = tcp.getsockname(), udp.getsockname()
        tries = Tries(
            tcp=(here, ("127.0.0.1", 1)), udp=(silent, ("127.0.0.1", 1)),
            sockets=(str(tmp_path / "s"), str(tmp_path / "none")), files=(str(tmp_path / "open"), str(tmp_path / "none")),
            memory=(2**22 + 1,),
        )  # fmt: skip
        found = attempt(Seat(os.geteuid()), tries, 0.2)
    assert found == {
        f"tcp 127.0.0.1 {here[1]}": REACHED, "tcp 127.0.0.1 1": "ECONNREFUSED",
        f"udp 127.0.0.1 {silent[1]}": SILENT, "udp 127.0.0.1 1": "ECONNREFUSED",
        f"socket {tmp_path}/s": REACHED, f"socket {tmp_path}/none": "ENOENT",
        f"file {tmp_path}/open": REACHED, f"file {tmp_path}/none": "ENOENT",
        f"memory {2**22 + 1}": "ENOENT",
    }  # fmt: skip


def test_another_user_is_really_another(tmp_path: Path) -> None:
    """Root's files and root's memory are closed to whoever sits elsewhere."""
    if os.geteuid() != 0:
        return  # nobody else can be anybody else
    tmp_path.chmod(0o700)
    found = attempt(Seat(61_001), Tries(files=(str(tmp_path),), memory=(os.getpid(),)))
    assert set(found.values()) == {"EACCES"}


def test_a_place_that_cannot_be_entered_is_said() -> None:
    """Nothing is taken for closed because nobody could try."""
    with pytest.raises(OperationError, match="could not be tried"):
        attempt(Seat(0, (), ("/proc/self/ns/none",)), Tries())


def test_our_own_place_needs_no_entering() -> None:
    """Namespaces that are ours too are not entered again."""
    assert seat_of(os.getpid(), 61_001, (5,)) == Seat(61_001, (5,))
