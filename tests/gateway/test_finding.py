"""What the guard does, and what the WAF finds grave, is a finding: valid, with official ids, once an hour, without a document."""

import json
from typing import Any

import pytest

from strongroom.clock import DAY, HOUR
from strongroom.gateway import finding
from strongroom.gateway.counts import Counts
from strongroom.gateway.finding import Findings
from strongroom.gateway.guard import Watchful
from strongroom.gateway.modsecurity import Hit
from strongroom.gateway.person import Who
from strongroom.gateway.ports import Act, Asked
from strongroom.gateway.proxy import Event
from strongroom.gateway.rule import DEFAULTS, Rung, Scope, overridden
from tests.detect.test_ocsf import valid
from tests.gateway.test_guard import START, Scene

ASKED = Asked("r1", START, "letter", Who("s", "p"), "192.0.2.1/32", "d", "document", "4711", "patient-7")
BY_NAME = {rule.name: rule for rule in DEFAULTS}


def acting(**more: object) -> tuple[Scene, list[dict[str, Any]]]:
    """A guard whose acts become findings."""
    made, found = Findings("1"), list[dict[str, Any]]()

    def tell(act: Act) -> None:
        one = made.of_act(act)
        if one is not None:
            found.append(one)

    guard = Watchful(Counts(), **{"enforce": True, "listed": ("document",), "tell": tell, **more})  # type: ignore[arg-type]  # as it names them
    return Scene(guard), found


def uid(found: dict[str, Any]) -> str:
    """The rule."""
    name: str = found["finding_info"]["analytic"]["uid"]
    return name


def test_every_rule_has_a_finding_that_is_valid() -> None:
    """Enforced and simulated: what was done, or would be; with techniques and defences that are official."""
    for enforced in (True, False):
        made = Findings("1")
        for rule in DEFAULTS:
            one = made.of_act(Act(ASKED, rule, (rule.scope, "x"), enforced=enforced and rule.rung is not Rung.NOTE))
            assert one is not None
            assert valid(one)
            assert (one["is_alert"], one["action"]) == (
                (True, "Denied") if enforced and rule.rung is not Rung.NOTE else (False, "Observed")
            )
            assert one["finding_info"]["attacks"]
            assert "4711" not in json.dumps(one)
            assert "patient-7" not in json.dumps(one)


@pytest.mark.parametrize(
    ("name", "severity", "disposition", "defences"),
    [
        ("person-documents-1h", "Low", "Logged", ["D3-RAPA"]),
        ("person-unshown-24h", "Medium", "Challenge", ["D3-RAPA", "D3-MFA"]),
        ("session-misses-1h", "High", "Access Revoked", ["D3-RAPA", "D3-ST"]),
        ("person-patients-24h", "High", "Access Revoked", ["D3-RAPA", "D3-AL"]),
        ("module-unshown-1h", "High", "Blocked", ["D3-RAPA"]),
        ("module-crowd-1h", "High", "Challenge", ["D3-UBA", "D3-MFA"]),
    ],
)
def test_what_is_done_is_said(name: str, severity: str, disposition: str, defences: list[str]) -> None:
    """As OCSF calls it."""
    rule = BY_NAME[name]
    one = Findings("1").of_act(Act(ASKED, rule, (rule.scope, "p"), enforced=rule.rung is not Rung.NOTE))
    assert one is not None
    assert (one["severity"], one["disposition"]) == (severity, disposition)
    measures = one["finding_info"]["attacks"][0]["mitigation"]["countermeasures"]
    assert [measure["d3f_technique"]["uid"] for measure in measures] == defences
    assert rule.why in one["message"]


