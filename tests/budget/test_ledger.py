"""The ledger: equal to its definition, all or nothing, undone without a trace, and the same after a restart."""

import dataclasses
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from strongroom.authz.policy import Permit
from strongroom.budget.freeze import Target, Upon
from strongroom.budget.ledger import Charge, Ledger
from strongroom.budget.rules import Rules
from strongroom.budget.scope import Disclosure, Kind
from strongroom.budget.spent import Spent
from strongroom.budget.table import DEFAULTS
from strongroom.clock import DAY, HOUR, MINUTE, MONTH, YEAR, Millis
from strongroom.errors import Malformed
from tests.budget.naive import NaiveLedger
from tests.budget.scenes import PERMIT, START, charge_all, listing, read, scopes, state

SMALL = DEFAULTS.with_limits(
    {rule.name: {"documents": 4, "people": 2, "bytes": 450, "openings": 7}[rule.dimension.name.lower()]
     for rule in DEFAULTS.all}
    | {rule.name: 1 for rule in DEFAULTS.all if rule.name.endswith("alarm")}
    | dict.fromkeys(["session-care-people-1h", "practice-stranger-people-1h", "network-stranger-people-1h",
                     "module-any-documents-1h"], 1)
)  # fmt: skip
"""The same rules with limits so small that random traffic meets all of them."""

DELAYS = st.sampled_from(
    [0, 0, 0, 1, 7, MINUTE, 5 * MINUTE - 1, 5 * MINUTE, HOUR - 1, HOUR, DAY - HOUR, DAY - 1, DAY, MONTH - 1, YEAR]
)
WHO = st.builds(
    scopes,
    st.sampled_from("AB"),
    session=st.sampled_from(["", "shared"]),
    client=st.sampled_from(["portal", "app"]),
    organisation=st.sampled_from(["", "practice"]),
    network=st.sampled_from(["192.0.2.7/32", "2001:db8::/64", "org:practice"]),
)
READS = st.builds(
    read, st.just(0), st.sampled_from(Kind), WHO, st.sampled_from("pqr"), document=st.sampled_from("xy"),
    size=st.sampled_from([0, 1, 400, 451]),
)  # fmt: skip
LISTINGS = st.builds(listing, st.just(0), st.sampled_from(Kind), WHO, st.sampled_from("pqr"))
STEPS = st.lists(
    st.one_of(
        st.tuples(DELAYS, st.one_of(READS, READS, LISTINGS)),
        st.integers(1, 3),  # undo so many
        st.just("restart"),
    ),
    max_size=40,
)
Step = tuple[int, Disclosure] | int | str
DECLARED = st.sampled_from([None, 0, 1, 4])


@settings(max_examples=150)
@given(STEPS, DECLARED)
def test_equals_its_definition(steps: list[Step], declared: int | None) -> None:
    """Whatever is charged, undone and restarted, in any order: verdict, amounts and waiting time are as defined."""
    ledger, naive, now = Ledger(SMALL), NaiveLedger(SMALL), START
    pending: list[Charge] = []
    for step in steps:
        if step == "restart":
            ledger, pending = Ledger.restore(ledger.snapshot(), SMALL), []
        elif isinstance(step, int):
            undone, pending = pending[-step:], pending[:-step]
            ledger.undo(undone)
            del naive.past[len(naive.past) - len(undone) :]
        elif isinstance(step, tuple):
            now += step[0]
            what = replace(step[1], at=Millis(now))
            documents, breaches, alarms = naive.charge(what, declared)
            answer = ledger.charge(PERMIT, what, declared=declared)
            if isinstance(answer, Charge):
                assert not breaches
                assert answer.documents == documents
                assert {alarm.rule.name for alarm in answer.alarms} == alarms
                pending.append(answer)
            else:
                assert answer.rule.name in breaches
                assert answer.until == naive.until(what, now, declared)


