"""What one exporter sends, datagram by datagram, in whatever order the network brings them.

1. A datagram that came before, byte for byte, counts once.
2. Numbers in it tell what did not arrive: v5 and IPFIX count flows (RFC 7011 section 3.1), v9 datagrams (RFC 3954 section 5.1).
   One that comes late takes back what was counted for it. A number far from where it should be is an exporter's new start.
3. Data that comes before its template waits for it; of what waits too much, the oldest is given up.
"""

import hashlib
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from strongroom.logs.netflow import NO_TEMPLATE, Flows, domain_of
from strongroom.logs.record import Read, Row, Unreadable
from strongroom.logs.templates import Domain, Rate

WAITING: Final = 1024 * 1024
"""Bytes of datagrams that wait for templates: some 700 whole ones, 20,000 flows."""
REMEMBERED: Final = 256
"""Datagrams that are known again."""
DOMAINS: Final = 256
"""Parts of an exporter whose numbers are followed."""
LATE: Final = 4_096
"""By how much a number may be behind and still be late, and no new start."""
FAR: Final = 2**24
"""By how much a number may be ahead and still tell of losses, and of no new start."""
_CIRCLE: Final = 2**32
_PLACE: Final = {5: 16, 9: 12, 10: 8}  # where a datagram has its number


@dataclass(slots=True)
class Told:
    """What became of the datagrams of an exporter."""

    datagrams: int = 0
    flows: int = 0
    twice: int = 0
    lost_flows: int = 0
    lost_datagrams: int = 0
    given_up: int = 0  # datagrams with flows whose template did not come
    unreadable: dict[str, int] = field(default_factory=dict)
    rate: Rate = 1  # the highest by which counts were multiplied


class Exporter:
    """One exporter: what its templates have told, where its numbers stand, and what waits."""

    def __init__(self) -> None:
        self.told = Told()
        self.waiting = 0
        """Bytes of datagrams that wait for a template."""
        self._flows = Flows()
        self._next: dict[Domain, tuple[int, set[int]]] = {}  # the last number, and by how much the next may be more
        self._before: deque[bytes] = deque(maxlen=REMEMBERED)
        self._held: deque[tuple[bytes, dict[int, int]]] = deque()

    def take(self, datagram: bytes) -> list[Row]:
        """The flows that can be read now that it has come: its own, and those that waited for its templates."""
        self.told.datagrams += 1
        digest = hashlib.blake2b(datagram, digest_size=8).digest()
        if digest in self._before:
            self.told.twice += 1
            return []
        self._before.append(digest)
        learned = self._flows.templates.learned
        found = self._flows.parse(datagram)
        rows = self._rows(found)
        if not isinstance(found, list):
            return rows
        self._follow(datagram, self._flows.records, self._flows.options)
        if self._flows.missing:
            self._hold(datagram, self._flows.missing)
        if learned != self._flows.templates.learned:
            rows += self._let_go()
        self.told.flows += len(rows)
        return rows

    def _rows(self, found: Read) -> list[Row]:
        """The flows; what could not be read is counted, but for what waits."""
        rows: list[Row] = []
        for one in found if isinstance(found, list) else [found]:
            if not isinstance(one, Unreadable):
                rows.append(one)
            elif one is not NO_TEMPLATE:
                self.told.unreadable[one.reason] = self.told.unreadable.get(one.reason, 0) + 1
        self.told.rate = max(self.told.rate, self._flows.rate)
        return rows

    # ---- what did not arrive

    def _follow(self, datagram: bytes, records: int | None, options: int) -> None:
        domain = domain_of(datagram)
        version = domain[0]
        number = int.from_bytes(datagram[_PLACE[version] : _PLACE[version] + 4])
        steps = {1} if version == 9 else set() if records is None else {records, records - options}  # noqa: PLR2004  # the version
        last, due = self._next.pop(domain, (number, set()))
        ahead = (number - last) % _CIRCLE
        if due and ahead >= _CIRCLE - LATE:
            self._lost(version, -max(steps, default=0))
            self._next[domain] = last, due
            return
        # Some count without what is about themselves, and some up to the end of the datagram and not to its beginning.
        alike = due if version == 9 else due | steps  # noqa: PLR2004  # the version
        if due and ahead not in alike and ahead < FAR:
            self._lost(version, max(ahead - max(due), 0))
        self._next[domain] = number, steps
        if len(self._next) > DOMAINS:
            self._next.pop(next(iter(self._next)))

    def _lost(self, version: int, more: int) -> None:
        if version == 9:  # noqa: PLR2004  # the version
            self.told.lost_datagrams = max(self.told.lost_datagrams + more, 0)
        else:
            self.told.lost_flows = max(self.told.lost_flows + more, 0)

    # ---- what waits for its template

    def _hold(self, datagram: bytes, missing: dict[int, int]) -> None:
        self._held.append((datagram, missing))
        self.waiting += len(datagram)
        while self.waiting > WAITING:
            gone, _ = self._held.popleft()
            self.waiting -= len(gone)
            self.told.given_up += 1

    def _let_go(self) -> list[Row]:
        rows: list[Row] = []
        held, self._held, self.waiting = self._held, deque(), 0
        for datagram, missing in held:
            domain = domain_of(datagram)
            known = [at for at, number in missing.items() if self._flows.templates.of(domain, number)]
            rest = {at: number for at, number in missing.items() if at not in known}
            if known:
                rows += self._rows(self._flows.parse(datagram, known))
            if rest:
                self._hold(datagram, rest)
        return rows
