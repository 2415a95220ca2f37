"""The bench of detection: it counts what it says it counts, and says when there is nothing to count."""

import json
from pathlib import Path
from typing import Any

import pytest

from bench import detect
from strongroom.errors import ConfigError

ROLE = "arn:aws:sts::1:assumed-role/BankingWAFRole/i-0123456789abcdef0"


def record(name: str, identity: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A CloudTrail record."""
    return {
        "eventTime": "2025-12-29T09:00:00Z", "eventName": name, "eventSource": "s3.amazonaws.com", "userIdentity": identity,
        "sourceIPAddress": "192.0.2.1", "userAgent": "x", "recipientAccountId": "111111111111", **more,
    }  # fmt: skip


def write(path: Path, records: list[dict[str, Any]]) -> None:
    """A record a line."""
    path.write_text("".join(json.dumps(one) + "\n" for one in records), encoding="utf-8")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Folders of the data's names, with a theft of which one event hides, and a bucket that was asked by two."""
    role = {"type": "AssumedRole", "arn": ROLE, "principalId": "AROA:i-0123456789abcdef0"}
    seen = record("GetObject", role, userAgent="aws-cli Darwin/23", requestParameters={"bucketName": "b", "key": "k"})
    hidden = record("GetObject", {**role, "principalId": "AROA:x"})
    honest = record("DescribeInstances", {"type": "IAMUser", "userName": "ops"}, eventSource="ec2.amazonaws.com")
    anonymous = {"type": "AWSAccount", "accountId": "ANONYMOUS_PRINCIPAL"}
    (tmp_path / "otrf_aws_s3").mkdir()
    write(tmp_path / "otrf_aws_s3" / "ec2_proxy.json", [seen] * 10 + [hidden] + [honest] * 92)
    bucket = [
        record("ListObjects", anonymous, sourceIPAddress=f"192.0.2.{n}", requestParameters={"bucketName": "h"})
        for n in range(2)
    ]
    write(tmp_path / "otrf_aws_s3" / "honey.json", bucket)
    (tmp_path / "stratus_detonation_logs").mkdir()
    for name, call in (
        ("defense-evasion.cloudtrail-stop", "StopLogging"),
        ("execution.ssm-start-session", "StartSession"),
    ):
        one = record(call, {"type": "IAMUser", "userName": "red"}, requestParameters={})
        (tmp_path / "stratus_detonation_logs" / f"aws.{name}.json").write_text(json.dumps([one]), encoding="utf-8")
    return tmp_path


def test_what_is_missed_is_counted(data: Path) -> None:
    """A figure below its goal stays below it: ten of eleven, two of 224."""
    figures = {one.name: one for one in detect._stolen_role(data / "otrf_aws_s3")}
    assert figures["stolen role: attack events in an alarm"].value == 10
    assert figures["stolen role: attack events in an alarm"].holds is False
    assert figures["stolen role: other events in an alarm"].value == 0
    assert figures["honey bucket: sources in the largest finding"].value == 2


def test_files_are_counted_by_their_scope(data: Path) -> None:
    """One of eleven in scope was there and was found; the one out of scope was left alone."""
    found = {one.name: (one.value, one.against) for one in detect._techniques(data / "stratus_detonation_logs")}
    assert found == {
        "techniques: files in scope with an alarm": (1, 11), "techniques: files out of scope with an alarm": (0, -9),
    }  # fmt: skip


def test_without_data_nothing_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And it is said, instead of a table of zeros."""
    monkeypatch.setenv(detect.NAMED, str(tmp_path / "nowhere"))
    with pytest.raises(ConfigError, match="nothing was measured"):
        list(detect.run("small"))


def test_the_folder_is_the_one_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the environment."""
    monkeypatch.setenv(detect.NAMED, str(tmp_path))
    assert detect.folder() == tmp_path
