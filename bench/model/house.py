"""A whole keeper in one process, every part of it real, with a machine's clock and a disk that the model can spoil.

What leaves is watched where it leaves: at the moment a key is unwrapped, another connection must find its entry in the
database. A connection sees what was committed and nothing else, so an entry that it finds is durable.
"""

import contextlib
import hashlib
import itertools
import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.model import requests
from bench.model.order import Call, Wait
from bench.model.spec import Op, Seen
from strongroom.audit.charges import Charges
from strongroom.audit.effect import Effect
from strongroom.audit.event import Draft
from strongroom.audit.group import OnFailure
from strongroom.audit.receipt import Receipt
from strongroom.audit.resolve import Resolver
from strongroom.audit.sqlite import Journal
from strongroom.audit.sqlite_reader import Reader
from strongroom.audit.write import Item, Pen
from strongroom.budget.ledger import Ledger
from strongroom.budget.scope import Disclosure
from strongroom.clock import MINUTE, Millis
from strongroom.config import Config, Layout, parse
from strongroom.errors import StrongroomError, Unavailable
from strongroom.identity import keyfile
from strongroom.identity.context import ContextKey, sign_context
from strongroom.identity.officers import compose_act, sign_act
from strongroom.identity.token import session_id
from strongroom.ids import DocumentId
from strongroom.keeper import protocol as p
from strongroom.keeper.acts import Act, ActDone, Signature
from strongroom.keeper.server import Keeper
from strongroom.keys.custody import Prepared, Subject, WrittenKeys
from strongroom.secret import Secret
from strongroom.signin.tokens import PERSON, Session, issue
from strongroom.wiring.app import read_context_key
from strongroom.wiring.keeper import open_keeper
from strongroom.wiring.rehearsal import Rehearsal
from strongroom.wiring.signin import signin_settings, signing_key

PATIENCE = 60.0
"""Seconds that a request waits for the log: far above what it takes, so that no answer depends on the machine's load."""
ADDRESS, NETWORK = "192.0.2.1", "192.0.2.1/32"
WAITS: ContextVar[list[Wait]] = ContextVar("waits")
"""When the operation that runs waited for the log."""
TOKEN_LIFE = 9 * MINUTE
ENTRIES = {
    "release": "released", "one": "listed", "page": "listed", "delete": "deleted", "relabel": "relabelled",
    "share": "shared", "delegate": "delegated", "withhold": "withheld", "glass": "glass", "deposit": "opened",
    "deposited": "deposited", "logout": "logged-out",
}  # fmt: skip
"""Operation -> the entry that it must leave."""


class Machine:
    """A machine's two clocks: the one that can be set, and the one that only goes on."""

    def __init__(self, start: int) -> None:
        self.day = start
        self.up = 1_000_000

    def pass_(self, by: int) -> None:
        """Time passes, in milliseconds."""
        self.day += by
        self.up += by

    def time_ns(self) -> int:
        """As `time.time_ns`."""
        return self.day * 1_000_000

    def clock_gettime_ns(self, _clk_id: int, /) -> int:
        """As `time.clock_gettime_ns`."""
        return self.up * 1_000_000


@dataclass
class Disk:
    """Lets one transaction of the log fail: `before` anything, `within` it, or `after` its commit, which is the worst."""

    moments: Iterator[int]
    spoil: str = ""
    failing: bool = False
    """Whether a commit fails in this round, or has failed."""
    spoilt: int = 0
    waiting: dict[int, Wait] = field(default_factory=dict)
    """Drafts that wait to be written, by identity."""

    @contextlib.contextmanager
    def installed(self) -> Iterator[None]:
        """While this holds, every journal of the process writes to this disk."""
        whole, write = Journal.transaction, Pen.write

        @contextlib.contextmanager
        def transaction(journal: Journal) -> Iterator[None]:
            self._fail("before")
            with whole(journal):
                yield
                self._fail("within")
            self._fail("after")

        def written(pen: Pen, items: Sequence[Item]) -> list[Receipt | StrongroomError]:
            waits = [self.waiting[id(draft)] for draft, _ in items if id(draft) in self.waiting]
            outcomes = write(pen, items)
            now = next(self.moments)
            for wait in waits:
                wait.settled = now
            return outcomes

        setattr(Journal, "transaction", transaction)  # noqa: B010  # mypy: a method is not assigned to
        setattr(Pen, "write", written)  # noqa: B010  # as above
        try:
            yield
        finally:
            setattr(Journal, "transaction", whole)  # noqa: B010  # as above
            setattr(Pen, "write", write)  # noqa: B010  # as above

    def arm(self, place: str) -> None:
        """Let a commit of the coming round fail; the empty word: none."""
        self.spoil, self.failing = place, bool(place)

    def _fail(self, place: str) -> None:
        if self.spoil == place:
            self.spoil = ""
            self.spoilt += 1
            raise Unavailable("The keeper's database cannot be used (SQLITE_IOERR).")


