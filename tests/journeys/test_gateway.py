"""The gateway, by its command, before a vulnerable portal and before our own store."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from strongroom.gateway.settings import parse
from strongroom.wiring.described import DESCRIBED
from strongroom.wiring.port import free_port
from tests.detect.test_ocsf import valid
from tests.gateway.conftest import portal
from tests.gateway.test_http import collector
from tests.gateway.test_nats import server as nats_server
from tests.gateway.test_nats import stream
from tests.journeys.conftest import CONFIRM
from tests.journeys.honest import PROGRAM
from tests.journeys.test_processes import Running

__all__ = ["portal"]  # a fixture
PAGE = Path(__file__).parents[2] / "docs" / "gateway.md"
LONG = 60.0
"""Seconds for what must happen."""


@contextmanager
def gateway(settings: str, upstream: str, folder: Path, said: list[str] | None = None) -> Iterator[str]:
    """The command, running, with these settings; gives its address. `said`: gets what it said, at the end."""
    file, port = folder / "gateway.toml", free_port()
    file.write_text(f"[gateway]\nport = {port}\n{settings}")
    process = subprocess.Popen(
        [*PROGRAM, "gateway", "--upstream", upstream, "--config", str(file)], stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    try:
        listening(f"http://127.0.0.1:{port}", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        words = process.stderr.read().decode()
        assert process.wait(LONG) == 0
        process.stderr.close()
        if said is not None:
            said += words.splitlines()


def listening(base: str, process: subprocess.Popen[bytes]) -> None:
    """Returns once it answers."""
    while process.poll() is None:
        try:
            assert httpx2.get(f"{base}/.strongroom/health").json()["status"] == "ok"
        except httpx2.TransportError:
            continue
        return
    assert process.stderr is not None
    pytest.fail(process.stderr.read().decode())


def blocks() -> list[str]:
    """The settings that the page shows: a whole, and what may stand there besides."""
    first, *others = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    alone = re.sub(r"\[person\]\n.*?\n\n", "", first, count=1, flags=re.DOTALL)  # where a block has people of its own
    return [first, *(f"{alone if '[[person]]' in other else first}\n{other}" for other in others)]


def test_the_forgotten_route_gives_nobody_anything(portal: int, tmp_path: Path) -> None:
    """P9 on the vulnerable portal: nothing, while honest people go on; before the gateway it gave everything."""
    upstream = f"http://127.0.0.1:{portal}"
    assert httpx2.get(f"{upstream}/export/20").status_code == 200
    with (
        gateway((DESCRIBED / "portal.toml").read_text(), upstream, tmp_path) as base,
        httpx2.Client(base_url=base) as client,
        httpx2.Client(base_url=base) as nobody,
    ):
        taken = [number for number in range(10, 507) if nobody.get(f"/export/{number}").status_code == 200]
        assert taken == []
        assert client.post("/login", data={"user": "7", "password": "p7"}).status_code == 303
        shown = [item["id"] for item in client.get("/letters").json()["items"]]
        assert [client.get(f"/letters/{number}").status_code for number in shown] == [200] * 7


def walked(base: str) -> tuple[int, list[int]]:
    """P1 with one stolen login: how many letters of others it takes, and what the victim's neighbour then reads of theirs."""
    with httpx2.Client(base_url=base, timeout=LONG) as thief, httpx2.Client(base_url=base, timeout=LONG) as honest:
        thief.post("/login", data={"user": "7", "password": "p7"})
        own = [item["id"] for item in thief.get("/letters").json()["items"]]
        taken = sum(
            thief.get(f"/letters/{number}").status_code == 200 for number in range(10, 507) if number not in own
        )
        honest.post("/login", data={"user": "8", "password": "p8"})
        shown = [item["id"] for item in honest.get("/letters").json()["items"]]
        return taken, [honest.get(f"/letters/{number}").status_code for number in shown]


