"""What leaves is counted by person and not by request; thieves lose the portal, and nobody else does."""

import random
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.clock import DAY, HOUR, MINUTE, SECOND
from strongroom.errors import ConfigError
from strongroom.gateway.counts import Counts
from strongroom.gateway.guard import UNREAD, Watchful
from strongroom.gateway.measures import Allowed
from strongroom.gateway.person import Who
from strongroom.gateway.ports import Asked, Verdict
from strongroom.gateway.rule import CROWDS, DEFAULTS, OWN, Rung, Scope, What, overridden

START = 1_767_225_600_000


@dataclass
class Scene:
    """A guard, a clock, and how requests went."""

    guard: Watchful
    now: int = START
    asked: int = 0
    rules: list[str] = field(default_factory=list)
    size: int = 100
    """Bytes of each document."""

    def request(
        self, person: str, document: object, *, session: str = "", network: str = "n", patient: str = ""
    ) -> Asked:
        """A request for a document."""
        self.asked += 1
        who = Who(session or f"s-{person}", person) if person else None
        return Asked(str(self.asked), self.now, "letter", who, network, "d", "document", str(document), patient)

    def reads(self, person: str, document: object, status: int = 200, **more: str) -> bool:
        """Whether it was passed on; the portal answered with `status`."""
        asked = self.request(person, document, **more)
        verdict = self.guard.before(asked)
        if verdict is not None:
            self.rules.append(verdict.refusal.rule)
            if verdict.enforced:
                return False
        later = self.guard.answered(asked, status, self.size if status == 200 else 0, verdict)
        if later is not None:
            self.rules.append(later.refusal.rule)
            if later.enforced:
                return False
        return True

    @property
    def told(self) -> dict[str, tuple[int, int]]:
        """Requests and people, by rule."""
        return {one.rule: (one.requests, one.who) for one in self.guard.counts.reported()}

    def shows(
        self,
        person: str,
        documents: Iterable[object],
        patients: Iterable[object] = (),
        patient: str = "",
        network: str = "n",
    ) -> bool:
        """A listing; whether it went out."""
        asked = replace(self.request(person, "", patient=patient, network=network), lists=True)
        shown = frozenset(("document", str(one)) for one in documents)
        verdict = self.guard.before(asked) or self.guard.showed(asked, shown, frozenset(map(str, patients)))
        if verdict is not None:
            self.rules.append(verdict.refusal.rule)
        return verdict is None or not verdict.enforced


def scene(*, enforce: bool = True, listed: tuple[str, ...] = ("document",), **more: object) -> Scene:
    """A guard before a portal whose listings are read."""
    return Scene(Watchful(Counts(), enforce=enforce, listed=listed, **more))  # type: ignore[arg-type]  # names as it has them


# ---- honest people --------------------------------------------------------------------------------------------------


def test_who_reads_what_was_shown_is_never_refused() -> None:
    """Three hundred documents for a lawyer, one after the other, numbers in a row; told, and not refused."""
    one = scene()
    one.shows("ann", list(range(300)))
    assert all(one.reads("ann", document) for document in range(300))
    assert one.rules == []
    assert one.told == {"guard-person-documents-1h": (150, 1)}


def test_old_links_are_opened() -> None:
    """A few documents a day that no page showed, again and again; a dead link in a storm of refreshes counts once."""
    one = scene()
    for _ in range(50):
        assert all(one.reads("ann", document) for document in (3, 70, 900))
        assert one.reads("ann", 12, status=404)
    assert one.rules == []


def test_a_family_and_a_clinic_are_not_refused() -> None:
    """A mother with five children; forty people behind one address, each with twenty documents of theirs."""
    one = scene()
    one.shows("mother", list(range(60)))
    assert all(one.reads("mother", document, patient=str(document % 6)) for document in range(60))
    for person in map(str, range(40)):
        one.shows(person, [f"{person}-{number}" for number in range(20)])
        assert all(one.reads(person, f"{person}-{number}") for number in range(20))
    assert one.rules == []