@dataclass
class Watch:
    """Every key that leaves, and whether its entry was there before."""

    database: Path
    keys: int = 0
    undurable: list[str] = field(default_factory=list)
    """Keys without an earlier durable entry, a line each."""
    given: dict[int, set[bytes]] = field(default_factory=dict)
    """Receipt -> keys that were unwrapped against it."""
    all: set[bytes] = field(default_factory=set)
    _db: sqlite3.Connection | None = None

    def over(self, keeper: Keeper) -> None:
        """Stand beside the custody of this keeper."""
        custody: Any = keeper.door.parts.custody
        release, listing, written = custody.release, custody.listing, custody.open_written

        async def watched_release(
            receipt: Receipt, subject: Subject, document: DocumentId, version: int, wrapped: bytes
        ) -> Secret:
            self._expect(receipt, "released", subject.patient, version)
            key: Secret = await release(receipt, subject, document, version, wrapped)
            return self._given(receipt, [key])[0]

        async def watched_listing(
            receipt: Receipt, subject: Subject, rows: Sequence[tuple[DocumentId, int, bytes]]
        ) -> list[Secret]:
            self._expect(receipt, "listed", subject.patient, None)
            return self._given(receipt, await listing(receipt, subject, rows))

        def watched_written(prepared: Prepared, receipt: Receipt) -> WrittenKeys:
            self._expect(receipt, "opened", receipt.patient, None)
            keys: WrittenKeys = written(prepared, receipt)
            self._given(receipt, [keys.content, keys.metadata])
            return keys

        custody.release, custody.listing, custody.open_written = watched_release, watched_listing, watched_written

    def look(self) -> sqlite3.Connection:
        """A connection of our own, which sees what is committed."""
        if self._db is None:
            self._db = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=PATIENCE)
        return self._db

    def close(self) -> None:
        """Let go of the file."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def _given(self, receipt: Receipt, keys: list[Secret]) -> list[Secret]:
        self.keys += len(keys)
        self.given.setdefault(receipt.index, set()).update(key.reveal() for key in keys)
        self.all |= self.given[receipt.index]
        return keys

    def _expect(self, receipt: Receipt, op: str, patient: str | None, version: int | None) -> None:
        row = self.look().execute(
            "select e.op, e.leaf, e.body, n.real from log_entry e left join log_name n on n.id = e.patient"
            " where e.idx = ?", (receipt.index,)
        ).fetchone()  # fmt: skip
        if row is None:
            self.undurable.append(f"entry {receipt.index} ({op}) was not in the log when its key was unwrapped")
            return
        told = json.loads(row[2])
        leaf = hashlib.sha256(b"\x00" + row[2]).digest()
        same = (row[0], told["op"], row[3]) == (op, op, patient) and row[1] == receipt.leaf == leaf
        if not same or (version is not None and told["version"] != version):
            self.undurable.append(f"entry {receipt.index} is not of the {op} key that was unwrapped against it")


class House:
    """One store and its keeper, opened and closed as often as a model likes."""

    def __init__(self, root: Path, subjects: Sequence[str]) -> None:
        self.layout = Layout(root)
        self.config: Config = parse(self.layout.config.read_bytes())
        with sqlite3.connect(f"file:{self.layout.database}?mode=ro", uri=True) as db:
            [(last,)] = db.execute("select max(t) from log_entry")
        self.machine = Machine(int(last) + MINUTE)
        self.watch = Watch(self.layout.database)
        self.snapshots = 0
        self.moments = itertools.count()
        self.disk = Disk(self.moments)
        self._context: ContextKey = read_context_key(self.layout)
        self._signing = signing_key(self.config, self.layout)
        self._officers = {
            name: keyfile.read(self.layout.root / "officers" / f"{name}.key") for name in ("operator", "security")
        }
        self._tokens: dict[tuple[str, str, bool, int], tuple[int, str]] = {}
        self._subjects = subjects
        self._keeper: Keeper | None = None
        self.keys: dict[tuple[str, str], bytes] = {}
        """(document, content or metadata) -> its key, once it was given out."""
        self.wrong: list[str] = []
        """Keys that should not have been given, a line each."""

    # ---- opening and closing ----------------------------------------------------------------------------------------

    def open(self, *, broken: bool) -> None:
        """As a start of the process does, without its sockets."""
        rehearsal = Rehearsal(broken_authorization=broken, machine=self.machine)
        self._keeper = open_keeper(self.config, self.layout, rehearsal=rehearsal, patience=PATIENCE).keeper
        self.watch.over(self._keeper)
        self._time_waits(self._keeper)
        snapshots: Any = self._keeper._snapshots  # noqa: SLF001  # counted, so that the model knows of them
        keep: Callable[[Ledger, int], None] = snapshots.keep

        def counted(ledger: Ledger, index: int) -> None:
            keep(ledger, index)
            self.snapshots += 1
            WAITS.get().append(Wait(next(self.moments)))

        snapshots.keep = counted

    def _time_waits(self, keeper: Keeper) -> None:
        """Note when each operation begins and ends to wait for the log: where to look for an order first."""
        log: Any = keeper.door.parts.log
        append = log.append

        async def timed(draft: Draft, effects: Sequence[Effect] = (), on_failure: OnFailure | None = None) -> Receipt:
            wait = Wait(next(self.moments))
            WAITS.get().append(wait)
            self.disk.waiting[id(draft)] = wait

            def failed() -> None:
                wait.settled = next(self.moments)
                if on_failure is not None:
                    on_failure()

            try:
                receipt: Receipt = await append(draft, effects, failed)
                return receipt
            finally:
                self.disk.waiting.pop(id(draft), None)
                wait.returned = next(self.moments)

        log.append = timed

    def close(self) -> None:
        """Write what waits, and let go of the files; nothing else is kept."""
        if self._keeper is not None:
            self._keeper.door.parts.log.close()
            self._keeper.door.parts.catalog.close()
            self._keeper = None
        self.watch.close()

    @property
    def keeper(self) -> Keeper:
        """The one that is open."""
        assert self._keeper is not None, "the house is closed"
        return self._keeper

    def accounts(self) -> dict[str, str]:
        """Account -> the subject that signs in to it."""
        parts = self.keeper.door.parts
        found = {
            name: parts.catalog.account(parts.veil.login(self.config.issuer_url, name)).id for name in self._subjects
        }
        return {account: name for name, account in found.items() if account is not None}

    # ---- what stands in the log -------------------------------------------------------------------------------------

    def entries(self, since: int) -> list[tuple[int, str, str | None, str | None]]:
        """(index, what, session, patient) of every entry from an index on."""
        rows = self.watch.look().execute(
            "select e.idx, e.op, s.real, n.real from log_entry e left join log_name s on s.id = e.session"
            " left join log_name n on n.id = e.patient where e.idx >= ? order by e.idx", (since,)
        )  # fmt: skip
        return list(rows)

    def disclosed(self, since: int) -> list[tuple[int, Disclosure]]:
        """What the log says was charged, as a start reads it."""
        with closing(Reader.open(self.layout.database)) as reader:
            resolver = Resolver(reader, self.keeper.door.parts.catalog.documents_of)
            return list(Charges(reader, resolver).since(since))

    def snapshot_index(self) -> int:
        """From where a start would count again."""
        return int.from_bytes((self.layout.keeper / "budgets.snapshot").read_bytes()[:8], "big")

    # ---- asking -----------------------------------------------------------------------------------------------------

    def session(self, name: str) -> str:
        """What the keeper calls a session."""
        return session_id(self.config.issuer_url, "sid", name)

    async def call(self, op: Op, sid: str) -> Call:
        """Perform one operation of somebody whose session is `sid`, and tell when what was seen of it."""
        waits: list[Wait] = []
        WAITS.set(waits)
        asked = next(self.moments)
        seen = await self.do(op, sid)
        return Call(op, seen, asked, next(self.moments), tuple(waits))

    async def do(self, op: Op, sid: str) -> Seen:
        """Perform one operation, and give the answer in the model's words."""
        if op.kind == "pass":
            self.machine.pass_(op.by)
            return Seen("ok")
        if op.kind == "tick":
            return await self._tick(minute=op.flag)
        if op.kind in {"freeze", "unfreeze"}:
            return await self._officer(op)
        asking = p.Asking(token="", context="")
        if op.kind != "deposited":
            asking = self._asking(op, sid)
        reply = await self.keeper.dispatch.handle(requests.of(op, asking), 0)
        return self._seen(reply)

    def _asking(self, op: Op, sid: str) -> p.Asking:
        now = self.machine.day
        made, token = self._tokens.get((op.who, sid, op.mfa, op.shown), (0, ""))
        if not token or not 0 <= now - made <= TOKEN_LIFE:  # a wrong clock may have made it
            amr = PERSON if op.mfa else ("pwd",)
            session = Session(op.who, "cli", sid=sid, amr=amr, auth_time=Millis(op.shown))
            token = issue(self._signing, signin_settings(self.config), session, Millis(now))
            self._tokens[op.who, sid, op.mfa, op.shown] = (now, token)
        context = sign_context(
            self._context, token=token, address=ADDRESS, now=Millis(now), method="GET", url=f"{self.config.base}/x",
            request="r",
        )  # fmt: skip
        return p.Asking(token=token, context=context)

    async def _tick(self, *, minute: bool) -> Seen:
        try:
            await self.keeper._second(minute=minute)  # noqa: SLF001  # the beat of the process, when the model likes
        except StrongroomError:
            return Seen("unavailable")
        return Seen("ok")

    async def _officer(self, op: Op) -> Seen:
        officer = "operator" if op.kind == "freeze" else "security"
        args = {"scope": op.category, "name": op.name, "reason": "r"}
        body = compose_act(self.config.store.name, op.kind, args, Millis(self.machine.day))
        signature = Signature(officer=officer, value=sign_act(self._officers[officer], body))
        reply = await self.keeper.acts.handle(Act(body=body, signatures=(signature,)), 0)
        if isinstance(reply, ActDone):
            return Seen("ok", receipt=reply.receipt)
        why = getattr(reply, "why", "")
        return Seen("nothing" if why.startswith("Nothing is frozen") else "unavailable")

    def _seen(self, reply: p.Reply) -> Seen:
        match reply:
            case p.Refused():
                return Seen(reply.why, advice=reply.advice, retry=reply.retry)
            case p.Released():
                self._key(reply.receipt, reply.document, "content", reply.key)
                return Seen("ok", shown=((reply.document, reply.version),), receipt=reply.receipt)
            case p.Listed() if reply.receipt is None:
                return Seen("empty")
            case p.Listed():
                for row in reply.rows:
                    self._key(reply.receipt, row.document, "metadata", row.metadata_key)
                shown = tuple((row.document, row.version) for row in reply.rows)
                return Seen("ok", shown=shown, more=reply.more, receipt=reply.receipt)
            case p.Opened():
                if not {reply.key, reply.metadata_key} <= self.watch.all:
                    self.watch.undurable.append("keys of a deposit were answered that did not leave custody")
                self.keys[reply.document, "content"] = reply.key
                self.keys[reply.document, "metadata"] = reply.metadata_key
                return Seen("ok", shown=((reply.document, reply.version),), ticket=reply.ticket)
            case p.Glass():
                return Seen("ok", receipt=reply.receipt, until=reply.until)
            case p.Done():
                return Seen("ok", receipt=reply.receipt)
        raise AssertionError(type(reply))

    def _key(self, receipt: int | None, document: str, purpose: str, key: bytes) -> None:
        """A key that was answered is the document's own, and left custody against this very receipt."""
        if receipt is None or key not in self.watch.given.get(receipt, ()):
            self.watch.undurable.append(f"a {purpose} key was answered that did not leave against entry {receipt}")
        if self.keys.setdefault((document, purpose), key) != key:
            self.wrong.append(f"a {purpose} key is not the one that the document had before")


def copied(template: Path, root: Path) -> None:
    """A store like the template, without the documents' bytes: the keeper never sees those."""
    shutil.copytree(template, root, ignore=lambda _, names: [one for one in names if one == "objects"])
