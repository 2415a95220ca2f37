"""What a person does about what the guard does: looks, takes back, allows, freezes. Over `sqlite`; the workers obey at once.

Somebody is written as `person:NAME`, `session:NAME`, `network:NAME`, `device:NAME`, `manner:NAME`, `route:NAME` (names as in
events), as `module`, or as `login:NAME`, by the name that they sign in with.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from strongroom.clock import DAY, HOUR
from strongroom.errors import UsageError
from strongroom.gateway.counts import Counts
from strongroom.gateway.crowd import QUIET
from strongroom.gateway.guard import DECOY, UNREAD
from strongroom.gateway.measures import ANY, BY_HAND, Allowed, Measure, Place
from strongroom.gateway.orders import Reported
from strongroom.gateway.rule import Rule, Rung, Scope

LATELY: Final = DAY
"""Whoever was refused since is told of, though nothing is in force."""
MOST: Final = 50
_HAND: Final = {
    Scope.PERSON: Rung.ACCOUNT, Scope.SESSION: Rung.SESSION, Scope.ROUTE: Rung.ROUTE, Scope.NETWORK: Rung.STRANGERS,
    Scope.DEVICE: Rung.STRANGERS, Scope.MANNER: Rung.NEWCOMERS, Scope.MODULE: Rung.STRANGERS,
}  # fmt: skip
WATCH: Final = "watch"
"""The rule of what a watch asked for."""
_STICKS: Final = 7 * DAY
"""For which a watch does not ask again for whom it was taken back."""
_ADVICE: Final = (
    "Write person:NAME, login:NAME, session:NAME, network:NAME, device:NAME, manner:NAME, route:NAME or module."
)


@dataclass(frozen=True, slots=True)
class Met:
    """A rule that refused somebody lately, request by request: nothing of it is in force between two."""

    rule: str
    who: str
    requests: int
    last: int


@dataclass(frozen=True, slots=True)
class Status:
    """Who is held and why, who was refused lately, what is allowed."""

    held: list[Measure]
    met: list[Met]
    allowed: list[Allowed]


def read_place(text: str, name_of: Callable[[str], str]) -> Place:
    """The place that `text` names; `name_of` gives the gateway's name of somebody who signs in. Raises UsageError."""
    word, _, name = text.partition(":")
    if word == "login" and name:
        return Scope.PERSON, name_of(name)
    if word == "module" and not name:
        return Scope.MODULE, ""
    if word not in {scope.value for scope in Scope} or not name or word == "module":
        raise UsageError(f"{text[:80]!r} names nobody.", advice=_ADVICE)
    return Scope(word), name


def written(where: Place) -> str:
    """The place as `read_place` takes it."""
    return f"{where[0].value}:{where[1]}" if where[1] else where[0].value


def status(counts: Counts, now: int) -> Status:
    """What is in force now."""
    met = [Met(rule, who, requests, last) for rule, who, requests, last in counts.met(now - LATELY, MOST)]
    return Status(counts.in_force(now), met, counts.all_allowed(now))


def report(counts: Counts, since: int) -> list[Reported]:
    """What each rule did, or would have done, to whoever met it since."""
    return counts.reported(since)


def crowds_from(counts: Counts) -> int | None:
    """From when on who is new is held where many are at once (`crowd`); None: nobody was counted yet."""
    began = counts.watched()
    return None if began is None else (began + QUIET) * HOUR


def undo(counts: Counts, where: Place, rules: Iterable[Rule], now: int) -> list[str]:
    """Take back what is done there, and keep it away as long as the rule looks back. Gives the rules.

    Raises UsageError where nothing is done.
    """
    refused = {met.rule for met in status(counts, now).met if met.who == where[1]}
    with counts.together():
        names = {one.rule for one in counts.undo(where, now)}
        for rule in rules:
            if rule.scope is where[0] and f"guard-{rule.name}" in refused:
                counts.keep_away(where, rule.name, now + rule.window)
                names.add(rule.name)
    if not names:
        raise UsageError(f"Nothing is done about {written(where)}.", advice="See `strongroom gateway status`.")
    return sorted(names)


def freeze(counts: Counts, where: Place, why: str, now: int, lasts: int) -> Measure:
    """Refuse documents there. In force at once, while the guard simulates too, and whatever is allowed."""
    new = Measure(where, BY_HAND, _HAND[where[0]], why, now, now + lasts, 0, where, "")
    with counts.together():
        counts.replace(new)
    return new


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many people a watch may have refused: in an hour, and at any time; and for how many milliseconds each."""

    an_hour: int
    at_once: int
    lasts: int


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether it is done, and why, or why not: for people."""

    done: bool
    because: str


def ask(counts: Counts, person: str, why: str, now: int, bounds: Bounds) -> Answer:
    """What a watch may do: have documents refused to one person for a while, where the guard enforces.

    Its words come from logs, which others write: so it is less than a person's freeze. It holds for nobody to whom every rule, or
    WATCH, does not apply, and for nobody for whom it was taken back lately; and only for so many.
    """
    where = (Scope.PERSON, person)
    with counts.together():
        if not counts.allowed([where], now).isdisjoint({WATCH, ANY}):
            return Answer(done=False, because="is allowed")
        if counts.is_undone(where, WATCH, now):
            return Answer(done=False, because="it was taken back lately")
        held = [one for one in counts.in_force(now) if one.rule == WATCH]
        if any(one.where == where for one in held):
            return Answer(done=True, because="is refused already")
        if len(held) >= bounds.at_once:
            return Answer(done=False, because=f"{len(held)} are refused by a watch already, which is the bound")
        if sum(one.since > now - HOUR for one in held) >= bounds.an_hour:
            return Answer(
                done=False, because=f"{bounds.an_hour} were refused by a watch in the last hour, which is the bound"
            )
        counts.put(Measure(where, WATCH, Rung.ACCOUNT, why, now, now + bounds.lasts, _STICKS, where, ""), now)
    return Answer(done=True, because="the account is refused")


def allow(counts: Counts, one: Allowed, rules: Iterable[Rule]) -> None:
    """That rule, or ANY, is not about them from now on, and holds them by nothing. Raises UsageError for another name."""
    names = {rule.name for rule in rules} | {DECOY.name, UNREAD.name, WATCH, ANY}
    if one.rule not in names:
        raise UsageError(f"There is no rule {one.rule[:80]!r}.", advice=f"There are {', '.join(sorted(names))}.")
    with counts.together():
        counts.allow(one)


def disallow(counts: Counts, where: Place, rule: str) -> None:
    """It is about them again. Raises UsageError where it was."""
    with counts.together():
        gone = counts.disallow(where, rule)
    if not gone:
        raise UsageError(f"{written(where)} is not allowed {rule}.", advice="See `strongroom gateway status`.")


def said(rung: Rung) -> str:
    """What is done, in words."""
    words = {
        Rung.NOTE: "told", Rung.SLOW: "slowed down", Rung.STEP_UP: "asked to sign in again",
        Rung.SESSION: "the session is refused", Rung.ACCOUNT: "the account is refused",
        Rung.ROUTE: "strangers are refused on this route", Rung.STRANGERS: "strangers are refused",
        Rung.NEWCOMERS: "people who are new here are asked to prove who they are",
    }  # fmt: skip
    return words[rung]
