"""Each request is one event; nobody waits for the disk, and what is lost is counted."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from strongroom.gateway.files import KEPT, Events
from strongroom.gateway.modsecurity import Hit
from strongroom.gateway.ocsf import event
from strongroom.gateway.person import Who
from strongroom.gateway.ports import Asked
from strongroom.gateway.proxy import Event

ASKED = Asked("r1", 1, "letter", Who("s", "p"), "192.0.2.1/32", "d", "document", "17", "7")


def one(**fields: Any) -> Event:
    """A request for a document that was answered."""
    return Event(
        **{
            "request": "r1",
            "at": 1,
            "method": "GET",
            "network": "192.0.2.1/32",
            "asked": ASKED,
            "status": 200,
            **fields,
        }
    )


def lines(path: Path) -> list[Any]:
    """What stands in a file."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_document_is_file_hosting() -> None:
    """Downloaded, by whom, from where."""
    found = event(one(portal=200, size=99), "1")
    assert (found["class_uid"], found["type_uid"], found["activity_id"]) == (6006, 600602, 2)
    assert (found["file"]["uid"], found["actor"]["user"]["uid"], found["src_endpoint"]) == (
        "17",
        "p",
        {"ip": "192.0.2.1"},
    )
    assert (found["action_id"], found["status_id"], found["severity_id"]) == (1, 1, 1)
    assert found["http_response"] == {"code": 200, "body_length": 99}


@pytest.mark.parametrize(("rule", "severity"), [("guard-decoy", 3), ("waf-942100", 3), ("route-undescribed", 2)])
def test_what_is_refused_says_by_which_rule(rule: str, severity: int) -> None:
    """HTTP Activity, denied; nobody in it where nobody was known."""
    refused = one(
        asked=None, status=403, rule=rule, refused=True, network="2001:db8::/64", hits=(Hit(942100, "ARGS:q", 2),)
    )
    found = event(refused, "1")
    assert (found["class_uid"], found["type_uid"], found["action_id"], found["status_id"]) == (4002, 400203, 2, 2)
    assert (found["firewall_rule"]["uid"], found["severity_id"], found["actor"]) == (rule, severity, {})
    assert found["src_endpoint"] == {"name": "2001:db8::/64"}
    assert found["unmapped"]["waf"] == [{"rule": 942100, "part": "ARGS:q", "severity": 2}]


def test_other_methods_are_other() -> None:
    """Without a document and with one."""
    assert event(one(method="PATCH", asked=None), "1")["activity_id"] == 99
    assert event(one(method="OPTIONS"), "1")["activity_id"] == 99


def test_events_are_written_in_order_and_kept_from_others(tmp_path: Path) -> None:
    """A line each, readable by the owner alone; opened again, the file goes on."""
    path = tmp_path / "events.ndjson"
    for start in (0, 50):
        events = Events(path)
        for number in range(start, start + 50):
            events.put(lambda number=number: {"n": number})  # type: ignore[misc]  # bound now
        events.close()
    assert [line["n"] for line in lines(path)] == list(range(100))
    assert path.stat().st_mode & 0o777 == 0o600
    assert events.dropped == 0


def test_files_are_turned_over(tmp_path: Path) -> None:
    """By size; the oldest goes."""
    path = tmp_path / "events.ndjson"
    events = Events(path, size=100)
    for number in range(200):
        events.put(lambda number=number: {"number": number})  # type: ignore[misc]  # bound now
    events.close()
    files = sorted(tmp_path.iterdir())
    assert len(files) == KEPT
    assert all(file.stat().st_size <= 100 for file in files)
    assert lines(path)[-1]["number"] == 199


def test_two_processes_write_one_file(tmp_path: Path) -> None:
    """Each follows when the other turned it over; nothing is lost, and no file is longer than it may be."""
    path = tmp_path / "events.ndjson"
    pair = Events(path, size=2_000), Events(path, size=2_000)
    for number in range(600):
        pair[number % 2].put(lambda number=number: {"number": number})  # type: ignore[misc]  # bound now
    for events in pair:
        events.close()
        assert events.dropped == 0
    files = sorted(tmp_path.iterdir())
    assert len(files) > 2
    assert sorted(line["number"] for file in files for line in lines(file)) == list(range(600))


def test_a_file_that_cannot_be_turned_over_grows(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is lost, and it is said."""
    path = tmp_path / "events.ndjson"
    path.with_name(f"events.ndjson.{KEPT - 1}").mkdir()
    events = Events(path, size=100)
    for number in range(50):
        events.put(lambda number=number: {"number": number})  # type: ignore[misc]  # bound now
    events.close()
    files = [file for file in tmp_path.iterdir() if file.is_file()]
    assert sum(len(lines(file)) for file in files) == 50
    assert path.stat().st_size > 100
    assert "CANNOT BE TURNED OVER" in caplog.text


def test_nobody_waits_for_the_disk(tmp_path: Path) -> None:
    """When there is no room for more, events are dropped and counted, and whoever tells them goes on."""
    events, release = Events(tmp_path / "events.ndjson", room=10), threading.Event()

    def slow() -> dict[str, Any]:
        release.wait(60)
        return {}

    for _ in range(100):
        events.put(slow)
    assert events.dropped >= 89
    release.set()
    events.close()
    assert len(lines(tmp_path / "events.ndjson")) == 100 - events.dropped


def test_a_full_disk_is_counted() -> None:
    """/dev/full takes nothing."""
    events = Events(Path("/dev/full"))
    for _ in range(3):
        events.put(dict)
    events.close()
    assert events.dropped == 3
