"""Correlations as folds: out of a bounded state, the verdicts of a count by hand that knows everything, and those of a hunt."""

import random
from typing import TYPE_CHECKING, Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.clock import DAY, SECOND
from strongroom.detect import folds, rules
from strongroom.detect.detection import Fold, Shelved
from strongroom.detect.shelf import Column, Shelf, Shelves
from strongroom.detect.state import State
from strongroom.sigma.rule import Correlation, Extended, Kind, Sign
from tests.detect.conftest import read
from tests.detect.replayed import Event, same
from tests.detect.test_correlation import CONDITIONS, EVENTS, HEAD, WINDOW, by_hand, met

if TYPE_CHECKING:
    from pathlib import Path

NUMBERS = {Kind.VALUE_SUM, Kind.VALUE_AVG, Kind.VALUE_MEDIAN, Kind.VALUE_PERCENTILE}
SIGNS: list[Sign] = [">", ">=", "<", "<=", "=", "<>"]


def rule(kind: Kind, bound: float, sign: Sign = ">=", **more: Any) -> Correlation:
    """Of three rules, over the window of the tests of the SQL."""
    return Correlation(HEAD, kind, ("a", "b", "c"), ("g",), WINDOW, bound, ("v",), sign=sign, percentile=80, **more)


def folded(what: Correlation, events: list[tuple[int, str, int, str]], shuffled: random.Random) -> dict[str, int]:
    """Whom a fold tells of, and since when: whatever stands first within an instant, and over restarts."""
    make = folds.fold_of(what)
    fold, fired, state = make(), dict[str, int](), State(None)
    shelves = Shelves(state, shelved(fold))
    shuffled.shuffle(events)
    for at, g, which, v in sorted(events, key=lambda event: event[0]):
        value: Any = v
        if what.kind in NUMBERS:
            # A sum that is reached at once is one of what a log tells; others are of millionths.
            value = float(v) * (10**6 if what.kind is Kind.VALUE_AVG or what.sign not in {">", ">="} else 1)
            value = float(v) if what.kind in {Kind.VALUE_MEDIAN, Kind.VALUE_PERCENTILE} else value
        elif what.kind is Kind.VALUE_COUNT:
            value = int(v)
        fires = fold.feed((0, at * 1_000, g, g, which, value, 0, 7, 1))
        if shuffled.random() < 0.3:
            fold.tidy(at * 1_000)
            shelves.begin([("fold", fold.dump())], at * 1_000)
            shelves.go_on()
            fold = make()
            shelves = Shelves(state, shelved(fold))
            fold.load(dict(state.pieces())["fold"])
        for fire in fires:
            fired.setdefault(fire.about, fire.time)
    for fire in fold.passed(10**9):
        fired.setdefault(fire.about, fire.time)
    state.close()
    return fired


def shelved(fold: Fold) -> list[tuple[str, Shelf[Any] | Column[Any]]]:
    """Its shelves, with names."""
    assert isinstance(fold, Shelved)
    return [(str(nth), shelf) for nth, shelf in enumerate(fold.shelves())]


@given(
    kind=st.sampled_from(Kind),
    bound=st.sampled_from([0, 1, 2, 3, 2.5, 5]),
    sign=st.sampled_from(SIGNS),
    events=EVENTS,
    shuffled=st.randoms(use_true_random=False),
)
def test_a_fold_and_a_count_by_hand_agree(
    kind: Kind, bound: float, sign: Sign, events: list[tuple[int, str, int, str]], shuffled: random.Random
) -> None:
    """Of every kind, against every bound."""
    fired = folded(rule(kind, bound, sign), events, shuffled)
    assert fired == {about: instant for about, instant, _ in by_hand(kind, bound, events, sign)}


@given(condition=CONDITIONS, events=EVENTS, shuffled=st.randoms(use_true_random=False))
def test_extended_conditions_too(
    condition: Extended, events: list[tuple[int, str, int, str]], shuffled: random.Random
) -> None:
    """Of what matched within the window that ends with an instant, when that is over."""
    expected: dict[str, int] = {}
    for group in "pq":
        mine = [(at * 1_000, which) for at, g, which, _ in events if g == group]
        instants = [t for t, _ in mine if met(condition, {which for at, which in mine if t - WINDOW <= at <= t})]
        expected |= {group: min(instants)} if instants else {}
    assert folded(rule(Kind.TEMPORAL, 1, condition=condition), events, shuffled) == expected


PARTS = """
name: {name}
title: {name}
logsource: {{category: webserver}}
detection:
    selection: {{cs-method: {method}}}
    condition: selection
---
"""
CORRELATED = """
title: {title}
id: {id}
level: high
correlation:
    type: {kind}
    rules: [reads, asks]
    group-by: {by}
    timespan: {window}s
    condition: {condition}
---
"""
COUNTED = {"event_count": "", "value_count": "field: document"}
"""The kinds, and what they count; others count bytes."""


def yaml(rng: random.Random) -> str:
    """Correlations of every kind, against bounds that are reached now and then."""
    text = PARTS.format(name="reads", method="GET") + PARTS.format(name="asks", method="HEAD")
    for nth, kind in enumerate(kind for kind in Kind if not kind.startswith("temporal")):
        bound = rng.choice([2, 3, 5]) if kind in COUNTED else rng.choice([1_000, 2_500.5, 40_000])
        sign = rng.choice(["gt", "gte", "lt", "lte", "eq", "neq"])
        given_ = [
            f"{sign}: {bound}",
            COUNTED.get(kind, "field: sc-bytes"),
            "percentile: 90" * (kind == "value_percentile"),
        ]
        condition = "{" + ", ".join(one for one in given_ if one) + "}"
        by = rng.choice(["[principal]", "[c-ip]", "[]"])
        text += CORRELATED.format(
            title=f"c{nth}",
            id=UUID(int=nth),
            kind=kind.value,
            by=by,
            window=rng.choice([1, 40, 7_200]),
            condition=condition,
        )
    for nth, condition in enumerate(["reads and not asks", "not reads or asks"], start=90):
        text += CORRELATED.format(
            title=f"t{nth}", id=UUID(int=nth), kind="temporal", by="[principal]", window=60, condition=condition
        )
    return text


@settings(max_examples=8)
@given(seed=st.integers(0, 2**32))
def test_a_watch_says_what_a_hunt_says_by_the_rules_of_others(tmp_path_factory: Any, seed: int) -> None:
    """Late and twice, in any batches, over restarts; groups are of one or of several people, values are numbers or are none."""
    rng = random.Random(seed)
    path: Path = tmp_path_factory.mktemp("rules") / "rules.yml"
    path.write_text(yaml(rng))
    loaded = rules.load([path])
    assert loaded.stopped == ()
    assert len(loaded.detections) == 8
    same(events(rng), *loaded.detections, rng=rng)


def events(rng: random.Random) -> list[Event]:
    """A day of few people, with bursts and many of one instant."""
    found: list[Event] = []
    while len(found) < 150:
        at, burst = 20_453 * DAY + rng.randrange(DAY), rng.choice([1, 4, 12])
        for _ in range(burst):
            at += rng.choice([0, 0, 1, SECOND, 50 * SECOND])
            more = {
                "time": at, "traffic.bytes_out": rng.choice([None, 0, 7, 2_500, 90_000]),
                "http_request.http_method": rng.choice(["GET", "GET", "HEAD"]),
                "src_endpoint.ip": f"192.0.2.{rng.randrange(3)}",
            }  # fmt: skip
            found.append({**read(rng.randrange(6), 0, principal=rng.choice(["ann", "eve"])), **more})
    return found
