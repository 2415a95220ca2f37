"""A year of the log of a large store: sessions of patients and clinicians, and one theft among them, in order of time.

Gives what the keeper's tables hold of each entry. Forms are the product's own (`tlog.entry`, `audit.pseudonym`); only chance
comes from the seed, so that the same seed and the same end give the same root hash.
"""

import base64
import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bench.scale.world import World
from strongroom.audit.pseudonym import DOCUMENT_BYTES, HIDDEN, Naming, month_at
from strongroom.budget.scope import Disclosure, Kind, Scopes
from strongroom.clock import DAY, MINUTE, SECOND, YEAR, Millis
from strongroom.envelope.keyed import keyed_hash
from strongroom.ids import AccountId, OrganisationId, PatientId, SessionId, encode
from strongroom.tlog import entry as entries
from strongroom.tlog.entry import Entry, Op

Row = tuple[int, int, str, int | None, int | None, int | None, int | None, int | None, int | None, bytes]
"""Of `log_entry`, without its leaf: idx, t, op, actor, patient, session, client, organisation, ref, body."""
Name = tuple[int, str, str, str, str]
"""Of `log_name`: id, kind, month, real, shown."""
POLICY = "0123456789abcdef"
SHOWN = 8
"""Documents of a listing."""
SIZE = 252_000
STAFF, PROBES = 0.27, 0.01
"""Shares of all sessions."""
ROUND = 4
"""Patients in a clinician's session."""
SESSION = 2_000
"""Releases in one session of the theft."""
REMEMBERED = 31 * DAY
"""What of the log the budgets still count, but for strangers, whom they count for a year."""


@dataclass(frozen=True, slots=True)
class Who:
    """Who does something, and the budget's kind of it."""

    account: AccountId
    session: SessionId
    network: str
    organisation: OrganisationId | None
    kind: Kind
    basis: str
    purpose: str

    def disclosure(self, t: int, patient: PatientId, document: str | None) -> Disclosure:
        """What the ledger is told of it."""
        scopes = Scopes(self.session, self.account, "cli", self.organisation, self.network)
        about, size = (None, 0) if document is None else (document, SIZE)
        return Disclosure(Millis(t), self.kind, scopes, patient, about, int(document is not None), size)  # type: ignore[arg-type]


class Names:
    """The map from people to what stands in the log: new names every month, numbered in the order of their first use."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._month = ""
        self._known: dict[tuple[str, str], tuple[int, str]] = {}
        self._lasting: dict[tuple[str, str], tuple[int, str]] = {}
        self._hashed = keyed_hash(b"")
        self._count = 0
        self.new: list[Name] = []
        """Not yet written ones; whoever writes them empties the list."""
        self.keys: list[tuple[str, bytes]] = []
        """Months and their keys, likewise."""

    def at(self, t: int) -> None:
        """Names and documents are those of this time's month from now on."""
        month = month_at(t)
        if month != self._month:
            self._month = month
            self._known.clear()
            key = hashlib.sha256(self._rng.randbytes(32)).digest()
            self.keys.append((month, key))
            self._hashed = keyed_hash(key)

    def name(self, kind: Naming, real: str) -> tuple[int, str]:
        """(number, what stands in the log)."""
        hidden = kind in HIDDEN
        known = self._known if hidden else self._lasting
        found = known.get((kind, real))
        if found is None:
            self._count += 1
            shown = _urlsafe(self._rng.randbytes(16)) if hidden else real
            found = known[kind, real] = self._count, shown
            self.new.append((self._count, kind.value, self._month if hidden else "", real, shown))
        return found

    def document(self, ident: str) -> str:
        """What stands in the log for a document."""
        return _urlsafe(self._hashed(ident.encode())[:DOCUMENT_BYTES])


