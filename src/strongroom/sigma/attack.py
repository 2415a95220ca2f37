"""Techniques of ATT&CK and defences of D3FEND as objects of OCSF, each with its version, and only those that are official there."""

from collections.abc import Iterable
from typing import Any

from strongroom.sigma import official


def attacks(tags: Iterable[Iterable[str]]) -> list[dict[str, Any]]:
    """`attacks` of a finding with these lists of tags: each technique once, with the defences of the lists that name it."""
    named: dict[str, list[str]] = {}
    for some in map(list, tags):
        for technique in official.attacks(some):
            known = named.setdefault(technique, [])
            known += [defence for defence in official.defences(some) if defence not in known]
    return [_attack(technique, defences) for technique, defences in named.items()]


def _attack(technique: str, defences: list[str]) -> dict[str, Any]:
    main, _, sub = technique.partition(".")
    attack: dict[str, Any] = {"version": official.ATTACK, "technique": {"uid": main}}
    if sub:
        attack["sub_technique"] = {"uid": technique}
    if defences:
        version = official.D3FEND
        attack["mitigation"] = {
            "name": "D3FEND",
            "countermeasures": [{"version": version, "d3f_technique": {"uid": uid}} for uid in defences],
        }
    return attack
