"""A day of honest traffic: patients, families, clinics, desks, practices' programs, and everything of it that looks like theft.

Orders of magnitude follow a portal of 1.8 million: some 8,000 sessions a day open the module, a clinician sees some 20 people a
day and a desk 60 to 150, and a program takes what is new each night. Everything is in proportion to the number of people.
"""

import random
from collections.abc import Iterator
from typing import Final

from bench.replay import ask
from bench.replay.ask import MINUTE, SECOND, Ask, at, moment, poisson
from bench.replay.town import CLINICIANS, DESKS, PORTAL, Town, clinic, health, home, login, program, staff

SESSIONS: Final = 8_000
"""Sessions a working day that open documents, of 1.8 million people."""
FRESH: Final = 2_600
"""Documents a day that are put in, of 1.8 million people: half of them at five in the afternoon (look-alike B8)."""
SEEN: Final = 0.2
"""Part of them that their owners look at within eight hours."""
LAWYERS: Final = 2
"""People a day who take all they have, of 1.8 million (look-alike B3)."""
MIGRATIONS: Final = {15: 0, 37: 1, 50: 2}
"""Day -> practice whose documents all move elsewhere (look-alike B1)."""
OUTAGE: Final = (25, 26, 27)
"""Days on which practices' programs do not run; on the next they catch up (look-alike B2)."""
NEWS: Final = 51
"""The day on which the news tells of a breach: ten times as many people come (look-alike B9)."""
SCANNERS: Final = 10
"""Programs a day that try a hundred addresses that are not there."""

_FAMILIES: Final = ("iPhone; CPU iPhone OS 18_{} like Mac OS X", "Linux; Android 1{}; K", "Windows NT 10.0; Win64; x64",
                    "Macintosh; Intel Mac OS X 10_15_{}", "iPad; CPU OS 17_{} like Mac OS X", "X11; Linux x86_64")  # fmt: skip
_BROWSERS: Final = ("AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.{} Safari/604.1",
                    "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/14{}.0.0.0 Safari/537.36",
                    "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/14{}.0.0.0 Safari/537.36 Edg/14{}.0.0.0",
                    "Gecko/20100101 Firefox/14{}.0")  # fmt: skip
AGENTS: Final = tuple(
    f"Mozilla/5.0 ({family.replace('{}', str(n % 6))}) {browser.replace('{}', str(n // 6 % 5))}"
    for n, (family, browser) in enumerate((f, b) for _ in range(2) for f in _FAMILIES for b in _BROWSERS)
)
"""Forty-eight; the first are the commonest."""
PROGRAM: Final = "PracticeSync/4.2 (okhttp/4.12)"


