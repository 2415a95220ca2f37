"""The budgets: every scope of a disclosure is charged at once, or none is. Exact, in memory, and closed when in doubt.

    charge(permit, disclosure)  -> Charge | Spent     only here is a Charge made; the log takes nothing else
    undo(charges)                                     the log could not write them
    apply(disclosure)                                 the log says it happened; never refused
    snapshot() / restore(bytes)                       state = snapshot + the log's tail

The state is a function of what was charged and not undone, which is what the log holds: an auditor recomputes every
refusal from it. Time comes with the disclosure; one that is earlier than the last charge counts at the last charge's
time. No I/O, no clock, not thread-safe: one keeper, one loop.

Memory: rules on openings bound what one login puts into a window, and empty windows are dropped (`windows.py`).
"""

from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import InitVar, dataclass, field
from itertools import chain
from math import inf
from typing import Final

import msgspec

from strongroom.authz.policy import Permit
from strongroom.budget.freeze import Target, Upon
from strongroom.budget.history import History
from strongroom.budget.rereads import Key, Rereads
from strongroom.budget.rules import Consequence, Gauge, Rule, Rules
from strongroom.budget.scope import Disclosure, Scopes
from strongroom.budget.spent import Alarm, Spent
from strongroom.budget.table import DEFAULTS
from strongroom.budget.window import Window
from strongroom.budget.windows import EMPTY, Dump, Windows
from strongroom.clock import MINUTE, Millis
from strongroom.errors import Malformed

FORM: Final = 1
"""Of snapshots. Another form, or another layout of the rules, is refused: then the log is replayed."""
UNDOABLE: Final = 16_384
"""Charges that can be undone, about 16 MB: twice as many as wait for the log at most (`audit.group`)."""
_MADE_HERE: Final = object()
_Gauged = Sequence[tuple[Gauge, str]]
"""Where a disclosure counts: every gauge of its kind, and the name of the window within its scope."""


class _Trace(msgspec.Struct, eq=False, gc=False):
    """How one disclosure stands in the windows: one step for each, with the patient's previous meeting."""

    what: Disclosure
    documents: int
    before: int
    now: int
    steps: tuple[tuple[Window, int | None], ...]


@dataclass(frozen=True, slots=True)
class Charge:
    """`disclosure` has been charged in every scope. Made by `Ledger.charge` and by nothing else (TypeError)."""

    disclosure: Disclosure
    documents: int
    """1, or 0 for a listing and where this session was charged this version less than five minutes ago."""
    alarms: tuple[Alarm, ...]
    trace: _Trace = field(repr=False, compare=False)
    made_by: InitVar[object]

    def __post_init__(self, made_by: object) -> None:
        """Refuses a charge that was made up."""
        if made_by is not _MADE_HERE:
            raise TypeError("Only the ledger makes a Charge.")


@dataclass(frozen=True, slots=True)
class _Breach:
    """One limit that a disclosure would pass. `until` as in `Spent`, for this rule alone."""

    rule: Rule
    name: str
    limit: int
    used: int
    until: int | None

    def sternness(self) -> tuple[bool, float]:
        return self.rule.consequence is Consequence.FREEZE, inf if self.until is None else self.until


