"""`strongroom watch`, as an operator types it: real processes over real files, told to stop, and killed."""

import json
import os
import re
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from strongroom.cli.main import main
from strongroom.config import Layout, parse
from tests.cli.conftest import Type

LIMIT = 120.0
"""Seconds for anything to happen: a generous bound, and no measure."""


def line(n: int, who: str = "mallory") -> str:
    """One reading of a walk."""
    when = f"29/Dec/2025:22:{n // 60:02d}:{n % 60:02d} +1300"
    return f'203.0.113.5 - {who} [{when}] "GET /documents/{500_000 + n} HTTP/1.1" 200 252000 "-" "Mozilla/5.0 (X11)"\n'


def walk(first: int, last: int, who: str = "mallory") -> str:
    """Several."""
    return "".join(line(n, who) for n in range(first, last))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log with a theft in it."""
    path = tmp_path / "access.log"
    path.write_text(walk(0, 60), encoding="utf-8")
    return path


def run(*arguments: str | Path) -> int:
    """The exit code of a command line."""
    try:
        main([str(argument) for argument in arguments])
    except SystemExit as done:
        return int(done.code or 0)
    return 0


class Watching:
    """A watch in a process of its own."""

    def __init__(
        self, *arguments: str | Path, stdin: int = subprocess.DEVNULL, stderr: int = subprocess.DEVNULL
    ) -> None:
        command = (sys.executable, "-m", "strongroom.cli.main", "watch", "--json", "--tolerance", "0", *arguments)
        self.process = subprocess.Popen(
            [str(one) for one in command],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
        self.alerts: list[dict[str, Any]] = []
        self._more = threading.Condition()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for written in self.process.stdout:
            with self._more:
                self.alerts.append(json.loads(written))
                self._more.notify_all()

    def until(self, title: str) -> dict[str, Any]:
        """Wait for an alert of this title."""
        with self._more:
            found = self._more.wait_for(lambda: [one for one in self.alerts if one["title"] == title], LIMIT)
        assert found, self.alerts
        return found[0]

    def end(self, how: int = signal.SIGTERM) -> int:
        """Stop it."""
        self.process.send_signal(how)
        code = self.process.wait(LIMIT)
        self._thread.join(LIMIT)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        return code


WALK, HOURLY = "Ids were asked for in a row", "Unusually many different documents or people in an hour"


def test_what_is_there_is_judged_once(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As a hunt judges it; exit code 1; nothing from the log reaches the terminal as it is."""
    log.write_text(log.read_text(encoding="utf-8").replace("mallory", "m\x1b[2J"), encoding="utf-8")
    assert run("watch", "--once", log) == 1
    out = capsys.readouterr().out
    assert "HIGH  login m\\x1b[2J: " in out
    assert WALK in out
    assert HOURLY in out
    assert [c for c in out if not c.isprintable() and c != "\n"] == []


