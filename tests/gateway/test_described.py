"""Three real upstreams, each with its settings in packaging/gateway: the honest are served, others' documents are counted."""

import json
import re
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest

from strongroom.gateway.settings import parse
from strongroom.wiring.described import DESCRIBED
from tests.gateway.conftest import LONG, gateway

ENFORCING = b'\n[guard]\nmode = "enforce"\n'


@pytest.fixture
def shelf(tmp_path: Path) -> dict[str, list[str]]:
    """Folders of a static file server: who has which documents."""
    people: dict[str, list[str]] = {}
    (tmp_path / "documents").mkdir()
    for number, name in enumerate(["ann", "bob"]):
        people[name] = [str(UUID(int=(2 * one + number) << 100)) for one in range(12)]
        (tmp_path / "people" / name).mkdir(parents=True)
        listing = {"documents": [{"id": one} for one in people[name]]}
        (tmp_path / "people" / name / "index.json").write_text(json.dumps(listing))
        for one in people[name]:
            (tmp_path / "documents" / f"{one}.pdf").write_bytes(f"%PDF {one}".encode())
    return people


def test_a_static_file_server(shelf: dict[str, list[str]], tmp_path: Path) -> None:
    """What a list showed is read; of what is somebody else's five; no folder is listed, nothing is given to strangers."""
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
        assert server.stdout is not None
        found = re.search(rb"port (\d+)", server.stdout.readline())
        assert found is not None
        with gateway((DESCRIBED / "files.toml").read_bytes() + ENFORCING, int(found[1])) as served:
            for name, header in (("ann", "X-Remote-User: ann"), ("bob", "X-Remote-User: bob")):
                assert served.gets(f"/people/{name}/index.json", header)[0] == 200
                for one in shelf[name]:
                    assert served.gets(f"/documents/{one}.pdf", header)[2] == f"%PDF {one}".encode()
            thief = [served.gets(f"/documents/{one}.pdf", "X-Remote-User: ann")[0] for one in shelf["bob"]]
            assert thief == [200] * 5 + [401] * 7
            assert served.gets(f"/documents/{shelf['ann'][0]}.pdf")[0] == 401
            assert [served.gets(path, "X-Remote-User: ann")[0] for path in ("/documents/", "/people/")] == [404] * 2
        server.kill()
        assert server.wait(LONG)


@pytest.mark.parametrize("name", ["files", "portal", "store"])
def test_each_file_begins_with_simulation_and_knows_its_listings(name: str) -> None:
    """Nobody who copies one enforces by accident, and what is shown is known for every family of documents."""
    checked = parse((DESCRIBED / f"{name}.toml").read_bytes())
    assert checked.settings.guard.mode == "simulate"
    assert checked.settings.gateway.routes == "enforce"
    assert {one.document for one in checked.routes if one.document} == checked.listed
    assert [file.stem for file in sorted(DESCRIBED.iterdir())] == ["files", "portal", "store"]