class Ledger:
    """See the module."""

    def __init__(self, rules: Rules = DEFAULTS) -> None:
        self._rules = rules
        self._windows = Windows(rules.gauges)
        self._rereads = Rereads()
        self._history = History()
        self._now = 0
        self._latest: deque[_Trace] = deque(maxlen=UNDOABLE)

    # ---- charging ---------------------------------------------------------------------------------------------------

    def charge(self, permit: Permit, what: Disclosure, *, declared: int | None = None) -> Charge | Spent:
        """Charge every scope of `what`, or none. `declared`: documents a day in a service's grant.

        Fails closed: without a Permit (TypeError), and for sizes below nothing (ValueError).
        """
        if not isinstance(permit, Permit):
            raise TypeError("A disclosure is charged on a Permit and on nothing else.")
        if what.size < 0 or (declared is not None and declared < 0):
            raise ValueError("A disclosure has no negative size.")
        now = max(int(what.at), self._now)
        free_until = self._rereads.free_until(what, now)
        documents = int(what.document is not None and free_until is None)
        gauged = self._gauged(what)
        breaches, alarms = self._judge(what, gauged, now, documents, declared)
        if not breaches:
            trace = self._enter(what, gauged, now, documents)
            self._latest.append(trace)
            return Charge(what, documents, tuple(alarms), trace, _MADE_HERE)
        until = _all_over(breaches)
        if free_until is not None and until is not None and until >= free_until:  # by then it costs a document again
            until = _all_over(self._judge(what, gauged, now, 1, declared)[0])
        return _spent(max(breaches, key=_Breach.sternness), now, until)

    def undo(self, charges: Sequence[Charge]) -> None:
        """Take back these charges, as if they had never been. What was charged after them is counted again without them:
        a read that was free because of one of them costs its document, as whoever recounts the log will find.

        Raises ValueError, and undoes nothing, when one was undone before or is not among the latest `UNDOABLE`.
        """
        gone = {charge.trace for charge in charges}
        depth = self._depth(gone)
        if depth is None or len(gone) != len(charges):
            raise ValueError("A charge is undone once, and before it is forgotten.")
        later: list[_Trace] = []
        for _ in range(depth):
            trace = self._latest.pop()
            self._leave(trace)
            if trace not in gone:
                later.append(trace)
        for trace in reversed(later):
            now = max(int(trace.what.at), self._now)
            documents = self._documents(trace.what, now)
            again = self._enter(trace.what, self._gauged(trace.what), now, documents)
            trace.documents, trace.before, trace.now, trace.steps = documents, again.before, now, again.steps
            self._latest.append(trace)

    def apply(self, what: Disclosure) -> int:
        """Count what the log says happened; nothing is refused. Gives the documents charged, as the entry says too."""
        now = max(int(what.at), self._now)
        documents = self._documents(what, now)
        self._latest.append(self._enter(what, self._gauged(what), now, documents))
        return documents

    def advance(self, now: Millis) -> None:
        """Say what time it is while nothing is charged: empty windows leave memory. No budget changes by it.

        A minute late, because a disclosure that is under way may be timed a little earlier than `now`.
        """
        self._windows.drop_empty(int(now) - MINUTE)

    # ---- the two halves of a charge: look at everything, then write everything ------------------------------------

    def _judge(
        self, what: Disclosure, gauged: _Gauged, now: int, documents: int, declared: int | None
    ) -> tuple[list[_Breach], list[Alarm]]:
        breaches: list[_Breach] = []
        alarms: list[Alarm] = []
        size = what.size if what.document is not None else 0
        for gauge, name in gauged:
            window = self._windows.get(gauge, name)
            used = EMPTY if window is None else window.look(now)
            more = documents, size, int(window is None or not window.knows(what.patient)), 1
            for rule in gauge.rules:
                at, add = used[rule.dimension], more[rule.dimension]
                limit = self._limit(rule, now, declared)
                if not add or at + add <= limit:
                    continue
                if what.kind in rule.refuses:
                    until = window.until(rule.dimension, at + add - limit) if window and add <= limit else None
                    breaches.append(_Breach(rule, name, limit, at, until))
                elif at <= limit:
                    alarms.append(Alarm(rule, name, at + add, limit))
        return breaches, alarms

    def _enter(self, what: Disclosure, gauged: _Gauged, now: int, documents: int) -> _Trace:
        size = what.size if what.document is not None else 0
        steps = []
        for gauge, name in gauged:
            window = self._windows.open(gauge, name, now)
            steps.append((window, window.add(now, documents, size, what.patient)))
        if documents:
            self._rereads.add(what, now)
        self._history.add(what.kind, now, documents)
        before, self._now = self._now, now
        return _Trace(what, documents, before, now, tuple(steps))

    def _leave(self, trace: _Trace) -> None:
        """The inverse of the last `_enter`."""
        what = trace.what
        for window, previous in trace.steps:
            window.pop_last(what.patient, previous)
        if trace.documents:
            self._rereads.take_back(what)
        self._history.take_back(what.kind, trace.now, trace.documents)
        self._now = trace.before

    def _depth(self, wanted: Collection[_Trace]) -> int | None:
        """How many of the latest must leave so that all of these have left; None where some are not among them."""
        found = 0
        for depth, trace in enumerate(chain([None], reversed(self._latest))):
            found += trace in wanted
            if found == len(wanted):
                return depth
        return None

    def _documents(self, what: Disclosure, now: int) -> int:
        return int(what.document is not None and self._rereads.free_until(what, now) is None)

    def _gauged(self, what: Disclosure) -> _Gauged:
        names = _names(what.scopes)
        return [(gauge, name) for gauge in self._rules.of(what.kind) if (name := names[gauge.slot]) is not None]

    def _limit(self, rule: Rule, now: int, declared: int | None) -> int:
        if rule.learned:
            return self._history.limit(now, rule.limit)
        if rule.declared and declared is not None:
            return rule.declared * declared
        return rule.limit

    # ---- snapshots --------------------------------------------------------------------------------------------------

    def snapshot(self) -> bytes:
        """The whole state at the time of the last charge. Equal states give equal bytes."""
        now = self._now
        charged, hours = self._rereads.dump(now), self._history.dump(now)
        return msgspec.msgpack.encode(_State(FORM, self._rules.layout, now, self._windows.dump(now), charged, hours))

    @classmethod
    def restore(cls, raw: bytes, rules: Rules = DEFAULTS) -> "Ledger":
        """The state that `snapshot` wrote. Limits may have changed since; windows may not.

        Raises Malformed for anything else; replaying the whole log always works.
        """
        try:
            state = msgspec.msgpack.decode(raw, type=_State)
        except msgspec.MsgspecError as error:
            raise Malformed("A snapshot of the budgets does not parse.", advice="Replay the log instead.") from error
        if state.form != FORM or state.layout != rules.layout:
            raise Malformed("A snapshot was made by other budget rules.", advice="Replay the log instead.")
        ledger = cls(rules)
        ledger._now = state.now
        ledger._windows = Windows.load(rules.gauges, state.windows, state.now)
        ledger._rereads = Rereads(state.charged)
        ledger._history = History(state.hours)
        return ledger


class _State(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A snapshot. How it may grow: any change counts `FORM` up, and older forms are replayed, not read."""

    form: int
    layout: list[str]
    now: int
    windows: list[Dump]
    charged: list[tuple[Key, int]]
    hours: dict[int, int]


def _names(scopes: Scopes) -> tuple[str | None, ...]:
    """What the scopes of a rule are for this disclosure, in the order of `Scope`. A declared network is no address."""
    network, practice = (None, scopes.network) if scopes.network.startswith("org:") else (scopes.network, None)
    return scopes.session, scopes.account, scopes.client, scopes.organisation, network, practice, ""


def _all_over(breaches: Sequence[_Breach]) -> int | None:
    """The first instant at which none of them stands any more; None where one always will."""
    ends = [one.until for one in breaches if one.until is not None]
    return max(ends) if len(ends) == len(breaches) else None


def _spent(worst: _Breach, now: int, until: int | None) -> Spent:
    freeze = None
    if worst.rule.consequence is Consequence.FREEZE:
        freeze = Target(Upon(worst.rule.scope.value), worst.name)
    end = None if until is None else Millis(until)
    return Spent(worst.rule, worst.name, worst.limit, worst.used, Millis(now), end, freeze)
