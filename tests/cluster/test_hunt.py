"""A hunt in parts, from files to findings: what one machine says of the same files."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from strongroom.cluster import hunt as many
from strongroom.cluster.hunt import GROUP, groups
from strongroom.cluster.local import Local
from strongroom.cluster.part import Place
from strongroom.detect import shape
from strongroom.detect.duckdb import Engine
from strongroom.detect.evidence import opened
from strongroom.detect.hunt import Result, Wanted, hunt
from strongroom.errors import OperationError
from strongroom.logs import files, mapping
from strongroom.logs.files import Source

LINES = [
    f'192.0.2.{n % 200} - p{n % 40} [29/Dec/2025:{n // 60:02d}:{n % 60:02d}:00 +1300] "GET /documents/{n * 77}/content HTTP/1.1" '
    '200 90000 "-" "Mozilla/5.0"'
    for n in range(600)
] + [
    f'203.0.113.{n % 9} - mallory [29/Dec/2025:22:{n // 60:02d}:{n % 60:02d} +1300] "GET /documents/{500_000 + n}/content '
    f'HTTP/1.1" {404 if n % 4 == 3 else 200} 252000 "-" "curl/8"'
    for n in range(60)
]


def calls(first: int, last: int) -> bytes:
    """CloudTrail's records of these numbers: logging is cut, and a role reads what it finds."""
    records: list[dict[str, Any]] = [
        {
            "eventTime": f"2025-12-29T09:{at:02d}:00Z", "eventSource": "s3.amazonaws.com", "eventName": name, "eventID": f"e-{at}",
            "userIdentity": {"type": "AssumedRole", "arn": "arn:aws:sts::123456789012:assumed-role/web/i-1", "accessKeyId": "ASIA1",
                             "accountId": "123456789012"},
            "requestParameters": {"bucketName": "letters", "key": f"{at}.pdf"}, "recipientAccountId": "123456789012",
            "sourceIPAddress": "203.0.113.1", "userAgent": "aws-cli/2 Windows/10",
        }
        for at, name in enumerate(["ListBuckets", "ListObjects", *["GetObject"] * 30])
    ]  # fmt: skip
    return json.dumps({"Records": records[first:last]}).encode()


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Several formats and packings; records that were delivered twice, late and out of order; a file that is no log."""
    folder = tmp_path_factory.mktemp("logs")
    for at in range(5):
        lines = "".join(f"{line}\n" for line in LINES[::-1][at::5]).encode() + b"not a line\n" * (at == 2)
        name = folder / (f"access.{at}.gz" if at % 2 else f"access.{at}")
        name.write_bytes(gzip.compress(lines) if at % 2 else lines)
    (folder / "trail.json").write_bytes(calls(10, 32))
    (folder / "trail-late.json.gz").write_bytes(gzip.compress(calls(0, 17)))  # seven of them twice
    named = (
        f'203.0.113.9 - - [29/Dec/2025:09:00:00 +0000] "GET /people/{"x" * n}/a HTTP/1.1" 200 5' for n in range(1, 61)
    )
    (folder / "named.log").write_text("\n".join(named), encoding="utf-8")
    (folder / "README.txt").write_text("These are logs.", encoding="utf-8")
    (folder / "cut.gz").write_bytes(gzip.compress(b"".join(f"{line}\n".encode() for line in LINES))[:-900])
    (folder / "owners.csv").write_text(
        "document,patient\n" + "".join(f"{n * 77},x{n % 40}\n" for n in range(0, 600, 2)) + "500001,y1\n500002,y2\n"
    )
    (folder / "relations.csv").write_text("account,patient\n" + "".join(f"p{n},x{n}\n" for n in range(40)))
    (folder / "accounts.csv").write_text("account,role,group\np1,nurse,ward\np2,clerk,desk\n")
    (folder / "portal.toml").write_text(
        'routes = ["/documents/{document}/content"]\ndocuments = "owners.csv"\nrelations = "relations.csv"\n'
        'accounts = "accounts.csv"\n'
    )
    return folder


def told(found: Result) -> dict[str, Any]:
    """Everything that is said of it, evidence that was opened again included."""
    evidence = [(one, opened(one.evidence, found.files)) for one in found.findings]
    assert all(at.same for _, every in evidence for at in every)
    return shape.result(found, evidence)


def both(paths: list[Path], parts: int, **wanted: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """What one machine says, and what parts say."""
    sources = files.expand(tuple(map(str, paths)))
    with Engine() as engine:
        one = told(hunt(sources, Wanted(**wanted), engine))
    with Engine() as engine:
        return one, told(many.hunt(sources, Wanted(**wanted), engine, Local(parts)))


def test_parts_say_what_one_machine_says(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files, what could not be read, what came twice, findings, campaigns, evidence: all of it, however the files are cut up."""
    monkeypatch.setattr(many, "GROUP", 4_000)
    one, parted = both([logs], 3)
    assert parted == one
    assert {about["about"] for about in one["findings"]} >= {"login mallory"}
    assert (one["duplicates"], one["finding_count"] > 1) == (7, True)
    assert one["unnamed"] == [{"like": "/people/*/…", "addresses": 60, "route": "/people/{patient}/{document}"}]


