"""What the guard did, and what the WAF found grave, as OCSF events of the class Detection Finding (1.8.0).

One for each rule and place in an hour, from each worker, who all give it one number (`finding_info.uid`). Names of
people and sessions are the gateway's own; no document is named. Techniques and defences are those that `sigma.official` knows.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any, Final

from strongroom.clock import HOUR
from strongroom.gateway import acts, ocsf
from strongroom.gateway.modsecurity import Hit
from strongroom.gateway.ports import Act, Asked
from strongroom.gateway.proxy import Event
from strongroom.gateway.rule import Rung, Scope, What
from strongroom.ids import encode, new_id
from strongroom.sigma.attack import attacks

_CATEGORY, _CLASS, _CREATE = 2, 2004, 1
_NEW: Final = 1
MOST: Final = 10_000
"""Rules and places that are remembered to have been told; those longest told go first."""
GRAVE: Final = 2
"""Of the WAF's severities: critical, and what is worse."""
_LOW, _MEDIUM, _HIGH, _CRITICAL = (2, "Low"), (3, "Medium"), (4, "High"), (5, "Critical")
_SEVERITY: Final[Mapping[Rung, tuple[int, str]]] = {Rung.NOTE: _LOW, Rung.SLOW: _LOW, Rung.STEP_UP: _MEDIUM}
"""Of what is not here: high."""
_DENIED, _OBSERVED = (2, "Denied"), (3, "Observed")
_DISPOSITION: Final[Mapping[Rung, tuple[int, str]]] = {
    Rung.SLOW: (14, "Delayed"), Rung.STEP_UP: (23, "Challenge"), Rung.NEWCOMERS: (23, "Challenge"),
    Rung.SESSION: (24, "Access Revoked"), Rung.ACCOUNT: (24, "Access Revoked"),
}  # fmt: skip
_BLOCKED, _LOGGED = (2, "Blocked"), (17, "Logged")
_RULE, _BEHAVIOURAL = (1, "Rule"), (2, "Behavioral")
_COLLECTION: Final = ("attack.t1213", "attack.t1119", "d3fend.d3-rapa")
_ACCOUNTS: Final = ("attack.t1078", "attack.t1110.004", "d3fend.d3-uba")
_TAGS: Final[Mapping[What, tuple[str, ...]]] = {
    What.UNSHOWN: _COLLECTION, What.STEPS: _COLLECTION, What.DOCUMENTS: _COLLECTION, What.PATIENTS: _COLLECTION,
    What.SHOWN: _COLLECTION, What.LISTED: _COLLECTION, What.WIDER: _COLLECTION, What.FRESH: (*_COLLECTION, "attack.t1078"),
    What.RUNS: _COLLECTION, What.ROAMING: _COLLECTION, What.AWAY: (*_COLLECTION, "attack.t1078"), What.HOLES: _COLLECTION,
    What.LOST: ("attack.t1595.003", "d3fend.d3-rapa"),
    What.BYTES: (*_COLLECTION, "d3fend.d3-udta"),
    What.MISSES: ("attack.t1595.003", "d3fend.d3-rapa"),
    What.DENIALS: ("attack.t1213", "d3fend.d3-rapa"), What.REFUSALS: ("attack.t1213", "d3fend.d3-rapa"),
    What.NEW: _ACCOUNTS, What.NEWCOMERS: _ACCOUNTS, What.CROWD: _ACCOUNTS,
}  # fmt: skip
_WORDS: Final[Mapping[What, str]] = {
    What.SHOWN: "documents in lists", What.LISTED: "patients in lists", What.WIDER: "more patients in lists than ever",
    What.FRESH: "documents in lists on a new device", What.NEW: "people who are new", What.NEWCOMERS: "people who are new",
    What.CROWD: "people who are new", What.RUNS: "numbers in a row", What.ROAMING: "numbers in a row from many addresses",
    What.AWAY: "numbers in a row on a new device", What.HOLES: "missing numbers between others", What.LOST: "missing documents",
}  # fmt: skip
"""Of what is counted, where its name is not enough."""
_DONE: Final[Mapping[Rung, tuple[str, ...]]] = {
    Rung.STEP_UP: ("d3fend.d3-mfa",), Rung.NEWCOMERS: ("d3fend.d3-mfa",), Rung.SESSION: ("d3fend.d3-st",),
    Rung.ACCOUNT: ("d3fend.d3-al",),
}  # fmt: skip
"""Defences that the acts themselves are: multi-factor authentication, session termination, account locking."""
_DECOY: Final = ("attack.t1213", "d3fend.d3-df")
_WAF: Final = ("attack.t1190", "d3fend.d3-itf")
_SCANNER: Final = ("attack.t1595.002", "d3fend.d3-itf")
_SCANNERS: Final = range(913_000, 914_000)
"""Rules of the Core Rule Set that know scanners."""


