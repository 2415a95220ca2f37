"""YAML to rules, and everything that is not one named."""

from dataclasses import replace
from ipaddress import IPv4Network, IPv6Network
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from strongroom.sigma import parse as parsing
from strongroom.sigma.parse import parse
from strongroom.sigma.rule import (
    All,
    Compare,
    Correlation,
    Exists,
    Fault,
    Filter,
    Joined,
    Kind,
    Logsource,
    Match,
    Matched,
    Not,
    Number,
    Pattern,
    Regex,
    Rule,
    Same,
    Some,
    Wildcard,
    Within,
)  # fmt: skip

BASE: dict[str, Any] = {
    "title": "A rule", "id": "5f0c8f0e-0000-4000-8000-000000000001", "name": "base", "status": "test", "level": "high",
    "description": "One\n line.", "falsepositives": ["an admin"], "tags": ["attack.t1530"],
    "logsource": {"category": "webserver"}, "detection": {"sel": {"f": "x"}, "condition": "sel"},
}  # fmt: skip
CORRELATION: dict[str, Any] = {
    "title": "Many", "id": "5f0c8f0e-0000-4000-8000-000000000002", "status": "test",
    "correlation": {"type": "value_count", "rules": ["base"], "group-by": ["user"], "timespan": "10m",
                    "condition": {"gte": 30, "field": "doc"}},
}  # fmt: skip


def one(document: dict[str, Any]) -> Any:
    """What a file of one document holds."""
    (found,) = parse(yaml.safe_dump(document))
    return found


def condition(selection: Any, text: str = "sel") -> Any:
    """The condition of a rule with this selection."""
    found = one({**BASE, "detection": {"sel": selection, "condition": text}})
    assert isinstance(found, Rule), found
    return found.condition


def test_a_rules_head() -> None:
    """Who it is and what it says; our own field is ours alone."""
    found = one({**BASE, "strongroom": {"by": "store"}})
    assert isinstance(found, Rule)
    head = found.head
    assert (head.id, head.title, head.level, head.description) == (BASE["id"], "A rule", "high", "One line.")
    assert (head.honest, head.tags, head.by) == (("an admin",), ("attack.t1530",), ("store",))
    assert (found.logsource, found.name) == (Logsource(category="webserver"), "base")


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ({"f": "a*b?"}, Match("f", Pattern(("a", Wildcard.MANY, "b", Wildcard.ONE)))),
        ({"f|contains": "a"}, Match("f", Pattern((Wildcard.MANY, "a", Wildcard.MANY)))),
        ({"f|cased": "aB"}, Match("f", Pattern(("aB",), cased=True))),
        ({"f": [1, "x"]}, Some((Match("f", Number(1)), Match("f", Pattern(("x",)))))),
        ({"f|contains|all": ["a", "b"]}, All((Match("f", Pattern((Wildcard.MANY, "a", Wildcard.MANY))),
                                              Match("f", Pattern((Wildcard.MANY, "b", Wildcard.MANY)))))),
        ({"f|re": "a+"}, Match("f", Regex("a+"))),
        ({"f|re|i": "a+"}, Match("f", Regex("a+", frozenset({"i"})))),
        ({"f|cidr": "2001:db8::/32"}, Match("f", Within(IPv6Network("2001:db8::/32")))),
        ({"f|cidr": "10.0.0.0/8"}, Match("f", Within(IPv4Network("10.0.0.0/8")))),
        ({"f|gte": 5}, Match("f", Compare(">=", 5))),
        ({"f": None}, Match("f", Exists(there=False))),
        ({"f|exists": True}, Match("f", Exists(there=True))),
        ({"f|fieldref": "g"}, Match("f", Same("g"))),
        ({"f": True}, Match("f", Pattern(("true",)))),
        (["word"], Match(None, Pattern(("word",)))),
        ({"f": "x", "g": "y"}, All((Match("f", Pattern(("x",))), Match("g", Pattern(("y",)))))),
    ],
)  # fmt: skip
def test_values(selection: Any, expected: object) -> None:
    """Each modifier that runs gives its value."""
    assert condition(selection) == expected


