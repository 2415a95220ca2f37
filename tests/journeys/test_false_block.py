"""From the first day of a gateway to a false block that never comes back: with the real commands, before the vulnerable portal."""

import json
import signal
import subprocess
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from strongroom.wiring.described import DESCRIBED
from strongroom.wiring.port import free_port
from tests.gateway.conftest import portal
from tests.journeys.honest import PROGRAM
from tests.journeys.test_workers import LONG, listening_on, until, workers

__all__ = ["portal"]  # a fixture


LETTERS = [f"/letters/{10 * patient}" for patient in range(20, 40)]
"""Of other people."""
WORDS = {"q": "1' or 'Ngaire'='Ngaire"}
ENFORCING = '[guard]\nmode = "enforce"\n'


class Desk:
    """Whoever looks after the portal: a gateway, its settings, and the commands."""

    def __init__(self, upstream: str, folder: Path, more: str = "") -> None:
        self.file, self.said, self.port = folder / "gateway.toml", folder / "said", free_port()
        self.meter = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.write(more)
        with self.said.open("wb") as said:
            self.process = subprocess.Popen(
                [*PROGRAM, "gateway", "--upstream", upstream, "--config", str(self.file)], stderr=said
            )
        listening_on(self.port, self.process, self.said)

    def write(self, more: str) -> None:
        """The settings of the page for this portal, and these."""
        self.more = more
        settings = (DESCRIBED / "portal.toml").read_text()
        ports = f"[metrics]\nport = {self.meter}\n[gateway]\nport = {self.port}\n"
        self.file.write_text(f"{ports}{more}\n{settings}")

    def reload(self) -> None:
        """Returns when other workers serve."""
        before = workers(self.process)
        self.process.send_signal(signal.SIGHUP)
        until(lambda: len(workers(self.process)) == 2 and not workers(self.process) & before)

    def runs(self, *words: str, code: int = 0) -> dict[str, Any]:
        """What a command prints with --json."""
        command = [*PROGRAM, *words, "--config", str(self.file), "--json"]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=LONG)
        assert done.returncode == code, done.stderr
        result: dict[str, Any] = json.loads(done.stdout)
        return result

    def close(self) -> None:
        """End it."""
        self.process.terminate()
        assert self.process.wait(LONG) == 0


@contextmanager
def signed_in(base: str, patient: int) -> Iterator[httpx2.Client]:
    """The browser of a patient."""
    with httpx2.Client(base_url=base, timeout=LONG) as client:
        assert client.post("/login", data={"user": str(patient), "password": f"p{patient}"}).status_code == 303
        yield client


def statuses(client: httpx2.Client, paths: list[str]) -> list[int]:
    """What each is answered with."""
    return [client.get(path).status_code for path in paths]


def test_a_false_block_never_comes_back(portal: int, tmp_path: Path) -> None:
    """Simulate, look at the report, enforce; then a lawyer who follows old links and a patient whose search looks like SQL are
    blocked, it is explained, allowed and exempt, and neither is blocked again, in no session and after no restart; the thief is.
    """
    desk = Desk(f"http://127.0.0.1:{portal}", tmp_path)
    try:
        simulates(desk)
        desk.write(ENFORCING)
        desk.reload()
        allows_the_lawyer(desk)
        exempts_the_search(desk)
        tells_its_numbers(desk, holds_the_thief(desk))
    finally:
        desk.close()
    again = Desk(f"http://127.0.0.1:{portal}", tmp_path, desk.more)
    try:
        with signed_in(again.base, 7) as lawyer, signed_in(again.base, 8) as patient:
            assert statuses(lawyer, LETTERS) == [200] * 20
            assert patient.get("/search", params=WORDS).status_code != 403
        assert len(again.runs("gateway", "status")["allowed"]) == 2
    finally:
        again.close()


def simulates(desk: Desk) -> None:
    """The first week: nothing is refused, and what would be is counted."""
    with signed_in(desk.base, 7) as lawyer:
        assert statuses(lawyer, LETTERS[:8]) == [200] * 8
    told = {row["rule"]: row for row in desk.runs("gateway", "report")["rules"]}["guard-person-unshown-24h"]
    assert (told["enforced"], told["requests"], told["people"]) == (False, 3, 1)
    assert desk.runs("gateway", "status")["met"] == []


