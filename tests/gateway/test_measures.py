"""What is in force ends by itself, gives way to what is sterner, and stays undone."""

from strongroom.clock import HOUR
from strongroom.gateway.measures import Measure, Measures
from strongroom.gateway.rule import Rule, Rung, Scope, What

WHERE = (Scope.PERSON, "ann")


def measure(rung: Rung, since: int = 0, until: int = HOUR) -> Measure:
    """One about ann."""
    return Measure(WHERE, Rule(Scope.PERSON, What.DOCUMENTS, HOUR, 5, rung, "Test."), since, until)


def test_it_ends() -> None:
    """At its end, not after."""
    measures = Measures()
    assert measures.put(measure(Rung.SLOW), 0)
    assert measures.at(WHERE, HOUR - 1) is not None
    assert measures.at(WHERE, HOUR) is None
    assert measures.all(0) == []


def test_the_sterner_one_stands() -> None:
    """A milder one changes nothing, a sterner one takes its place."""
    measures = Measures()
    assert measures.put(measure(Rung.SESSION), 0)
    assert not measures.put(measure(Rung.SLOW), 0)
    assert not measures.put(measure(Rung.SESSION), 0)
    assert measures.put(measure(Rung.ACCOUNT), 0)
    assert [one.rule.rung for one in measures.all(0)] == [Rung.ACCOUNT]


def test_an_undo_lasts_as_long_as_what_it_undid_or_its_window() -> None:
    """Then the rule holds again; sweeping forgets neither too early."""
    measures = Measures()
    measures.put(measure(Rung.SLOW, until=10 * HOUR), 0)
    assert measures.undo(WHERE, 1) is not None
    measures.sweep(9 * HOUR)
    assert not measures.put(measure(Rung.SLOW), 9 * HOUR)
    measures.sweep(10 * HOUR)
    assert measures.put(measure(Rung.SLOW, 10 * HOUR, 11 * HOUR), 10 * HOUR)
    measures.sweep(11 * HOUR)
    assert measures.all(11 * HOUR) == []
