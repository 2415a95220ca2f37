"""The page on reliability is what was measured, of every fault there is, and nothing else; and how it is counted."""

import msgspec

from bench.faults import FAULTS, page
from bench.faults.fault import KINDS, Fault, Outcome, Result, Row, Seen, Tally

ONE = FAULTS[0]


def row(fault: Fault, **seen: Seen) -> Row:
    """A measured row in which nothing is wrong but what is said here."""
    every = {str(kind): Seen(served=3) for kind in KINDS} | seen
    return Row(part=fault.part, how=fault.how, seen=every, healed=0.5, log="keeper: a | b", broken=[], surprises=[])


def result(*rows: Row) -> Result:
    """A run."""
    return Result(scale="full", machine="m", rows=list(rows), released=2, listed=3, uploads=4, broken=[])


def test_the_page_is_generated_and_has_every_fault() -> None:
    """Nobody edited it, and no fault was left out: `python -m bench.faults` measures, `--render` writes it anew."""
    measured = page.read()
    text = page.PAGE.read_text(encoding="utf-8")
    names = [fault.name for fault in FAULTS]
    assert [one.name for one in measured.rows] == names
    assert list(page.rows_of(text)) == names
    assert text == page.render(measured, FAULTS)
    assert measured.scale == "full"


def test_every_fault_tells_an_operator_something() -> None:
    """Each has a name of its own, what to do, and how it heals; one that is refused every time has its message."""
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
    for fault in FAULTS:
        assert fault.done
        assert fault.do
        assert fault.heals
        assert fault.says or not fault.refused or fault.part.endswith("process"), fault.name
    parts = {fault.part for fault in FAULTS}
    assert {"HSM", "keeper database", "keeper disk", "bucket", "objects folder", "clock", "signer of contexts", "keeper process",
            "app process", "signin process", "courier process", "publisher process", "issuer elsewhere"} <= parts  # fmt: skip


def test_what_misses_the_promise_is_marked() -> None:
    """A refusal that came late, one that never came, a part that did not heal, and a promise that was broken."""
    late = row(ONE, read=Seen(refused=1, slowest_refusal=1.2, said="The store cannot answer now."))
    assert "| **1.20, missed** |" in page.render(result(late), FAULTS)
    assert "| 0.90 |" in page.render(result(row(ONE, read=Seen(refused=1, slowest_refusal=0.9))), FAULTS)
    silent = row(ONE, read=Seen(unanswered=1, slowest_refusal=3.0, answers={"no answer": 1}))
    assert "| **no answer** (1 of 1 requests) |" in page.render(result(silent), FAULTS)
    assert not silent.in_time
    lost = row(ONE)
    lost.healed = None
    assert "| **not healed** |" in page.render(result(lost), FAULTS)
    lost.broken.append("it was lost")
    assert "**1 promises were broken**: HSM: gone: it was lost" in page.render(result(lost), FAULTS)
    fine = page.render(result(row(ONE)), FAULTS)
    assert "| nothing |" in fine
    assert "`keeper: a / b`" in fine  # a bar would end the cell
    assert "5 releases and lists and 4 uploads that were acknowledged, all were there" in fine


def test_outcomes_are_counted() -> None:
    """Served, refused, not answered; and a wrong answer is a broken promise, not a refusal."""
    tally = Tally()
    for state, seconds in (("served", 0.2), ("refused", 0.7), ("unanswered", 3.0), ("wrong", 0.1)):
        tally.take(Outcome("read", seconds, state, state, "said"))  # type: ignore[arg-type]  # a table of states
    seen = tally.seen["read"]
    assert (seen.served, seen.refused, seen.unanswered) == (1, 1, 1)
    assert (seen.slowest_answer, seen.slowest_refusal) == (0.2, 3.0)
    assert tally.wrong == ["read was answered wrong: said"]
    assert msgspec.json.decode(msgspec.json.encode(row(ONE)), type=Row) == row(ONE)
