"""Many accounts that do one thing are held together, and nobody who is where they always were."""

import random
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.clock import DAY, HOUR, MINUTE, SECOND
from strongroom.gateway import met
from strongroom.gateway.counts import Counts
from strongroom.gateway.crowd import QUIET
from strongroom.gateway.guard import Watchful
from strongroom.gateway.measures import Allowed
from strongroom.gateway.met import LONG, MOST, OLD, Met
from strongroom.gateway.person import Who
from strongroom.gateway.ports import Act, Asked
from strongroom.gateway.rule import DEFAULTS, Scope
from strongroom.gateway.sqlite import prepare

MONDAY = 1_767_571_200_000
"""5 January 2026, 0:00 UTC."""
KINDS = 4


@dataclass
class Town:
    """A guard, a clock, and people who read one document of theirs where they always are."""

    guard: Watchful
    people: int = 48
    now: int = MONDAY
    rules: list[str] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)

    def reads(
        self,
        person: int,
        *,
        device: str = "",
        manner: str = "",
        network: str = "",
        document: str = "",
        status: int = 200,
    ) -> bool:
        """Whether the document went out."""
        name = f"p{person}"
        asked = Asked(
            "r", self.now, "letter", Who(f"s{name}", name), network or f"home-{person}", device or f"kind-{person % KINDS}",
            "document", document or f"{name}-1", manner=manner or f"way-{person % 2}",
        )  # fmt: skip
        self.guard.showed(asked, frozenset({("document", asked.document)}))
        verdict = self.guard.before(asked) or self.guard.answered(asked, status, 100)
        if verdict is not None:
            self.rules.append(verdict.refusal.rule)
        return verdict is None or not verdict.enforced

    def lives(self, days: int = QUIET // 24 + 4) -> "Town":
        """Everybody reads every third day."""
        for _ in range(days // 3):
            for person in range(self.people):
                self.now += 3 * DAY // self.people
                assert self.reads(person)
        return self

    @property
    def told(self) -> dict[str, int]:
        """Requests by rule."""
        return {one.rule: one.requests for one in self.guard.counts.reported()}


def town(*, enforce: bool = True, counts: Counts | None = None, people: int = 48) -> Town:
    """A guard before a portal whose listings are read."""
    acts = list[Act]()
    guard = Watchful(counts or Counts(), enforce=enforce, listed=("document",), tell=acts.append)
    return Town(guard, people, acts=acts)


def steals(one: Town, count: int, *, device: str = "", manner: str = "", each: int = 3, pause: int = SECOND) -> int:
    """Documents that this many stolen logins get, each its own, each from an address of its own."""
    taken = 0
    for thief in range(count):
        one.now += pause
        kind, way = device.format(thief), manner.format(thief % KINDS)
        for document in range(each):
            got = one.reads(
                thief % one.people,
                device=kind,
                manner=way,
                network=f"bot-{thief}",
                document=f"p{thief % one.people}-{document}",
            )
            taken += got
    return taken


# ---- honest people --------------------------------------------------------------------------------------------------


def test_a_day_of_news_holds_nobody() -> None:
    """Everybody within an hour, where they always are, and as many whom nobody knew; twenty of them on a new telephone."""
    one = town().lives()
    for person in range(2 * one.people):
        one.now += HOUR // (2 * one.people)
        assert one.reads(person)
    for person in range(20):
        assert one.reads(person, device="kind-1", network=f"train-{person}")
    assert one.rules == []


def test_a_release_that_changes_everybodys_device_holds_nobody() -> None:
    """All come with a new kind of device and a new manner within two hours of its day; half of them from an address of theirs."""
    one = town().lives()
    for person in range(one.people):
        one.now += 2 * HOUR // one.people
        network = "" if person % 2 else f"mobile-{person}"
        assert one.reads(person, device="app", manner="app", network=network)
    assert one.rules == []


def test_a_mailing_that_brings_new_people_holds_nobody() -> None:
    """A hundred who never read before, within an hour, with devices as others have them."""
    one = town().lives()
    assert all(one.reads(person) for person in range(1_000, 1_100))
    assert one.rules == []


def test_a_clinic_that_opens_behind_one_address_holds_nobody() -> None:
    """Thirty who are known, on machines of the clinic, all alike; tomorrow they are at home there."""
    one = town().lives()
    assert all(one.reads(person, device="kind-2", network="clinic") for person in range(19))
    one.now += DAY + HOUR
    assert all(one.reads(person, device="kind-2", network="clinic") for person in range(19))
    assert one.rules == []


def test_for_two_weeks_everybody_is_new_and_nobody_is_held() -> None:
    """Cold: a tool with forty logins is one device among others."""
    one = town().lives(days=5)
    assert steals(one, 40, device="tool", manner="tool") == 120
    assert "guard-device-new-1h" not in one.told


# ---- thieves --------------------------------------------------------------------------------------------------------


def test_one_tool_with_many_logins_gets_what_twenty_have() -> None:
    """Whoever is where they always are reads on, and so does who is new with another device."""
    one = town().lives()
    assert steals(one, 400, device="tool", manner="tool") == 20 * 3
    assert set(one.rules) == {"guard-device-new-1h"}
    assert [(act.rule.name, act.enforced) for act in one.acts] == [("device-new-1h", True)]  # and not each who is held
    for person in range(15):  # at night, when they would be a crowd together with the others
        assert one.reads(person, device=f"kind-{(person + 1) % KINDS}", network=f"train-{person}")
        assert one.reads(1_000 + person)
    assert all(one.reads(person) for person in range(one.people))
    assert not one.reads(8, device="tool", manner="tool", network="bot")


def test_a_tool_that_changes_its_words_keeps_its_manner() -> None:
    """Another kind of device with each login: the manner has them in common."""
    one = town().lives()
    assert steals(one, 400, device="words-{}", manner="tool") == 20 * 3
    assert set(one.rules) == {"guard-manner-new-1h"}


def test_a_tool_that_is_like_everybody_is_held_where_it_is_the_crowd() -> None:
    """Devices and manners as others have them, at night: known people, new everywhere, twice as many as the others."""
    one = town(people=96).lives()
    taken = sum(
        one.reads(person, device=f"kind-{(person + 1) % KINDS}", network=f"bot-{person}", document=f"p{person}-{document}")
        for person in range(90) for document in range(3)
    )  # fmt: skip
    assert taken == 30 * 3
    assert set(one.rules) <= {"guard-route-crowd-1h", "guard-module-crowd-1h"}
    assert all(one.reads(person, network=f"cafe-{person}") for person in range(1_000, 1_040))  # whom nobody knows
    assert all(one.reads(person) for person in range(one.people))


def test_where_it_is_not_the_crowd_it_is_told() -> None:
    """By day, beside many others: far more new people than forecast, who are not held."""
    one = town(people=96).lives()
    assert all(one.reads(person) for person in range(96))
    assert all(
        one.reads(person, device=f"kind-{(person + 1) % KINDS}", network=f"bot-{person}") for person in range(30)
    )
    assert one.rules == []
    assert one.told == {"guard-module-newcomers-1h": 10}
    assert [(act.rule.name, act.enforced) for act in one.acts] == [("module-newcomers-1h", False)] * 10


def test_who_looks_as_the_victim_does_is_taken_for_them() -> None:
    """The limit of it: on the very kind of device that each of them has, and in its manner, a thief is at home."""
    one = town().lives()
    assert sum(one.reads(person, network=f"bot-{person}") for person in range(48)) == 48


def test_it_is_held_as_long_as_it_comes() -> None:
    """Six hours of one login a minute; when it has stopped for an hour, who is new there is let in again."""
    one = town(people=96).lives()
    assert steals(one, 360, device="tool", manner="tool", pause=MINUTE) == 20 * 3
    one.now += HOUR + MINUTE
    assert not one.reads(3, device="tool", manner="tool", network="cafe")  # more than sixty in a day
    one.now += DAY
    assert one.reads(3, device="tool", manner="tool", network="cafe")


def test_while_it_is_held_nobody_else_becomes_a_crowd() -> None:
    """Five hours at night, with people on new devices all the while: at no moment are these held for what the tool does."""
    one = town(people=96).lives()
    for minute in range(300):
        one.now += MINUTE
        person = minute % 96
        one.reads(person, device="tool", manner="tool", network=f"bot-{minute}")
        one.now += SECOND
        other = (minute + 48) % 96
        assert minute % 5 or one.reads(other, device=f"kind-{(other + 1) % KINDS}", network=f"train-{minute}")


def test_patience_gains_sixty_a_day() -> None:
    """Fifteen logins an hour are under the limit of the hour, and not of the day."""
    one = town(people=96).lives()
    assert steals(one, 300, device="tool", manner="tool", each=1, pause=4 * MINUTE) == 60


def test_who_proves_who_they_are_reads_on() -> None:
    """A code, or a link in a mail: this device and this address are theirs from now on."""
    one = town().lives()
    steals(one, 60, device="tool", manner="tool")
    assert not one.reads(5, device="tool", manner="tool", network="cafe")
    one.guard.proved(Asked("r", one.now, "code", Who("sp5", "p5"), "cafe", "tool", manner="tool"))
    assert one.reads(5, device="tool", manner="tool", network="cafe")
    assert not one.reads(6, device="tool", manner="tool", network="bar")


def test_what_is_allowed_or_taken_back_is_not_held() -> None:
    """One person by name; or all who come with that device, for a day."""
    one = town().lives()
    steals(one, 60, device="tool", manner="a way")
    counts = one.guard.counts
    counts.allow(Allowed((Scope.PERSON, "p5"), "device-new-1h", "Called the help desk.", one.now, one.now + DAY))
    counts.allow(Allowed((Scope.PERSON, "p5"), "manner-new-1h", "The same.", one.now, one.now + DAY))
    assert one.reads(5, device="tool", manner="a way", network="cafe")
    assert not one.reads(6, device="tool", manner="a way", network="bar")
    for scope, name in ((Scope.DEVICE, "tool"), (Scope.MANNER, "a way")):
        counts.undo((scope, name), one.now)
        for rule in DEFAULTS:
            if rule.scope is scope:
                counts.keep_away((scope, name), rule.name, one.now + DAY)
    assert one.reads(6, device="tool", manner="a way", network="bar")


def test_what_the_portal_refuses_makes_no_crowd() -> None:
    """Made-up sessions of four hundred people are answered with 401, and count for nothing."""
    one = town().lives()
    for person in range(400):
        one.reads(person, device="tool", manner="tool", network="bot", status=401)
    assert one.reads(7, device="tool", manner="tool", network="cafe")


def test_simulating_says_what_enforcing_would_do() -> None:
    """The same rule, at the same login; and nothing is refused."""
    one = town(enforce=False).lives()
    assert steals(one, 48, device="tool", manner="tool") == 48 * 3
    assert one.told["guard-device-new-1h"] == 28 * 3


def test_workers_count_together(tmp_path: Path) -> None:
    """Two on one file, by turns: twenty logins between them; what was known is known to both."""
    path = tmp_path / "state" / "counts.db"
    prepare(path)
    one, other = town(counts=Counts(path)).lives(), town(counts=Counts(path))
    other.now = one.now
    taken = 0
    for thief in range(40):
        at = (one, other)[thief % 2]
        at.now = one.now + thief * SECOND
        taken += at.reads(thief, device="tool", manner="tool", network=f"bot-{thief}")
    assert taken == 20
    assert all(other.reads(person) for person in range(one.people))


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32))
def test_whatever_a_crowd_does_who_is_at_home_reads(seed: int) -> None:
    """No weapon: any number of logins with any devices refuse nothing to people on a device or at an address of theirs."""
    chance, one = random.Random(seed), town(people=24).lives()
    for _ in range(300):
        one.now += chance.randrange(3 * MINUTE)
        there = f"kind-{chance.randrange(6)}", f"way-{chance.randrange(3)}", f"bot-{chance.randrange(50)}"
        one.reads(chance.randrange(200), device=there[0], manner=there[1], network=there[2])
    for person in range(one.people):
        assert one.reads(person, network="travelling")
        assert one.reads(person, device="borrowed", manner="tool")


# ---- where somebody was met -----------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.sampled_from("abcdefghijklmnopqrstuvwxyz"), st.integers(0, 30)), max_size=60))
def test_where_somebody_was_met_is_kept(walks: list[tuple[str, int]]) -> None:
    """It is read as it was written, is bounded, and what is theirs for long is not washed out by what is new."""
    here, hour = Met().now(("home",), 1, 1), 1 + LONG
    for mark, hours in walks:
        hour += hours if hours < LONG else 0
        here = met.read(met.write(here.now((mark,), hour, hour)))
    assert len(here.places) <= MOST
    assert here.last(("home",)) in {0, 1}
    old = [since for _, since, _ in here.places if since <= hour - LONG]
    assert here.knows(hour) == bool(old)
    if len({mark for mark, _ in walks}) < OLD or hour < 1 + 2 * LONG:
        assert here.long(("home",), hour)
