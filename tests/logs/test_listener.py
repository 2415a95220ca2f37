"""Places to listen at, and the processes that do."""

import os
import socket
import time
from pathlib import Path

import pytest

from strongroom.errors import OperationError, UsageError
from strongroom.logs import listener
from strongroom.logs.listener import Listener, place
from tests.logs.test_exporter import five

LIMIT = 60.0


def test_places() -> None:
    """Only this machine is heard where nobody is named."""
    found = place("netflow://127.0.0.1:2055")
    assert (found.host, found.port, [str(one) for one in found.exporters]) == ("127.0.0.1", 2055, ["127.0.0.1/32"])
    assert str(place("netflow://[::1]:2055/").exporters[0]) == "::1/128"
    found = place("netflow://[::]:4739?from=192.0.2.1,2001:db8::/32")
    assert (found.host, [str(one) for one in found.exporters]) == ("::", ["192.0.2.1/32", "2001:db8::/32"])


@pytest.mark.parametrize(
    "address",
    [
        "netflow://", "netflow://127.0.0.1", "netflow://router:2055", "netflow://127.0.0.1:99999", "netflow://0.0.0.0:2055",
        "netflow://0.0.0.0:2055?from=", "netflow://0.0.0.0:2055?from=router", "netflow://127.0.0.1:1?form=192.0.2.1",
        "netflow://u@127.0.0.1:1", "netflow://127.0.0.1:1/x", "netflow://0.0.0.0:1?from=192.0.2.1/24",
    ],
)  # fmt: skip
def test_what_is_no_place(address: str) -> None:
    """Names, no port, everybody, words that mean nothing: refused with what to write."""
    with pytest.raises(UsageError):
        place(address)


def test_a_process_listens_and_is_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When it was killed; at the end it has written down what came."""
    monkeypatch.setattr(listener, "AGAIN", 0.0)
    said: list[str] = []
    one = Listener(place("netflow://127.0.0.1:0"), tmp_path, said.append)
    os.kill(one._process.pid, 9)
    end = time.monotonic() + LIMIT
    while len(said) < 3:
        one.sweep(lambda _: False)
        assert time.monotonic() < end
    assert said[1] == "Listening at 127.0.0.1 port 0 ended (-9); it is begun again."
    port = int(said[2].split()[4])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as exporter:
        exporter.sendto(five(0, 3), ("127.0.0.1", port))
    one.close()
    assert sum(path.read_bytes().count(b"\n") for path in one.folder.iterdir()) == 3


def test_where_nothing_can_be_listened_to(tmp_path: Path) -> None:
    """It is said why."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        where = place(f"netflow://127.0.0.1:{other.getsockname()[1]}")
        with pytest.raises(OperationError, match="Address already in use"):
            Listener(where, tmp_path, print)
    (tmp_path / "file").touch()
    with pytest.raises(OperationError, match="cannot be kept"):
        Listener(where, tmp_path / "file", print)