def test_a_thief_with_a_login_takes_five_letters(portal: int, tmp_path: Path) -> None:
    """P1 on a portal that asks nobody whose letter it is: all while the guard simulates, and it says so; then ten at most."""
    settings, upstream = (DESCRIBED / "portal.toml").read_text(), f"http://127.0.0.1:{portal}"
    said: list[str] = []
    with gateway(settings, upstream, tmp_path, said) as base:
        assert walked(base) == (343, [200] * 7)
    assert any("The guard simulates" in line for line in said)
    summary = next(line for line in said if "guard-person-unshown-24h:" in line)
    assert "requests of 1 people" in summary
    written, taken_by = tmp_path / "events.ndjson", free_port()
    (tmp_path / "anew").mkdir()  # where nothing was counted yet
    with collector() as posted, nats_server(tmp_path, taken_by):
        assert stream(taken_by) == []
        enforced = f"""{settings}
[guard]
mode = "enforce"

[events]
file = "{written}"

[events.http]
url = "http://127.0.0.1:{posted.server_port}/"

[events.nats]
url = "nats://127.0.0.1:{taken_by}"
"""
        with gateway(enforced, upstream, tmp_path / "anew") as base:
            taken, honest = walked(base)
        streamed = [json.loads(line) for line in stream(taken_by)]
    assert taken <= 10
    assert honest == [200] * 7
    events = [json.loads(line) for line in written.read_text().splitlines()]
    assert len({event["metadata"]["uid"] for event in events}) == len(events)
    left = [event["file"]["uid"] for event in events if event["class_uid"] == 6006 and event["status_id"] == 1]
    assert len(left) == taken + len(honest)
    found = [event for event in events if event["class_uid"] == 2004]
    assert {event["finding_info"]["analytic"]["uid"] for event in found} >= {"guard-person-unshown-24h"}
    assert all(map(valid, found))
    for elsewhere in ([event for _, batch in posted.heard for event in batch], streamed):
        assert sorted(map(json.dumps, elsewhere)) == sorted(map(json.dumps, events))


def test_what_passes_is_learned_and_drafted(portal: int, tmp_path: Path) -> None:
    """Two workers, nobody described anything: the draft has each route and how often it was seen, its types, and nobody's number;
    the gateway takes it, and people go on.
    """
    upstream = f"http://127.0.0.1:{portal}"
    learning = (
        '\nroutes = "learn"\nproxies = ["127.0.0.1/32"]\n[person]\nby = "cookie"\nname = "sid"\n[waf]\nmode = "off"\n'
    )
    with gateway(learning, upstream, tmp_path) as base:
        for user in range(3, 9):
            address = {"X-Forwarded-For": f"192.0.2.{user}"}
            with httpx2.Client(base_url=base, timeout=LONG, headers=address) as client:
                client.post("/login", data={"user": str(user), "password": f"p{user}"})
                for item in client.get("/letters", params={"page": 1}).json()["items"]:
                    assert client.get(f"/letters/{item['id']}").status_code == 200
                assert client.get("/forgotten-by-all").status_code == 404
    raw = (tmp_path / "gateway-state" / "learned.db").read_bytes()
    assert b"letters" in raw
    assert b"forgotten-by-all" not in raw
    draft = tmp_path / "draft.toml"
    command = [
        *PROGRAM,
        "gateway",
        "learn",
        "--live",
        "--config",
        str(tmp_path / "gateway.toml"),
        "--out",
        str(draft),
        "--json",
    ]
    told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    found = {one["path"]: one for one in told["routes"]}
    assert (found["/letters/{letter:int}"]["document"], found["/letters/{letter:int}"]["requests"]) == ("letter", 42)
    assert found["/letters"]["requests"] == 6
    text = draft.read_text()
    assert 'content_types = ["application/x-www-form-urlencoded"]' in text
    assert '"page" = "int"' in text
    assert 'by = "cookie"' in text
    (tmp_path / "next").mkdir()
    described = text.replace('routes = "learn"', 'routes = "enforce"').replace("[gateway]\n", "")
    with gateway(described, upstream, tmp_path / "next") as base, httpx2.Client(base_url=base, timeout=LONG) as client:
        assert client.post("/login", data={"user": "3", "password": "p3"}).status_code == 303
        assert client.get("/letters", params={"page": 1}).status_code == 200
        assert client.get("/export/20").status_code == 404


