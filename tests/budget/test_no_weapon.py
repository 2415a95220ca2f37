"""Budgets are no weapon: whatever some logins do, patients and clinicians in live care are not refused for it."""

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from strongroom.budget.freeze import Freeze, FreezeList, RouteClass
from strongroom.budget.ledger import Charge, Ledger
from strongroom.budget.rules import OF_ONE_LOGIN, PROTECTED, Rules
from strongroom.budget.scope import Disclosure, Kind
from strongroom.budget.spent import Spent
from strongroom.budget.table import DEFAULTS
from strongroom.clock import DAY, HOUR, MINUTE, YEAR, Millis
from tests.budget.scenes import PERMIT, START, listing, read, scopes

TIGHT = DEFAULTS.with_limits(
    {rule.name: {"people": 2, "documents": 3, "openings": 6, "bytes": 900}[rule.dimension.name.lower()]
     for rule in DEFAULTS.all if rule.scope in OF_ONE_LOGIN and rule.name != "account-stranger-people-24h-alarm"}
    | {rule.name: 0 for rule in DEFAULTS.all if rule.scope not in OF_ONE_LOGIN}
)  # fmt: skip
"""Every shared limit is already used up; one's own are small."""

DELAYS = st.sampled_from([0, 0, 1, MINUTE, HOUR, DAY - 1, DAY, YEAR])
PATIENTS = st.sampled_from(["mother", "child", "p", "q", "r"])
SIZES = st.sampled_from([0, 1, 400, 901])


@st.composite
def disclosures(draw: st.DrawFn, accounts: list[str], kinds: list[Kind], sessions: list[str]) -> Disclosure:
    """By one of `accounts`, from the same app, organisation and networks as everybody else."""
    who = scopes(
        draw(st.sampled_from(accounts)),
        session=draw(st.sampled_from(sessions)),
        organisation="practice",
        network=draw(st.sampled_from(["192.0.2.7/32", "org:practice"])),
    )
    kind, patient = draw(st.sampled_from(kinds)), draw(PATIENTS)
    if draw(st.booleans()):
        return listing(0, kind, who, patient)
    return read(0, kind, who, patient, document=draw(st.sampled_from("xyz")), size=draw(SIZES))


HOSTILE = disclosures([f"A{n}" for n in range(6)], list(Kind), ["", "shared by the hostile"])
HONEST = disclosures(["mother"], [Kind.OWN], [""]) | disclosures(["doctor"], [Kind.CARE], [""])
TRAFFIC = st.lists(st.tuples(DELAYS, st.one_of(HOSTILE, HOSTILE, HONEST)), max_size=60)
HONEST_LOGINS = {"mother", "doctor"}


class Door:
    """A ledger and a freeze list, used as the keeper uses them."""

    def __init__(self, rules: Rules) -> None:
        self.ledger = Ledger(rules)
        self.freezes = FreezeList()

    def ask(self, what: Disclosure) -> str:
        """What comes of it, in one word."""
        if self.freezes.check(what.scopes, what.kind, RouteClass.READ, what.at) is not None:
            return "frozen"
        answer = self.ledger.charge(PERMIT, what)
        if isinstance(answer, Charge):
            return f"charged {answer.documents}"
        if answer.freeze is not None:
            self.freezes.freeze(Freeze(answer.freeze, answer.rule.name, what.at))
        return f"spent {answer.rule.name}"


@settings(max_examples=200)
@given(TRAFFIC)
def test_the_honest_fare_as_if_they_were_alone(traffic: list[tuple[int, Disclosure]]) -> None:
    """An owner and a clinician in live care get the very answers that they would get if nobody else were there.

    The others may do anything, in any kind, from the same app, organisation and network; only the honest ones' own
    session and account are theirs alone.
    """
    together, alone, now = Door(TIGHT), Door(TIGHT), START
    for delay, wish in traffic:
        now += delay
        what = replace(wish, at=Millis(now))
        answer = together.ask(what)
        if what.scopes.account in HONEST_LOGINS:
            assert answer == alone.ask(what)


@settings(max_examples=60)
@given(TRAFFIC)
def test_within_their_own_limits_they_are_never_refused(traffic: list[tuple[int, Disclosure]]) -> None:
    """With the limits as they come, the honest ones are never refused at all."""
    door, now = Door(DEFAULTS), START
    for delay, what in traffic:
        now += delay
        answer = door.ask(replace(what, at=Millis(now)))
        assert what.scopes.account not in HONEST_LOGINS or answer.startswith("charged")


def test_shared_limits_do_refuse_strangers() -> None:
    """The same limits that let the honest through stop everybody's strangers: the promise above is not empty."""
    answer = Ledger(TIGHT).charge(PERMIT, listing(START, Kind.STRANGER, scopes("A"), "p"))
    assert isinstance(answer, Spent)
    assert answer.rule.scope not in OF_ONE_LOGIN


def test_no_shared_rule_refuses_a_protected_kind() -> None:
    """By the table: OWN, CARE, break-glass and services are refused by no counter that others can fill."""
    shared = [rule for rule in DEFAULTS.all if rule.scope not in OF_ONE_LOGIN]
    assert {rule.scope.value for rule in shared} == {"client", "organisation", "network", "practice", "module"}
    for rule in shared:
        assert not rule.refuses & PROTECTED
        assert rule.refuses <= {Kind.STRANGER} or rule.counts == {Kind.GLASS}
