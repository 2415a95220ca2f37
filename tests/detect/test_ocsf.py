"""Findings as OCSF."""

import json
from typing import Any

from strongroom.detect import ocsf, walk
from strongroom.detect.evidence import Opened
from strongroom.detect.finding import findings
from strongroom.detect.hunt import run
from strongroom.sigma import official
from tests.detect.conftest import Scene, read

ANALYTICS = {1: "Rule", 2: "Behavioral", 3: "Statistical"}
SEVERITIES = {1: "Informational", 2: "Low", 3: "Medium", 4: "High", 5: "Critical"}
REQUIRED = {"activity_id", "category_uid", "class_uid", "finding_info", "metadata", "severity_id", "time", "type_uid"}
"""What version 1.8.0 requires of the class."""


def valid(made: dict[str, Any]) -> bool:
    """Whether an event is a Detection Finding as the class is described: what is required, and numbers with their words."""
    assert json.loads(json.dumps(made)) == made
    assert made.keys() >= REQUIRED
    assert (made["category_uid"], made["class_uid"]) == (2, 2004)
    assert made["type_uid"] == made["class_uid"] * 100 + made["activity_id"]
    assert made["severity"] == SEVERITIES[made["severity_id"]]
    assert made["metadata"]["version"] == "1.8.0"
    assert made["metadata"]["product"].keys() >= {"name", "vendor_name", "version"}
    info = made["finding_info"]
    assert info["uid"]
    assert info["title"]
    assert info["analytic"]["type"] == ANALYTICS[info["analytic"]["type_id"]]
    for one in info["attacks"]:
        technique = one.get("sub_technique", one["technique"])["uid"]
        assert (one["version"], technique in official.TECHNIQUES) == (official.ATTACK, True)
        for defence in one.get("mitigation", {}).get("countermeasures", ()):
            assert (defence["version"], defence["d3f_technique"]["uid"] in official.DEFENCES) == (official.D3FEND, True)
    return True


def event(scene: Scene) -> dict[str, Any]:
    """The one finding of a walk."""
    scene.add(*(read(at, at) for at in range(12)))
    (found,) = findings(scene.engine, run([walk.detection()], scene.engine, []))
    made = ocsf.event(found, [Opened("a.log", 0, 9, "ab" * 32, same=True, unit=b"x")], "1.2.3", 5_000)
    assert valid(made)
    return made


def test_the_class_and_what_it_requires(scene: Scene) -> None:
    """A Detection Finding that was created, with the numbers of the finding."""
    made = event(scene)
    assert (made["class_uid"], made["type_uid"], made["severity"], made["status_id"]) == (2004, 200401, "High", 1)
    assert (made["time"], made["start_time"], made["end_time"], made["count"]) == (5_000, 0, 11_000, 12)
    assert made["metadata"]["version"] == "1.8.0"
    assert made["metadata"]["product"]["version"] == "1.2.3"
    assert made["finding_info"]["analytic"]["type_id"] == 3
    assert made["observables"] == [{"name": "finding.about", "type_id": 4, "type": "User Name", "value": "ann"}]
    assert made["evidences"][0]["file"] == {"name": "a.log", "type_id": 1}
    assert made["unmapped"]["documents_lost_when_fired"] == 10


def test_attacks_and_defences_have_their_versions(scene: Scene) -> None:
    """Each technique once, a part of one below its whole."""
    attacks = event(scene)["finding_info"]["attacks"]
    assert [one["technique"]["uid"] for one in attacks] == ["T1119", "T1213"]
    assert {one["version"] for one in attacks} == {"18.1"}
    assert attacks[0]["mitigation"]["countermeasures"] == [{"version": "1.2.0", "d3f_technique": {"uid": "D3-RAPA"}}]