def test_a_negation() -> None:
    """Of a selection."""
    assert condition({"f": "x"}, "not sel") == Not(Match("f", Pattern(("x",))))


def test_several_conditions_are_alternatives() -> None:
    """A list of conditions matches when one of them does."""
    found = one({**BASE, "detection": {"a": {"f": "x"}, "b": {"f": "y"}, "condition": ["a", "b"]}})
    assert found.condition == Some((Match("f", Pattern(("x",))), Match("f", Pattern(("y",)))))


def test_a_correlation() -> None:
    """Its kind, window, group and threshold; more than 29 is at least 30."""
    found = one(CORRELATION)
    assert isinstance(found, Correlation)
    expected = (Kind.VALUE_COUNT, ("base",), ("user",), 600_000, 30, ("doc",))
    assert (found.kind, found.rules, found.group_by, found.window, found.at_least, found.fields) == expected
    more = {**CORRELATION["correlation"], "condition": {"gt": 29, "field": "doc"}}
    assert one({**CORRELATION, "correlation": more}).at_least == 30


def correlated(**change: Any) -> Any:
    """The correlation with something else in it."""
    return one({**CORRELATION, "correlation": {**CORRELATION["correlation"], **change}})


@pytest.mark.parametrize(
    ("written", "kind", "sign", "bound"),
    [
        ({"type": "value_avg", "condition": {"gt": 2.5, "field": "n"}}, Kind.VALUE_AVG, ">", 2.5),
        ({"type": "value_sum", "condition": {"gt": 7, "field": "n"}}, Kind.VALUE_SUM, ">", 7),
        ({"type": "value_median", "condition": {"lt": 7, "field": "n"}}, Kind.VALUE_MEDIAN, "<", 7),
        ({"type": "event_count", "condition": {"eq": 0}}, Kind.EVENT_COUNT, "=", 0),
        ({"type": "event_count", "condition": {"neq": 4}}, Kind.EVENT_COUNT, "<>", 4),
    ],
)
def test_kinds_and_comparisons(written: dict[str, Any], kind: Kind, sign: str, bound: float) -> None:
    """All that the specification has."""
    found = correlated(**written)
    assert isinstance(found, Correlation), found
    assert (found.kind, found.sign, found.at_least) == (kind, sign, bound)


def test_percentiles_several_fields_and_aliases() -> None:
    """Which percentile; a combination that is counted; and a name that each rule has under another one."""
    assert correlated(type="value_percentile", condition={"gte": 3, "field": "n", "percentile": 95}).percentile == 95
    assert correlated(condition={"gte": 3, "field": ["a", "b"]}).fields == ("a", "b")
    found = correlated(aliases={"who": {"base": "c-ip"}}, **{"group-by": ["who"]})
    assert found.aliases == (("who", (("base", "c-ip"),)),)


def test_extended_conditions() -> None:
    """Rules joined by and, or, not; those that are not listed are taken from the condition."""
    found = correlated(type="temporal", rules=["a", "b"], condition="a and not (b or a)")
    assert found.condition == Joined("and", (Matched(0), Joined("not", (Joined("or", (Matched(1), Matched(0))),))))
    loose = {key: value for key, value in CORRELATION["correlation"].items() if key != "rules"}
    found = one({**CORRELATION, "correlation": {**loose, "type": "temporal", "condition": "b or a"}})
    assert (found.rules, found.condition) == (("b", "a"), Joined("or", (Matched(0), Matched(1))))


FILTER: dict[str, Any] = {
    "title": "Not ours", "logsource": {"category": "webserver"},
    "filter": {"rules": ["base"], "ours": {"c-ip": "192.0.2.1"}, "condition": "not ours"},
}  # fmt: skip


