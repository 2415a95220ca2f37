"""Datagrams, received by real sockets."""

import ipaddress
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.fuzz.lines import FILES
from strongroom.logs import journal, udp
from strongroom.logs.datagrams import datagrams
from strongroom.logs.udp import Ear, main
from tests.logs.test_exporter import TOLD, data, five, ipfix

FIVE, NINE, TEN = (unit for _, _, unit in datagrams([FILES["netflow"]]) if unit)
HERE = (ipaddress.ip_network("127.0.0.1"),)


@pytest.fixture
def ear(tmp_path: Path) -> Iterator[Ear]:
    """One that hears this machine."""
    found = Ear(tmp_path / "flows", "127.0.0.1", 0, HERE)
    yield found
    found.close()


def send(to: Ear, *units: bytes) -> None:
    """From a socket of its own."""
    with socket.socket(to.socket.family, socket.SOCK_DGRAM) as exporter:
        for unit in units:
            exporter.sendto(unit, to.socket.getsockname())


def written(ear: Ear) -> list[bytes]:
    """All lines of all files."""
    return [line for path in ear._journal.files() for line in path.read_bytes().splitlines()]


def test_flows_become_lines(ear: Ear) -> None:
    """Of all versions, from one socket; IPFIX by the port it comes from, the others by the address."""
    send(ear, FIVE, NINE, TEN, b"", b"junk", FIVE)
    ear.receive()
    ear.write()
    assert [b'"bytes_out":24928' in line for line in written(ear)] == [True] * 3
    assert list(ear.news()) == ["2 datagrams or flows of 127.0.0.1 could not be read."]
    send(ear, ipfix(0, TOLD))
    send(ear, ipfix(0, data(1)))
    ear.receive()
    ear.write()
    assert len(written(ear)) == 3
    assert list(ear.news()) == ["Datagrams of 127.0.0.1 wait for their template."]


def test_strangers_are_not_heard(tmp_path: Path) -> None:
    """They are counted, and nothing of them is looked at."""
    with_others = Ear(tmp_path, "127.0.0.1", 0, (ipaddress.ip_network("192.0.2.0/24"),))
    send(with_others, FIVE, b"junk")
    with_others.receive()
    with_others.write()
    assert written(with_others) == []
    assert list(with_others.news()) == ["2 datagrams came from addresses outside from=, and were not read."]
    with_others.close()


def test_what_was_lost_is_said_when_it_begins_and_when_it_has_doubled(ear: Ear) -> None:
    """And not each time."""
    said: list[list[str]] = []
    for number in (0, 2, 4, 8, 20):
        send(ear, five(number, 1, 7 if number == 4 else 0))
        ear.receive()
        ear.write()
        said.append(list(ear.news()))
    rate = "127.0.0.1 looks at a part of its packets: its counts are multiplied, and estimates."
    lost = "{} flows of 127.0.0.1 were lost on the way."
    assert said == [[], [lost.format(1)], [lost.format(2), rate], [lost.format(5)], [lost.format(16)]]


def test_what_nobody_reads_is_let_go(ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rather than to fill the disk; and is heard again when there is room."""
    monkeypatch.setattr(udp, "SIZE", 1)
    many = journal.KEPT + journal.UNREAD
    for number in range(many + 2):
        send(ear, five(number, 1))
        ear.receive()
        ear.write()
    assert len(written(ear)) == many
    assert list(ear.news()) == ["2 flows were let go: the watch has too many to read."]
    ear._journal.sweep(lambda _: True)
    send(ear, five(many + 2, 1))
    ear.receive()
    ear.write()
    assert len(written(ear)) == journal.KEPT + 2


def test_exporters_and_what_is_not_read_yet_are_bounded(ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are, and however fast."""
    monkeypatch.setattr(udp, "EXPORTERS", 3)
    for _ in range(5):
        send(ear, TEN)
    ear.receive()
    ear.write()
    assert len(ear._exporters) == 3
    monkeypatch.setattr(udp, "QUEUE", 10)
    send(ear, five(0, 1), five(1, 1))
    ear.receive()
    assert len(ear._queue) == 1
    ear.write()
    ear.receive()
    assert len(ear._queue) == 1


def test_it_listens_until_it_is_told_to_end(ear: Ear) -> None:
    """What has come by then is written down."""
    read, write = os.pipe()
    thread = threading.Thread(target=ear.serve, args=(read,))
    thread.start()
    send(ear, *(five(number, 1) for number in range(100)))
    os.close(write)
    thread.join(60)
    os.close(read)
    assert len(written(ear)) == 100


def test_version_six(tmp_path: Path) -> None:
    """Is an address like any other."""
    ear = Ear(tmp_path, "::1", 0, (ipaddress.ip_network("::1"),))
    send(ear, FIVE)
    ear.receive()
    ear.write()
    assert b'"reporter":{"ip":"::1"}' in written(ear)[0]
    ear.close()


def test_an_address_that_is_taken_is_said(ear: Ear, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And nothing is listened to."""
    assert main([str(tmp_path / "b"), "127.0.0.1", str(ear.socket.getsockname()[1]), "127.0.0.1"]) == 3
    assert capsys.readouterr().out == "Address already in use\n"
