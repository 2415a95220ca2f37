"""Who looks after the guard sees who is held and why, takes it back, allows and freezes; and the guard obeys."""

import pytest

from strongroom.clock import DAY, HOUR
from strongroom.errors import UsageError
from strongroom.gateway import acts
from strongroom.gateway.measures import ANY, Allowed, Place
from strongroom.gateway.rule import DEFAULTS, Rung, Scope, overridden
from tests.gateway.test_guard import START, Scene, scene

STRICT = overridden({"person-runs-24h": 10}, {"person-runs-24h": "session"})
ANN = (Scope.PERSON, "ann")


def walks(one: Scene, session: str, start: int = 0) -> None:
    """Until ann is refused."""
    while one.reads("ann", start, session=session):
        start += 1


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("person:x", (Scope.PERSON, "x")),
        ("login:ann", (Scope.PERSON, "<ann>")),
        ("network:2001:db8::/64", (Scope.NETWORK, "2001:db8::/64")),
        ("route:letters", (Scope.ROUTE, "letters")),
        ("module", (Scope.MODULE, "")),
    ],
)
def test_places_are_read_as_they_are_written(text: str, place: Place) -> None:
    """And written as they are read."""
    assert acts.read_place(text, lambda name: f"<{name}>") == place
    if not text.startswith("login"):
        assert acts.written(place) == text


@pytest.mark.parametrize("text", ["", "ann", "person:", "module:x", "login:", "door:x"])
def test_what_names_nobody_is_refused(text: str) -> None:
    """With the forms that there are."""
    with pytest.raises(UsageError, match="login:NAME"):
        acts.read_place(text, str)


def test_who_is_held_is_told_with_the_reason() -> None:
    """Place, rule, what is done, until when; and who is refused request by request."""
    one = scene(listed=(), rules=STRICT)
    walks(one, "first")
    held = acts.status(one.guard.counts, one.now).held
    assert [(acts.written(measure.where), measure.rule, measure.until) for measure in held] == [
        ("session:first", "person-runs-24h", START + DAY)
    ]
    assert held[0].why == next(rule.why for rule in STRICT if rule.name == "person-runs-24h")
    other = scene()
    while other.reads("bob", other.asked * 10):
        pass
    assert [(met.who, met.rule) for met in acts.status(other.guard.counts, other.now).met] == [
        ("bob", "guard-person-unshown-24h")
    ]


def test_an_undo_by_the_person_frees_their_sessions_and_sticks() -> None:
    """Also where the rule refuses request by request; nothing to undo is an error that says so."""
    one = scene(listed=(), rules=STRICT)
    walks(one, "first")
    assert acts.undo(one.guard.counts, ANN, DEFAULTS, one.now) == ["person-runs-24h"]
    assert all(one.reads("ann", number, session="first") for number in range(100, 120))
    assert all(one.reads("ann", number, session="other") for number in range(200, 220))
    denied = scene()
    for number in range(0, 200, 10):
        denied.reads("ann", number, 403, session="third")
    assert acts.undo(denied.guard.counts, ANN, DEFAULTS, denied.now) == ["session-denials-1h"]
    assert denied.reads("ann", 500, session="third")
    strange = scene()
    while strange.reads("ann", strange.asked * 10):
        pass
    assert acts.undo(strange.guard.counts, ANN, DEFAULTS, strange.now) == ["person-unshown-24h"]
    assert strange.reads("ann", 990)
    with pytest.raises(UsageError, match="person:bob"):
        acts.undo(strange.guard.counts, (Scope.PERSON, "bob"), DEFAULTS, strange.now)


def test_what_is_allowed_is_neither_refused_nor_counted() -> None:
    """One rule, or all; for a person, an address, a route; until its end, or until it is ended."""
    for place, rule in (
        (ANN, "person-unshown-24h"),
        (ANN, ANY),
        ((Scope.NETWORK, "n"), ANY),
        ((Scope.ROUTE, "letter"), ANY),
    ):
        one = scene(decoys=("4711",))
        acts.allow(one.guard.counts, Allowed(place, rule, "Test.", one.now, one.now + HOUR), DEFAULTS)
        assert all(one.reads("ann", number) for number in range(0, 120, 10))
        assert one.reads("ann", 4711) == (rule == ANY)
        assert [allowed.where for allowed in acts.status(one.guard.counts, one.now).allowed] == [place]
        one.now += HOUR
        assert sum(one.reads("ann", number, session="s2") for number in range(1_000, 1_200, 10)) <= 5
    acts.allow(one.guard.counts, Allowed(ANN, ANY, "Test.", one.now, one.now + HOUR), DEFAULTS)
    acts.disallow(one.guard.counts, ANN, ANY)
    assert not one.reads("ann", 9_999, session="s2")
    with pytest.raises(UsageError, match="not allowed"):
        acts.disallow(one.guard.counts, ANN, ANY)
    with pytest.raises(UsageError, match="person-unshown-24h"):
        acts.allow(one.guard.counts, Allowed(ANN, "person-unshown", "Test.", 0, 1), DEFAULTS)