@settings(max_examples=30)
@given(st.data())
def test_whatever_others_do_what_was_shown_is_read(data: st.DataObject) -> None:
    """No weapon: others, on the same address and device, with made-up tokens of the same person, refuse an honest one nothing."""
    one = scene()
    one.shows("honest", list(range(1_000, 1_020)))
    acts = st.tuples(
        st.sampled_from(["thief", "mule", "", "honest"]),
        st.integers(0, 400),
        st.sampled_from([200, 401, 403, 404, 500]),
    )
    for person, document, status in data.draw(st.lists(acts, min_size=200, max_size=400)):
        forged = person == "honest"  # whoever has no session of theirs gets nothing from the portal with their name
        session = f"forged-{document}" if forged else ""
        one.reads(person, document, 401 if forged else status, session=session)
        one.now += SECOND
    assert all(one.reads("honest", document) for document in range(1_000, 1_020))


# ---- thieves --------------------------------------------------------------------------------------------------------


def stolen(one: Scene, documents: list[int], *, misses: float = 0.25, each: int = SECOND, seed: int = 1) -> int:
    """How many documents a thief with one login gets who asks for these, with this share of numbers that are not there."""
    chance, taken = random.Random(seed), 0
    for number, document in enumerate(documents):
        there = chance.random() >= misses
        passed = one.reads(
            "thief", document, 200 if there else 404, session=f"s{number // 50}", network=f"n{number % 200}"
        )
        taken += passed and there
        one.now += each
    return taken


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("misses", [0.15, 0.4])
def test_p1_takes_ten_documents_at_most(seed: int, misses: float) -> None:
    """Two days, numbers in a row, from two hundred addresses, in ever new sessions: five a day."""
    assert stolen(scene(), list(range(2_500)), misses=misses, each=68 * SECOND, seed=seed) <= 10


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("misses", [0.15, 0.4])
@pytest.mark.parametrize("turns", [1, 2])
def test_p1_takes_twenty_five_at_most_where_listings_are_not_read(seed: int, misses: float, turns: int) -> None:
    """Two days, in ever new sessions, one way or two ways by turns: neighbours are neighbours, given or refused."""
    walk = [number // turns + number % turns * 1_000_000 for number in range(2_500)]
    assert stolen(scene(listed=()), walk, misses=misses, each=68 * SECOND, seed=seed) <= 25


@pytest.mark.parametrize("seed", range(3))
def test_who_tries_numbers_here_and_there_finds_few_where_listings_are_not_read(seed: int) -> None:
    """At random, none of them neighbours, three or seven in ten not there: what eight misses a day leave."""
    chance = random.Random(seed)
    walk = [chance.randrange(10**9) for _ in range(1_000)]
    assert stolen(scene(listed=()), walk, misses=0.3, each=80 * SECOND, seed=seed) <= 45
    assert stolen(scene(listed=()), walk, misses=0.75, each=80 * SECOND, seed=seed) <= 12


def test_who_knows_all_numbers_is_told_where_listings_are_not_read() -> None:
    """The limit of it: no gap, no past, one address, and a thief is a practice; by a stricter rule both are refused."""
    one = scene(listed=())
    assert all(one.reads("thief", number) for number in range(500))
    assert one.told["guard-person-runs-24h"][0] == 399
    assert stolen(scene(listed=()), list(range(1_500)), misses=0) <= 11
    strict = scene(listed=(), rules=overridden({"person-runs-24h": 10}, {"person-runs-24h": "session"}))
    assert sum(strict.reads("thief", number) for number in range(500)) == 11


def test_who_knows_all_numbers_and_has_a_stolen_login_is_held() -> None:
    """Known people read in order at home; on a new device and from a new address ten, and what is no neighbour."""
    one = scene(listed=())
    assert all(one.reads("ann", number) for number in range(30))
    one.now += 2 * DAY
    assert all(one.reads("ann", number) for number in range(50, 90))
    asked = [replace(one.request("ann", number, network="bot"), device="tool") for number in range(200, 230)]
    verdicts = [one.guard.before(each) or one.guard.answered(each, 200, 1) for each in asked]
    assert [verdict is None for verdict in verdicts] == [True] * 11 + [False] * 19
    assert verdicts[11] is not None
    assert verdicts[11].refusal.rule == "guard-person-away-24h"


def test_honest_people_read_in_order_where_listings_are_not_read() -> None:
    """A lawyer, a practice, a mother; one letter was taken back, and asked for again and again. Made-up tokens make no holes."""
    one = scene(listed=())
    assert all(one.reads("lawyer", number, status=404 if number == 7 else 200) for number in range(300))
    for patient in range(50):
        assert all(one.reads("practice", 10 * patient + number) for number in range(7))
    assert all(one.reads("ann", number) and one.reads("ann", 105, status=404) for number in range(100, 105))
    for number in range(500, 560):
        asked = replace(one.request("ann", number, network="forger", session=f"f{number}"), device="other")
        one.guard.answered(asked, 404, 0)
    assert all(one.reads("ann", number) for number in range(560, 580))


def test_p3_gains_nothing_by_patience() -> None:
    """One document in four minutes, at random, for thirty days: fifteen in all."""
    chance = random.Random(3)
    documents = [chance.randrange(1_000_000) for _ in range(30 * 24 * 15)]
    assert stolen(scene(), documents, misses=0, each=4 * MINUTE) == 15


def test_many_at_once_pass_no_limit() -> None:
    """A hundred requests before the first answer: the portal is asked for all of them, and five answers go out."""
    one = scene()
    requests = [one.request("thief", document) for document in range(0, 1_000, 10)]
    assert [one.guard.before(asked) for asked in requests] == [None] * 100
    verdicts = [one.guard.answered(asked, 200, 1) for asked in requests]
    assert [verdict is None for verdict in verdicts] == [True] * 5 + [False] * 95
    assert verdicts[5] is not None
    assert verdicts[5].refusal.rule == "guard-person-unshown-24h"
    assert not one.reads("thief", 5)


def test_many_accounts_on_one_address_meet_its_limit() -> None:
    """Forty documents that nobody was shown; then that address opens only what was shown, and others open all the same."""
    one = scene()
    passed = [one.reads(f"mule{number}", number * 10, network="tor") for number in range(100)]
    assert sum(passed) == 40
    one.shows("ann", [7])
    assert one.reads("ann", 7, network="tor")
    assert one.reads("bob", 8, network="home")
    one.now += HOUR + MINUTE
    assert one.reads("mule99", 990, network="tor")


def test_an_exempt_network_meets_none_of_its_limits() -> None:
    """The people on it still meet their own."""
    one = scene(exempt=("clinic",))
    assert all(one.reads(f"p{number}", number * 10, network="clinic") for number in range(100))
    assert not all(one.reads("p0", number * 10, network="clinic") for number in range(100, 110))


def test_a_decoy_ends_the_session() -> None:
    """Nobody honest was ever shown it."""
    one = scene(decoys=("4711",))
    one.shows("ann", [7])
    assert not one.reads("ann", 4711)
    assert not one.reads("ann", 7)
    assert one.reads("ann", 7, session="another")
    assert set(one.rules) == {"guard-decoy"}


def test_what_the_portal_refuses_ends_the_session_that_goes_on_trying() -> None:
    """Eleven different documents refused; the person's other session goes on."""
    one = scene()
    one.shows("ann", [7])
    for document in range(100, 2_000, 100):
        one.reads("ann", document, status=403, session="bad")
    assert not one.reads("ann", 7, session="bad")
    assert one.reads("ann", 7, session="good")
    assert one.rules[-1] == "guard-session-denials-1h"


def test_too_many_bytes_freeze_the_account() -> None:
    """Hundreds of scans in a day; tomorrow it goes on."""
    one = scene()
    one.size = 1_000_000_000
    one.shows("ann", list(range(40)))
    one.guard.served(one.request("ann", 0), 1_000_000_000)
    assert [one.reads("ann", document) for document in range(21)] == [True] * 19 + [False] * 2
    one.now += DAY + 2 * HOUR
    assert one.reads("ann", 30)


def test_what_was_simulated_binds_nobody() -> None:
    """Whoever begins to enforce holds nobody for what was only said; what left counts all the same."""
    counts = Counts()
    one = Scene(Watchful(counts, enforce=False, listed=("document",)))
    one.shows("ann", list(range(40)))
    assert all(one.reads("ann", document, status=403) for document in range(20))
    assert [measure.enforced for measure in counts.in_force(one.now)] == [False]
    one.guard = Watchful(counts, enforce=True, listed=("document",))
    assert one.reads("ann", 7)
    assert not one.reads("ann", 8, status=403) or not one.reads("ann", 9)


def test_too_many_patients_freeze_the_account() -> None:
    """Even where all of it was shown: twelve people, and the thirteenth is nobody's family."""
    one = scene()
    one.shows("ann", list(range(40)))
    assert [one.reads("ann", document, patient=str(document)) for document in range(14)] == [True] * 12 + [False] * 2
    assert not one.reads("ann", 0, patient="0")
    one.now += 2 * DAY
    assert one.reads("ann", 0, patient="0")


# ---- lists ----------------------------------------------------------------------------------------------------------


def test_a_list_that_shows_everybody_ends_at_a_hundred_and_fifty_people() -> None:
    """P2: page after page of everybody's documents, each read at once; the list that would pass it shows nothing."""
    one = scene()
    taken = 0
    for page in range(40):
        documents = [f"{page}-{number}" for number in range(100)]
        if one.shows("thief", documents, patients=range(page * 14, page * 14 + 14)):
            taken += sum(one.reads("thief", document) for document in documents)
        one.now += MINUTE
    assert taken == 1_000
    assert one.rules[0] == "guard-person-listed-24h"
    assert not one.reads("thief", "0-1")
    one.now += DAY + 2 * HOUR
    assert one.shows("thief", ["0-1"])


def test_a_list_that_names_nobody_ends_at_two_thousand_documents() -> None:
    """Counted is what is shown for the first time: a list that is opened again and again is one."""
    one = scene()
    for page in range(24):
        for _ in range(3):
            assert one.shows("thief", range(page * 100, page * 100 + 100)) == (page < 20)
    assert set(one.rules) == {"guard-person-shown-24h"}


def test_lists_at_addresses_that_name_the_patient_count_patients() -> None:
    """As if the list named them; whoever is refused for what they read is refused lists, too."""
    one = scene()
    shown = [one.shows("thief", [patient], patient=str(patient)) for patient in range(152)]
    assert shown == [True] * 150 + [False] * 2
    assert set(one.rules) == {"guard-person-listed-24h"}
    one.shows("other", range(13))
    for patient in range(13):
        one.reads("other", patient, patient=str(patient))
    assert not one.shows("other", [1], patient="1")


def test_who_read_for_few_is_not_shown_many() -> None:
    """A login of one patient, known for a week: twenty people a day. A practice that grows by some a day is shown them."""
    one = scene()
    for day in range(9):
        assert one.shows("ann", range(7), patients=["ann"])
        assert one.shows("practice", range(day * 30), patients=range(day * 30))
        one.reads("ann", 1)
        one.reads("practice", 1)
        one.now += DAY
    assert [one.shows("ann", [page], patients=range(page * 10, page * 10 + 10)) for page in range(3)] == [
        True,
        True,
        False,
    ]
    assert one.rules == ["guard-person-wider-24h"]
    assert one.reads("ann", 1)


def test_a_practice_with_fifty_patients_is_shown_them_all() -> None:
    """Fifty patients and seven hundred documents in one list; the same again each day."""
    one = scene()
    for _ in range(5):
        assert one.shows("practice", range(700), patients=range(50))
        assert all(one.reads("practice", document) for document in range(0, 700, 3))
        one.now += DAY
    assert one.rules == []


def test_a_known_person_on_a_new_device_is_shown_what_is_known() -> None:
    """And a hundred documents more: a stolen login that lists what its owner never saw ends there."""
    one = scene()
    assert one.shows("ann", range(300), network="home")
    assert one.reads("ann", 1, network="home")
    one.now += 2 * DAY
    asked = replace(one.request("ann", "", network="train"), device="telephone", lists=True)
    assert one.guard.showed(asked, frozenset(("document", str(number)) for number in range(300))) is None
    more = [frozenset({("document", f"x{page}-{number}") for number in range(50)}) for page in range(3)]
    verdicts = [one.guard.showed(asked, page) for page in more]
    assert verdicts[:2] == [None, None]
    assert verdicts[2] is not None
    assert verdicts[2].refusal.rule == "guard-person-fresh-24h"
    assert one.shows("ann", [f"x2-{number}" for number in range(50)], network="home")


def test_a_session_that_is_refused_is_refused_lists() -> None:
    """Titles are documents' too."""
    one = scene(decoys=("4711",))
    assert not one.reads("ann", 4711)
    assert not one.shows("ann", [1])
    assert one.shows("bob", [1])


def test_simulating_shows_all_and_says_what_would_be_refused() -> None:
    """Lists, too."""
    one = scene(enforce=False)
    assert all(one.shows("thief", [page], patients=range(page * 14, page * 14 + 14)) for page in range(14))
    assert one.told["guard-person-listed-24h"] == (4, 1)


# ---- what it does and what it only says -----------------------------------------------------------------------------


def test_simulating_refuses_nothing_and_says_what_enforcing_would() -> None:
    """The first refusal comes at the same request; the report counts requests and people."""
    told, held = scene(enforce=False), scene()
    for one in (told, held):
        passed = [one.reads("thief", document) for document in range(0, 500, 10)]
        assert all(passed) == (one is told)
    assert told.rules[0] == held.rules[0] == "guard-person-unshown-24h"
    report = next(one for one in told.guard.counts.reported() if one.rule == "guard-person-unshown-24h")
    assert (report.enforced, report.requests, report.who, report.first) == (False, 21, 1, START)


def test_an_undo_sticks() -> None:
    """What an officer took back, the same rule does not do again there."""
    one = scene()
    one.shows("ann", list(range(40)))
    for document in range(14):
        one.reads("ann", document, patient=str(document))
    counts, where = one.guard.counts, (Scope.PERSON, "ann")
    assert [measure.where for measure in counts.in_force(one.now)] == [where]
    assert all(measure.why for measure in counts.undo(where, one.now))
    assert all(one.reads("ann", document, patient=str(document)) for document in range(40))
    assert counts.in_force(one.now) == []
    assert counts.undo(where, one.now) == []


def test_an_undo_of_a_session_holds_for_the_person() -> None:
    """Signing in again, and walking on, does not bring it back."""
    one = scene(listed=(), rules=overridden({"person-runs-24h": 10}, {"person-runs-24h": "session"}))
    while one.reads("ann", one.asked, session="first"):
        pass
    assert one.rules == ["guard-person-runs-24h"]
    assert len(one.guard.counts.undo((Scope.SESSION, "first"), one.now)) == 1
    assert all(one.reads("ann", number, session=f"s{number}") for number in range(100, 150))


def test_a_listing_that_cannot_be_read_is_refused_or_makes_nothing_strange_for_an_hour() -> None:
    """Nobody asks for what the gateway cannot see, and walks; whoever is allowed to does not pay for it, nor anybody while nothing
    is refused.
    """
    for allowed, enforce in ((False, True), (True, True), (False, False)):
        one = scene(enforce=enforce)
        if allowed:
            one.guard.counts.allow(Allowed((Scope.PERSON, "ann"), UNREAD.name, "Test.", one.now, one.now + DAY))
        verdict = one.guard.showed(one.request("ann", ""), None)
        assert (verdict is None, verdict is not None and verdict.enforced) == (allowed, not allowed and enforce)
        if verdict is not None and verdict.enforced:
            assert not all(one.reads("ann", document) for document in range(0, 500, 10))
            continue
        assert all(one.reads("ann", document) for document in range(0, 500, 10))
        one.now += 2 * HOUR
        assert not enforce or not all(one.reads("ann", document) for document in range(1_000, 1_500, 10))


def test_strangers_are_shown_nothing() -> None:
    """A listing without a session teaches nothing; documents for strangers count for the address alone."""
    one = scene()
    one.guard.showed(one.request("", ""), frozenset({("document", "7")}))
    assert one.reads("", 7)
    assert one.guard.before(one.request("", "")) is None


@pytest.mark.parametrize(
    ("rung", "status", "header"),
    [(Rung.SLOW, 429, b"retry-after"), (Rung.STEP_UP, 401, b"www-authenticate"), (Rung.SESSION, 401, b""), (Rung.ACCOUNT, 403, b""),
     (Rung.ROUTE, 403, b""), (Rung.STRANGERS, 403, b""), (Rung.NEWCOMERS, 401, b"www-authenticate")],
)  # fmt: skip
def test_each_rung_is_answered_in_its_own_way(rung: Rung, status: int, header: bytes) -> None:
    """With a sentence that a person can act upon."""
    rule = next(rule for rule in DEFAULTS if rule.name == "person-unshown-24h")
    one = scene(rules=[type(rule)(rule.scope, rule.what, rule.window, 0, rung, "Why.")])
    verdict = one.guard.before(one.request("ann", 1))
    assert isinstance(verdict, Verdict)
    assert (verdict.refusal.status, verdict.refusal.rule) == (status, "guard-person-unshown-24h")
    assert not header or header in dict(verdict.refusal.extra)
    assert verdict.refusal.because.endswith(".")


# ---- the rules ------------------------------------------------------------------------------------------------------


def test_no_rule_of_a_shared_scope_refuses_what_was_shown() -> None:
    """What the house forbids, held against the table: shared scopes only note, or refuse what was not shown; or hold who is new."""
    shared = [rule for rule in DEFAULTS if rule.scope not in OWN and rule.what not in CROWDS]
    assert {rule.rung for rule in DEFAULTS if rule.what in CROWDS} == {Rung.NOTE, Rung.NEWCOMERS}
    assert shared
    assert {rule.rung for rule in shared} <= {Rung.NOTE, Rung.ROUTE, Rung.STRANGERS}
    assert all(rule.what in {What.UNSHOWN, What.MISSES} for rule in shared)
    assert not any(rule.scope is Scope.PERSON for rule in DEFAULTS if rule.what in {What.MISSES, What.DENIALS})
    assert len({rule.name for rule in DEFAULTS}) == len(DEFAULTS)


def test_the_page_has_every_rule_as_it_is() -> None:
    """docs/gateway.md shows names, limits and reasons of the table."""
    page = (Path(__file__).parents[2] / "docs" / "gateway.md").read_text(encoding="utf-8")
    for rule in DEFAULTS:
        assert re.search(rf"\| `{rule.name}` \| {rule.limit} \| [a-z -]+ \| {re.escape(rule.why)} \|", page), rule.name


def test_limits_are_overridden_by_name() -> None:
    """And nothing else is."""
    changed = overridden({"person-unshown-24h": 0})
    assert [rule.limit for rule in changed if rule.name == "person-unshown-24h"] == [0]
    assert len(changed) == len(DEFAULTS)
    for wrong in ({"person-unshown": 1}, {"person-unshown-24h": -1}):
        with pytest.raises(ConfigError):
            overridden(wrong)


def test_rungs_are_overridden_by_name() -> None:
    """But nothing that many share may refuse what was shown, and nothing of one person the others."""
    changed = overridden({}, {"person-unshown-24h": "slow", "network-unshown-1h": "note"})
    assert [rule.rung for rule in changed if rule.name in {"person-unshown-24h", "network-unshown-1h"}] == [
        Rung.SLOW,
        Rung.NOTE,
    ]
    for wrong in (
        {"network-unshown-1h": "account"},
        {"person-unshown-24h": "strangers"},
        {"person-unshown-24h": "newcomers"},
        {"network-unshown-1h": "newcomers"},
        {"module-crowd-1h": "strangers"},
        {"person-unshown-24h": "x"},
        {"x": "slow"},
    ):
        with pytest.raises(ConfigError):
            overridden({}, wrong)


def test_who_is_slowed_down_goes_on_after_some_seconds() -> None:
    """Each time for ten; and the count stands."""
    one = scene(rules=overridden({}, {"person-unshown-24h": "slow"}))
    assert [one.reads("ann", number * 10) for number in range(7)] == [True] * 5 + [False] * 2
    one.shows("ann", [7])
    assert not one.reads("ann", 7)
    one.now += 10 * SECOND
    assert one.reads("ann", 7)
    assert not one.reads("ann", 990)


def test_who_goes_on_when_told_no_loses_the_session() -> None:
    """From asking to sign in again to refusing the session, in twenty documents."""
    one = scene()
    one.shows("thief", [7])
    for number in range(0, 270, 10):
        one.reads("thief", number)
    assert one.rules.count("guard-person-unshown-24h") == 21
    assert one.rules[-1] == "guard-session-refusals-1h"
    assert not one.reads("thief", 7)
    assert one.reads("thief", 7, session="another")


def test_a_route_that_is_walked_is_closed_to_strangers_alone() -> None:
    """From two hundred addresses: two hundred documents; then what was shown is read, and the other routes go on."""
    one = scene()
    one.shows("ann", [7])
    passed = [one.reads(f"mule{number}", number * 10, network=f"n{number}") for number in range(220)]
    assert sum(passed) == 200
    assert one.reads("ann", 7)
    asked = replace(one.request("mule219", 2_190, network="n219"), route="scan")
    assert one.guard.before(asked) is None
