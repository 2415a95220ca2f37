"""What a fault is, and what is seen of it: the words that all the other files here share."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from bench.faults.scene import Scene

Kind = Literal["read", "list", "upload", "sign in"]
"""What people ask for. read: a document's bytes; sign in: the keys and the address of the built-in issuer."""
KINDS: tuple[Kind, ...] = ("read", "list", "upload", "sign in")
DOOR: frozenset[Kind] = frozenset(("read", "list", "upload"))
"""All that passes the door."""
PROMISE = 1.0
"""Seconds within which a refusal comes."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of one part."""

    part: str
    how: str
    """gone, slow, flapping, lying, or what else fits the part."""
    done: str
    """What is done to the part. A sentence without a full stop."""
    injure: "Callable[[Scene], AbstractContextManager[None]]"
    """The part is at fault within it, and well again afterwards."""
    do: str
    """What an operator does."""
    heals: str
    """How it heals."""
    refused: frozenset[Kind] = frozenset()
    """What is refused while it lasts; all else is served. Measured, and held against this."""
    maybe: frozenset[Kind] = frozenset()
    """What is refused at times."""
    says: str = ""
    """A pattern that one line of the log must have. Where something is refused, some line must say what to do."""
    whole: bool = False
    """Needs the store with an HSM, a bucket, an issuer elsewhere and a witness; else the plain one."""
    small: bool = False
    """Measured at the small scale too."""
    seconds: float = 4.0
    """How long it lasts."""

    @property
    def name(self) -> str:
        """As the table's row has it."""
        return f"{self.part}: {self.how}"


class Seen(msgspec.Struct, kw_only=True):
    """What became of one kind of request while the fault lasted. Seconds; `answers`: status or error -> how often."""

    served: int = 0
    refused: int = 0
    unanswered: int = 0
    slowest_refusal: float = 0.0
    slowest_answer: float = 0.0
    answers: dict[str, int] = {}
    said: str = ""
    """What the last refusal said to the client."""


class Row(msgspec.Struct, kw_only=True):
    """One measured fault."""

    part: str
    how: str
    seen: dict[str, Seen]
    healed: float | None
    """Seconds from the part's return until everything was served; None: it was not, in time."""
    log: str
    """The line of the log that tells operators."""
    broken: list[str]
    """What did not hold."""
    surprises: list[str]
    """What was refused and need not have been."""

    @property
    def name(self) -> str:
        """As `Fault.name`."""
        return f"{self.part}: {self.how}"

    @property
    def refused(self) -> list[str]:
        """The kinds of request that were refused, or not answered."""
        return [kind for kind, one in self.seen.items() if one.refused or one.unanswered]

    @property
    def slowest(self) -> float:
        """Seconds of the slowest refusal."""
        return max((one.slowest_refusal for one in self.seen.values()), default=0.0)

    @property
    def unanswered(self) -> int:
        """Requests that nobody answered."""
        return sum(one.unanswered for one in self.seen.values())

    @property
    def in_time(self) -> bool:
        """Whether every refusal came within the promised second."""
        return not self.unanswered and self.slowest <= PROMISE


class Result(msgspec.Struct, kw_only=True):
    """One run, as it is kept beside the page. `broken`: what did not hold of the stores in the end."""

    scale: str
    machine: str
    rows: list[Row]
    released: int
    listed: int
    uploads: int
    broken: list[str]


@dataclass(slots=True)
class Outcome:
    """One request."""

    kind: Kind
    seconds: float
    state: Literal["served", "refused", "unanswered", "wrong"]
    answer: str
    said: str = ""


@dataclass(slots=True)
class Tally:
    """Outcomes, counted."""

    seen: dict[Kind, Seen] = field(default_factory=lambda: {kind: Seen() for kind in KINDS})
    wrong: list[str] = field(default_factory=list)

    def take(self, one: Outcome) -> None:
        """Count one."""
        seen = self.seen[one.kind]
        seen.answers[one.answer] = seen.answers.get(one.answer, 0) + 1
        if one.state == "served":
            seen.served += 1
            seen.slowest_answer = max(seen.slowest_answer, one.seconds)
        elif one.state == "wrong":
            self.wrong.append(f"{one.kind} was answered {one.answer}: {one.said}")
        else:
            seen.said = one.said or seen.said
            seen.slowest_refusal = max(seen.slowest_refusal, one.seconds)
            seen.refused += one.state == "refused"
            seen.unanswered += one.state == "unanswered"
