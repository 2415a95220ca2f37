"""A watch: logs that grow -> events -> the same detections as a hunt -> alerts, each once.

One round after another: what is new in all logs, earliest first, goes through `live`; what fires is written down in the store, from
where messengers tell it; now and then the state is saved (`shelf`), together with where reading stands, so that a watch that was
killed goes on exactly where it was. When nothing has come for as long as the tolerance, what waits is judged: nothing is expected
any more.
"""

import gc
import time
from collections.abc import Callable
from itertools import chain
from typing import Any, Final

import pyarrow as pa

from strongroom.clock import SECOND, Clock, iso
from strongroom.detect import say
from strongroom.detect.live import Alert, Live
from strongroom.detect.sqlite import Store
from strongroom.detect.state import State
from strongroom.errors import OperationError
from strongroom.logs.follow import Follower

SAVE: Final = 60.0
"""Seconds between two states that are saved: what is read again after a kill."""
QUIET: Final = 0.2
"""Seconds without anything new after which what waits is judged, if the tolerance is shorter."""
LEAST, MOST, PART = 0.005, 0.05, 0.1
"""Seconds that are written between two looks, at least and at most, and which part of the time that is otherwise."""
BUCKETS: Final = 15.0
"""Seconds between two listings of a bucket."""


def unhurried() -> None:
    """Let Python look for cycles seldom, for a watch holds millions of small things and makes no cycles; and give memory back."""
    gc.set_threshold(500_000, 50, 1_000)
    pa.set_memory_pool(pa.system_memory_pool())  # the other keeps some 20 MB for pieces that are gone


class Watch:
    """The loop's body. `told` is called when there are new alerts, `said` with sentences for the operator."""

    def __init__(
        self, follower: Follower, live: Live, state: State, store: Store, clock: Clock, *, told: Callable[[], None],
        said: Callable[[str], None],
    ) -> None:  # fmt: skip
        """Go on from this state."""
        self._follower, self._live, self._store, self._clock = follower, live, store, clock
        self._shelves = live.resume(state)
        self._told, self._said = told, said
        self.events = self.alerts = 0
        self.every = SAVE
        self._heard = self._saved = self._listed = self._wrote = time.monotonic()
        self._listed -= BUCKETS
        self._unknown: set[str] = set()
        self._counted = (0, 0)
        self._short: set[str] = set()
        for name, kept in state.pieces():
            if name == "logs":
                follower.load(kept)

    def round(self) -> bool:
        """Read and judge everything that is there now; whether anything was new. Raises OperationError of the store."""
        now = time.monotonic()
        buckets = now - self._listed >= BUCKETS
        try:
            self._follower.poll(buckets=buckets)
        except OperationError as error:
            self._said(f"{error}")
        if buckets:
            self._listed = now
        new = False
        while (log := self._follower.behind()) is not None:
            hold = self._follower.hold()
            try:
                found = self._follower.read(log)
            except OperationError as error:
                self._said(f"{error}")
                log.source = None  # until the next look
                continue
            for events in found:
                new = True
                self.events += events.num_rows
                self._raise(self._live.feed(events, self._clock.now(), hold))
            self._keep()
        if new:
            self._heard = time.monotonic()
            self._raise(self._live.advance(self._live.latest - self._live.tolerance - 1))
        elif time.monotonic() - self._heard >= max(QUIET, self._live.tolerance / SECOND):
            self._raise(self._live.advance(self._live.latest))
            self._raise(self._live.clock(self._clock.now()))
        if not new:  # else it was done after what was read
            self._keep()
        self._complain()
        return new

    def settle(self) -> None:
        """Nothing comes any more: judge what waits."""
        self._raise(self._live.finish())

    def save(self) -> None:
        """Keep the state and where reading stands, as of this instant. Raises OperationError."""
        if self._shelves.saving:
            self._shelves.go_on()
        self._begin()
        self._shelves.go_on()

    def _begin(self) -> None:
        self._saved = time.monotonic()
        self._shelves.begin(chain([("logs", self._follower.dump())], self._live.dump()), self._live.reached)

    def _keep(self) -> None:
        """Between two looks: go on with a saving, or begin one when it is time, or when there is too much in memory."""
        shelves, now = self._shelves, time.monotonic()
        since, self._wrote = now - self._wrote, now
        if not shelves.saving and (shelves.crowded() or now - self._saved >= self.every):
            self._begin()
        elif shelves.saving:
            shelves.go_on(None if shelves.full() else min(max(LEAST, since * PART), MOST))

    def _raise(self, alerts: list[Alert]) -> None:
        new = self._store.add(body(alert, self._follower.names) for alert in alerts)
        if new:
            self.alerts += new
            self._told()

    def _complain(self) -> None:
        for name in sorted(self._follower.unknown - self._unknown)[:10]:
            self._said(f"{say.harmless(name)}: no log that is known; it is looked at again when it changes.")
        self._unknown |= self._follower.unknown
        late, future = self._live.late, self._live.future
        if late >= 2 * max(self._counted[0], 1) or (late and not self._counted[0]):
            self._said(
                f"{late:,} events came later than the tolerance: only rules about single events saw them. "
                "Hunt in these logs, or give a longer --tolerance."
            )
            self._counted = (late, self._counted[1])
        if future >= 2 * max(self._counted[1], 1) or (future and not self._counted[1]):
            self._said(f"{future:,} events are from the future and were judged by rules about single events alone.")
            self._counted = (self._counted[0], future)
        for title in self._live.shortened():
            if title not in self._short:
                self._short.add(title)
                self._said(
                    f"{say.harmless(title)}: its windows hold more than they may, and it looks back less far than a hunt would. "
                    "Give its rule a shorter timespan."
                )


def body(alert: Alert, names: dict[int, str]) -> dict[str, Any]:
    """An alert for programs. Fields may be added and are never renamed."""
    head = alert.detection.head
    place = None
    if alert.place is not None:
        source, offset, length = alert.place
        place = {"file": names.get(source, ""), "offset": offset, "length": length}
    return {
        "schema": "strongroom/alert/v1",
        "id": alert.id,
        "level": alert.level,
        "about": alert.about,
        "title": head.title,
        "detection": head.id,
        "tags": list(head.tags),
        "fired": alert.fired,
        "fired_at": _when(alert.fired),
        "amount": alert.amount,
        "evidence": place,
        "sentences": list(_sentences(alert, place)),
    }


def _when(fired: int) -> str:
    try:
        return iso(fired)
    except (OverflowError, ValueError, OSError):
        return "-"


def _sentences(alert: Alert, place: dict[str, Any] | None) -> list[str]:
    """For a person, the most important first; text from a log is made harmless."""
    head = alert.detection.head
    note = f" (limit: {alert.detection.note})" if alert.detection.note else ""
    found = [
        f"{alert.level.upper()}  {say.harmless(alert.about)}: {head.title}",
        f"At {say.when(alert.fired)} UTC by {alert.amount:,}{note}.",
    ]
    if head.honest:
        found.append(f"It could be honest: {'; or '.join(head.honest[:3])}.")
    if place:
        found.append(f"{say.harmless(place['file'])} byte {place['offset']}, {place['length']} bytes  [{alert.id}]")
    return found
