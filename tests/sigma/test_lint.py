"""What is doubtful about a rule."""

import pytest

from strongroom.sigma import lint
from strongroom.sigma.parse import parse
from strongroom.sigma.rule import Rule

HEAD = """
title: A rule
id: 7b0f7c1e-6d52-4e0d-9a51-3f1d2c7a0b12
status: test
level: high
description: d
falsepositives: [h]
tags: [attack.t1213]
logsource: {category: webserver}
"""


def rule(detection: str, head: str = HEAD) -> str:
    """A rule with this detection."""
    return f"{head}detection:\n  {detection}\n"


def said(text: str) -> list[tuple[str, str]]:
    """Every remark about it, by the specification and about itself."""
    remarks = list(lint.spec(text))
    remarks += [one for parsed in parse(text) if isinstance(parsed, Rule) for one in lint.itself(parsed)]
    return [(one.weight, one.said) for one in remarks]


def test_a_good_rule_raises_no_doubt() -> None:
    """None at all."""
    assert said(rule("s: {cs-method: GET}\n  condition: s")) == []


@pytest.mark.parametrize(
    ("old", "new", "weight", "remark"),
    [
        ("title: A rule", "title: " + "x" * 257, "error", "It needs a title of at most 256 characters."),
        ("level: high", "level: grave", "error", "Its level is none of"),
        ("status: test", "status: ready", "warning", "Its status is none of"),
        ("id: 7b0f7c1e-6d52-4e0d-9a51-3f1d2c7a0b12\n", "", "warning", "It has no id"),
        ("description: d\n", "", "warning", "It has no description."),
        ("falsepositives: [h]\n", "", "warning", "It does not say what honest thing it could be"),
        ("attack.t1213", "attack.t9999", "warning", "attack.t9999 is not in ATT&CK 18.1"),
        ("attack.t1213", "attack.collection", "warning", "No tag names a technique of ATT&CK."),
        ("attack.t1213", "attack.t1213, attack.t1213", "warning", "The same tag appears"),
        ("level: high", "level: high\naction: global", "error", "`action` is of an older form of Sigma."),
    ],
)
def test_the_head(old: str, new: str, weight: str, remark: str) -> None:
    """Each part of it that is missing or wrong."""
    found = said(rule("s: {cs-method: GET}\n  condition: s", HEAD.replace(old, new)))
    assert [(one, text) for one, text in found if text.startswith(remark)], found
    assert {one for one, text in found if text.startswith(remark)} == {weight}


def test_a_part_of_a_correlation_needs_no_head_of_its_own() -> None:
    """The correlation speaks for it."""
    assert (
        said(rule("s: {cs-method: GET}\n  condition: s", "title: Part\nname: part\nlogsource: {category: webserver}\n"))
        == []
    )


def test_selections_that_nobody_uses() -> None:
    """The validators of pySigma are asked."""
    found = said(rule("s: {cs-method: GET}\n  t: {cs-method: PUT}\n  condition: s"))
    assert any("never referenced" in text or "not referenced" in text for _, text in found), found


@pytest.mark.parametrize(
    ("detection", "broad"),
    [
        ("s: {cs-method: GET}\n  condition: s", False),
        ("s: {cs-method: GET}\n  condition: not s", True),
        ("s: {cs-method: GET}\n  t: {sc-status: 5}\n  condition: not s and t", False),
        ("s: {cs-method: GET}\n  t: {c-ip|exists: true}\n  condition: s or t", True),
        ("s: {cs-username: '*'}\n  condition: s", True),
        ("s: {cs-uri-stem|contains: ab}\n  condition: s", True),
        ("s: {cs-uri-stem|contains: abc}\n  condition: s", False),
        ("s: {cs-uri-stem|re: '.*a'}\n  condition: s", True),
        ("s: {cs-uri-stem|re: 'abc'}\n  condition: s", False),
        ("s: {c-ip|cidr: 0.0.0.0/0}\n  condition: s", True),
        ("s: {c-ip|cidr: 10.0.0.0/8}\n  condition: s", False),
        ("s: {cs-uri-stem: 'x'}\n  condition: s", False),
    ],
)
def test_broad_conditions(detection: str, broad: bool) -> None:
    """Met by nearly everything: one alternative that tells nothing is enough."""
    assert any("broad" in text for _, text in said(rule(detection))) == broad


@pytest.mark.parametrize(
    ("pattern", "hangs"),
    [
        (r"(a+)+", True), (r"(a+)*b", True), (r"((ab)+c)+", True), (r"(?:x*){2,}", True), (r"(a{2,})+", True),
        (r"(a+)?", False), (r"(a+){2}", False), (r"(ab)+", False), (r"[(a+)+]+", False), (r"\(a+\)+", False),
        (r"([^]+]a)+", False), (r"([]+]a)+", False), (r"a+b+", False), (r"(", False), (r")+", False), (r"(a|b{1,3})+", False),
    ],
)  # fmt: skip
def test_repeated_repetitions(pattern: str, hangs: bool) -> None:
    """By which engines that try hang; classes and escapes are no groups."""
    assert lint._nested(pattern) == hangs


def test_expressions_that_say_nothing_at_their_ends() -> None:
    """The dialect finds anywhere."""
    found = said(rule("s: {cs-uri-stem|re: '.*secret.*'}\n  condition: s"))
    assert any("begins or ends with .*" in text for _, text in found)
    alternatives = said(rule("s: {cs-uri-stem|re: ['(x+)+yz', abc]}\n  t: {cs-method: GET}\n  condition: not s and t"))
    assert any("can hang" in text for _, text in alternatives)


@pytest.mark.parametrize(
    "text", ["a: [", "- 1\n- 2", "title: x\ndetection: 7", "title: x\ndetection: {a: {b|nope: c}, condition: a}"]
)
def test_what_is_no_rule_raises_nothing(text: str) -> None:
    """The reader of rules says why; this one only looks at what can be read."""
    assert isinstance(list(lint.spec(text)), list)
