"""Rule files, looked over."""

from pathlib import Path

from strongroom.detect import lint, rules

RULE = """
title: {title}
id: {id}
status: test
level: high
description: d
falsepositives: [h]
tags: [attack.t1213]
logsource: {{category: webserver}}
detection:
  s: {{{match}}}
  condition: s
"""
EVENTS = "match: [{name: a, log: x}, {name: b, log: x}]\nleave: [{name: c, log: x}, {name: d, log: x}]\n"


def write(folder: Path, name: str, events: str | None = EVENTS, **parts: str) -> None:
    """A rule file, with its events."""
    filled = {
        "title": name,
        "id": f"7b0f7c1e-6d52-4e0d-9a51-{sum(name.encode()):012d}",
        "match": "cs-method: GET",
        **parts,
    }
    (folder / f"{name}.yml").write_text(RULE.format(**filled), encoding="utf-8")
    if events is not None:
        (folder / f"{name}.events.yml").write_text(events, encoding="utf-8")


def said(folder: Path) -> list[tuple[str, str, str]]:
    """(file, weight, what) of every remark."""
    return [(Path(one.file).stem, one.weight, one.said) for one in lint.look(rules.files([folder]))]


def test_our_own_rules_raise_no_doubt() -> None:
    """Neither an error nor a warning: form, ids, events, breadth, expressions."""
    assert lint.look(rules.files([rules.OURS])) == []


def test_events_are_asked_for(tmp_path: Path) -> None:
    """None beside it, too few of a kind, or a file that does not fit."""
    write(tmp_path, "none", None)
    write(tmp_path, "few", "match: [{name: a, log: x}]\nleave: []\n")
    write(tmp_path, "bad", "match: 7\n")
    write(tmp_path, "good")
    found = said(tmp_path)
    assert [(file, weight) for file, weight, _ in found] == [
        ("bad", "error"),
        ("few", "error"),
        ("few", "error"),
        ("none", "warning"),
    ]
    assert found[1][2] == "few.events.yml has 0 logs under `leave`; 2 are needed."


def test_what_does_not_parse_or_compile_is_an_error_and_what_does_not_run_here_a_warning(tmp_path: Path) -> None:
    """Somebody else's logs are no mistake of the rule."""
    write(tmp_path, "cut", match="cs-method|re: '(?<=x)y'")
    write(tmp_path, "elsewhere", match="c-nothing: x")
    (tmp_path / "broken.yml").write_text("a: [", encoding="utf-8")
    found = {(file, weight): text for file, weight, text in said(tmp_path) if "events" not in text}
    assert found["broken", "error"].startswith("This is not YAML")
    assert found["cut", "error"].startswith("Regular expression")
    assert found["elsewhere", "warning"] == "There is no field c-nothing in the logs it is about."


def test_two_rules_of_one_id(tmp_path: Path) -> None:
    """A suppression of one would quieten the other."""
    write(tmp_path, "a", id="7b0f7c1e-6d52-4e0d-9a51-3f1d2c7a0b12")
    write(tmp_path, "b", id="7b0f7c1e-6d52-4e0d-9a51-3f1d2c7a0b12")
    ((file, weight, text),) = said(tmp_path)
    assert (file, weight) == ("b", "error")
    assert text == f"It has the id of a rule in {tmp_path / 'a.yml'}."


def test_a_part_may_be_broad(tmp_path: Path) -> None:
    """The correlation's count tells; alone it would be a doubt."""
    part = RULE.format(title="p", id="7b0f7c1e-6d52-4e0d-9a51-3f1d2c7a0b13", match="cs-username: '*'")
    count = (
        "---\ntitle: many\nid: 7b0f7c1e-6d52-4e0d-9a51-3f1d2c7a0b14\nstatus: test\nlevel: low\ndescription: d\n"
        "falsepositives: [h]\ntags: [attack.t1213]\ncorrelation:\n  type: event_count\n"
        "  rules: [7b0f7c1e-6d52-4e0d-9a51-3f1d2c7a0b13]\n  timespan: 1h\n  condition: {gte: 9}\n"
    )
    (tmp_path / "a.events.yml").write_text(EVENTS, encoding="utf-8")
    (tmp_path / "a.yml").write_text(part, encoding="utf-8")
    assert [text[:23] for _, _, text in said(tmp_path)] == ["Its condition is broad:"]
    (tmp_path / "a.yml").write_text(part + count, encoding="utf-8")
    assert said(tmp_path) == []