def test_the_guard_tells_each_act() -> None:
    """A note, a step-up, a slowing, a session, an account, strangers, a decoy; and not each request that a measure holds."""
    limits = {"person-documents-1h": 2, "person-unshown-24h": 1, "network-unshown-1h": 3, "person-patients-24h": 1,
              "session-misses-1h": 1}  # fmt: skip
    rules = overridden(limits, {"person-unshown-30d": "slow"})
    scene, found = acting(rules=rules, decoys=("666",))
    scene.shows("ann", [1, 2, 3])
    for number in (1, 2, 3):
        assert scene.reads("ann", number)  # told
    assert scene.reads("bob", 10)
    assert not scene.reads("bob", 20)  # step-up
    assert not scene.reads("bob", 30)  # again, within the hour
    assert scene.reads("cy", 5, patient="p1")
    assert not scene.reads("cy", 5, patient="p2")  # account
    assert not scene.reads("cy", 5, patient="p2")  # held
    scene.reads("dan", 77, 404)
    scene.reads("dan", 78, 404)  # session
    assert not scene.reads("dan", 79)
    assert not scene.reads("eve", 666)  # decoy
    for number, person in enumerate("fgh"):
        scene.reads(person, 1000 * number)  # strangers on this network
    done = [uid(one) for one in found]
    assert done == [
        "guard-person-documents-1h", "guard-person-unshown-24h", "guard-person-patients-24h", "guard-session-misses-1h",
        "guard-decoy", "guard-network-unshown-1h",
    ]  # fmt: skip
    assert all(map(valid, found))
    assert found[4]["severity"] == "Critical"
    assert found[4]["finding_info"]["attacks"][0]["mitigation"]["countermeasures"][0]["d3f_technique"] == {
        "uid": "D3-DF"
    }


def test_what_is_only_simulated_is_told_as_that() -> None:
    """Nobody was refused, and no alert is raised."""
    scene, found = acting(enforce=False)
    for number in range(10, 80, 10):
        assert scene.reads("bob", number)
    assert {(uid(one), one["action"], one["is_alert"]) for one in found} == {
        ("guard-person-unshown-24h", "Observed", False)
    }
    assert "enforced, it would be: asked to sign in again" in found[0]["message"]


def test_a_finding_is_told_once_an_hour_under_one_number() -> None:
    """By whichever worker; another place, another hour, another number."""
    rule = BY_NAME["person-unshown-24h"]

    def told(made: Findings, at: int, person: str = "p") -> str:
        asked = Asked("r", at, "letter", Who("s", person), "n", "d")
        one = made.of_act(Act(asked, rule, (Scope.PERSON, person), enforced=True))
        return one["finding_info"]["uid"] if one else ""

    first, second = Findings("1"), Findings("1")
    number = told(first, START)
    assert number == told(second, START + 1)
    assert told(first, START + HOUR - 1) == ""
    assert told(first, START, "q") not in {"", number}
    assert told(first, START + HOUR) not in {"", number}
    assert told(first, START + DAY) not in {"", number}


def test_what_was_told_is_remembered_within_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever was told of longest ago is forgotten, and told again."""
    monkeypatch.setattr(finding, "MOST", 3)
    made, rule = Findings("1"), BY_NAME["person-unshown-24h"]
    told = [made.of_act(Act(ASKED, rule, (Scope.PERSON, name), enforced=True)) is not None for name in "abcdaa"]
    assert told == [True, True, True, True, True, False]


def event(*hits: Hit, refused: bool = True, asked: Asked | None = ASKED) -> Event:
    """What the WAF said of a request."""
    return Event("r1", START, "GET", "192.0.2.1/32", asked, 403, rule="waf-942100", refused=refused, hits=hits)


def test_what_the_waf_found_grave_is_a_finding() -> None:
    """With rules and parts; from somebody, or from an address; scanners are called that; what is not grave is none."""
    one = Findings("1").of_waf(event(Hit(942100, "ARGS:q", 2), Hit(920420, "", 4)))
    assert one is not None
    assert valid(one)
    assert (one["disposition"], one["is_alert"], one["observables"][0]["value"]) == ("Blocked", True, "p")
    assert one["message"] == "A request that looks like an attack: 942100 ARGS:q."
    assert one["finding_info"]["attacks"][0]["technique"] == {"uid": "T1190"}
    made = Findings("1")
    scanner = made.of_waf(event(Hit(913100, "REQUEST_HEADERS:User-Agent", 2), refused=False, asked=None))
    assert scanner is not None
    assert valid(scanner)
    assert scanner["finding_info"]["attacks"][0]["sub_technique"] == {"uid": "T1595.002"}
    assert (scanner["action"], scanner["disposition"]) == ("Observed", "Logged")
    assert scanner["observables"][0] == {
        "name": "finding.about",
        "type_id": 2,
        "type": "IP Address",
        "value": "192.0.2.1",
    }
    assert made.of_waf(event(Hit(913100, "X", 2), asked=None)) is None
    assert made.of_waf(event(Hit(920420, "X", 4))) is None
    assert made.of_waf(Event("r", START, rule="guard-decoy", hits=(Hit(942100, "", 2),))) is None