def test_a_freeze_by_hand_holds_whatever_is_simulated_or_allowed() -> None:
    """Until it ends or is undone, and again after that; strangers alone are refused where many share it."""
    one = scene(enforce=False)
    counts = one.guard.counts
    one.shows("ann", [7])
    acts.allow(counts, Allowed(ANN, ANY, "Test.", one.now, one.now + DAY), DEFAULTS)
    for _ in range(2):
        assert acts.freeze(counts, ANN, "stolen", one.now, HOUR).rung is Rung.ACCOUNT
        assert not one.reads("ann", 7)
        assert acts.undo(counts, ANN, DEFAULTS, one.now) == ["by-hand"]
        assert one.reads("ann", 7)
    for place in ((Scope.ROUTE, "letter"), (Scope.NETWORK, "n"), (Scope.MODULE, "")):
        acts.freeze(counts, place, "walked", one.now, HOUR)
        assert one.reads("ann", 7)
        assert not one.reads("ann", 8)
        acts.undo(counts, place, DEFAULTS, one.now)
        assert one.reads("ann", 8)
    acts.freeze(counts, ANN, "stolen", one.now, HOUR)
    one.now += HOUR
    assert one.reads("ann", 7)


def test_the_report_says_what_would_have_been() -> None:
    """Rules, requests and people; nothing of what was before."""
    one = scene(enforce=False)
    for person in ("ann", "bob"):
        for number in range(0, 100, 10):
            assert one.reads(person, f"{number}")
    found = {told.rule: (told.enforced, told.requests, told.who) for told in acts.report(one.guard.counts, START)}
    assert found["guard-person-unshown-24h"] == (False, 10, 2)
    assert acts.report(one.guard.counts, one.now + 1) == []


@pytest.mark.parametrize("rung", list(Rung))
def test_each_rung_is_said_in_words(rung: Rung) -> None:
    """For people."""
    assert acts.said(rung)


BOUNDS = acts.Bounds(an_hour=2, at_once=3, lasts=4 * HOUR)


def test_what_a_watch_asks_for_is_done_to_few() -> None:
    """One account for some hours; a second time is no other; so many in an hour, and at once; until it is over."""
    one = scene()
    counts, now = one.guard.counts, one.now
    assert one.reads("ann", 1)
    assert acts.ask(counts, "ann", "a walk", now, BOUNDS).done
    assert not one.reads("ann", 2)
    assert one.reads("bob", 3)
    assert acts.ask(counts, "ann", "a walk", now, BOUNDS).because == "is refused already"
    assert [acts.ask(counts, name, "a walk", now, BOUNDS).done for name in ("bob", "cyd")] == [True, False]
    later = now + HOUR
    assert [acts.ask(counts, name, "a walk", later, BOUNDS).done for name in ("cyd", "dan")] == [True, False]
    assert len(acts.status(counts, later).held) == 3
    assert [measure.rule for measure in counts.in_force(now + 4 * HOUR)] == [acts.WATCH]
    assert acts.ask(counts, "dan", "a walk", now + 4 * HOUR, BOUNDS).done


@pytest.mark.parametrize("rule", [ANY, acts.WATCH])
def test_a_watch_does_nothing_to_whom_it_is_allowed(rule: str) -> None:
    """Every rule, or this one; and not to whom it was done and taken back, for a week; a person may."""
    one = scene()
    counts, now = one.guard.counts, one.now
    acts.allow(counts, Allowed(ANN, rule, "a lawyer", now, now + DAY), DEFAULTS)
    assert acts.ask(counts, "ann", "a walk", now, BOUNDS) == acts.Answer(done=False, because="is allowed")
    assert acts.ask(counts, "bob", "a walk", now, BOUNDS).done
    assert acts.undo(counts, (Scope.PERSON, "bob"), DEFAULTS, now) == [acts.WATCH]
    assert one.reads("bob", 1)
    assert not acts.ask(counts, "bob", "a walk", now + DAY, BOUNDS).done
    assert one.reads("bob", 2)
    acts.freeze(counts, (Scope.PERSON, "bob"), "seen", one.now, HOUR)
    assert not one.reads("bob", 3)


def test_a_watch_changes_nothing_while_the_guard_simulates() -> None:
    """What it asked for is reported, as what a rule would have done."""
    one = scene(enforce=False)
    assert acts.ask(one.guard.counts, "ann", "a walk", one.now, BOUNDS).done
    assert one.reads("ann", 1)
    assert [(row.rule, row.enforced) for row in acts.report(one.guard.counts, 0)] == [("guard-watch", False)]
