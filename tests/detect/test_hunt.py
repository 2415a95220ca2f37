"""A hunt from files to findings."""

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from strongroom.detect import shape
from strongroom.detect.detection import Detection
from strongroom.detect.duckdb import Engine
from strongroom.detect.evidence import opened
from strongroom.detect.hunt import Result, Wanted, hunt, run
from strongroom.logs import files, formats, mapping
from strongroom.sigma.rule import Head

HONEST = [
    f'192.0.2.{n % 200} - p{n} [29/Dec/2025:{n % 24:02d}:00:00 +1300] "GET /documents/{n * 77}/content HTTP/1.1" 200 90000 '
    '"-" "Mozilla/5.0"'
    for n in range(100)
]
THIEF = [
    f'203.0.113.{n % 9} - mallory [29/Dec/2025:22:{n // 60:02d}:{n % 60:02d} +1300] "GET /documents/{500_000 + n}/content '
    f'HTTP/1.1" {404 if n % 4 == 3 else 200} 252000 "-" "curl/8"'
    for n in range(60)
]


def write(path: Path, lines: list[str]) -> Path:
    """A log, packed when its name says so."""
    data = "".join(f"{line}\n" for line in lines).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def hunted(paths: list[Path], **wanted: Any) -> Result:
    """What a hunt finds, its evidence opened."""
    sources = files.expand(tuple(map(str, paths)))
    with Engine() as engine:
        found = hunt(sources, Wanted(**wanted), engine)
    for one in found.findings:
        assert all(at.same for at in opened(one.evidence, found.files))
    assert json.dumps(shape.result(found, [(one, []) for one in found.findings]))
    return found


def test_a_theft_in_rotated_logs(tmp_path: Path) -> None:
    """Over two files, one packed, out of order: who, how much, and how much had left; honest people are not named."""
    write(tmp_path / "access.log", THIEF[30:] + HONEST[:50])
    write(tmp_path / "access.log.1.gz", HONEST[50:] + THIEF[:30])
    found = hunted([tmp_path])
    assert [one.about for one in found.findings] == ["login mallory"]
    (theft,) = found.findings
    assert (theft.level, theft.documents, theft.events, theft.addresses) == ("high", 45, 60, 9)
    assert theft.lost == 8  # ten ids were asked for, two of them were not there
    assert [file.account.events for file in found.files] == [80, 80]


def test_the_same_answer_however_the_lines_are_split(tmp_path: Path) -> None:
    """One file or seven, forwards or backwards: the same findings."""
    lines = HONEST + THIEF
    whole = hunted([write(tmp_path / "whole.log", lines)])
    for at in range(7):
        write(tmp_path / f"part{at}.log", lines[::-1][at::7])
    parts = hunted([tmp_path / f"part{at}.log" for at in range(7)])
    keep = ("id", "about", "level", "events", "documents", "bytes", "first", "last", "fired", "lost")
    assert [[getattr(one, name) for name in keep] for one in whole.findings] == [
        [getattr(one, name) for name in keep] for one in parts.findings
    ]


def test_events_delivered_twice_count_once(tmp_path: Path) -> None:
    """By the source's own id; web servers give none."""
    record = {
        "eventTime": "2025-12-29T09:00:00Z", "eventSource": "cloudtrail.amazonaws.com", "eventName": "StopLogging",
        "userIdentity": {"type": "IAMUser", "userName": "ops"}, "requestParameters": {"name": "t"}, "eventID": "e-1",
    }  # fmt: skip
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text(json.dumps({"Records": [record]}), encoding="utf-8")
    found = hunted([tmp_path])
    assert (found.events, found.duplicates) == (2, 1)
    assert [one.events for one in found.findings] == [1]


def test_times_narrow_the_hunt(tmp_path: Path) -> None:
    """From then on, and up to then."""
    log = write(tmp_path / "a.log", THIEF)
    begin = 1_766_998_800_000  # 22:00 in New Zealand
    assert hunted([log], since=begin + 60_000).findings == []
    assert [one.documents for one in hunted([log], until=begin + 30_000).findings] == [23]


def test_a_mapping_tells_people_and_strangers(tmp_path: Path) -> None:
    """With owners and relations the second stranger's document is enough."""
    write(tmp_path / "a.log", HONEST + THIEF[:4])
    (tmp_path / "o.csv").write_text(
        "document,patient\n" + "".join(f"{n * 77},p{n}\n" for n in range(100)) + "500000,x\n500001,y\n",
        encoding="utf-8",
    )
    (tmp_path / "r.csv").write_text("account,patient\n" + "".join(f"p{n},p{n}\n" for n in range(100)), encoding="utf-8")
    (tmp_path / "m.toml").write_text(
        'routes = ["/documents/{document}/content"]\ndocuments = "o.csv"\nrelations = "r.csv"', encoding="utf-8"
    )
    found = hunted([tmp_path / "a.log"], mapping=mapping.load(tmp_path / "m.toml"))
    (one,) = found.findings
    assert (one.about, one.level, one.documents, one.people) == ("login mallory", "critical", 2, 2)
    assert (one.lost, one.lost_people) == (2, 2)


