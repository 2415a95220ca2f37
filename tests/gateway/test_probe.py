"""The probe before the vulnerable portal: each hole is found when it is there, and none when it is not."""

import asyncio
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import UUID

import pytest

from strongroom.cli.main import main
from strongroom.errors import ConfigError, OperationError, UsageError
from strongroom.gateway.found import LISTED, READ, UNDESCRIBED, Report
from strongroom.gateway.sections import Upstream as Bounds
from strongroom.gateway.upstream import Upstream, read_origin
from strongroom.gateway.variants import Try
from strongroom.gateway.visitor import Enough, Pace, Visitor
from strongroom.rehearse.portal import CONFIRMATION, EACH, HOLES, Asked, Portal, Reply, listening, opaque
from strongroom.wiring import probe
from strongroom.wiring.described import DESCRIBED
from strongroom.wiring.gateway import read_settings
from tests.gateway.conftest import LONG, Scripted

LINE = "this-portal-may-be-probed"
SETTINGS = DESCRIBED / "portal.toml"


@contextmanager
def portal(holes: frozenset[str], confirm: str = LINE, kind: type[Portal] = Portal) -> Iterator[str]:
    """The portal, served; its address."""
    server = listening(kind(holes, confirm=confirm))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(LONG)


def account(folder: Path, user: str, *, password: str = "", owns: list[str] | None = None, values: bool = True) -> Path:
    """An account's file."""
    file = folder / f"p{user}.toml"
    lines = [f"owns = {json.dumps(owns)}"] if owns else []
    lines += ["[login]", f'user = "{user}"', f'password = "{password or f"p{user}"}"']
    lines += ["[values]", f'patient = "{user}"'] if values else []
    file.write_text("\n".join(lines))
    file.chmod(0o600)
    return file


def probed(url: str, *accounts: Path, settings: Path = SETTINGS, confirm: str = LINE, most: int = 2_000) -> Report:
    """A probe, as fast as it goes."""
    return probe.run_probe(settings, url, accounts, confirm, rate=1e6, most=most, documents=2)


EXPECTED: dict[str, set[tuple[str, str]]] = {
    "number": {(READ, "letter")},
    "parameter": {(LISTED, "letters"), (READ, "file")},
    "override": {(READ, "scan")},
    "forgotten": {(UNDESCRIBED, ""), (READ, "")},
    "list": {(LISTED, "notes")},
}


@pytest.mark.parametrize("hole", [*sorted(HOLES), "", "all"])
def test_each_planted_hole_is_found_and_nothing_else(hole: str, tmp_path: Path) -> None:
    """Alone, all together, and none."""
    holes = HOLES if hole == "all" else frozenset(filter(None, [hole]))
    with portal(holes) as url:
        report = probed(url, account(tmp_path, "7"), account(tmp_path, "8"))
    found = {(one.kind, one.route) for one in report.findings}
    assert found == set().union(*(EXPECTED[one] for one in holes))
    assert report.complete
    assert {one.route for one in report.tested if one.requests} >= {"letters", "letter", "file", "scan", ""}
    if hole == "override":
        assert {way.how for one in report.findings for way in one.ways} == {
            "POST with X-HTTP-Method-Override: GET", "POST with X-HTTP-Method: GET", "POST with X-Method-Override: GET",
            "POST with _method=GET in the address", "POST with _method=GET in a form",
        }  # fmt: skip
    if hole == "forgotten":
        assert {one.reader for one in report.findings} == {"p7", "p8", "nobody"}


def test_with_what_is_owned_a_list_that_shows_too_much_is_more_than_the_other_account(tmp_path: Path) -> None:
    """Then what the list gives is tried as well; people beside the two accounts are no longer untested."""
    numbers = {user: [10 * int(user) + one for one in range(EACH)] for user in ("7", "8")}
    ids = {user: [*map(str, own), *map(opaque, own)] for user, own in numbers.items()}
    with portal(frozenset({"list"})) as url:
        report = probed(url, *(account(tmp_path, user, owns=ids[user]) for user in ("7", "8")))
    assert {(one.kind, one.route, one.reader) for one in report.findings} == {
        (kind, route, reader) for kind, route in ((LISTED, "notes"), (READ, "note")) for reader in ("p7", "p8")
    }
    assert not any("beside the two" in one.what for one in report.untested)


class Quiet(SimpleHTTPRequestHandler):
    """A static file server that tells of nothing."""

    def log_message(self, *_: object) -> None:
        """Nothing."""