def test_alerts_say_where_they_come_from(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The bytes at that place are the request by which it fired."""
    assert run("watch", "--once", "--json", log) == 1
    alerts = [json.loads(one) for one in capsys.readouterr().out.splitlines()]
    (one,) = [alert for alert in alerts if alert["title"] == WALK]
    place = one["evidence"]
    raw = Path(place["file"]).read_bytes()[place["offset"] : place["offset"] + place["length"]]
    assert raw.decode() + "\n" == line(9)
    assert (one["schema"], one["level"], one["about"]) == ("strongroom/alert/v1", "high", "login mallory")
    assert one["fired_at"] == "2025-12-29T09:00:09.000Z"


def test_each_alert_once_over_starts(log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A second run over the same reads nothing again; what is appended is judged with what was before it."""
    state = tmp_path / "state"
    log.write_text(walk(0, 9), encoding="utf-8")
    assert run("watch", "--once", "--json", "--tolerance", "0", "--state", state, log) == 0
    with log.open("a", encoding="utf-8") as file:
        file.write(walk(9, 15))
    assert run("watch", "--once", "--json", "--tolerance", "0", "--state", state, log) == 1
    assert [json.loads(one)["title"] for one in capsys.readouterr().out.splitlines()] == [WALK]
    assert run("watch", "--once", "--json", "--tolerance", "0", "--state", state, log) == 0
    assert capsys.readouterr().out == ""
    assert all((state / name).stat().st_mode & 0o077 == 0 for name in ("alerts.db", "watch.db"))


def test_a_pipe_is_watched_to_its_end(tmp_path: Path) -> None:
    """Alerts come while it is open, and stand where they can be opened; what it says last counts too."""
    watch = Watching("--state", tmp_path / "state", "-", stdin=subprocess.PIPE)
    pipe = watch.process.stdin
    assert pipe is not None
    pipe.write(walk(0, 12))
    pipe.flush()
    place = watch.until(WALK)["evidence"]
    raw = Path(place["file"]).read_bytes()[place["offset"] : place["offset"] + place["length"]]
    assert raw.decode() + "\n" == line(9)
    pipe.write(walk(20, 32, "eve").rstrip("\n"))
    pipe.close()
    assert watch.process.wait(LIMIT) == 0
    assert watch.until(WALK)["about"] == "login mallory"
    assert {one["about"] for one in watch.alerts} == {"login mallory", "login eve"}
    watch.end()


def noted(state: Path) -> None:
    """Wait until it is written down that the console was told of everything."""
    behind = "SELECT (SELECT max(number) FROM alert) > (SELECT number FROM told WHERE messenger = 'console')"
    end = time.monotonic() + LIMIT
    with closing(sqlite3.connect(f"file:{state / 'alerts.db'}?mode=ro", uri=True, timeout=LIMIT)) as database:
        while database.execute(behind).fetchone()[0]:
            assert time.monotonic() < end
            time.sleep(0.01)


def test_a_watch_that_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    """In the middle of a theft, without a chance to save: the next one raises what the first would have, and nothing twice."""
    log, state = tmp_path / "access.log", tmp_path / "state"
    log.write_text(walk(0, 12), encoding="utf-8")
    first = Watching("--state", state, log)
    first.until(WALK)
    noted(state)  # one that is killed between the telling and the note of it tells it again: twice rather than never
    with log.open("a", encoding="utf-8") as file:
        file.write(walk(12, 20))
    first.end(signal.SIGKILL)
    second = Watching("--state", state, log)
    with log.open("a", encoding="utf-8") as file:
        file.write(walk(20, 60) + walk(100, 130, "bob"))
    second.until(WALK)
    assert second.end() == 0
    told = [(one["about"], one["title"]) for one in second.alerts]
    assert told.count(("login bob", WALK)) == 1
    assert ("login mallory", WALK) not in told


@pytest.fixture
def web() -> Iterator[tuple[int, list[Any]]]:
    """A server that takes alerts; it fails once before it does."""
    got: list[Any] = []
    answers = iter([503])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            code = next(answers, 200)
            if code == 200:
                got.append(json.loads(body))
            self.send_response(code)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its parent's
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port, got
    server.shutdown()
    server.server_close()
    thread.join()


def test_syslog_and_a_webhook_are_told(log: Path, web: tuple[int, list[Any]]) -> None:
    """Each of every alert; one that failed is asked again."""
    port, got = web
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        udp.settimeout(LIMIT)
        addresses = (f"syslog://127.0.0.1:{udp.getsockname()[1]}", f"http://127.0.0.1:{port}/hook?key=secret")
        watching = Watching(*(part for address in addresses for part in ("--alert", address)), log)
        titles = set()
        while WALK not in titles:
            message = udp.recv(65_536).decode("ascii")
            found = re.fullmatch(r"<8[2-6]>1 \S+ \S+ strongroom \d+ alert - (\{.*\})", message)
            assert found, message
            titles.add(json.loads(found[1])["title"])
    waiting = threading.Event()
    while not any(one["title"] == WALK for one in got) and not waiting.wait(0.05):
        assert watching.process.poll() is None
    assert watching.end() == 0


def capture(path: Path) -> None:
    """What went by: a client from outside asks a web server of ours, and its database."""
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 96, 1))
        for second, port in enumerate((443, 5432)):
            addresses = bytes((203, 0, 113, 77, 10, 0, 1, 5))
            ip = struct.pack(">BBHHHBBH", 0x45, 0, 1_440, 1, 0, 64, 6, 0) + addresses
            packet = (
                bytes(12) + b"\x08\0" + ip + struct.pack(">HHIIBBHHH", 40_000, port, 1, 1, 0x50, 0x18, 65_535, 0, 0)
            )
            for part in range(3):
                file.write(struct.pack("<IIII", 1_766_998_800 + second, part, len(packet), 1_454) + packet)