class History:
    """See the module. `names` and `remembered` are filled while `rows` is read."""

    def __init__(self, world: World, end: int) -> None:
        """`end`: milliseconds; the last entry is a little earlier."""
        self.world = world
        self._rng = random.Random(world.seed + 1)
        self.names = Names(random.Random(world.seed + 2))
        self.remembered: list[Disclosure] = []
        """What the budgets still count at the end, in order; whoever counts it empties the list."""
        self.size = 0
        self._end = end
        sizes = world.sizes
        others = sizes.entries - 2 * sizes.stolen
        self._start = end - YEAR + DAY
        self._pace = (end - MINUTE - self._start) / others  # milliseconds from one honest entry to the next
        self._now = 0
        self._from, self._until = theft(end)

    def rows(self) -> Iterator[Row]:
        """All of them, in order."""
        rng, sizes = self._rng, self.world.sizes
        thief, left = self._thefts(), 2 * sizes.stolen
        t = float(self._start)
        while self.size + left < sizes.entries:
            self.names.at(int(t))
            draw = rng.random()
            session = self._staff(t) if draw < STAFF else self._probe(t) if draw > 1 - PROBES else self._patient(t)
            for row in session:
                yield row
                self.size += 1
                t += self._pace
                if self.size + left == sizes.entries:
                    break
            self._now = int(t)
            due = 2 * round(sizes.stolen * (t - self._from) / (self._until - self._from))
            while left and 2 * sizes.stolen - left < due:
                yield next(thief)
                self.size += 1
                left -= 1

    def _patient(self, t: float) -> Iterator[Row]:
        world, rng = self.world, self._rng
        number = int(world.sizes.patients * rng.random() ** 2)
        who = Who(
            world.login(number), self._session(), _address(10, number), None, Kind.OWN, "owner", "PATRQT"
        )  # fmt: skip
        return self._reads(t, who, number, 2)

    def _staff(self, t: float) -> Iterator[Row]:
        world, rng = self.world, self._rng
        number = rng.randrange(world.sizes.clinicians)
        organisation = world.practice(number)
        who = Who(
            world.clinician(number), self._session(), f"org:{organisation}", organisation, Kind.CARE, "care", "TREAT"
        )  # fmt: skip
        for _ in range(ROUND):
            fellows = world.sizes.patients // world.practices
            patient = number % world.practices + world.practices * rng.randrange(fellows)
            for row in self._reads(t, who, patient, 1):
                yield row
                t += self._pace

    def _probe(self, t: float) -> Iterator[Row]:
        world, rng = self.world, self._rng
        number = rng.randrange(world.sizes.patients)
        who = Who(
            world.login(number), self._session(), _address(10, number), None, Kind.STRANGER, "no-relation", ""
        )  # fmt: skip
        document = self.names.document(world.document(rng.randrange(world.sizes.documents)))
        yield self._row(t, Op.DENIED, who, None, document=document, action="release", reason=who.basis, policy=POLICY)

    def _reads(self, t: float, who: Who, number: int, releases: int) -> Iterator[Row]:
        """A listing, and some releases with their deliveries."""
        world, patient, names = self.world, self.world.patient(number), self.names
        names.at(int(t))
        mine = [world.document(one) for one in world.documents_of(number)[:SHOWN]]
        self._count(t, who, patient, None)
        shown = tuple(f"{names.document(one)}.1" for one in mine)
        yield self._row(
            t, Op.LISTED, who, patient, documents=shown, basis=who.basis, kind=who.kind.value, bytes=0,
            purpose=who.purpose, policy=POLICY,
        )  # fmt: skip
        for document in self._rng.sample(mine, min(releases, len(mine))):
            t += self._pace
            yield self._release(t, who, patient, document)
            t += self._pace
            yield self._delivery(t)

    def _release(self, t: float, who: Who, patient: PatientId, document: str) -> Row:
        self._count(t, who, patient, document)
        self.names.at(int(t))
        return self._row(
            t, Op.RELEASED, who, patient, document=self.names.document(document), version=1, basis=who.basis,
            kind=who.kind.value, charged=1, bytes=SIZE, purpose=who.purpose, policy=POLICY,
        )  # fmt: skip

    def _delivery(self, t: float) -> Row:
        """Of the release just before."""
        entry = Entry(t=int(t), op=Op.DELIVERED, ref=self.size - 1, bytes=SIZE, complete=True)
        return (self.size, int(t), "delivered", None, None, None, None, None, self.size - 1, entries.encode(entry))

    def _row(self, t: float, op: Op, who: Who, patient: PatientId | None, **told: object) -> Row:
        name, t = self.names.name, int(t)
        actor, actor_name = name(Naming.ACCOUNT, who.account)
        subject, subject_name = (None, None) if patient is None else name(Naming.PATIENT, patient)
        session, session_name = name(Naming.SESSION, who.session)
        client, _ = name(Naming.CLIENT, "cli")
        organisation = None if who.organisation is None else name(Naming.ORGANISATION, who.organisation)[0]
        entry = Entry(
            t=t, op=op, actor=actor_name, patient=subject_name, session=session_name,
            network=name(Naming.NETWORK, who.network)[1], client="cli", organisation=who.organisation, **told,  # type: ignore[arg-type]
        )  # fmt: skip
        return (self.size, t, op.value, actor, subject, session, client, organisation, None, entries.encode(entry))

    def _count(self, t: float, who: Who, patient: PatientId, document: str | None) -> None:
        if who.kind is Kind.STRANGER or t >= self._end - REMEMBERED:
            self.remembered.append(who.disclosure(int(t), patient, document))

    def _session(self) -> SessionId:
        return SessionId(encode(self._rng.randbytes(16)))

    def _thefts(self) -> Iterator[Row]:
        """The theft's entries, each at the time at which it is asked for."""
        world, releases, who = self.world, 0, None
        for number in range(world.sizes.victims):
            patient = world.patient(world.victim(number))
            for document in world.loot(number):
                if who is None or releases % SESSION == 0:
                    who = Who(
                        world.login(world.thief), self._session(), "203.0.113.7/32", None, Kind.STRANGER, "unsafe",
                        "PATRQT",
                    )  # fmt: skip
                releases += 1
                yield self._release(self._now, who, patient, world.document(document))
                yield self._delivery(self._now)


def theft(end: int) -> tuple[int, int]:
    """From when until when: five days on both sides of the beginning of a month, so that two months' names are in it."""
    before = datetime.fromtimestamp(end / SECOND, UTC) - timedelta(days=35)
    first = int(datetime(before.year, before.month, 1, tzinfo=UTC).timestamp()) * SECOND
    return first - 5 * DAY, first + 5 * DAY


def _address(net: int, number: int) -> str:
    return f"{net}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}/32"


def _urlsafe(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