class Honest:
    """Everybody who means no harm. `day` is to be asked for in order: people's families, programs and waits go on."""

    def __init__(self, town: Town, seed: int) -> None:
        """The same for the same seed."""
        self._town, self._rng = town, random.Random(seed)
        self._scale = town.people / PORTAL
        self.carriers = max(3, round(200 * self._scale))

    def day(self, day: int) -> list[Ask]:
        """All of a day, by time. A session may end a little after midnight."""
        found: list[Ask] = []
        found += self._put(day)
        surge = 10 if day == NEWS else 1
        for _ in range(poisson(self._rng, SESSIONS * self._scale * ask.awake(day) * surge)):
            person = int(self._town.people * self._rng.random() ** 2.26)  # one in a hundred comes as often as 13 of 100
            found += self._session(person * 1_000_003 % self._town.people, moment(self._rng, day))
        for _ in range(poisson(self._rng, LAWYERS * self._scale)):
            found += self._everything(day)
        if not ask.weekend(day):
            found += self._practices(day)
        found += self._programs(day)
        found += self._strangers(day)
        if day in MIGRATIONS:
            found += self._migration(MIGRATIONS[day] % self._town.practices, day)
        found.sort()
        return found

    def agent(self, person: int) -> str:
        """What somebody reads with: nearly always the same."""
        second = self._rng.random() < 0.15  # a telephone besides
        return AGENTS[min(int((person * 40_503 % 65_536 / 65_536) ** 2 * len(AGENTS)) + second, len(AGENTS) - 1)]

    def _put(self, day: int) -> Iterator[Ask]:
        """New documents, and those who look at once."""
        for n in range(poisson(self._rng, FRESH * self._scale * ask.awake(day))):
            owner = self._rng.randrange(self._town.people)
            document = self._town.put(owner)
            if self._rng.random() < SEEN:
                hours = 17 + self._rng.random() * 5 if n % 2 else 8 + self._rng.random() * 12
                yield from self._look(owner, owner, at(day, hours), [document])

    def _session(self, person: int, time: int) -> Iterator[Ask]:
        """A list, one document or a few, of the newest first; now and then somebody else's for whom one acts."""
        family = self._town.family(person)
        for whose in (person, *family) if family and self._rng.random() < 0.4 else (person,):
            documents = self._town.ids(whose)[::-1][: self._few()]
            if self._rng.random() < 0.02:  # waits for a result, and reloads (look-alike B7)
                for n in range(self._rng.randrange(10, 60)):
                    yield self._list(person, whose, time + n * 20 * SECOND)
            yield from self._look(person, whose, time, documents)
            time += 2 * MINUTE

    def _look(self, person: int, whose: int, time: int, documents: list[int]) -> Iterator[Ask]:
        asked = self._list(person, whose, time)
        yield asked
        for document in documents:
            time += int(self._rng.expovariate(1 / 25) * SECOND) + 2 * SECOND
            size = ask.size(document)
            yield Ask(time, asked.who, "patient", asked.address, asked.agent, "read", document, whose, 200, size)

    def _list(self, person: int, whose: int, time: int) -> Ask:
        address, agent = home(person, self.carriers), self.agent(person)
        return Ask(time, login(person), "patient", address, agent, "list", 0, whose, 200, 4_000)

    def _few(self) -> int:
        count = 1
        while self._rng.random() < 0.3:
            count += 1
        return count

    def _everything(self, day: int) -> Iterator[Ask]:
        """All one has, for a lawyer: most who do that have some hundred documents."""
        rich = self._rng.randrange(max(1, self._town.people // 20_000)) * 20_000 + 10_000
        person = rich if rich < self._town.people else self._rng.randrange(self._town.people)
        yield from self._look(person, person, moment(self._rng, day), self._town.ids(person)[::-1])

    def _practices(self, day: int) -> Iterator[Ask]:
        skeleton = 0.3 if ask.holiday(day) else 1.0
        for practice in range(self._town.practices):
            panel = self._town.panel(practice)
            for nth in range(CLINICIANS + DESKS):
                desk = nth >= CLINICIANS
                mean = (100 if desk else 22) * skeleton
                for _ in range(poisson(self._rng, mean * self._rng.lognormvariate(-0.06, 0.35))):
                    yield from self._visit(practice, nth, panel, day)

    def _visit(self, practice: int, nth: int, panel: range, day: int) -> Iterator[Ask]:
        """A list; clinicians open a document at two visits of five, desks at one of seven."""
        person = panel[int(len(panel) * self._rng.random() ** 1.5)]
        number = practice * (CLINICIANS + DESKS) + nth
        role, often = ("desk", 0.15) if nth >= CLINICIANS else ("clinician", 0.4)
        time, agent = moment(self._rng, day, working=True), AGENTS[2 + number % 2 * 6]
        who, address = staff(number), clinic(practice)
        if (time - ask.START) % ask.DAY >= 18 * ask.HOUR:  # the evening's work is done at home
            address = home(2_000_003 + number, self.carriers)
        yield Ask(time, who, role, address, agent, "list", 0, person, 200, 4_000)
        if self._rng.random() < often:
            documents = self._town.ids(person)
            document = documents[-1 - int(len(documents) * self._rng.random() ** 3)]
            yield Ask(time + 15 * SECOND, who, role, address, agent, "read", document, person, 200, ask.size(document))

    def _programs(self, day: int) -> Iterator[Ask]:
        """Each night what is new, in the order of its ids; after an outage all that was missed."""
        if day in OUTAGE:
            return
        nights = len(OUTAGE) + 1 if day == OUTAGE[-1] + 1 else 1
        for practice in range(self._town.practices):
            usual = 6 * (1 + practice % 9)  # large practices and small ones
            count = sum(min(2_000, int(usual * self._rng.lognormvariate(-0.5, 1.0))) for _ in range(nights))
            panel = self._town.panel(practice)
            chosen = sorted(self._rng.choice(self._town.ids(self._rng.choice(panel))) for _ in range(count))
            yield from self.synced(practice, at(day, 1) + practice * 7 * SECOND, chosen, 800)

    def synced(self, practice: int, time: int, documents: list[int], pause: int) -> Iterator[Ask]:
        """A practice's program takes documents, one after the other."""
        who, address = program(practice), f"251.{practice >> 8}.{practice & 255}.1"
        for document in documents:
            time += self._rng.randrange(pause // 2, pause * 2)
            person = self._town.owner(document)
            yield Ask(time, who, "program", address, PROGRAM, "read", document, person, 200, ask.size(document))

    def _migration(self, practice: int, day: int) -> Iterator[Ask]:
        documents = [one for person in self._town.panel(practice) for one in self._town.ids(person)]
        yield from self.synced(practice, at(day, 20), documents, 700)

    def _strangers(self, day: int) -> Iterator[Ask]:
        """Pages without a login, and programs that look for what is not there."""
        for _ in range(poisson(self._rng, 4_000 * self._scale)):
            address = f"253.0.{self._rng.randrange(256)}.{self._rng.randrange(256)}"
            agent = self._rng.choice(AGENTS)
            yield Ask(moment(self._rng, day), "", "", address, agent, "page", self._rng.randrange(3), None, 200, 2_000)
        for _ in range(poisson(self._rng, SCANNERS * self._scale)):
            time, address = moment(self._rng, day), f"253.0.{self._rng.randrange(256)}.{self._rng.randrange(256)}"
            for n in range(100):
                yield Ask(time + n * 900, "", "", address, "zgrab/0.x", "page", 100 + n, None, 404, 150)


def relations(town: Town) -> Iterator[tuple[str, str]]:
    """(account or practice, health number): who may read whose documents."""
    for person in range(town.people):
        yield login(person), health(person)
        for other in town.family(person):
            yield login(person), health(other)
        yield f"practice-{town.practice(person) + 1}", health(person)


def accounts(town: Town) -> Iterator[tuple[str, str, str]]:
    """(account, role, practice) of everybody who works at one, programs too."""
    for practice in range(town.practices):
        for nth in range(CLINICIANS + DESKS):
            role = "desk" if nth >= CLINICIANS else "clinician"
            yield staff(practice * (CLINICIANS + DESKS) + nth), role, f"practice-{practice + 1}"
        yield program(practice), "program", f"practice-{practice + 1}"