def test_exporters_of_flows_are_listened_to(tmp_path: Path) -> None:
    """Real ones: what softflowd saw of a capture and told in each version is judged as a hunt judges flows, and can be opened."""
    capture(tmp_path / "traffic.pcap")
    watch = Watching("--state", tmp_path / "state", "netflow://127.0.0.1:0", stderr=subprocess.PIPE)
    assert watch.process.stderr is not None
    port = next(iter(watch.process.stderr)).split()[4]
    environment = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin"}
    for version in ("5", "9", "10"):
        told = f"softflowd -a -d -r traffic.pcap -n 127.0.0.1:{port} -v {version} -p pid -c ctl".split()
        subprocess.run(told, cwd=tmp_path, env=environment, check=True, capture_output=True, timeout=LIMIT)
    alert = watch.until("A database spoke with an address outside")
    assert alert["about"] == "address 203.0.113.77"
    place = alert["evidence"]
    raw = Path(place["file"]).read_bytes()[place["offset"] : place["offset"] + place["length"]]
    assert json.loads(raw)["dst_endpoint"] == {"ip": "10.0.1.5", "port": 5432}
    assert watch.end() == 0
    (journal,) = (tmp_path / "state").glob("netflow-*/*.log")
    flows = [json.loads(one) for one in journal.read_text(encoding="utf-8").splitlines()]
    assert [one["traffic"]["bytes_out"] for one in flows] == [4_320] * 6
    assert run("hunt", journal) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        [], ["x.log", "--alert", "ftp://h"], ["x.log", "--alert", "smtp://h"], ["x.log", "--tolerance", "-1"],
        ["x.log", "--format", "nonsense"], ["netflow://0.0.0.0:2055"], ["netflow://127.0.0.1:2055", "--once"],
    ],
)  # fmt: skip
def test_a_command_line_without_sense_is_2(arguments: list[str]) -> None:
    """Nothing is watched."""
    assert run("watch", *arguments) == 2


def test_nothing_readable_is_3(tmp_path: Path) -> None:
    """It must not look like good news."""
    assert run("watch", "--once", tmp_path) == 3


def test_a_state_of_another_version_is_78(log: Path, tmp_path: Path) -> None:
    """And is not thrown away."""
    state = tmp_path / "state"
    assert run("watch", "--once", "--state", state, log) == 1
    with sqlite3.connect(state / "watch.db") as connection:
        connection.execute("PRAGMA user_version = 999")
    connection.close()
    assert run("watch", "--once", "--state", state, log) == 78
    assert (state / "watch.db").stat().st_size > 0


def recent(who: str, n: int) -> str:
    """A reading of just now."""
    when = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime())
    return f'203.0.113.5 - {who} [{when}] "GET /documents/{500_000 + n} HTTP/1.1" 200 252000 "-" "Mozilla/5.0 (X11)"\n'


def test_the_keeper_freezes_whom_an_alert_is_about(strongroom: Type, served: Path, tmp_path: Path) -> None:
    """One login, by the name that its issuer gives it; the log has who asked and why. Nobody else, though lines about others are
    forged; and what an officer lifts stays lifted.
    """
    log, freeze, issuer = (
        tmp_path / "access.log",
        tmp_path / "freeze.toml",
        parse(Layout(served).config.read_bytes()).issuer_url,
    )
    freeze.write_text(
        f'detections = ["{WALK}"]\n[keeper]\nstore = "{served}"\nkey = "{served / "watch" / "watch.key"}"\nissuer = "{issuer}"\n'
    )
    log.write_text("")
    assert strongroom("ls").code == 0
    watch = Watching("--freeze", freeze, "--state", tmp_path / "state", log, stderr=subprocess.PIPE)
    assert watch.process.stderr is not None
    try:
        with log.open("a") as file:
            file.write("".join(recent(who, n) for who in ("small-sync", "nobody", "person-1") for n in range(20)))
        said = list(islice((one for one in watch.process.stderr if "efused" in one), 3))
        assert sorted(one.partition(":")[0] for one in said) == [
            "NOT refused",
            "NOT refused",
            "Refused documents for some hours",
        ]
        (row,) = strongroom("freeze", "--list", "--json").json["frozen"]
        assert (row["scope"], row["why"]) == ("account", "watch")
        refused = strongroom("ls")
        assert (refused.code, "second factor" in refused.err) == (3, True)
        assert strongroom("unfreeze", "account", row["name"], "--reason", "called back").code == 0
        assert strongroom("ls").code == 0
    finally:
        assert watch.end() == 0
