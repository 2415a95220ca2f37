"""A theft that the web server's log tells of is ended at the gateway, by a watch and a gateway that are really started."""

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import httpx2

from strongroom.wiring.described import DESCRIBED
from tests.cli.test_watch import WALK, Watching
from tests.gateway.conftest import portal
from tests.journeys.honest import PROGRAM
from tests.journeys.test_gateway import LONG, gateway

__all__ = ["portal"]  # a fixture


def line(who: str, number: int) -> str:
    """A letter was read just now, as nginx says it."""
    when = datetime.now(UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
    return f'203.0.113.5 - {who} [{when}] "GET /letters/{number} HTTP/1.1" 200 2520 "-" "Mozilla/5.0"\n'


def asked(command: str, *arguments: str) -> dict[str, list[dict[str, str]]]:
    """What a command of the desk says."""
    words = [*PROGRAM, "gateway", command, *arguments, "--json"]
    done = subprocess.run(words, check=True, capture_output=True, text=True, timeout=LONG)
    found: dict[str, list[dict[str, str]]] = json.loads(done.stdout)
    return found


def test_a_watch_has_a_thief_refused_and_an_undo_holds(portal: int, tmp_path: Path) -> None:
    """Its letters end for the thief and nobody else, until a person takes it back; then a flood of forged lines about thirty others
    locks out as many as the file says.
    """
    log, settings = tmp_path / "access.log", (DESCRIBED / "portal.toml").read_text() + '\n[guard]\nmode = "enforce"\n'
    log.write_text("")
    freeze = tmp_path / "freeze.toml"
    freeze.write_text(f'gateway = "gateway.toml"\ndetections = ["{WALK}"]\nan_hour = 2\n')
    config = ("--config", str(tmp_path / "gateway.toml"))
    with gateway(settings, f"http://127.0.0.1:{portal}", tmp_path) as base:
        clients = {name: httpx2.Client(base_url=base, timeout=LONG) for name in ("7", "8")}
        letters = {}
        for name, client in clients.items():
            client.post("/login", data={"user": name, "password": f"p{name}"})
            letters[name] = client.get("/letters").json()["items"][0]["id"]

        def reads(name: str) -> int:
            return clients[name].get(f"/letters/{letters[name]}").status_code

        assert [reads("7"), reads("8")] == [200, 200]
        watch = Watching("--freeze", freeze, "--state", tmp_path / "state", log)
        try:
            with log.open("a") as file:
                file.write("".join(line("7", number) for number in range(100, 120)))
            watch.until(WALK)
            while not (held := asked("status", *config)["held"]):
                assert watch.process.poll() is None
            assert [(one["rule"], WALK in one["why"]) for one in held] == [("watch", True)]
            assert [reads("7"), reads("8")] == [403, 200]
            asked("undo", "login:7", *config)
            assert reads("7") == 200
            with log.open("a") as file:
                for forged in range(30):
                    file.write("".join(line(f"f{forged}", forged * 1_000 + number) for number in range(12)))
            while len({one["about"] for one in watch.alerts}) < 31 or len(asked("status", *config)["held"]) < 2:
                assert watch.process.poll() is None
        finally:
            assert watch.end() == 0
        assert len(asked("status", *config)["held"]) == 2
        assert [reads("7"), reads("8")] == [200, 200]
        for client in clients.values():
            client.close()