def test_a_filter() -> None:
    """Its logs, its rules, and the condition that they get besides their own."""
    found = one(FILTER)
    assert found == Filter(
        "Not ours", Logsource(category="webserver"), ("base",), Not(Match("c-ip", Pattern(("192.0.2.1",))))
    )
    rule = one(BASE)
    assert found.concerns(rule)
    assert not replace(found, rules=("other",)).concerns(rule)
    assert not replace(found, logsource=Logsource(product="aws")).concerns(rule)
    assert one({**FILTER, "filter": {**FILTER["filter"], "rules": "any"}}).rules == ()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"condition": {"gte": 3}}, "SigmaCorrelationRuleError"),
        ({"timespan": "soon"}, ""),
        ({"type": "temporal_ordered", "condition": "base and base"}, "no order is said for it"),
        ({"type": "temporal", "condition": "base and other"}, ""),
        ({"type": "value_mode"}, ""),
    ],
)
def test_correlations_that_do_not_run_say_why(change: dict[str, Any], reason: str) -> None:
    """Nothing is run as if it were something else."""
    found = correlated(**change)
    assert isinstance(found, Fault), found
    assert reason in found.reason


@pytest.mark.parametrize(
    ("selection", "reason"),
    [
        ({"f|expand": "%admins%"}, "placeholder"),
        ({"f|fieldref|startswith": "g"}, "SigmaFieldReference"),
        ({"f|nonsense": "x"}, ""),
        ({"f|re": "(a"}, ""),
    ],
)
def test_values_that_do_not_run_yet_say_why(selection: Any, reason: str) -> None:
    """The reason names what is asked for."""
    found = one({**BASE, "detection": {"sel": selection, "condition": "sel"}})
    assert isinstance(found, Fault)
    assert reason in found.reason
    assert found.title == "A rule"


@pytest.mark.parametrize(
    ("text", "reason", "line"),
    [
        ("title: [", "not YAML", 1),
        ("a: b\n  c: d", "not YAML", 2),
        ("a: &x [1]\nb: *x", "aliases", 0),
        ("- 1\n- 2", "mapping", 0),
        ("just words", "mapping", 0),
        ("title: x", "", 0),
        ("!!python/object/apply:os.abort []", "not YAML", 1),
        ("#" + "x" * 1_100_000, "larger", 0),
        ("[" * 5_000, "nested", 0),
    ],
)
def test_a_file_that_is_none_is_a_fault(text: str, reason: str, line: int) -> None:
    """With its line where YAML knows it; nothing is built that a tag asks for."""
    (found, *_) = parse(text)
    assert isinstance(found, Fault)
    assert reason in found.reason
    assert not line or found.line == line


def test_words_that_a_value_stands_for_are_alternatives() -> None:
    """A dash and its look-alikes."""
    found = condition({"f|windash|contains": " -x"})
    assert isinstance(found, Some)
    assert Match("f", Pattern((Wildcard.MANY, " /x", Wildcard.MANY))) in found.of


def test_one_bad_rule_does_not_take_the_others() -> None:
    """A file of three with a bad one in the middle gives two rules and a fault."""
    found = parse(yaml.safe_dump_all([BASE, {"title": "bad"}, CORRELATION]))
    assert [type(one) for one in found] == [Rule, Fault, Correlation]


def test_depth_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Conditions within conditions end somewhere."""
    monkeypatch.setattr(parsing, "_DEPTH", 1)
    deep = {**BASE, "detection": {"a": {"f": "x"}, "b": {"f": "y"}, "condition": "not (a and not (a and not b))"}}
    assert isinstance(one(deep), Fault)


@given(st.text(max_size=200))
def test_any_text_is_answered(text: str) -> None:
    """Rules or faults, and no error."""
    parse(text)


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*BASE, "correlation", "strongroom", "filter"]), JSON))
def test_any_mapping_is_answered(change: dict[str, Any]) -> None:
    """Whatever kinds of values stand in a rule."""
    parse(yaml.safe_dump({**BASE, **change}))