def test_a_server_of_files_that_asks_nobody(tmp_path: Path) -> None:
    """Opaque ids, people by a header: documents and lists are given to the other and to nobody, by paths that name the person."""
    shelf = tmp_path / "shelf"
    (shelf / "documents").mkdir(parents=True)
    files = []
    for number, name in enumerate(("ann", "ben")):
        ids = [str(UUID(int=(2 * one + number + 1) << 96)) for one in range(3)]
        (shelf / "people" / name).mkdir(parents=True)
        (shelf / "people" / name / "index.json").write_text(json.dumps({"documents": [{"id": one} for one in ids]}))
        for one in ids:
            (shelf / "documents" / f"{one}.pdf").write_text(f"%PDF-1.4\nthe document {one}\n")
        file = tmp_path / f"{name}.toml"
        file.write_text(f'[headers]\nX-Remote-User = "{name}"\n[values]\nname = "{name}"\n')
        file.chmod(0o600)
        files.append(file)
    (shelf / ".well-known").mkdir()
    (shelf / CONFIRMATION[1:]).write_text(LINE)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(shelf))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        report = probed(f"http://127.0.0.1:{server.server_port}", *files, settings=DESCRIBED / "files.toml")
        server.shutdown()
        thread.join(LONG)
    found = {(one.kind, one.route, one.owner, one.reader) for one in report.findings}
    assert found == {
        (kind, route, owner, reader)
        for kind, route in ((LISTED, "list"), (READ, "document"))
        for owner, other in (("ann", "ben"), ("ben", "ann"))
        for reader in (other, "nobody")
    }


def test_what_is_not_tested_is_said(tmp_path: Path) -> None:
    """Parameters that are not known, owners who are refused, lists that cannot be judged, and a bound that was reached."""
    settings = tmp_path / "gateway.toml"
    more = '\n[[route]]\nname = "yearly"\npath = "/years/{year:int}"\n\n[[route]]\nname = "gone"\npath = "/gone/{document:int}"\n'
    settings.write_text(SETTINGS.read_text() + more)
    with portal(frozenset()) as url:
        pair = account(tmp_path, "7", values=False), account(tmp_path, "8", values=False)
        report = probed(url, *pair, settings=settings)
        short = probed(url, *pair, settings=settings, most=120)
    said = {f"{one.what}: {one.why}" for one in report.untested}
    assert "route yearly as p7: no value of year is known; give it in [values]." in said
    assert "route gone, of p7: its owner was answered 404." in said
    assert "parameters that name a patient: an account gives none in its [values]." in said
    assert any(one.startswith("whether lists show people beside") for one in said)
    assert report.findings == short.findings == []
    assert (report.complete, short.complete, short.requests) == (True, False, 120)


class Wary(Portal):
    """A portal that ends the session of whoever asks for a document that is not theirs, and has no time for strangers."""

    def answer(self, asked: Asked) -> Reply:
        """As said."""
        reply = super().answer(asked)
        owner = self.records.letters.get(int(name)) if (name := asked.path.rpartition("/")[2]).isdecimal() else None
        if asked.session and owner and reply.status == 404:
            self._sessions.pop(asked.session, None)
        return Reply(429) if reply.status == 401 and not asked.session else reply


def test_answers_that_say_nothing_are_no_all_clear(tmp_path: Path) -> None:
    """Sessions that ended in the course of it, and 429, are told as what was not tested."""
    with portal(frozenset(), kind=Wary) as url:
        report = probed(url, account(tmp_path, "7"), account(tmp_path, "8"))
    said = {f"{one.what}: {one.why}" for one in report.untested}
    assert any(one.startswith("route letter as p8: its own documents were refused to it afterwards") for one in said)
    assert any("answered 429" in one for one in said)
    assert report.findings == []


def test_a_host_that_does_not_confirm_is_asked_for_nothing_else(tmp_path: Path) -> None:
    """Neither with another line, nor with none, nor with one that anybody could guess; the advice is a line to put there."""
    pair = account(tmp_path, "7"), account(tmp_path, "8")
    asked = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nshort"
    one = Scripted(asked)
    with pytest.raises(ConfigError, match="does not confirm"):
        probed(f"http://127.0.0.1:{one.port}", *pair, confirm="short")
    one.close()
    assert [heard.split(b" ")[1] for heard in one.heard] == [CONFIRMATION.encode()]
    with portal(HOLES) as url:
        for line in ("", "this-portal-may-not-be-probed"):
            with pytest.raises(ConfigError, match="does not confirm") as caught:
                probed(url, *pair, confirm=line)
            assert CONFIRMATION in caught.value.advice
    with portal(HOLES, confirm="") as url, pytest.raises(ConfigError):
        probed(url, *pair, confirm="")


