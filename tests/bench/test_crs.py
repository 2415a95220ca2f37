"""The bench of the Core Rule Set's tests: both forms of them are read, and a test holds when its rule says what it must."""

import io
import tarfile
from pathlib import Path

import pytest

from bench import crs as bench
from bench.crs import sets
from bench.crs.suite import Heard, Stage, judged, read, request
from bench.proxied import gateway
from strongroom.errors import ConfigError
from strongroom.gateway import rules
from strongroom.gateway.modsecurity import Engine
from strongroom.gateway.waf import Waf

OLD = r"""
meta: {enabled: true}
tests:
  - test_title: 942100-1
    stages:
      - stage:
          input: {method: POST, headers: {Host: localhost}, data: "q=1' OR 1=1-- -"}
          output: {log_contains: 'id "942100"'}
  - test_title: 942100-2
    stages:
      - stage:
          input: {uri: "/?q=harmless", headers: {Host: localhost}}
          output: {no_log_contains: 'id "942100"'}
  - test_title: 942100-3
    stages:
      - stage:
          input: {uri: "/?q=harmless", headers: {Host: localhost}}
          output: {log_contains: 'id "942100"'}
  - test_title: 920100-1
    stages:
      - stage:
          input: {uri: "/a#b", headers: {Host: localhost}}
          output: {no_log_contains: 'id "920100"'}
  - test_title: 920100-2
    stages:
      - stage:
          input: {uri: "/../a", headers: {Host: localhost}}
          output: {log_contains: 'id "930100"'}
"""
NEW = """
rule_id: 941100
tests:
  - test_id: 1
    stages:
      - input: {uri: "/?q=<script>alert(1)</script>", headers: {Host: localhost, User-Agent: x}}
        output: {log: {expect_ids: [9000]}, status: 200}
      - input: {encoded_request: R0VUIC8gSFRUUC8xLjENCkhvc3Q6IGENCg0K}
        output: {log: {no_expect_ids: [941100]}}
"""


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A release's archive with both forms, and a file that is none of ours."""
    place = tmp_path / "release.tar.gz"
    with tarfile.open(place, "w:gz") as file:
        for name, text in (
            ("regression/tests/A/942100.yaml", OLD),
            ("regression/tests/B/941100.yaml", NEW),
            ("regression/other.yaml", "x"),
            ("regression/tests/RESPONSE-950/950100.yaml", OLD),
        ):
            member = tarfile.TarInfo("release/tests/" + name)
            member.size = len(text.encode())
            file.addfile(member, io.BytesIO(text.encode()))
    return place


def test_what_holds_through_the_gateway(archive: Path) -> None:
    """A rule that spoke, one that was silent, one that should have spoken; a refusal where silence was asked for, and where not."""
    engine = Engine()
    rules.load(engine, level=4, more=bench.LIMITS)
    cases = [case for case in read(archive) if not case.name.startswith("941100")]
    with bench.portal() as port, gateway(bench.SETTINGS, port, Waf(engine, block=False)) as served:
        failures, refused = bench.ran(cases, served)
    assert [name for name, _ in failures] == ["942100-3", "920100-1"]
    assert refused == 2


def test_both_forms_are_read(archive: Path) -> None:
    """Names, stages, what is expected."""
    found = {case.name: case.stages for case in read(archive)}
    assert len(found) == 6
    first, second = found["941100-1"]
    assert (first.expected, first.statuses) == (frozenset({9000}), frozenset({200}))
    assert (second.raw, second.unexpected) == (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", frozenset({941100}))
    assert found["942100-1"][0].raw == (
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 20\r\n"
        b"Connection: close\r\n\r\nq=1%27+OR+1%3D1--+-"
    ).replace(b"20", b"%d" % len("q=1%27+OR+1%3D1--+-"))


def test_a_request_is_what_the_test_says() -> None:
    """Repeated text, a list of lines, a body that is left as it is."""
    assert request({"data": '{{ "ab" | repeat 3 }}', "autocomplete_headers": False}).endswith(b"\r\n\r\nababab")
    assert request({"data": ["a", "b"], "stop_magic": True, "method": "PUT"}) == b"PUT / HTTP/1.1\r\n\r\na\r\nb"
    multipart = {"headers": {"Content-Type": "multipart/form-data; boundary=x"}, "data": "--x\n\na\r\n--x--\n"}
    assert request(multipart).endswith(b"\r\n\r\n--x\r\n\r\na\r\n--x--\r\n")


def test_what_is_judged() -> None:
    """Statuses, words of the log, requests that nobody answered."""
    stage = Stage(b"", frozenset({1}), frozenset({2}), ("id .3",), frozenset({403}))
    assert judged(stage, Heard(frozenset({1, 3}), 200, blocked=True)) == ""
    assert judged(stage, Heard(frozenset({1, 3}), 200)) == "answered 200"
    assert judged(stage, Heard(frozenset({1}), 403)) == "the log has other words"
    assert judged(stage, Heard(frozenset({3}), 403)) == "1 stayed silent"
    assert judged(stage, Heard(frozenset({1, 2}), 403)) == "2 matched"
    assert judged(stage, Heard(None, 400)).startswith("refused by the parser")
    assert judged(stage, Heard(None, 403)) == ""


def test_sets_of_others_are_counted(tmp_path: Path) -> None:
    """What is blocked of attacks, what passes of the rest, for each group."""
    (tmp_path / "owasp").mkdir()
    (tmp_path / "false-pos").mkdir()
    (tmp_path / "owasp" / "a.yml").write_text(
        "payload: ['<script>alert(1)</script>']\nencoder: [Plain, URL, Base64Flat]\n"
        "placeholder: [URLParam, Header, HTMLMultipartForm, JSONRequest, GraphQL]\n"
    )
    (tmp_path / "false-pos" / "b.yml").write_text(
        'payload:\n  - "\\\'s a cat"\nencoder: [Plain]\nplaceholder: [JSONRequest, RawRequest: {method: X}]\n'
    )
    (tmp_path / "FP").mkdir()
    (tmp_path / "FP" / "1.json").write_text('{"payload": [{"ARGS": "q=cat", "COOKIE": "cat"}]}')
    (tmp_path / "SQLi").mkdir()
    (tmp_path / "SQLi" / "1.json").write_text(
        '{"payload": [{"URL": "/a?q=1 union select 1 from users", "BODY": "q=%RND%", "METHOD": "DELETE"}]}'
    )
    engine = Engine()
    rules.load(engine)
    with bench.portal() as port, gateway(bench.SETTINGS, port, Waf(engine, block=True)) as served:
        found = [(one.name, one.value) for one in sets.counted("g", sets.gotestwaf(tmp_path), served)]
        also = [(one.name, one.value) for one in sets.counted("n", sets.nemesida(tmp_path), served)]
    assert found == [
        ("g: harmless requests that pass, of 1", 100.0),
        (
            "g: attacks blocked, of 8",
            75.0,
        ),  # two are escaped once more than anybody reads
        ("g, Base64 without padding: attacks blocked, of 4", 0.0),
    ]
    assert also == [("n: harmless requests that pass, of 2", 100.0), ("n: attacks blocked, of 2", 50.0)]


def test_without_tests_there_is_no_figure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what to do, and measures nothing."""
    monkeypatch.setenv(bench.NAMED, str(tmp_path))
    with pytest.raises(ConfigError, match="no tests of the Core Rule Set"):
        list(bench.run("small"))
    monkeypatch.delenv(bench.NAMED)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="no apt-get"):
        list(bench.run("small"))
