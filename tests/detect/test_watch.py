"""The loop of a watch over a real bucket; and what it says to the operator."""

import os
from pathlib import Path
from typing import Any

import obstore
import pytest
from obstore.store import S3Store

from strongroom.clock import ManualClock, Millis
from strongroom.detect import ending, hunt, rules
from strongroom.detect.live import Live
from strongroom.detect.sqlite import Store
from strongroom.detect.state import State
from strongroom.detect.watch import Watch
from strongroom.logs.follow import Follower

WALK = next(one for one in hunt.own(None) if one.shape == "walk" and one.fold is not None)


def lines(first: int, last: int) -> str:
    """A walk over ids."""
    return "".join(
        f'192.0.2.1 - eve [29/Dec/2025:09:{n // 60:02d}:{n % 60:02d} +0000] "GET /d/{900_000 + n} HTTP/1.1" 200 10 "-" "-"\n'
        for n in range(first, last)
    )


class Scene:
    """A watch for walks in some paths."""

    def __init__(self, folder: Path, *paths: str, clock: int = 2**42, live: Live | None = None) -> None:
        self.live, self.state, self.store = live or Live([WALK], None, 0), State(folder), Store(folder)
        self.store.begin(["me"])
        self.said: list[str] = []
        self.calls = 0
        self.watch = Watch(
            Follower(paths), self.live, self.state, self.store, ManualClock(Millis(clock)), told=self._told,
            said=self.said.append,
        )  # fmt: skip

    def _told(self) -> None:
        self.calls += 1

    def bodies(self) -> list[dict[str, Any]]:
        """Alerts so far."""
        return [body for _, body in self.store.untold("me")]

    def close(self) -> None:
        """End."""
        self.live.close()
        self.store.close()
        self.state.close()


@pytest.fixture
def bucket(s3_port: int, monkeypatch: pytest.MonkeyPatch) -> S3Store:
    """A real one."""
    url = f"http://127.0.0.1:{s3_port}"
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "key"), ("AWS_SECRET_ACCESS_KEY", "secret"), ("AWS_ENDPOINT_URL", url),
        ("AWS_REGION", "us-east-1"),
    ):  # fmt: skip
        monkeypatch.setenv(name, value)
    return S3Store(
        "docs", endpoint=url, access_key_id="key", secret_access_key="secret", region="us-east-1",
        client_options={"allow_http": True},
    )  # fmt: skip


def test_new_objects_of_a_bucket_are_read(bucket: S3Store, tmp_path: Path) -> None:
    """Each once, over a restart too; a walk over two of them is one."""
    place = f"watch-{os.urandom(4).hex()}"
    obstore.put(bucket, f"{place}/1.log", lines(0, 6).encode())
    scene = Scene(tmp_path, f"s3://docs/{place}")
    assert scene.watch.round()
    scene.watch.save()
    scene.close()
    obstore.put(bucket, f"{place}/2.log", lines(6, 12).encode())
    scene = Scene(tmp_path, f"s3://docs/{place}")
    assert scene.watch.round()
    assert scene.watch.events == 6
    assert [body["about"] for body in scene.bodies()] == ["login eve"]
    assert scene.bodies()[0]["evidence"]["file"] == f"s3://docs/{place}/2.log"
    assert scene.calls == 1
    scene.close()


def test_the_operator_is_told_what_was_not_judged(tmp_path: Path) -> None:
    """What is no log, what came too late, what is from the future: each once, and again when it has doubled."""
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "a.log").write_text(lines(0, 30), encoding="utf-8")
    (logs / "x").write_text("nothing\n", encoding="utf-8")
    scene = Scene(tmp_path / "s", str(logs))
    scene.watch.round()
    scene.watch.settle()
    (logs / "b.log").write_text(lines(0, 5), encoding="utf-8")
    for _ in range(3):
        scene.watch.round()
    scene.close()
    assert [one for one in scene.said if "no log that is known" in one] == scene.said[:1]
    assert [one for one in scene.said if "5 events came later" in one] == scene.said[1:]
    early = Scene(tmp_path / "e", str(logs), clock=1)
    early.watch.round()
    assert [one for one in early.said if "from the future" in one]
    early.close()


AVERAGE = """
title: Large answers
correlation: {type: value_avg, rules: [seen], group-by: [c-ip], timespan: 1h, condition: {gte: 5, field: sc-bytes}}
---
title: Seen
name: seen
logsource: {category: webserver}
detection: {selection: {cs-method: GET}, condition: selection}
"""


def test_the_operator_is_told_of_windows_that_hold_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, by the rule's title: it looks back less far than a hunt, and goes on."""
    monkeypatch.setattr(ending, "MOST", 10)
    (tmp_path / "a.log").write_text(lines(0, 30), encoding="utf-8")
    (tmp_path / "rule.yml").write_text(AVERAGE)
    live = Live(rules.load([tmp_path / "rule.yml"]).detections, None, 0)
    scene = Scene(tmp_path / "s", str(tmp_path / "a.log"), live=live)
    for _ in range(2):
        scene.watch.round()
    scene.watch.settle()
    scene.watch.round()
    assert [one[:40] for one in scene.said] == ["Large answers: its windows hold more tha"]
    assert [body["amount"] for body in scene.bodies()] == [10]
    scene.close()