def test_the_operators_tables_are_known_to_all_parts(logs: Path) -> None:
    """Owners, relations and roles; and times that narrow the hunt."""
    given = mapping.load(logs / "portal.toml")
    since = 1_766_998_800_000 - 3_600_000 * 18
    one, parted = both([logs], 2, mapping=given, since=since, until=since + 3_600_000 * 30)
    assert parted == one
    assert any(finding["people"] for finding in one["findings"])


def test_rules_that_do_not_run_are_named_alike(logs: Path, tmp_path: Path) -> None:
    """By the same words, whoever refuses them."""
    rule = "title: T\nid: {}\nlogsource: {{category: webserver}}\ndetection: {{s: {{cs-uri-query|re: '{}'}}, condition: s}}\n"
    (tmp_path / "bad.yml").write_text(rule.format("0f0e0d0c-0000-4000-8000-000000000001", "a("))
    (tmp_path / "good.yml").write_text(rule.format("0f0e0d0c-0000-4000-8000-000000000002", "a"))
    one, parted = both([logs / "access.0"], 2, rules=(tmp_path,))
    assert parted == one
    assert len(one["stopped"]) == 1


def test_a_file_that_is_gone_is_an_error(tmp_path: Path) -> None:
    """A machine that cannot open what it is to read says which: nothing is left out silently."""
    source = Source("there/a.log", tmp_path / "a.log", named=True)
    (tmp_path / "a.log").write_text("x")
    sizes = source.size
    (tmp_path / "a.log").unlink()
    assert sizes == 1

    class Gone(Source):
        size = 1

    with Engine() as engine, pytest.raises(OperationError, match=r"there/a[.]log"):
        many.hunt([Gone("there/a.log", tmp_path / "a.log", named=True)], Wanted(), engine, Local(2))


def test_nothing_is_found_where_nothing_is(tmp_path: Path) -> None:
    """No log at all, and no event of that time."""
    (tmp_path / "a.log").write_text(f"{LINES[0]}\n")
    one, parted = both([tmp_path / "a.log"], 2, since=2**52)
    assert parted == one
    (tmp_path / "b.txt").write_text("no log")
    one, parted = both([tmp_path / "b.txt"], 2)
    assert parted == one


def test_small_files_are_one_piece_of_work() -> None:
    """And a large one is one by itself; in their order."""

    class Sized(Source):
        size = GROUP // 2

    sources: list[Source] = [Sized(str(at), Path("x"), named=True) for at in range(5)]
    places = [Place(at, str(at), "x", None) for at in range(5)]
    assert [[place.number for place in group] for group in groups(places, sources)] == [[0, 1], [2, 3], [4]]