def test_equals_its_definition_over_long_traffic() -> None:
    """The same over traffic from fixed seeds, long enough that every rule refuses or tells at least once."""
    seen: set[str] = set()
    for seed, kind in enumerate([*Kind, *Kind, Kind.STRANGER]):
        chance, now, declared = Random(seed), START, [None, 4][seed % 2]
        ledger, naive = Ledger(SMALL), NaiveLedger(SMALL)
        for _ in range(200):
            now += chance.choice([0, 0, 0, 1, MINUTE, 5 * MINUTE, HOUR // 2, HOUR] + [8 * HOUR, DAY] * (seed % 2))
            what = any_disclosure(chance, now, kind)
            documents, breaches, alarms = naive.charge(what, declared)
            answer = ledger.charge(PERMIT, what, declared=declared)
            seen |= breaches | alarms
            if isinstance(answer, Charge) and chance.random() < 0.1:  # the log could not write it
                ledger.undo([answer])
                del naive.past[-1]
                continue
            if isinstance(answer, Charge):
                assert not breaches
                assert answer.documents == documents
                assert {alarm.rule.name for alarm in answer.alarms} == alarms
            else:
                assert answer.rule.name in breaches
                end = now + 10 * YEAR if answer.until is None else answer.until - 1
                assert naive.judge(what, end, declared, learned_at=now)[0]
                assert answer.until is None or not naive.judge(what, answer.until, declared, learned_at=now)[0]
    assert seen == {rule.name for rule in SMALL.all}, {rule.name for rule in SMALL.all} - seen


def any_disclosure(chance: Random, now: int, usual: Kind) -> Disclosure:
    """By somebody of two practices, of somebody; mostly of one kind."""
    who = scopes(
        chance.choice("AABC"),
        session=chance.choice(["", "", "shared"]),
        organisation=chance.choice(["", "practice"]),
        network=chance.choice(["192.0.2.7/32", "org:practice"]),
    )
    kind, patient = chance.choice([usual, usual, *Kind]), chance.choice("pppqqr")
    if chance.random() < 0.2:
        return listing(now, kind, who, patient)
    return read(now, kind, who, patient, document=chance.choice("vwxyz"), size=chance.choice([0, 0, 0, 1, 100, 400]))


@settings(max_examples=60)
@given(STEPS, st.integers(0, 40))
def test_restart_keeps_budgets(steps: list[Step], cut: int) -> None:
    """A snapshot and the rest of the log give the same state as the whole log and as never stopping."""
    alive, log, now = Ledger(SMALL), [], START
    snapshot, tail = alive.snapshot(), 0
    for number, step in enumerate(steps):
        if isinstance(step, tuple):
            now += step[0]
            what = replace(step[1], at=Millis(now))
            answer = alive.charge(PERMIT, what)
            if isinstance(answer, Charge):
                log.append((what, answer.documents))
        if number == cut:
            snapshot, tail = alive.snapshot(), len(log)
    from_snapshot, from_log = Ledger.restore(snapshot, SMALL), Ledger(SMALL)
    for what, documents in log[tail:]:
        assert from_snapshot.apply(what) == documents
    for what, documents in log:
        assert from_log.apply(what) == documents
    assert state(from_snapshot, now) == state(from_log, now) == state(alive, now)
    assert from_snapshot.snapshot() == from_log.snapshot() == alive.snapshot()


@settings(max_examples=100)
@given(STEPS, st.lists(st.integers(0, 12), max_size=4))
def test_undo_leaves_no_trace(steps: list[Step], undone: list[int]) -> None:
    """After undoing any of its charges, in any order, the ledger counts what one counts that never made them."""
    kept: list[Charge] = []
    ledger, now = Ledger(SMALL), START
    for step in steps:
        if isinstance(step, tuple):
            now += step[0]
            answer = ledger.charge(PERMIT, replace(step[1], at=Millis(now)))
            if isinstance(answer, Charge):
                kept.append(answer)
    for place in undone:
        if place < len(kept):
            ledger.undo([kept.pop(-1 - place)])
    never = Ledger(SMALL)
    for charge in kept:
        never.apply(charge.disclosure)
    assert state(ledger, now) == state(never, now)


@settings(max_examples=60)
@given(STEPS)
def test_all_or_nothing(steps: list[Step]) -> None:
    """A refused disclosure is charged in no scope at all."""
    ledger, now = Ledger(SMALL), START
    for step in steps:
        if isinstance(step, tuple):
            now += step[0]
            before = state(ledger, now)
            if isinstance(ledger.charge(PERMIT, replace(step[1], at=Millis(now))), Spent):
                assert state(ledger, now) == before


@pytest.mark.parametrize(
    ("kind", "length", "scope", "limit"),
    [
        (Kind.OWN, DAY, Upon.ACCOUNT, 12),
        (Kind.STRANGER, DAY, Upon.ACCOUNT, 3),
        (Kind.STRANGER, YEAR, Upon.ACCOUNT, 5),
        (Kind.CARE, HOUR, Upon.SESSION, 120),
        (Kind.CARE, DAY, Upon.ACCOUNT, 250),
        (Kind.CARE, MONTH, Upon.ACCOUNT, 2_500),
    ],
)
def test_expires_to_the_millisecond(kind: Kind, length: int, scope: Upon, limit: int) -> None:
    """One person more is refused until the very millisecond in which the first is as old as the window."""
    ledger = Ledger()
    apart = length // limit  # spread evenly, so that no shorter window fills
    for number in range(limit):
        who = scopes("A", session="one" if scope is Upon.SESSION else f"session {number}")
        answer = ledger.charge(PERMIT, listing(START + number * apart, kind, who, f"person {number}"))
        assert isinstance(answer, Charge)
    who = scopes("A", session="one" if scope is Upon.SESSION else "another")
    one_more = listing(START + length - 1, kind, who, "one more")
    spent = ledger.charge(PERMIT, one_more)
    assert isinstance(spent, Spent)
    assert (spent.rule.window, spent.limit, spent.used, spent.until) == (length, limit, limit, START + length)
    assert spent.freeze == Target(scope, "A" if scope is Upon.ACCOUNT else "one")
    assert isinstance(ledger.charge(PERMIT, replace(one_more, at=Millis(START + length))), Charge)


WAITS = st.sampled_from([0, HOUR, DAY - 1, DAY, 100 * DAY, YEAR - DAY])


@settings(max_examples=60)
@given(st.lists(st.tuples(WAITS, st.integers(0, 30)), max_size=60))
def test_patience_buys_nothing(attempts: list[tuple[int, int]]) -> None:
    """In any 24 hours a login meets at most 3 strangers, in any 365 days at most 5, however long it waits between."""
    ledger, now, met = Ledger(), START, []
    for delay, person in attempts:
        now += delay
        if isinstance(ledger.charge(PERMIT, listing(now, Kind.STRANGER, scopes("A"), f"person {person}")), Charge):
            met.append((now, person))
    for end, _ in met:
        assert len({person for t, person in met if end - DAY < t <= end}) <= 3
        assert len({person for t, person in met if end - YEAR < t <= end}) <= 5


def test_no_midnight() -> None:
    """Three strangers before midnight leave none for after midnight."""
    ledger, midnight = Ledger(), START + 10 * DAY
    for person in "abc":
        assert isinstance(ledger.charge(PERMIT, listing(midnight - 1, Kind.STRANGER, scopes("A"), person)), Charge)
    assert isinstance(ledger.charge(PERMIT, listing(midnight, Kind.STRANGER, scopes("A"), "d")), Spent)


def test_range_reads_cost_one_document_and_all_their_bytes() -> None:
    """Within five minutes of its charge one session reads one version for one document; bytes are counted each time."""
    ledger, who = Ledger(), scopes("A")
    reads = [read(START + late, Kind.OWN, who, "A", size=100) for late in (0, 1, 5 * MINUTE - 1, 5 * MINUTE)]
    elsewhere = read(START + 5 * MINUTE, Kind.OWN, scopes("A", session="another"), "A", size=100)
    newer = read(START + 5 * MINUTE, Kind.OWN, who, "A", version=2, size=100)
    charges = list(charge_all(ledger, [*reads, elsewhere, newer]))
    assert [isinstance(one, Charge) and one.documents for one in charges] == [1, 0, 0, 1, 1, 1]
    window = ledger._windows.get(DEFAULTS.of(Kind.OWN)[0], "A")
    assert window is not None
    assert window.look(START + 5 * MINUTE) == (4, 600, 1, 6)


def test_undoing_a_free_read_leaves_the_first_one_charged() -> None:
    """After a repeated read is undone, the next repetition is still free."""
    ledger, one = Ledger(), read(START, Kind.OWN, scopes("A"), "p")
    answers = [ledger.charge(PERMIT, one), ledger.charge(PERMIT, one)]
    ledger.undo([answer for answer in answers[1:] if isinstance(answer, Charge)])
    again = ledger.charge(PERMIT, one)
    assert isinstance(again, Charge)
    assert again.documents == 0


def test_a_listing_costs_people_only() -> None:
    """A listing is charged its patient and an opening; neither a document nor bytes, whatever size it claims."""
    ledger = Ledger()
    answer = ledger.charge(PERMIT, replace(listing(START, Kind.OWN, scopes("A"), "A"), size=5_000))
    assert isinstance(answer, Charge)
    assert answer.documents == 0
    window = ledger._windows.get(DEFAULTS.of(Kind.OWN)[0], "A")
    assert window is not None
    assert window.look(START) == (0, 0, 1, 1)


def test_known_patients_stay_readable_when_people_are_used_up() -> None:
    """A clinician at the limit goes on reading the people of today; only new ones are refused."""
    ledger, who = Ledger(SMALL), scopes("A")
    assert isinstance(ledger.charge(PERMIT, listing(START, Kind.CARE, who, "p")), Charge)
    assert isinstance(ledger.charge(PERMIT, listing(START, Kind.CARE, who, "q")), Spent)
    assert isinstance(ledger.charge(PERMIT, listing(START, Kind.CARE, who, "p")), Charge)


def test_a_declared_grant_takes_the_place_of_the_limit() -> None:
    """A service reads what its grant declares: more than the default, or less."""
    who = scopes("sync", network="org:practice")
    ledger = Ledger()
    for number in range(300):
        one = read(START, Kind.SERVICE, who, f"person {number}")
        assert isinstance(ledger.charge(PERMIT, one, declared=300), Charge)
    spent = ledger.charge(PERMIT, read(START, Kind.SERVICE, who, "one more"), declared=300)
    assert isinstance(spent, Spent)
    assert (spent.limit, spent.used, spent.until) == (300, 300, START + DAY)
    undeclared = Ledger().charge(PERMIT, read(START, Kind.SERVICE, who, "p"), declared=0)
    assert isinstance(undeclared, Spent)
    assert undeclared.until is None


def test_the_breaker_learns_from_care_and_holds_for_strangers() -> None:
    """The limit is three times the busiest same hour; clinicians pass it with an alarm, strangers are refused."""
    rules = DEFAULTS.with_limits({"module-any-documents-1h": 10})
    ledger = Ledger(rules)
    for number in range(8):
        ledger.charge(PERMIT, read(START, Kind.CARE, scopes("doctor"), f"person {number}"))
    tomorrow = START + DAY
    alarms: list[int] = []
    for number in range(30):
        answer = ledger.charge(PERMIT, read(tomorrow, Kind.CARE, scopes("doctor"), f"other {number}"))
        assert isinstance(answer, Charge)
        alarms += [number] * sum(alarm.rule.learned for alarm in answer.alarms)
    assert alarms == [24]  # 3 * 8 passed: one alarm, on the 25th document, and none after it
    spent = ledger.charge(PERMIT, read(tomorrow, Kind.STRANGER, scopes("thief"), "victim"))
    assert isinstance(spent, Spent)
    assert (spent.rule.name, spent.limit, spent.used) == ("module-any-documents-1h", 24, 30)
    assert spent.freeze is None
    for kind in (Kind.OWN, Kind.CARE, Kind.GLASS, Kind.SERVICE):
        assert isinstance(ledger.charge(PERMIT, read(tomorrow, kind, scopes("B"), "B")), Charge)


def test_sternest_rule_speaks_and_the_longest_wait_counts() -> None:
    """Of several rules in the way the freezing one is named, and the waiting time is that of all of them."""
    rules = DEFAULTS.with_limits({"account-own-people-24h": 1, "account-own-openings-24h": 2})
    ledger, who = Ledger(rules), scopes("A")
    assert isinstance(ledger.charge(PERMIT, listing(START, Kind.OWN, who, "p")), Charge)
    assert isinstance(ledger.charge(PERMIT, listing(START + HOUR, Kind.OWN, who, "p")), Charge)
    spent = ledger.charge(PERMIT, listing(START + 2 * HOUR, Kind.OWN, who, "q"))
    assert isinstance(spent, Spent)
    assert spent.rule.name == "account-own-people-24h"
    assert spent.until == START + DAY + HOUR  # openings alone would fit at START + DAY


def test_of_two_refusals_the_hopeless_one_speaks() -> None:
    """Where one rule would pass in time and another never, the second is named, and no time is promised."""
    rules = DEFAULTS.with_limits({"account-own-openings-24h": 1, "account-own-bytes-24h": 10})
    ledger, who = Ledger(rules), scopes("A")
    assert isinstance(ledger.charge(PERMIT, listing(START, Kind.OWN, who, "p")), Charge)
    spent = ledger.charge(PERMIT, read(START, Kind.OWN, who, "p", size=11))
    assert isinstance(spent, Spent)
    assert (spent.rule.name, spent.until) == ("account-own-bytes-24h", None)


@pytest.mark.parametrize("after", [MINUTE, 4 * MINUTE])
def test_a_wait_beyond_the_five_minutes_waits_for_a_document_too(after: int) -> None:
    """A free reading that must wait for bytes until it is free no more must then wait for a document as well."""
    ledger = Ledger(DEFAULTS.with_limits({"account-own-documents-24h": 2, "account-own-bytes-24h": 100}))
    who, later = scopes("A"), START + DAY - 4 * MINUTE
    for at, document, size in (
        (START, "z", 0),
        (START + after, "z", 60),
        (later, "x", 0),
        (START + DAY, "y", 0),
    ):
        assert isinstance(ledger.charge(PERMIT, read(at, Kind.OWN, who, "p", document=document, size=size)), Charge)
    spent = ledger.charge(PERMIT, read(START + DAY + 1, Kind.OWN, who, "p", document="x", size=50))
    assert isinstance(spent, Spent)
    assert spent.rule.name == "account-own-bytes-24h"  # fits at START + DAY + `after`: `x` costs a document again then
    assert spent.until == later + DAY


def test_listing_goes_on_when_bytes_are_used_up() -> None:
    """A listing needs no bytes."""
    ledger, who = Ledger(DEFAULTS.with_limits({"account-own-bytes-24h": 100})), scopes("A")
    assert isinstance(ledger.charge(PERMIT, read(START, Kind.OWN, who, "p", size=100)), Charge)
    assert isinstance(ledger.charge(PERMIT, listing(START, Kind.OWN, who, "p")), Charge)


def test_telling_the_time_changes_no_budget() -> None:
    """A disclosure that was timed just before the clock moved on is judged as if it had not."""
    ledger, who = Ledger(DEFAULTS.with_limits({"account-own-people-24h": 1})), scopes("A")
    assert isinstance(ledger.charge(PERMIT, listing(START, Kind.OWN, who, "p")), Charge)
    ledger.advance(Millis(START + DAY + 500))
    assert isinstance(ledger.charge(PERMIT, listing(START + DAY - 1, Kind.OWN, who, "q")), Spent)


def test_time_that_comes_late_counts_as_the_latest() -> None:
    """A disclosure that was timed before the last charge counts at the last charge's time, so that it leaves later."""
    ledger = Ledger()
    ledger.charge(PERMIT, listing(START + 10, Kind.OWN, scopes("A"), "p"))
    ledger.charge(PERMIT, listing(START, Kind.OWN, scopes("B"), "q"))
    window = ledger._windows.get(DEFAULTS.of(Kind.OWN)[0], "B")
    assert window is not None
    assert window.look(START + DAY + 9)[2] == 1
    assert window.look(START + DAY + 10)[2] == 0


@pytest.mark.parametrize("no_permit", [None, True, "permit", object(), Permit])
def test_no_permit_no_charge(no_permit: object) -> None:
    """Nothing is charged on anything but a Permit, and nothing is left behind."""
    ledger = Ledger()
    with pytest.raises(TypeError):
        ledger.charge(no_permit, listing(START, Kind.OWN, scopes("A"), "p"))  # type: ignore[arg-type]  # on purpose
    assert ledger.snapshot() == Ledger().snapshot()


def test_a_charge_is_made_only_by_the_ledger() -> None:
    """Nobody makes a Charge up, and a copy with other contents is none."""
    real = Ledger().charge(PERMIT, listing(START, Kind.OWN, scopes("A"), "p"))
    assert isinstance(real, Charge)
    with pytest.raises(TypeError):
        Charge(real.disclosure, 0, (), real.trace, object())
    with pytest.raises(ValueError, match="made_by"):
        dataclasses.replace(real, documents=0)  # type: ignore[call-arg]  # on purpose


@pytest.mark.parametrize(("size", "declared"), [(-1, None), (1, -1)])
def test_negative_sizes_are_refused(size: int, declared: int | None) -> None:
    """No size and no grant gives budget back."""
    with pytest.raises(ValueError, match="negative"):
        Ledger().charge(PERMIT, read(START, Kind.SERVICE, scopes("A"), "p", size=size), declared=declared)


def test_charges_are_undone_once_and_in_any_order() -> None:
    """Twice, or one that the ledger has forgotten, is refused as a whole."""
    ledger = Ledger()
    first, second, third = [
        one
        for one in charge_all(ledger, [listing(START, Kind.OWN, scopes("A"), person) for person in "pqr"])
        if isinstance(one, Charge)
    ]
    ledger.undo([second])
    ledger.undo([])
    before = ledger.snapshot()
    for wrong in ([second], [third, second], [third, third]):
        with pytest.raises(ValueError, match="once"):
            ledger.undo(wrong)
        assert ledger.snapshot() == before
    with pytest.raises(ValueError, match="once"):
        Ledger().undo([first])
    ledger.undo([third, first])
    assert state(ledger, START) == state(Ledger(), START)


def test_a_read_that_was_free_costs_its_document_when_the_first_is_undone() -> None:
    """As the log tells it: only the second was written, and nothing made it free."""
    ledger, one = Ledger(), read(START, Kind.OWN, scopes("A"), "p")
    first, _ = [answer for answer in charge_all(ledger, [one, one]) if isinstance(answer, Charge)]
    ledger.undo([first])
    alone = Ledger()
    assert alone.apply(one) == 1
    assert ledger.snapshot() == alone.snapshot()


def test_idle_windows_are_dropped() -> None:
    """Logins that come once and never again leave nothing behind."""
    ledger = Ledger()
    for number in range(500):
        ledger.charge(PERMIT, read(START + number * HOUR, Kind.OWN, scopes(f"account {number}"), "p"))
    assert len(ledger._windows) <= 2 * 24 + 1
    ledger.advance(Millis(START + 600 * HOUR))
    assert len(ledger._windows) == 0


def test_limits_may_change_over_a_restart() -> None:
    """A restored ledger goes by the limits of its new table."""
    ledger, who = Ledger(), scopes("A")
    ledger.charge(PERMIT, listing(START, Kind.OWN, who, "p"))
    restored = Ledger.restore(ledger.snapshot(), DEFAULTS.with_limits({"account-own-people-24h": 1}))
    assert isinstance(restored.charge(PERMIT, listing(START, Kind.OWN, who, "q")), Spent)


def _damaged() -> dict[str, bytes]:
    import msgspec  # noqa: PLC0415  # this test alone looks into the bytes

    ledger = Ledger()
    ledger.charge(PERMIT, read(START, Kind.OWN, scopes("A"), "p"))
    whole = ledger.snapshot()
    form, layout, now, windows, charged, hours = msgspec.msgpack.decode(whole)
    encode = msgspec.msgpack.encode
    return {
        "cut short": whole[:-1],
        "longer": whole + b"\0",
        "empty": b"",
        "another form": encode([form + 1, layout, now, windows, charged, hours]),
        "other rules": encode([form, layout[1:], now, windows, charged, hours]),
        "a window twice": encode([form, layout, now, windows * 2, charged, hours]),
        "no such gauge": encode([form, layout, now, [[99, *windows[0][1:]]], charged, hours]),
        "an unknown field": encode([form, layout, now, windows, charged, hours, 1]),
    }


@pytest.mark.parametrize("damage", _damaged())
def test_a_damaged_snapshot_is_refused(damage: str) -> None:
    """A snapshot that is not whole, or was made by another table, is never half read."""
    with pytest.raises(Malformed):
        Ledger.restore(_damaged()[damage])


def test_another_table_refuses_the_snapshot() -> None:
    """Removing a rule changes what windows mean: then the log is replayed."""
    with pytest.raises(Malformed, match="other budget rules"):
        Ledger.restore(Ledger().snapshot(), Rules(rule for rule in DEFAULTS.all if rule.scope.value != "client"))