def test_attacks_are_blocked_and_nothing_is_served_without_an_engine(portal: int, tmp_path: Path) -> None:
    """The WAF is on unless somebody says that it is off: what is described may still carry an attack. Without it: exit code 78."""
    settings, upstream = (DESCRIBED / "portal.toml").read_text(), f"http://127.0.0.1:{portal}"
    said: list[str] = []
    with gateway(settings, upstream, tmp_path, said) as base:
        assert httpx2.get(f"{base}/.strongroom/health").json()["waf"] == "block"
        assert httpx2.get(f"{base}/search", params={"q": "O'Neill"}).status_code == 401  # the portal's own
        assert httpx2.get(f"{base}/search", params={"q": "1' UNION SELECT password FROM users--"}).status_code == 403
        assert httpx2.get(f"{base}/", headers={"X-Own": "${jndi:ldap://x/a}"}).json()["error"].startswith("waf-")
        secret = httpx2.post(f"{base}/letters", json={"note": "<script>Ngaire</script>"}, headers={"Cookie": "sid=x"})
        assert secret.status_code == 403
        for bomb in (
            "/search?q=" + "%3C" * 2_500,
            "/search?q=" + "%7B" * 2_500,
        ):  # half a minute of regular expressions
            assert httpx2.get(base + bomb, timeout=LONG).json()["error"] in {"waf-late", "query-kind"}
        late = httpx2.get(f"{base}/", headers={"User-Agent": "<" * 3_000}, timeout=LONG)
        assert (late.status_code, late.json()["error"]) == (400, "waf-late")
        assert httpx2.get(f"{base}/search", params={"q": "O'Neill"}).status_code == 401
    assert any("refused by waf-" in line for line in said)
    assert not any("Ngaire" in line or "UNION" in line for line in said)
    file = tmp_path / "gateway.toml"
    file.write_text(settings + '\n[waf]\nlibrary = "libnothing.so"\n')
    command = [*PROGRAM, "gateway", "--upstream", upstream, "--config", str(file)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 78
    assert "apt-get install" in done.stderr


def probed(served: Running, tmp_path: Path) -> None:
    """A probe of our own store finds nothing, and tried on each route; tokens are in no output."""
    files, environment = [], {**os.environ, "STRONGROOM_PROBE_CONFIRM": CONFIRM}
    for name in ("patient1", "patient10"):
        listing = served.search(name).json()
        owns = [entry["resource"]["id"] for entry in listing["entry"]]
        patient = listing["entry"][0]["resource"]["subject"]["reference"]
        file = tmp_path / f"{name}.toml"
        file.write_text(
            f'owns = {json.dumps(owns)}\n[headers]\nAuthorization = {{ env = "{name.upper()}" }}\n'
            f'[values]\npatient = "{patient}"\nversion = "1"\n'
        )
        file.chmod(0o600)
        files += ["--account", str(file)]
        environment[name.upper()] = f"Bearer {served.token(name)}"
    command = [
        *PROGRAM,
        "probe",
        "--upstream",
        served.base.removesuffix("/fhir"),
        "--config",
        str(DESCRIBED / "store.toml"),
    ]
    done = subprocess.run(
        [*command, *files, "--rate", "200", "--json"], check=False, capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert (report["schema"], report["complete"], report["findings"]) == ("strongroom/probe/v1", True, [])
    tried = {one["route"]: (one["documents"], one["requests"]) for one in report["tested"]}
    for route in ("read", "bytes", "version", "bytes-version"):
        assert tried[route][0] >= 2
        assert tried[route][1] > 40
    assert tried["search"][1] >= 4
    assert not any(environment[name][7:] in done.stdout + done.stderr for name in ("PATIENT1", "PATIENT10"))


def test_our_own_store_is_served_through_it_and_probed(served: Running, tmp_path: Path) -> None:
    """With its settings: a patient lists and reads their documents; what is not described is not there; nothing leaks."""
    upstream = served.base.removesuffix("/fhir")
    token = {"Authorization": f"Bearer {served.token('patient1')}"}
    with gateway((DESCRIBED / "store.toml").read_text(), upstream, tmp_path) as base:
        listing = httpx2.get(f"{base}/fhir/DocumentReference", headers=token).json()
        documents = [entry["resource"]["id"] for entry in listing["entry"]]
        assert documents
        direct = httpx2.get(f"{served.base}/Binary/{documents[0]}", headers=token).content
        assert httpx2.get(f"{base}/fhir/Binary/{documents[0]}", headers=token).content == direct
        assert httpx2.get(f"{base}/fhir/Binary/{documents[0]}").status_code == 401
        assert httpx2.get(f"{base}/readyz").status_code == 404
    probed(served, tmp_path)


def test_the_page_describes_what_it_shows(tmp_path: Path) -> None:
    """What the page shows and the three files are taken; --check says what they describe; a wrong one is exit code 78."""
    whole, *more = blocks()
    assert [len(parse(one.encode()).routes) for one in more] == [one.count("[[route]]") for one in more]
    for number, settings in enumerate([whole, *(file.read_text() for file in sorted(DESCRIBED.iterdir()))]):
        file = tmp_path / f"{number}.toml"
        file.write_text(settings)
        command = [*PROGRAM, "gateway", "--upstream", "http://127.0.0.1:1", "--config", str(file), "--check"]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        assert len(said.splitlines()) == settings.count("[[route]]")
    file.write_text("[gateway]\nport = 0\n")
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, "gateway.port" in done.stderr) == (78, True)
    done = subprocess.run([*command[:-2], str(tmp_path / "none.toml")], check=False, capture_output=True, text=True)
    assert (done.returncode, "docs/gateway.md" in done.stderr) == (78, True)
