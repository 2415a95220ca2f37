"""The gateway's workers are killed under load, one and all; and it takes new settings without closing the port."""

import http.client
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx2
import pytest

from strongroom.gateway.counts import Counts
from strongroom.wiring.described import DESCRIBED
from strongroom.wiring.port import free_port
from tests.gateway.conftest import portal
from tests.journeys.honest import PROGRAM

__all__ = ["portal"]  # a fixture
LONG = 60.0
"""Seconds for what must happen."""


@dataclass
class Client:
    """Somebody who asks again and again, and after a lost connection once more.

    `done`: statuses of whole answers; `got`: what was read of it.
    """

    port: int
    cookie: str
    paths: list[str]
    done: list[int] = field(default_factory=list)
    got: set[str] = field(default_factory=set)
    lost: int = 0
    news: threading.Condition = field(default_factory=threading.Condition)
    ended: bool = False

    def run(self) -> None:
        """Until told to end."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LONG)
        while not self.ended:
            path = self.paths[len(self.done) % len(self.paths)]
            try:
                connection.request("GET", path, headers={"Cookie": self.cookie})
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                self.lost += 1
                connection.close()
                continue
            if answer.status == 200:
                self.got.add(path)
            with self.news:
                self.done.append(answer.status)
                self.news.notify_all()
        connection.close()

    def goes_on(self) -> None:
        """Returns when some more requests were answered."""
        with self.news:
            goal = len(self.done) + 5
            assert self.news.wait_for(lambda: len(self.done) >= goal, LONG)


def workers(process: subprocess.Popen[bytes]) -> set[int]:
    """Who serves."""
    return set(map(int, Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()))


def served_by(process: subprocess.Popen[bytes], all_of_them: int, new: int, before: set[int]) -> bool:
    """Whether so many serve, and so many of them did not before."""
    now = workers(process)
    return len(now) == all_of_them and len(now - before) == new


def until(holds: Callable[[], bool]) -> None:
    """Returns once it does."""
    end = time.monotonic() + LONG
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def signed_in(base: str, patient: int) -> tuple[str, list[int]]:
    """The cookie of a patient, and the letters that were shown to them."""
    with httpx2.Client(base_url=base, timeout=LONG) as client:
        client.post("/login", data={"user": str(patient), "password": f"p{patient}"})
        shown = [item["id"] for item in client.get("/letters").json()["items"]]
        return "; ".join(f"{name}={value}" for name, value in client.cookies.items()), shown


@contextmanager
def gateway(upstream: str, folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], int, Path]]:
    """The command, enforcing, with the vulnerable portal's settings: its process, its port and its settings."""
    file, port = folder / "gateway.toml", free_port()
    settings = (DESCRIBED / "portal.toml").read_text()
    file.write_text(f'[gateway]\nport = {port}\n[guard]\nmode = "enforce"\n{settings}')
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen([*PROGRAM, "gateway", "--upstream", upstream, "--config", str(file)], stderr=said)
    try:
        listening_on(port, process, folder / "said")
        yield process, port, file
    finally:
        process.terminate()
        process.wait(LONG)


def listening_on(port: int, process: subprocess.Popen[bytes], said: Path) -> None:
    """Returns once it answers."""

    def answers() -> bool:
        if process.poll() is not None:
            pytest.fail(said.read_text())
        try:
            return httpx2.get(f"http://127.0.0.1:{port}/.strongroom/health").status_code == 200
        except httpx2.TransportError:
            return False

    until(answers)


def test_workers_are_killed_under_load(portal: int, tmp_path: Path) -> None:
    """Clients lose a connection at most, and ask again. A thief who asks all the while gets five letters and no sixth; an attack
    is never passed on, for nobody serves who does not look; what was counted is there when all have been killed.
    """
    with gateway(f"http://127.0.0.1:{portal}", tmp_path) as (process, port, file):
        base = f"http://127.0.0.1:{port}"
        honest = [
            Client(port, cookie, [f"/letters/{one}" for one in shown])
            for cookie, shown in (signed_in(base, 7), signed_in(base, 8))
        ]
        cookie, own = signed_in(base, 9)
        others = [number for number in range(10, 504) if number not in own and number % 10 < 4]
        thief = Client(port, cookie, [f"/letters/{number}" for number in others])
        attack = Client(port, cookie, ["/search?q=1%27%20UNION%20SELECT%20password%20FROM%20users--"])
        clients = [*honest, thief, attack]
        threads = [threading.Thread(target=client.run) for client in clients]
        for thread in threads:
            thread.start()
        try:
            for many in (1, 1, 2):
                before = workers(process)
                assert len(before) == 2
                for pid in sorted(before)[:many]:
                    os.kill(pid, signal.SIGKILL)
                until(partial(served_by, process, 2, many, before))
                for client in clients:
                    client.goes_on()
        finally:
            for client in clients:
                client.ended = True
            for thread in threads:
                thread.join(LONG)
        assert sum(client.lost for client in clients) > 0
        assert {status for client in honest for status in client.done} == {200}
        assert set(attack.done) == {403}
        assert len(thief.got) <= 5
        assert set(thief.done) <= {200, 401}
        counts = Counts(tmp_path / "gateway-state" / "counts.db")
        told = {one.rule: one for one in counts.reported()}
        assert told["guard-person-unshown-24h"].enforced
        assert httpx2.get(f"{base}{thief.paths[-1]}", headers={"Cookie": cookie}).status_code == 401
        assert "ENDED BY SIGNAL 9" in (tmp_path / "said").read_text()

        # Other settings, with the port open all the while; wrong ones change nothing.
        good = file.read_text()
        assert httpx2.get(f"{base}/more").status_code == 404
        before = workers(process)
        file.write_text(good + '[[route]]\nname = "more"\npath = "/more"\nquery = { a = "int" }\n')
        process.send_signal(signal.SIGHUP)
        until(lambda: "Reloaded" in (tmp_path / "said").read_text() and not workers(process) & before)
        assert httpx2.get(f"{base}/more?a=b").status_code == 400
        file.write_text("[gateway]\nport = 0\n")
        process.send_signal(signal.SIGHUP)
        until(lambda: "NOT RELOADED" in (tmp_path / "said").read_text())
        assert httpx2.get(f"{base}{honest[0].paths[0]}", headers={"Cookie": honest[0].cookie}).status_code == 200

        # Nobody serves whom nobody watches.
        left = [os.pidfd_open(pid) for pid in workers(process)]
        process.kill()
        for one in left:
            assert select.select([one], [], [], LONG)[0]
            os.close(one)
