"""`strongroom hunt`, as an analyst types it."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import obstore
import pytest
from obstore.store import S3Store

from strongroom.cli.main import main

THIEF = [
    f'203.0.113.5 - mallory [29/Dec/2025:22:{n // 60:02d}:{n % 60:02d} +1300] "GET /documents/{500_000 + n} HTTP/1.1" 200 '
    '252000 "-" "curl/8"\n'
    for n in range(60)
]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log with a theft in it."""
    path = tmp_path / "access.log"
    path.write_text("".join(THIEF), encoding="utf-8")
    return path


def run(*arguments: str | Path) -> int:
    """The exit code of a command line."""
    try:
        main([str(argument) for argument in arguments])
    except SystemExit as done:
        return int(done.code or 0)
    return 0


def test_the_answer_comes_first(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Who, how much and why in the first lines; then the loss, the honest reading, the bytes; exit code 1."""
    assert run("hunt", log) == 1
    out = capsys.readouterr().out
    assert out.startswith(
        "1 finding, 1 of them with documents that left. The worst: login mallory: 60 documents, 15.1 MB."
    )
    assert "10 documents had left when this would first have fired, 2025-12-29 09:00:09 UTC; 50 more by the end." in out
    assert "It could be honest:" in out
    assert f"{log} byte 0, {len(THIEF[0]) - 1} bytes, sha256" in out
    assert f"{log}: nginx or Apache access log (common, combined), 60 events" in out


def test_json_is_one_object(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the same numbers, and evidence that is still what was read."""
    assert run("hunt", log, "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["schema"], found["events"], found["finding_count"]) == ("strongroom/hunt/v1", 60, 1)
    (one,) = found["findings"]
    assert (one["about"], one["documents"], one["documents_lost_when_fired"]) == ("login mallory", 60, 10)
    assert one["people"] is None
    assert len(one["evidence"]) == 20
    assert all(at["same"] for at in one["evidence"])


def test_one_finding_is_explained_with_all_its_lines(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By its id; an id that is none is a usage error."""
    run("hunt", log, "--json")
    id_ = json.loads(capsys.readouterr().out)["findings"][0]["id"]
    assert run("hunt", log, "--explain", id_) == 1
    assert capsys.readouterr().out.count("GET /documents/") == 60
    assert run("hunt", log, "--explain", "0") == 2


def test_nothing_found_is_0_and_says_what_looked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It does not say that nothing happened."""
    path = tmp_path / "a.log"
    path.write_text("".join(THIEF[:5]), encoding="utf-8")
    assert run("hunt", path) == 0
    assert "what is not in these logs they cannot see" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        [], ["nowhere.log"], ["--format", "nonsense", "{log}"], ["--top", "0", "{log}"], ["--since", "yesterday", "{log}"],
        ["--since", "2026-01-01", "--until", "2026-01-01", "{log}"],
    ],
)  # fmt: skip
def test_a_command_line_without_sense_is_2(log: Path, arguments: list[str]) -> None:
    """Nothing is tried."""
    assert run("hunt", *(argument.format(log=log) for argument in arguments)) == 2


def test_a_cluster_needs_what_it_needs(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without pyspark it is 78 and the line that installs it; what needs all events in one place is refused before anything."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert run("hunt", "--spark", "local[1]", log) == 78
    assert "strongroom hunt --install-spark" in capsys.readouterr().err
    for arguments in (["-"], [log, "--keep", tmp_path / "kept"], [log, "--html", tmp_path / "a.html"]):
        assert run("hunt", "--spark", "local[1]", *arguments) == 2
    assert not (tmp_path / "kept").exists()


def test_what_was_taken_for_pages_is_said(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing was found is not said without it."""
    pages = (line.replace(f"{500_000 + n} ", f"person-{'x' * n}/letter.pdf ") for n, line in enumerate(THIEF))
    log.write_text("".join(pages).replace("curl/8", "Mozilla/5.0"), encoding="utf-8")
    assert run("hunt", log) == 0
    out = capsys.readouterr().out
    assert "may be documents, stands below." in out.splitlines()[0]
    assert (
        '60 addresses like /documents/*/…. If documents, --mapping says so: routes = ["/documents/{patient}/{document}"]'
        in out
    )


def test_nothing_readable_is_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A hunt that read nothing must not look like good news; the reasons stand there."""
    path = tmp_path / "a.bin"
    path.write_bytes(b"\x00\xff" * 500)
    assert run("hunt", path) == 3
    assert run("hunt", path, "--format", "access") == 3
    told = capsys.readouterr().err
    assert f"{path}: no log that is known" in told
    assert "1 unit unreadable: not written in this format (byte 0)" in told


def test_who_asked_behind_a_content_network_is_asked_for_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its addresses are nobody; a mapping names them, and then one client is found, whatever it wrote before its own address."""
    logs = tmp_path / "logs"
    logs.mkdir()
    line = '192.0.2.{} - - [29/Dec/2025:22:{:02}:00 +1300] "GET /d/{} HTTP/1.1" 200 5 "-" "Mozilla/5.0" "{}.1.1.1, 203.0.113.9"\n'
    text = "".join(line.format(n % 7, n, 4_711 + n, n) for n in range(40))
    for name in ("a.log", "b.log"):
        (logs / name).write_text(text)
    run("hunt", logs)
    out = capsys.readouterr().out
    assert "203.0.113.9" not in out
    assert "may be a proxy's" in out.splitlines()[0]
    assert out.count("a --mapping with proxies") == 1
    (tmp_path / "portal.toml").write_text('proxies = ["192.0.2.0/24"]\n')
    assert run("hunt", logs, "--mapping", tmp_path / "portal.toml") == 1
    out = capsys.readouterr().out
    assert "address 203.0.113.9: 40 documents" in out.splitlines()[0]
    assert "a --mapping with proxies" not in out


def test_files_that_are_alike_are_told_of_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Fifteen rotated files in a format of one's own are one sentence."""
    for n in range(15):
        (tmp_path / f"a.log.{n}").write_text("2026-03-02 06:00:00,123 INFO user=ann\n")
    assert run("hunt", tmp_path) == 3
    told = capsys.readouterr().err
    assert told.count("no log that is known") == 1
    assert "and 12 more: no log" in told


def test_a_time_in_which_nothing_lies_is_3(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A mistyped year must not look like good news; the bounds are those that were given."""
    assert run("hunt", log, "--since", "2027-01-01") == 3
    assert "None of the 60 events is of the time that --since and --until name." in capsys.readouterr().err
    assert (
        run("hunt", log, "--since", "2025-12-29T22:00:00+13:00", "--until", "2025-12-29T22:00:30+13:00", "--json") == 1
    )
    assert json.loads(capsys.readouterr().out)["findings"][0]["documents"] == 30


def test_a_mapping_that_does_not_fit_is_78(log: Path, tmp_path: Path) -> None:
    """A bad configuration."""
    (tmp_path / "m.toml").write_text("routes = 7", encoding="utf-8")
    assert run("hunt", log, "--mapping", tmp_path / "m.toml") == 78


def test_nothing_from_a_log_reaches_the_terminal_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Escapes in names, addresses and paths are shown and not sent, also where the lines are shown; JSON is ASCII."""
    path = tmp_path / "a.log"
    hostile = [line.replace("mallory", "m\x1b[2J\u202e").replace("/documents", "/\x07\x9b31m") for line in THIEF]
    path.write_text("".join(hostile), encoding="utf-8")
    run("hunt", path, "--json")
    out = capsys.readouterr().out
    assert out.isascii()
    run("hunt", path, "--explain", json.loads(out)["findings"][0]["id"])
    shown: Any = capsys.readouterr().out
    assert [c for c in shown if not c.isprintable() and c != "\n"] == []
    assert "m\\x1b[2J\\u202e" in shown


def test_a_log_in_a_format_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The server's own string says how it is read; a string that says too little is refused with what it lacks."""
    path = tmp_path / "own.log"
    lines = [f"2025-12-29T09:00:{n:02d}Z|203.0.113.5|/documents/{500_000 + n}|200\n" for n in range(40)]
    path.write_text("".join(lines), encoding="utf-8")
    assert run("hunt", path, "--log-format", "$time_iso8601|$remote_addr|$uri|$status") == 1
    assert f"{path}: an access log by your format string, 40 events" in capsys.readouterr().out
    assert run("hunt", path) == 3
    assert run("hunt", path, "--log-format", "$remote_addr|$uri|$status") == 2
    assert "does not tell a time" in capsys.readouterr().err


def test_a_format_that_is_guessed_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An analyst who has nothing but the log gets the answer by login, and how the log was read, in one sentence for all files."""
    line = '2025-12-29T09:00:{:02d}Z user=ann sid=4f 203.0.113.5 "GET /documents/{} HTTP/1.1" 200 5 0.02 "curl/8.1"\n'
    for name in ("a.log", "b.log"):
        text = "".join(line.format(n, 500_000 + n) for n in range(40))
        (tmp_path / name).write_text(text if name == "a.log" else text.replace("T09", "T10"), encoding="utf-8")
    assert run("hunt", tmp_path) == 1
    out = capsys.readouterr().out
    assert "login ann: 40 documents" in out.splitlines()[0]
    assert "was guessed: see below" in out.splitlines()[0]
    assert out.count("user=$remote_user sid=$cookie_session") == 1


def test_a_suppressed_finding_is_told(log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is left to look at (0), and the answer says what was quietened, by whom and until when."""
    today = datetime.now(UTC).date()
    path = tmp_path / "known.toml"
    entry = '[[suppression]]\nabout = "login mallory"\nauthor = "Ann"\nreason = "a test"\nuntil = '
    path.write_text(f"{entry}{today + timedelta(days=9)}\n", encoding="utf-8")
    assert run("hunt", log, "--suppress", path) == 0
    out = capsys.readouterr().out
    (told,) = re.findall(r"\ANothing was found in 60 events\. (\d+) suppressed\.", out)
    assert out.count("  suppressed: login mallory: ") == int(told) >= 3
    assert "suppressed: login mallory: Ids were asked for in a row: 60 events, 60 documents. a test (Ann, until" in out
    assert run("hunt", log, "--suppress", path, "--json") == 0
    assert {one["author"] for one in json.loads(capsys.readouterr().out)["suppressed"]} == {"Ann"}


def test_a_suppression_that_has_ended_is_told(log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And what it quietened is found again."""
    path = tmp_path / "known.toml"
    path.write_text('[[suppression]]\nabout = "login mallory"\nauthor = "Ann"\nreason = "r"\nuntil = 2020-01-01\n')
    assert run("hunt", log, "--suppress", path) == 1
    told = capsys.readouterr()
    assert "A suppression has ended on 2020-01-01 (login mallory, Ann)" in told.err
    assert "suppressed" not in told.out


def test_a_log_in_a_bucket(
    log: Path, s3_port: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a real S3 server the same findings as on disk, with evidence opened again there."""
    endpoint = f"http://127.0.0.1:{s3_port}"
    store = S3Store(
        "docs", endpoint=endpoint, access_key_id="key", secret_access_key="secret", region="us-east-1",
        client_options={"allow_http": True},
    )  # fmt: skip
    obstore.put(store, "portal/access.log", log.read_bytes())
    told = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_ENDPOINT_URL": endpoint}
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    assert run("hunt", log, "--json") == 1
    here = json.loads(capsys.readouterr().out)
    assert run("hunt", "s3://docs/portal", "--json") == 1
    there = json.loads(capsys.readouterr().out)
    assert [one["id"] for one in there["findings"]] == [one["id"] for one in here["findings"]]
    assert all(at["same"] and at["file"] == "s3://docs/portal/access.log" for at in there["findings"][0]["evidence"])
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "")
    assert run("hunt", "s3://docs/portal") == 2
    assert "AWS_ACCESS_KEY_ID" in capsys.readouterr().err


def test_what_was_read_is_kept(log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same answer again; a directory of something else is a usage error."""
    assert run("hunt", log, "--keep", tmp_path / "kept", "--json") == 1
    first = capsys.readouterr().out
    assert run("hunt", log, "--keep", tmp_path / "kept", "--json") == 1
    assert capsys.readouterr().out == first
    assert run("hunt", log, "--keep", tmp_path) == 2
