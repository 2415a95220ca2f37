"""Measurements, each against something: a peer, a baseline or the machine's own limit, in the same run.

One file a bench; this list is the only place that knows them all. A bench is a module with

    def run(scale: Scale) -> Iterable[Figure]

that raises nothing it expects, starts and ends whatever it needs, and leaves nothing behind.
"""

from dataclasses import dataclass
from typing import Literal

Scale = Literal["small", "full"]
"""small: at most two minutes, for every day. full: the figures that are published."""


CACHE = "STRONGROOM_BENCH_CACHE"
"""Environment variable: where large stores are kept between benches (`bench/scale`)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the list: what is measured, and how many seconds it takes about."""

    what: str
    small: int
    full: int


BENCHES: dict[str, Entry] = {
    "crash": Entry("what holds after processes are killed and power is lost", 110, 3_600),
    "decision": Entry("one decision with its facts, in a large store and in a small one", 20, 60),
    "decrypt": Entry("decryption as it is streamed, against openssl speed", 25, 60),
    "download": Entry("a guarded download over HTTP, against nginx and a bare Starlette", 90, 240),
    "idor": Entry("who can reach whose documents, and whether time tells", 60, 300),
    "keeper": Entry("releases through the keeper's socket, against a server that only appends", 90, 240),
    "list": Entry("who was read by a thief, exactly; and what a patient has", 30, 150),
    "log": Entry("proofs, verification, memory and start of a keeper with a large log", 40, 240),
    "scale": Entry("making a store of a country's size, which other benches then use", 20, 2_400),
    "tamper": Entry("alterations of everything that is kept: what is found, and told where", 110, 2_400),
}
"""Name of the bench and of its module -> entry. Alphabetical. Where a large store is needed and not there, making it (`scale`)
comes on top, once.
"""
