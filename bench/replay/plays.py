"""Playbooks P1 to P9: how a document module is emptied, each as requests by time, each with accounts and addresses of its own.

What depends on how many people there are is in proportion to them; paces and orders are not. A playbook takes whatever it asks
for: authorization is assumed broken, as it was.
"""

import random
from collections.abc import Callable, Iterator
from typing import Final

from bench.replay.ask import DAY, HOUR, SECOND, Ask, at, size
from bench.replay.honest import AGENTS, PROGRAM, Honest
from bench.replay.town import CLINICIANS, DESKS, FIRST, PORTAL, Town, health, home, login, program, staff

STOLEN: Final = 428_337
"""Documents of the theft of 2025."""


class Plays:
    """All of them, over one town."""

    def __init__(self, town: Town, honest: Honest, seed: int) -> None:
        """The same for the same seed."""
        self._town, self._honest, self._seed = town, honest, seed
        self._scale = town.people / PORTAL

    def all(self) -> dict[str, Iterator[Ask]]:
        """Name -> requests by time."""
        plays: dict[str, Callable[[str, random.Random], Iterator[Ask]]] = {
            "P1": self._mmh, "P1, 20 logins": self._mmh_shared, "P2": self._harvest, "P3": self._slow, "P3, slower": self._slower,
            "P4": self._stuffed, "P5": self._fan_out, "P6": self._clinician, "P7": self._export, "P8": self._key,
            "P9": self._forgotten,
        }  # fmt: skip
        return {name: play(name, random.Random(f"{self._seed} {name}")) for name, play in plays.items()}

    def _somebody(self, rng: random.Random) -> int:
        """A person who has no part in anything else: no one with hundreds of documents, no one with a family."""
        return rng.randrange(self._town.people // 34) * 34 + 3

    def _walk(self, play: str, rng: random.Random, time: int, rate: float, people: list[int]) -> Iterator[Ask]:
        """Ids one after the other, from 200 addresses by turns; each login of several takes the next."""
        count = int(STOLEN * self._scale)
        document = rng.randrange(FIRST, max(FIRST + 1, self._town.end - int(count / 0.7)))
        taken = n = 0
        while taken < count and document < self._town.end:
            time += int(rng.expovariate(rate) * SECOND)
            address, who = f"198.18.0.{n // 25 % 200}", login(people[n % len(people)])
            asked = self._read(play, time, who, address, AGENTS[0], document)
            taken += asked.status == 200
            n += 1
            yield asked
            document += 1

    def _read(self, play: str, time: int, who: str, address: str, agent: str, document: int) -> Ask:
        owner = self._town.owner(document)
        status, sent = (404, 150) if owner is None else (200, size(document))
        return Ask(time, who, "patient", address, agent, "read", document, owner, status, sent, play)

    def _mmh(self, play: str, rng: random.Random) -> Iterator[Ask]:
        """P1: one stolen login, ids ascending, five a second, from 29 December 22:00."""
        return self._walk(play, rng, at(44, 22), 5, [self._somebody(rng)])

    def _mmh_shared(self, play: str, rng: random.Random) -> Iterator[Ask]:
        """P1 with twenty logins, which share the ids."""
        return self._walk(play, rng, at(53, 2), 5, [self._somebody(rng) for _ in range(20)])

    def _harvest(self, play: str, rng: random.Random) -> Iterator[Ask]:
        """P2: lists of others first, then what they list, as listed; two a second from 50 addresses, for a day at full size."""
        time, who, n = at(33, 9), login(self._somebody(rng)), 0
        while time < at(33, 9) + int(DAY * self._scale):
            person = rng.randrange(self._town.people)
            n += 1
            address = f"198.18.1.{n // 40 % 50}"
            yield Ask(time, who, "patient", address, AGENTS[1], "list", 0, person, 200, 4_000, play)
            for document in self._town.ids(person)[::-1]:
                time += int(rng.expovariate(2) * SECOND)
                yield self._read(play, time, who, address, AGENTS[1], document)

    def _slow(self, play: str, rng: random.Random) -> Iterator[Ask]:
        """P3: one document in two to five minutes, in no order, for thirty days."""
        return self._patient(play, rng, 120, 300)

    def _slower(self, play: str, rng: random.Random) -> Iterator[Ask]:
        """P3, one in ten minutes."""
        return self._patient(play, rng, 560, 640)

    def _patient(self, play: str, rng: random.Random, least: int, most: int) -> Iterator[Ask]:
        time, person = at(29, rng.random() * 24), self._somebody(rng)
        while time < at(59):
            document = rng.randrange(FIRST, self._town.end)
            if self._town.owner(document) is not None:
                time += rng.randrange(least * SECOND, most * SECOND)
                yield self._read(play, time, login(person), home(person, self._honest.carriers), AGENTS[2], document)

    def _stuffed(self, play: str, rng: random.Random) -> Iterator[Ask]:
        """P4: 10,000 stuffed accounts, each its own documents, each from an address of its own, one program, one night."""
        time, count = at(48, 23), max(20, int(10_000 * self._scale))
        pause = 7 * HOUR / count
        waiting: list[Ask] = []
        for n in range(count):
            person, start = rng.randrange(self._town.people), time + int(n * pause)
            address = f"198.19.{n >> 8 & 255}.{n & 255}"
            for nth, document in enumerate(self._town.ids(person)[::-1][: rng.randrange(1, 7)]):
                asked = self._read(play, start + (nth + 1) * 3 * SECOND, login(person), address, AGENTS[3], document)
                if not nth:
                    waiting.append(asked._replace(kind="list", document=0, size=4_000, time=start))
                waiting.append(asked)
            waiting.sort(reverse=True)
            while waiting and waiting[-1].time <= start:
                yield waiting.pop()
        yield from reversed(waiting)

    def _fan_out(self, play: str, rng: random.Random) -> Iterator[Ask]:
        """P5: 500 accounts go along a sharing feature, 200 to 500 people each, over forty days."""
        count = max(5, int(500 * self._scale))
        people = [self._somebody(rng) for _ in range(count)]
        steps = sorted(
            (at(19) + int(rng.random() * 40 * DAY), person) for person in people for _ in range(rng.randrange(200, 501))
        )
        for time, person in steps:
            whose = rng.randrange(self._town.people)
            address = home(person, self._honest.carriers)
            yield Ask(time, login(person), "patient", address, AGENTS[4], "list", 0, whose, 200, 4_000, play)
            yield self._read(play, time, login(person), address, AGENTS[4], self._town.ids(whose)[-1])

    def _clinician(self, play: str, rng: random.Random) -> Iterator[Ask]:
        """P6: a clinician's account, from abroad, everybody of the practice in the order of health numbers, two nights."""
        practice = 1 % self._town.practices
        who = staff(practice * (CLINICIANS + DESKS))
        people = sorted(self._town.panel(practice), key=health)
        half = len(people) // 2
        for night, part in ((38, people[:half]), (39, people[half:])):
            time = at(night, 1)
            for person in part:
                yield Ask(time, who, "clinician", "198.18.3.9", AGENTS[5], "list", 0, person, 200, 4_000, play)
                for document in self._town.ids(person):
                    time += int(rng.expovariate(2) * SECOND) + 1
                    yield self._read(play, time, who, "198.18.3.9", AGENTS[5], document)

    def _export(self, play: str, rng: random.Random) -> Iterator[Ask]:
        """P7: a support account and an export tool: two days' looking about, then a hundred documents a second."""
        who, address = "support-3", "198.18.4.9"
        for hour in range(0, 48, 5):
            yield Ask(
                at(34, hour + rng.random()), who, "support", address, AGENTS[6], "page", 3, None, 200, 9_000, play
            )
        time, count = at(36, 3), int(200_000 * self._scale)
        for document in range(FIRST, self._town.end):
            if count and self._town.owner(document) is not None:
                count -= 1
                time += 10
                yield self._read(play, time, who, address, AGENTS[6], document)._replace(kind="export")

    def _key(self, play: str, rng: random.Random) -> Iterator[Ask]:
        """P8: a practice's key is stolen: everything again, within four hours of the usual night, from a cloud."""
        practice = 2 % self._town.practices
        documents = [one for person in self._town.panel(practice) for one in self._town.ids(person)]
        pause, time = 4 * HOUR // len(documents), at(40, 1)
        for document in documents:
            time += rng.randrange(pause // 2, pause * 3 // 2)
            yield self._read(play, time, program(practice), "198.18.5.9", PROGRAM, document)

    def _forgotten(self, play: str, rng: random.Random) -> Iterator[Ask]:
        """P9: an address nobody remembers, no login, ids ascending, 37 a second, 20,000 addresses by turns, three hours."""
        time, addresses = at(41, 4), max(10, int(20_000 * self._scale))
        start = FIRST + rng.randrange(max(1, (self._town.end - FIRST) // 2))
        for n in range(min(int(37 * 3 * 3_600 * self._scale), self._town.end - start)):
            time += int(rng.expovariate(37) * SECOND)
            turn = rng.randrange(addresses)
            address = f"198.19.{128 + (turn >> 8)}.{turn & 255}"
            yield self._read(play, time, "", address, AGENTS[n % 8], start + n)._replace(kind="forgotten", role="")
