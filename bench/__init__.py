"""Measurements, each against something: a peer, a baseline or the machine's own limit, in the same run.

One file a bench; this list is the only place that knows them all. A bench is a module with

    def run(scale: Scale) -> Iterable[Figure]

that raises nothing it expects, starts and ends whatever it needs, and leaves nothing behind.
"""

import os
from dataclasses import dataclass
from typing import Literal

Scale = Literal["small", "full"]
"""small: at most two minutes, for every day. full: the figures that are published."""


CACHE = "STRONGROOM_BENCH_CACHE"
"""Environment variable: where large stores are kept between benches (`bench/scale`)."""
PART = "STRONGROOM_BENCH_PART"
"""Environment variable: `2/5` is the second of five parts of a bench that repeats something many times."""

EACH = "STRONGROOM_BENCH_MINUTES"
"""Environment variable: minutes of CPU for each target of the fuzz bench, in place of what its scale has."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a long bench, with a chance of its own: run by itself, so that what was done is kept. The sum of all is the
    whole.
    """

    number: int
    of: int

    def share(self, total: int) -> int:
        """How many of `total` are this part's."""
        return total * self.number // self.of - total * (self.number - 1) // self.of

    @classmethod
    def parse(cls, text: str) -> "Part":
        """Out of `NUMBER/OF`. Raises ValueError."""
        number, _, of = text.partition("/")
        part = cls(int(number), int(of))
        if not 1 <= part.number <= part.of:
            raise ValueError(text)
        return part

    @classmethod
    def asked(cls) -> "Part":
        """The part that is asked for; all of it, if none is."""
        return cls.parse(os.environ.get(PART, "1/1"))


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the list: what is measured, and how many seconds it takes about."""

    what: str
    small: int
    full: int


BENCHES: dict[str, Entry] = {
    "bombs": Entry("requests made to take the WAF long: CPU of a look, without the limit and with it", 90, 400),
    "crash": Entry("what holds after processes are killed and power is lost", 110, 4_800),
    "crs": Entry("the Core Rule Set's own tests, and payload sets of others, over HTTP through the gateway", 100, 100),
    "decision": Entry("one decision with its facts, in a large store and in a small one", 20, 60),
    "decrypt": Entry("decryption as it is streamed, against openssl speed", 25, 60),
    "detect": Entry("what hunts find in real logs, and what they raise without reason", 110, 110),
    "distributed": Entry(
        "a hunt on Spark against the same on one machine: the same answer, and what it costs", 110, 1_800
    ),
    "download": Entry("a guarded download over HTTP, against nginx and a bare Starlette", 90, 90),
    "faults": Entry("every part gone, slow, flapping, lying: what is refused, how soon, and how it heals", 110, 900),
    "fuzz": Entry("what parsers do with inputs that a fuzzer makes: crashes, hangs, broken laws", 75, 4_600),
    "gateway": Entry(
        "the gateway against nginx with libmodsecurity and the same rules, and against nginx alone", 100, 240
    ),
    "guard": Entry(
        "what counting costs the gateway: a step, memory and disk with a country's people, a day's growth", 60, 900
    ),
    "hunt": Entry("how fast logs are hunted, against a typed table, GoAccess, lnav and msgspec", 110, 3_000),
    "idor": Entry("who can reach whose documents, and whether time tells", 60, 300),
    "keeper": Entry("releases through the keeper's socket, against a server that only appends", 90, 120),
    "list": Entry("who was read by a thief, exactly; and what a patient has", 30, 150),
    "log": Entry("proofs, verification, memory and start of a keeper with a large log", 40, 240),
    "model": Entry("the door against a naive model, many at once: budgets, order of release, freezes", 60, 1_200),
    "replay": Entry("sixty days of a portal and nine playbooks, hunted: what was lost, false alarms", 150, 3_600),
    "rules": Entry("rules by others: how many load and run, and whether another engine says the same", 60, 60),
    "scale": Entry("making a store of a country's size, which other benches then use", 20, 1_200),
    "smuggle": Entry("malformed HTTP against the gateway: what two real portals read is what it read", 60, 600),
    "tamper": Entry("alterations of everything that is kept: what is found, and told where", 110, 900),
    "watch": Entry("a watch on one core: events a second, how soon, and memory at 100,000 people", 60, 240),
}
"""Name of the bench and of its module -> entry. Alphabetical. Where a large store is needed and not there, making it (`scale`)
comes on top, once.
"""
