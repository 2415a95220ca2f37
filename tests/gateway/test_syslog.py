"""What is refused goes to syslog in CEF, on request: one line, escaped, and nobody waits for whoever takes it."""

import re
import socket
from pathlib import Path

import pytest

from strongroom.errors import ConfigError
from strongroom.gateway.cef import cef, line
from strongroom.gateway.datagram import MOST, Datagrams
from strongroom.gateway.modsecurity import Hit
from strongroom.gateway.person import Who
from strongroom.gateway.ports import Asked
from strongroom.gateway.proxy import Event

ASKED = Asked("r1", 1, "letter", Who("s", "p"), "192.0.2.1/32", "d", "document", "4711", "patient-7")
EVENT = Event("r1", 1_795_000_000_000, "GET", "192.0.2.1/32", ASKED, 403, rule="waf-942100", refused=True,
              hits=(Hit(942100, "ARGS:q", 2),))  # fmt: skip


def test_an_event_is_one_line_of_rfc_5424_and_cef() -> None:
    """With the rule, the route, the gateway's names; no document, no patient."""
    said = line(EVENT, "1", "host", 7).decode()
    head, _, event = said.partition(" - ")
    assert re.fullmatch(r"<36>1 2026-11-1\dT[0-9:.]+Z host strongroom-gateway 7 r1", head)
    assert event == (
        "CEF:0|Strongroom|gateway|1|waf-942100|refused by waf-942100|7|rt=1795000000000 externalId=r1 requestMethod=GET "
        "act=blocked outcome=403 src=192.0.2.1 suid=p cs1Label=route cs1=letter cs2Label=session cs2=s "
        "cs3Label=waf cs3=942100:ARGS:q"
    )
    assert "4711" not in said
    assert "patient-7" not in said


def test_what_would_end_a_field_is_escaped() -> None:
    """Bars in the head, signs of equality and line ends in fields."""
    odd = Event("r", 1, "GET", "n", rule="a|b\\c\n", status=404)
    assert cef(odd, "1").startswith(
        "CEF:0|Strongroom|gateway|1|a\\|b\\\\c |would have been refused by a\\|b\\\\c |3|rt=1 "
    )
    assert "\n" not in cef(Event("r=\n", 1, rule="x"), "1")


def test_datagrams_arrive_over_udp_and_over_a_socket(tmp_path: Path) -> None:
    """Each whole, and no longer than receivers take."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as unix,
    ):
        udp.bind(("127.0.0.1", 0))
        unix.bind(str(tmp_path / "log"))
        for receiver, to in ((udp, f"udp://127.0.0.1:{udp.getsockname()[1]}"), (unix, str(tmp_path / "log"))):
            receiver.settimeout(60)
            sender = Datagrams(to)
            sender.send(b"one")
            sender.send(bytes(5_000))
            assert receiver.recv(10_000) == b"one"
            assert len(receiver.recv(10_000)) == MOST
            assert sender.dropped == 0
            sender.close()


def test_nobody_waits_for_who_takes_nothing(tmp_path: Path) -> None:
    """A receiver that does not read, or is not there yet: dropped, counted, and tried again."""
    path = tmp_path / "log"
    sender = Datagrams(str(path))
    sender.send(b"nobody is there")
    assert sender.dropped == 1
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(path))
        while sender.dropped % 100:
            sender.send(b"not yet")
        sender.send(b"again")
        assert receiver.recv(100) == b"again"
        before = sender.dropped
        for _ in range(5_000):
            sender.send(bytes(1_000))
        assert sender.dropped > before
    sender.close()


@pytest.mark.parametrize("to", ["tcp://a:1", "host:514", "udp://nobody.invalid:514", "udp://127.0.0.1:99999"])
def test_what_is_no_receiver_is_said_at_the_start(to: str) -> None:
    """With the two forms that there are."""
    with pytest.raises(ConfigError, match="/dev/log"):
        Datagrams(to)