def allows_the_lawyer(desk: Desk) -> None:
    """The next one is refused, and says by which number it is explained; allowed by what that says, in all sessions."""
    for _ in range(2):  # there are two rules about it, one of a day and one of a month
        with signed_in(desk.base, 7) as lawyer:
            answers = [lawyer.get(path) for path in LETTERS]
        refused = next((one for one in answers if one.status_code == 401), None)
        assert refused is not None
        why = desk.runs("waf", "explain", refused.json()["request"])
        assert refused.json()["error"] in {f"guard-{name}" for name in ("person-unshown-24h", "person-unshown-30d")}
        assert why["said"]
        assert refused.json()["error"] in {met["rule"] for met in desk.runs("gateway", "status")["met"]}
        command = why["allow"].split()[1:]
        assert desk.runs(*command, "--why", "lawyer of twenty clients")["place"] == command[2]
    for _ in range(2):
        with signed_in(desk.base, 7) as lawyer:
            assert statuses(lawyer, LETTERS) == [200] * 20


def exempts_the_search(desk: Desk) -> None:
    """A search that looks like an attack: blocked, explained without a word of it, exempt; other attacks are not."""
    with signed_in(desk.base, 8) as patient:
        answer = patient.get("/search", params=WORDS)
        assert (answer.status_code, answer.json()["error"][:4]) == (403, "waf-")
        why = desk.runs("waf", "explain", answer.json()["request"])
        assert why["exempt"]
        assert all(entry.endswith(" ARGS:q") for entry in why["exempt"])
        assert "Ngaire" not in json.dumps(why) + desk.said.read_text()
        assert tomllib.loads(why["settings"])["waf"]["exempt"] == why["exempt"]
        desk.write(ENFORCING + why["settings"])
        desk.reload()
        assert patient.get("/search", params=WORDS).status_code != 403
        assert patient.get("/search", params={"q": "<script>alert(1)</script>"}).status_code == 403


def holds_the_thief(desk: Desk) -> int:
    """Whoever takes what is not theirs is held, frozen by hand, and freed: at once, by whichever worker.

    Gives how many letters of their own they have.
    """
    with signed_in(desk.base, 9) as thief:
        own = [f"/letters/{item['id']}" for item in thief.get("/letters").json()["items"]]
        assert statuses(thief, LETTERS).count(200) == 5
        assert statuses(thief, own) == [200] * len(own)
        desk.runs("gateway", "freeze", "login:9", "--why", "login stolen")
        assert set(statuses(thief, own * 2)) == {403}
        held = desk.runs("gateway", "status")["held"]
        assert [(row["rule"], row["why"], row["enforced"]) for row in held] == [("by-hand", "login stolen", True)]
        assert "by-hand" in desk.runs("gateway", "undo", "login:9")["rules"]
        assert set(statuses(thief, own * 2)) == {200}
    desk.runs("gateway", "undo", "login:50", code=2)
    return len(own)


def tells_its_numbers(desk: Desk, own: int) -> None:
    """All workers together, whichever answers; nobody's name, and only at a port of their own."""
    before, walks, held = 8, 5 * 20, 5 * own  # letters that were asked for, by the steps above
    until(lambda: numbers(desk).get("letters") == before + walks + held)  # each worker adds its own once a second
    found = numbers(desk)
    assert found['strongroom_gateway_refused_total{rule="guard-by-hand"}'] == 2 * own
    assert found["strongroom_gateway_allowed"] == 2
    assert httpx2.get(f"http://127.0.0.1:{desk.meter}/").status_code == 404
    assert httpx2.get(f"{desk.base}/metrics").status_code == 404


def numbers(desk: Desk) -> dict[str, int]:
    """What is told; `letters`: requests for one, however they were answered."""
    answer = httpx2.get(f"http://127.0.0.1:{desk.meter}/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    rows = [line.rsplit(" ", 1) for line in answer.text.splitlines() if not line.startswith("#")]
    found = {series: int(value) for series, value in rows}
    asked = sum(value for series, value in found.items() if 'requests_total{route="letter",' in series)
    return {**found, "letters": asked}