def test_files_that_are_no_logs_are_named_and_left_out(tmp_path: Path) -> None:
    """In a directory of logs there are others too."""
    write(tmp_path / "a.log", HONEST)
    (tmp_path / "README.txt").write_text("These are logs.", encoding="utf-8")
    (tmp_path / "broken.gz").write_bytes(gzip.compress(b"x" * 10_000)[:30])
    found = hunted([tmp_path])
    assert {file.source.path.name: file.format.name if file.format else None for file in found.files} == {
        "README.txt": None, "a.log": "access", "broken.gz": None,
    }  # fmt: skip


HOSTILE = [
    b"\x00\x01\x02 binary junk \xff\xfe",
    THIEF[0][:50].encode(),
    b"x" * 3_000_000,
    THIEF[0].replace("mallory", "\x1b[2J\x1b]0;owned\x07<script>").encode(),
    THIEF[0].replace("252000", "9" * 30).encode(),
    THIEF[0].replace("2025", "1970").encode(),
    THIEF[0].replace("2025", "9999").encode(),
    THIEF[0].replace("2025", "0000").encode(),
    THIEF[0].encode().replace(b"content", b"\xff\xfe\xfa"),
]


def test_hostile_lines_are_counted_and_the_rest_is_read(tmp_path: Path) -> None:
    """Junk, half lines, megabytes, escapes, numbers and years without measure: nothing is lost and nothing breaks."""
    path = tmp_path / "a.log"
    path.write_bytes(b"\n".join([line.encode() for line in HONEST + THIEF] + HOSTILE))
    found = hunted([path])
    (file,) = found.files
    assert file.account.events == len(HONEST) + len(THIEF) + 4
    assert file.account.unreadable == {
        "not written in this format": 2, "longer than the limit": 1, "a number beyond 64 bits": 1, "a time that is none": 1,
    }  # fmt: skip
    assert "login mallory" in {one.about for one in found.findings}


@pytest.mark.parametrize("name", list(formats.NAMES))
def test_a_format_that_is_forced_reads_nothing_it_cannot(tmp_path: Path, name: str) -> None:
    """Junk in any format: all of it counted, no error."""
    path = tmp_path / "junk"
    path.write_bytes(b'\x00\xff{["junk\n' * 50)
    found = hunted([path], format=formats.NAMES[name])
    assert found.events == 0
    assert found.files[0].account.unreadable


def test_sql_that_the_engine_refuses_is_named() -> None:
    """With the detection's title; those after it run."""
    head = Head("bad", "Bad", "low", "", (), (), ())
    good = Detection(replace(head, id="good", title="Good"), "SELECT 'x' AS about, 0 AS fired, 0 AS event")
    stopped: list[Any] = []
    with Engine() as engine:
        ran = run((Detection(head, "SELECT nonsense"), good), engine, stopped)
        assert engine.rows("SELECT count(*) FROM hit") == [(1,)]
    assert ran == (good,)
    assert [(one.title, "The engine refuses it" in one.reason) for one in stopped] == [("Bad", True)]


def test_a_rule_without_an_id_is_known_by_its_title(tmp_path: Path) -> None:
    """Whatever the title holds."""
    rule = 'title: Mallory\'s "curl"\nlogsource: {category: webserver}\ndetection: {s: {cs-username: mallory}, condition: s}\n'
    (tmp_path / "r.yml").write_text(rule, encoding="utf-8")
    found = hunted([write(tmp_path / "a.log", THIEF[:3])], rules=(tmp_path / "r.yml",))
    assert [reason.detection.head.title for reason in found.findings[0].reasons] == ['Mallory\'s "curl"']


def test_a_rule_with_an_error_does_not_stop_the_hunt(tmp_path: Path) -> None:
    """It is named with its reason, also when only the engine finds it; the others find what they find."""
    rule = "title: {0}\nid: {1}\nlogsource: {{category: webserver}}\ndetection:\n  s: {{{2}}}\n  condition: s\n"
    (tmp_path / "bad.yml").write_text("title: [", encoding="utf-8")
    looking = rule.format("Looks around", "a1", "'cs-uri-stem|re': 'a(?=b)'")
    (tmp_path / "around.yml").write_text(looking, encoding="utf-8")
    found = hunted([write(tmp_path / "a.log", HONEST + THIEF)], rules=(tmp_path,))
    assert {one.title for one in found.stopped} == {"", "Looks around"}
    assert [one.about for one in found.findings] == ["login mallory"]