def test_accounts_that_cannot_be_used(tmp_path: Path) -> None:
    """A wrong password, two that are one, a file that others may read, none at all, and two without a document."""
    seven, eight = account(tmp_path, "7"), account(tmp_path, "8")
    wrong = account(tmp_path, "9", password="hunter2")
    with portal(HOLES) as url:
        with pytest.raises(OperationError, match="p9 could not sign in") as caught:
            probed(url, seven, wrong)
        assert "hunter2" not in str(caught.value)
        with pytest.raises(UsageError):
            probed(url, seven, seven)
        with pytest.raises(ConfigError, match="cannot be read"):
            probed(url, seven, tmp_path / "none.toml")
        bare = tmp_path / "bare.toml"
        bare.write_text('[person]\nby = "cookie"\nname = "sid"\n[[route]]\nname = "login"\npath = "/login"\nmethods = ["POST"]\n'
                        'content_types = ["application/x-www-form-urlencoded"]\nlogin = { form = "user" }\n')  # fmt: skip
        with pytest.raises(OperationError, match="Nothing could be tested"):
            probed(url, seven, eight, settings=bare)
        bare.write_text('[[route]]\nname = "start"\npath = "/"\n')
        with pytest.raises(OperationError, match="describes no login"):
            probed(url, seven, eight, settings=bare)
        eight.chmod(0o640)
        with pytest.raises(ConfigError, match="Others may read"):
            probed(url, seven, eight)


def test_a_browser_signs_in_with_the_pages_hidden_fields(tmp_path: Path) -> None:
    """The page first; its cookie and its token go along; a session that the answer sets is kept."""
    page = b'<form><input type="hidden" name="csrf" value="t0ken"><input name="user"></form>'
    answers = (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nSet-Cookie: pre=1\r\nContent-Length: %d\r\n\r\n%b"
        % (len(page), page),
        b"HTTP/1.1 303 See Other\r\nSet-Cookie: sid=abc; HttpOnly\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    )
    bodies: list[bytes] = []
    one = Scripted(*answers)
    login = next(route for route in read_settings(SETTINGS).routes if route.route.login)

    async def visit() -> None:
        upstream = Upstream(read_origin(f"http://127.0.0.1:{one.port}"), Bounds())
        visitor = Visitor(upstream, "portal", Pace(1e6, 3), probe.load_account(account(tmp_path, "7")))
        await visitor.sign_in(login)
        bodies.append((await visitor.ask(Try("", "/letters"))).body)
        with pytest.raises(Enough):
            await visitor.ask(Try("", "/letters"))
        await upstream.close()

    asyncio.run(visit())
    one.close()
    assert bodies == [b"ok"]
    assert b"cookie: pre=1\r\n" in one.heard[1]
    assert b"cookie: pre=1; sid=abc\r\n" in one.heard[2]


def test_the_command_tells_ids_and_no_content(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In text and in JSON; exit code 1; neither a password nor a session nor what stood in a letter is in it."""
    said = []
    with portal(HOLES) as url:
        command = [
            "probe",
            "--upstream",
            url,
            "--config",
            str(SETTINGS),
            "--confirm",
            LINE,
            "--rate",
            "200",
            "--documents",
            "1",
        ]
        command += ["--account", str(account(tmp_path, "7")), "--account", str(account(tmp_path, "8"))]
        for form in ([], ["--json"]):
            with pytest.raises(SystemExit) as ended:
                main([*command, *form])
            assert ended.value.code == 1
            out, err = capsys.readouterr()
            said.append(out + err)
    report = json.loads(out)
    assert report["schema"] == "strongroom/probe/v1"
    assert set(report) == {"schema", "upstream", "requests", "complete", "findings", "tested", "untested"}
    assert "GET /letters/70" in said[0]
    assert "not tested: " in said[0]
    for secret in ("pp7", '"p7"}', "synthetic, of nobody", "A letter", "sid="):
        assert secret not in said[0] + said[1]
    assert os.environ.get("STRONGROOM_PROBE_CONFIRM") is None