class Findings:
    """Makes findings, each once an hour. `product` is our version."""

    def __init__(self, product: str) -> None:
        self._product = product
        self._told: OrderedDict[tuple[str, ...], int] = OrderedDict()

    def of_act(self, act: Act) -> dict[str, Any] | None:
        """Of what the guard did; None where it was told within the hour."""
        rule, asked, (scope, name) = act.rule, act.asked, act.where
        key = (f"guard-{rule.name}", scope.value, name)
        if not self._fresh(key, asked.at):
            return None
        decoy = rule.name == "decoy"
        severity = _CRITICAL if decoy else _SEVERITY.get(rule.rung, _HIGH)
        done = acts.said(rule.rung)
        what = _WORDS.get(rule.what, rule.what.value)
        title = "A decoy was asked for" if decoy else f"More than {rule.limit} {what} by one {scope.value}"
        if not decoy and scope is Scope.MODULE:
            title = f"More than {rule.limit} {what} in all"
        how = done if act.enforced or rule.rung is Rung.NOTE else f"told; enforced, it would be: {done}"
        found = self._finding(key, asked, severity, title, f"{title}: {how}. {rule.why}")
        tags = (*(_DECOY if decoy else _TAGS[rule.what]), *_DONE.get(rule.rung, ()))
        disposition = _DISPOSITION.get(rule.rung, _BLOCKED) if act.enforced else _LOGGED
        self._judged(found, tags, _RULE if decoy else _BEHAVIOURAL, disposition, denied=act.enforced)
        found["observables"] = [_observable(scope, name)] if name else []
        found["unmapped"] |= {"limit": rule.limit, "window": rule.window}
        return found

    def of_waf(self, event: Event) -> dict[str, Any] | None:
        """Of what the WAF blocked, or would have; None where it was not grave, or was told within the hour."""
        grave = [hit for hit in event.hits if hit.severity <= GRAVE]
        if not event.rule.startswith("waf-") or not grave:
            return None
        asked = event.asked
        who = asked.who.person if asked is not None and asked.who is not None else ""
        key = (event.rule, "person" if who else "network", who or event.network)
        if not self._fresh(key, event.at):
            return None
        title = "A request that looks like an attack"
        found = self._finding(key, asked or _nobody(event), _HIGH, title, f"{title}: {_rules(grave)}.")
        scanned = all(hit.rule in _SCANNERS for hit in grave)
        disposition = _BLOCKED if event.refused else _LOGGED
        self._judged(found, _SCANNER if scanned else _WAF, _RULE, disposition, denied=event.refused)
        found["observables"] = [_observable(Scope.PERSON if who else Scope.NETWORK, who or event.network)]
        return found

    def _fresh(self, key: tuple[str, ...], at: int) -> bool:
        last = self._told.get(key)
        if last is not None and 0 <= at - last < HOUR:
            return False
        self._told[key] = at
        self._told.move_to_end(key)
        if len(self._told) > MOST:
            self._told.popitem(last=False)
        return True

    def _finding(
        self, key: tuple[str, ...], asked: Asked, severity: tuple[int, str], title: str, words: str
    ) -> dict[str, Any]:
        hour = str(asked.at // HOUR)
        uid = encode(hashlib.sha256("\0".join((*key, hour)).encode()).digest()[:16])
        evidence: dict[str, Any] = {
            "src_endpoint": ocsf.endpoint(asked.network),
            "data": {"request": asked.request, "route": asked.route},
        }
        if asked.who is not None:
            evidence["actor"] = {"user": {"uid": asked.who.person}, "session": {"uid": asked.who.session}}
        return {
            "activity_id": _CREATE, "category_uid": _CATEGORY, "class_uid": _CLASS, "type_uid": _CLASS * 100 + _CREATE,
            "time": asked.at, "severity_id": severity[0], "severity": severity[1], "status_id": _NEW, "message": words,
            "metadata": {
                "version": ocsf.VERSION, "uid": new_id(), "profiles": ["security_control"],
                "product": {"name": "Strongroom gateway", "vendor_name": "Strongroom", "version": self._product},
            },
            "finding_info": {
                "uid": uid, "title": title, "desc": words, "created_time": asked.at, "analytic": {"uid": key[0], "name": key[0]},
            },
            "evidences": [evidence],
            "unmapped": {"place": key[1]},
        }  # fmt: skip

    def _judged(
        self, found: dict[str, Any], tags: Iterable[str], analytic: tuple[int, str], disposition: tuple[int, str], *, denied: bool
    ) -> None:  # fmt: skip
        """What it was found by, what it is called elsewhere, and what was done."""
        action = _DENIED if denied else _OBSERVED
        found |= {
            "is_alert": denied, "action_id": action[0], "action": action[1],
            "disposition_id": disposition[0], "disposition": disposition[1],
        }  # fmt: skip
        found["finding_info"]["analytic"] |= {"type_id": analytic[0], "type": analytic[1]}
        found["finding_info"]["attacks"] = attacks([tuple(tags)])


def _rules(hits: Iterable[Hit]) -> str:
    return ", ".join(dict.fromkeys(f"{hit.rule} {hit.part}".rstrip() for hit in hits))


def _observable(scope: Scope, name: str) -> dict[str, Any]:
    if scope is Scope.NETWORK and name.endswith("/32"):
        return {"name": "finding.about", "type_id": 2, "type": "IP Address", "value": name.removesuffix("/32")}
    kind, word = (4, "User Name") if scope is Scope.PERSON else (99, "Other")
    return {"name": "finding.about", "type_id": kind, "type": word, "value": name}


def _nobody(event: Event) -> Asked:
    return Asked(event.request, event.at, "", None, event.network, "")
