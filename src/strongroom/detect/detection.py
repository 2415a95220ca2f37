"""What a detection is: what it says to people, the SQL that says which events are hits, and how a watch says the same.

A watch has no table of all events. It asks the same SQL (`base`) of the events that have just come, one event at a time being
enough for it, and folds what it finds, in the order of time, into a state that is bounded.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple, Protocol, runtime_checkable

from strongroom.detect.parts import Parts
from strongroom.detect.shelf import Column, Shelf
from strongroom.sigma.rule import Head

SERVED: Final = (
    "(act = 'read' AND status_id = 1 AND document IS NOT NULL "
    """AND coalesce("http_response.code", 200) BETWEEN 200 AND 299)"""
)
"""A document left. Not a redirection, and not an answer that the client's copy is still good."""

GIVEN: Final = "(act = 'read' AND status_id = 1 AND coalesce(\"http_response.code\", 200) BETWEEN 200 AND 299)"
"""Something left, a document or what no mapping calls one."""

ABOUT: Final = """("principal.kind" || ' ' || principal)"""
"""Whom a finding is about when a detection does not say otherwise."""

SOURCE, PLACE = '"record.source"', '"record.offset"'
"""Where an event stands: what orders those of one instant."""

AGENT: Final = """regexp_replace(nullif("http_request.user_agent", ''), '[0-9]+([._][0-9]+)*', '#', 'g')"""
"""What somebody reads with, without its numbers: a new version is no new program."""

Shape = Literal["rule", "walk", "wide", "egress", "foreign"]


class Base(NamedTuple):
    """SQL of one event at a time, and the kinds of logs it can find anything in; none: any.

    Those that tell `columns` and `where` (`simple`) are asked together: an event is fetched once for all of them.
    """

    sql: str
    logs: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()  # SQL of what it selects, its rowid and time first
    where: str = ""
    tables: bool = False  # it asks the operator's tables too, which may be large


def simple(where: str, logs: tuple[str, ...] = (), **columns: str) -> Base:
    """Events as they are: (event, time, `columns` by their names)."""
    told = {"event": "rowid", "time": "time", **columns}
    text = ", ".join(f"{sql} AS {name}" for name, sql in told.items())
    return Base(f"SELECT {text} FROM event WHERE {where}", logs, columns=tuple(told.values()), where=where)


def digest(sql: str) -> str:
    """SQL of a number of 64 bits that stands for a text: a watch keeps many of them, and compares them with each other alone."""
    return f"md5_number_lower({sql})"


class Fire(NamedTuple):
    """A fold fires. `amount` is what it had counted by then; `left` whether anything left by what it saw; `of` is the id of the
    detection, where the fold serves several; `place` that of the event by which it fires (source, offset, length), where it is
    not the row that was fed.
    """

    about: str
    time: int
    amount: int
    left: bool = True
    of: str = ""
    place: tuple[int, int, int] | None = None


class Fold(Protocol):
    """One detection's state in a watch. Rows come in the order of time, and of the log within an instant.

    Fires may be repeated: who tells of them, tells of each once.
    """

    def feed(self, row: Sequence[Any]) -> Sequence[Fire]:
        """One row of a base: (event, time, g, about, at least one thing more that the base selects)."""

    def passed(self, time: int) -> Sequence[Fire]:
        """No row before `time` will come any more."""

    def tidy(self, time: int) -> None:
        """Forget what cannot matter any more at `time`."""

    def dump(self) -> Any:
        """The state as lists, dicts, texts and numbers."""

    def load(self, kept: Any) -> None:
        """A state that was dumped, in place of the present one."""


@runtime_checkable
class Shelved(Fold, Protocol):
    """A fold that keeps something of each of very many."""

    def shelves(self) -> Sequence[Shelf[Any] | Column[Any]]:
        """Where; always the same, in the same order. What lies there is no part of `dump`."""


class Joint(Fold, Protocol):
    """A fold of several detections that look at the same."""

    def serve(self, id_: str, what: Any) -> None:
        """Serve this one too. Before the first row."""


@dataclass(frozen=True, slots=True)
class Detection:
    """One detection. `hits` selects (about, fired, event): about whom, when it would first have fired by what happened then, an
    event's rowid. Of events apart from one another by more than a day it may tell more than one `fired`: the earliest is the first.

    `quiet` is the level when nothing left: trying is not taking. A watch folds the rows of `bases` (event, time, g, about …);
    without a fold no watch can say the same, and says so. Where there are `parts`, `hits` is their whole.
    """

    head: Head
    hits: str
    shape: Shape = "rule"
    quiet: bool = False
    note: str = ""  # the thresholds, in words
    bases: tuple[Base, ...] = ()
    fold: Callable[[], Fold] | None = None
    joint: Any = (
        None  # what to tell a fold (`Joint`) that is one for all detections with the same `fold`; None: it is its own
    )
    parts: Parts | None = None
