"""Rule files prove themselves, and a file that does not is found out."""

from pathlib import Path

import pytest

from strongroom.detect import proof, rules
from strongroom.errors import ConfigError

RULE = """
title: Refused
id: 0d1a6a4e-0000-4000-8000-000000000003
status: test
level: low
logsource: {category: webserver}
detection:
  sel: {sc-status: 403}
  condition: sel
"""
HIT, MISS = (
    f'      192.0.2.1 - - [29/Dec/2025:22:%mm%:%ss% +1300] "GET /%n% HTTP/1.1" {status} 5 "-" "-"\n'
    for status in (403, 200)
)


def cases(match: list[str], leave: list[str]) -> str:
    """A file of events."""
    sides = (("match", match), ("leave", leave))
    return "".join(
        f"{name}:\n"
        + "".join(f"  - name: {name} {at}\n    repeat: 3\n    log: |\n{log}" for at, log in enumerate(logs))
        if logs
        else f"{name}: []\n"
        for name, logs in sides
    )


def prove(folder: Path, rule: str, events: str) -> list[proof.Outcome]:
    """The outcomes of a rule with these events."""
    (folder / "r.yml").write_text(rule, encoding="utf-8")
    (folder / "r.events.yml").write_text(events, encoding="utf-8")
    return proof.prove(folder / "r.yml")


@pytest.mark.parametrize("path", rules.files([rules.OURS]), ids=lambda path: path.stem)
def test_our_rules_hold(path: Path) -> None:
    """Each catches what it must and leaves alone what it must."""
    outcomes = proof.prove(path)
    assert [one for one in outcomes if not one.holds] == []
    assert sum(one.wanted for one in outcomes) >= proof.LEAST
    assert sum(not one.wanted for one in outcomes) >= proof.LEAST


def test_a_rule_that_holds(tmp_path: Path) -> None:
    """Four cases, four that hold."""
    outcomes = prove(tmp_path, RULE, cases([HIT, HIT], [MISS, MISS]))
    assert [(one.matched, one.holds) for one in outcomes] == [(True, True)] * 2 + [(False, True)] * 2


@pytest.mark.parametrize(
    ("rule", "events", "said"),
    [
        (RULE.replace("403", "404"), cases([HIT, HIT], [MISS, MISS]), ""),
        (RULE.replace("403", "200"), cases([HIT, HIT], [MISS, MISS]), ""),
        (RULE, cases([HIT], [MISS, MISS]), "at least 2"),
        (RULE, cases([HIT, HIT], []), "at least 2"),
        (RULE, cases([HIT, "      junk\n"], [MISS, MISS]), "no format"),
        (RULE, cases([HIT, HIT * 3 + "      junk\n"], [MISS, MISS]), "not written in this format"),
        (RULE.replace("sc-status", "Image"), cases([HIT, HIT], [MISS, MISS]), "Image"),
    ],
    ids=["misses", "hits too much", "one match", "nothing to leave", "no log", "junk in a log", "cannot run"],
)
def test_a_rule_that_does_not_hold_is_found_out(tmp_path: Path, rule: str, events: str, said: str) -> None:
    """By what it does, and by what is missing."""
    failed = [one for one in prove(tmp_path, rule, events) if not one.holds]
    assert failed
    assert any(said in one.said for one in failed)


def test_a_rule_without_events_does_not_hold(tmp_path: Path) -> None:
    """A rule nobody has tried is not trusted."""
    (tmp_path / "r.yml").write_text(RULE, encoding="utf-8")
    assert not any(one.holds for one in proof.prove(tmp_path / "r.yml"))


def test_events_that_do_not_fit_are_a_configuration_error(tmp_path: Path) -> None:
    """With the file's name."""
    with pytest.raises(ConfigError, match=r"r\.events\.yml"):
        prove(tmp_path, RULE, "match: 7\nleave: []")
