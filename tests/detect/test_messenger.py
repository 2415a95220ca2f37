"""Who is told of alerts: over real sockets, each in its own thread, again after failures."""

import json
import socket
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from strongroom.detect import messenger
from strongroom.detect.messenger import Messenger, way
from strongroom.detect.sqlite import Store
from strongroom.detect.syslog import Syslog
from strongroom.errors import OperationError, UsageError

LIMIT = 60.0


def alert(name: str = "a") -> dict[str, Any]:
    """As a watch writes it down, as far as messengers look."""
    return {
        "id": name, "level": "high", "title": "Ids were asked for in a row", "fired_at": "2025-12-29T09:00:09.000Z",
        "sentences": ["HIGH  login m\u00e4x: Ids", "At …"],
    }  # fmt: skip


class Mailbox(socketserver.StreamRequestHandler):
    """A mail server of few words (RFC 5321), as much as a client needs."""

    def handle(self) -> None:
        """One client."""
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            word = line.strip().upper()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                letter = b""
                while (part := self.rfile.readline()) != b".\r\n":
                    letter += part
                self.server.letters.append(letter)  # type: ignore[attr-defined]  # of the fixture
                self.wfile.write(b"250 taken\r\n")
            elif word.startswith(b"RCPT TO:<NOBODY"):
                self.wfile.write(b"550 no such person\r\n")
            else:
                self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 yes\r\n")


@pytest.fixture
def mail() -> Iterator[Any]:
    """A mail server that keeps what it is given."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mailbox) as server:
        server.letters = []  # type: ignore[attr-defined]  # what came
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_an_alert_is_a_mail(mail: Any) -> None:
    """With what it says in its subject and text, and an id by which two of the same are one."""
    way(f"smtp://127.0.0.1:{mail.server_address[1]}?from=watch@example.org&to=soc@example.org").tell(alert())
    (letter,) = mail.letters
    text = letter.decode("ascii")
    assert "Subject: [strongroom] HIGH: Ids were asked for in a row" in text
    assert "Message-ID: <a.alert@strongroom.invalid>" in text
    assert "To: soc@example.org" in text


def test_a_mail_that_is_refused_has_failed(mail: Any) -> None:
    """And one that nobody takes."""
    with pytest.raises(OSError, match="refused"):
        way(f"smtp://127.0.0.1:{mail.server_address[1]}?from=w@example.org&to=nobody@example.org").tell(alert())
    with pytest.raises(OSError, match=r"."):
        way("smtp://127.0.0.1:1?from=w@example.org&to=s@example.org").tell(alert())


def test_a_password_is_not_sent_in_the_clear(mail: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server without TLS gets neither the password nor the mail."""
    monkeypatch.setenv("STRONGROOM_SMTP_USER", "u")
    monkeypatch.setenv("STRONGROOM_SMTP_PASSWORD", "p")
    with pytest.raises(OSError, match="no TLS"):
        way(f"smtp://127.0.0.1:{mail.server_address[1]}?from=w@example.org&to=s@example.org").tell(alert())
    assert mail.letters == []


def test_the_local_syslog_is_told(tmp_path: Path) -> None:
    """Over a Unix socket; the body is JSON in ASCII, whatever it says."""
    path = tmp_path / "log"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(path))
        server.settimeout(LIMIT)
        way(f"syslog:{path}").tell(alert())
        got = server.recv(65_536)
    head, _, rest = got.partition(b" alert - ")
    assert head.startswith(b"<83>1 2025-12-29T09:00:09.000Z ")
    assert json.loads(rest.decode("ascii")) == alert()
    with pytest.raises(OSError, match=r"."):
        Syslog(str(tmp_path / "gone")).tell(alert())


@pytest.mark.parametrize(
    "address", ["ftp://h", "syslog:relative", "smtp://h", "smtp://h?from=a", "https:///x", "http://h:port/", "nonsense"]
)
def test_what_is_no_address(address: str) -> None:
    """Is refused before anything is watched, and a secret in it is not said."""
    with pytest.raises(UsageError):
        way(address)
    assert "secret" not in messenger.label(f"{address}?token=secret")


class Flaky:
    """Fails some times, then tells."""

    def __init__(self, failures: int) -> None:
        self.failures, self.told = failures, list[str]()
        self.done = threading.Event()

    def tell(self, body: dict[str, Any]) -> None:
        """One more."""
        if self.failures:
            self.failures -= 1
            raise ConnectionError("away")
        self.told.append(body["id"])
        if len(self.told) == 3:
            self.done.set()


def test_what_failed_is_told_again(tmp_path: Path) -> None:
    """In order, each once; the failure is said once."""
    said: list[str] = []
    flaky, store = Flaky(2), Store(tmp_path)
    store.begin(["them"])
    one = Messenger("them", flaky, tmp_path, said.append)
    assert store.add([alert("a"), alert("b")]) == 2
    one.wake()
    assert store.add([alert("b"), alert("c")]) == 1
    one.wake()
    assert flaky.done.wait(LIMIT)
    one.end(LIMIT)
    assert flaky.told == ["a", "b", "c"]
    assert len(said) == 1
    store.close()


def test_what_could_not_be_told_waits_for_the_next_start(tmp_path: Path) -> None:
    """It is not lost with the process; a new messenger hears nothing of what was before it."""
    store, away = Store(tmp_path), Flaky(10**9)
    store.begin(["them"])
    store.add([alert("a"), alert("b"), alert("c")])
    Messenger("them", away, tmp_path, lambda _: None).end(LIMIT)
    store.begin(["them", "others"])
    back, others = Flaky(0), Flaky(0)
    for name, one in (("them", back), ("others", others)):
        Messenger(name, one, tmp_path, lambda _: None).end(LIMIT)
    assert (back.told, others.told) == (["a", "b", "c"], [])
    store.close()


def test_what_is_no_directory_is_refused(tmp_path: Path) -> None:
    """Alerts must not go nowhere."""
    (tmp_path / "file").touch()
    with pytest.raises(OperationError):
        Store(tmp_path / "file")
