"""Everything that is kept is altered at random, one alteration after the other; each must be found, and told with its place.

One small store, filled through the door and then through the log's own writer, stopped. An alteration is made in place,
looked for by the product's own means, and undone byte by byte:

* files of the published log: by the program that strangers run (`verify_log.py`), with a checkpoint they kept;
* rows and bytes of the keeper's database, and life keys: by `restore --verify`;
* rows of the catalogue, and objects: by the same, which opens every version as a read does;
* the database, or all of it, set back to an earlier copy: by a start, or by the checkpoint that strangers kept;
* another history, signed with the log's own key: by the same checkpoint, and by a witness.

An alteration that leaves all content as it was (an unused byte of a database page) is none, and is counted apart.
"""

import contextlib
import io
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bench import Part, Scale
from bench.progress import Progress
from bench.report import Figure, Goal
from strongroom.audit import event, stranger
from strongroom.audit.files import CHECKPOINT
from strongroom.audit.log import Log, Place
from strongroom.audit.receipt import ReceiptSeal
from strongroom.audit.verify import parsed_bundle, parsed_tile
from strongroom.audit.witness import Witness
from strongroom.budget.scope import Disclosure, Kind, Scopes
from strongroom.cli.init import TEMPLATE
from strongroom.clock import Millis, SystemClock
from strongroom.config import Layout, Users, parse
from strongroom.errors import StrongroomError
from strongroom.ids import AccountId, DocumentId, OrganisationId, PatientId, SessionId
from strongroom.keeper import effects
from strongroom.keys.life import life_of
from strongroom.tlog.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from strongroom.tlog.cosign import Submission
from strongroom.tlog.entry import Entry, Op, decode, encode
from strongroom.tlog.tile import Tile, render_bundle, render_hashes, tile_at, tile_nodes, tiles_between
from strongroom.tlog.tree import Frontier, Nodes, consistency_proof, leaf_hash
from strongroom.wiring.place import log_signer
from strongroom.wiring.root import open_root
from strongroom.wiring.secrets import cover_of, open_secrets
from strongroom.wiring.verify import Found, verify_records, verify_store

if TYPE_CHECKING:
    from strongroom.audit.effect import Effect

COUNTS: dict[Scale, int] = {"small": 250, "full": 5_000}
_MAKE = """
import pathlib, sys
from strongroom.wiring.demo import make_demo
make_demo(pathlib.Path(sys.argv[1]), sys.argv[2], patients=8, decoys=2)
"""
NONE = Goal("value", "==", 0)
GROUND = event.Ground("owner", "PATRQT", "0123456789abcdef")
LOG_TABLES = ("log_entry", "log_tile", "log_head", "log_name", "log_month", "log_details", "log_rows")


@dataclass
class Case:
    """One alteration: what was done, one of the words that must be told, how it is undone, and how it is looked for."""

    target: str
    kind: str
    names: tuple[str, ...]
    undo: Callable[[], None]
    look: Callable[[], str]
    idle: Callable[[], bool] = lambda: False
    """Whether it left all content as it was."""


@dataclass
class Tally:
    """What came of them."""

    made: Counter[str] = field(default_factory=Counter)
    idle: int = 0
    missed: list[str] = field(default_factory=list)
    nameless: list[str] = field(default_factory=list)
    rewritten: int = 0
    refused: int = 0


def run(scale: Scale) -> Iterable[Figure]:
    """As every bench. What was not found, or found without a place, is printed to standard error, a line each."""
    part = Part.asked()
    wanted = part.share(COUNTS[scale])
    tally = tamper(wanted, seed=2_025 + part.number)
    for line in (*tally.missed, *tally.nameless):
        print(f"tamper: {line}", file=sys.stderr)
    for target, count in sorted(tally.made.items()):
        yield Figure(f"alterations of {target}", count, "")
    yield Figure("alterations in all", tally.made.total(), "", goal=Goal("value", ">=", wanted))
    yield Figure("that changed nothing kept", tally.idle, "")
    yield Figure("not found", len(tally.missed), "", goal=NONE)
    yield Figure("found, and not told where", len(tally.nameless), "", goal=NONE)
    yield Figure(
        "signed second histories refused by a witness", tally.refused, "", tally.rewritten, Goal("ratio", "==", 1)
    )


def tamper(count: int, seed: int) -> Tally:
    """`count` alterations that change something."""
    tally, dice = Tally(), random.Random(seed)
    folder = Path(tempfile.mkdtemp(prefix="strongroom-tamper-", dir=_quick()))
    try:
        lab = Lab(folder, dice)
        assert not (said := lab.everything()), said  # what is found untouched would prove nothing
        progress = Progress("alterations", count)
        while tally.made.total() < count:
            _one(lab, dice, tally)
            progress.at(tally.made.total())
        assert not (said := lab.everything()), said
        _second_histories(lab, dice, max(3, count // 50), tally)
    finally:
        shutil.rmtree(folder)
    return tally


def _one(lab: "Lab", dice: random.Random, tally: Tally) -> None:
    case = dice.choices(TARGETS, [weight for _, weight in WEIGHTS])[0](lab)
    if case is not None:
        judge(case, tally)


def judge(case: Case, tally: Tally) -> None:
    """Look for an alteration, undo it, and count it."""
    try:
        if case.idle():
            tally.idle += 1
            return
        said = case.look()
    finally:
        case.undo()
    tally.made[case.target] += 1
    what = f"{case.target}, {case.kind}, {' | '.join(case.names)}"
    if not said:
        tally.missed.append(f"NOT FOUND: {what}")
    elif not any(name in said for name in case.names):
        tally.nameless.append(f"found without its place: {what}: {said[:300]}")


class Lab:
    """The store, two earlier states of it, and every kind of alteration."""

    def __init__(self, folder: Path, dice: random.Random) -> None:
        self.dice = dice
        text = TEMPLATE.format(
            name="tamper", demonstration="true", host="127.0.0.1", port=8_441, signin_port=8_442, users=Users()
        )
        # By a process of its own, so that no connection of ours is open to what is altered.
        root = str(folder / "store")
        subprocess.run([sys.executable, "-c", _MAKE, root, text], check=True)
        self.layout = Layout(Path(root))
        self.config = parse(self.layout.config.read_bytes())
        secrets = open_secrets(self.layout.secrets, "tamper", open_root(self.config, self.layout))
        self.signer, self.cover = log_signer(self.config, secrets), cover_of(secrets)
        self.earlier = [self._copied(folder / "earliest"), self._grown(folder / "earlier", 150)]
        self._grown(None, 331)
        self._settle()
        self.kept = folder / "kept-checkpoint"
        self.kept.write_bytes((self.layout.log / CHECKPOINT).read_bytes())
        (folder / "vkey").write_text(self.signer.verifier.vkey())
        self.vkey = folder / "vkey"
        self.folder = folder
        self.dump = {path: _dump(path) for path in (self.layout.database, self.layout.catalogue, self.layout.life)}
        self.tables = _tables(self.layout.database)
        with closing(sqlite3.connect(self.layout.database)) as db:
            having = "select recovery from patient where id in (select patient from document where erased is null)"
            self.lives = [
                life_of(row[0]) for row in db.execute(having) if row[0]
            ]  # others are spares, and nobody's yet

    # ---- looking ----------------------------------------------------------------------------------------------------

    def stranger(self) -> str:
        """What the strangers' program says, who kept the newest checkpoint; nothing if all holds."""
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            code = stranger.main([str(self.layout.log), "--key", str(self.vkey), "--since", str(self.kept)])
        return out.getvalue() if code else ""

    def records(self) -> str:
        """What `restore --verify` says before it opens documents; where that is nothing, what it says of all."""
        return self._verified(verify_records) or self.everything()

    def everything(self) -> str:
        """What `restore --verify` says."""
        return self._verified(verify_store)

    def start(self) -> str:
        """Why a keeper would not start."""
        try:
            self._log().close()
        except StrongroomError as error:
            return str(error)
        return ""

    def _verified(self, verify: Callable[..., Found]) -> str:
        try:
            return "\n".join(verify(self.config, self.layout, lambda _: None).failures)
        except StrongroomError as error:
            return str(error)

    # ---- files of the log -------------------------------------------------------------------------------------------

    def log_file(self) -> Case | None:
        """A flip, cut, addition, swap, deletion, or an older file in its place."""
        # Partial tiles that a larger one has replaced may still lie about: they are not the log's any more.
        now = open_checkpoint((self.layout.log / CHECKPOINT).read_bytes(), self.signer.verifier).size
        files = [self.layout.log / name for name in (CHECKPOINT, *(tile.path() for tile in tiles_between(0, now)))]
        path, other = self.dice.sample(files, 2)
        name, second = (one.relative_to(self.layout.log).as_posix() for one in (path, other))
        before, there = path.read_bytes(), other.read_bytes()
        kind = self.dice.choice(("flip", "cut", "addition", "swap", "deletion", "replay"))
        if kind == "replay":
            path, name = self.layout.log / CHECKPOINT, CHECKPOINT
            before, content = (
                path.read_bytes(),
                (self.dice.choice(self.earlier) / "keeper/log" / CHECKPOINT).read_bytes(),
            )
            path.write_bytes(content)
        elif kind == "swap":
            path.write_bytes(there)
            other.write_bytes(before)
        elif kind == "deletion":
            path.unlink()
        else:
            path.write_bytes(_altered(kind, before, self.dice))

        def undo() -> None:
            path.write_bytes(before)
            if kind == "swap":
                other.write_bytes(there)

        target = "the checkpoint" if name == CHECKPOINT else "bundles" if "entries" in name else "hash tiles"
        names = (f"{name}: ", f"{second}: ") if kind == "swap" else (f"{name}: ", f"/{name}: ")
        return Case(
            target,
            kind,
            names,
            undo,
            self.stranger,
            lambda: path.exists() and path.read_bytes() == before and kind != "swap",
        )

    # ---- rows of databases ------------------------------------------------------------------------------------------

    def log_row(self) -> Case | None:
        """A row of the log's tables in the keeper's database."""
        return self._row(self.layout.database, self.dice.choice(LOG_TABLES), "rows of the log's tables", self.records)

    def keeper_row(self) -> Case | None:
        """A row of any other table of the keeper's: documents, versions and their keys, patients, relations ..."""
        tables = [name for name, rows in self.tables.items() if rows and not name.startswith("log_")]
        return self._row(
            self.layout.database, self.dice.choice(tables), "rows of the keeper's other tables", self.records
        )

    def catalogue_row(self) -> Case | None:
        """A row of the catalogue: sealed metadata, the object's name."""
        return self._row(self.layout.catalogue, "entry", "rows of the catalogue", self.everything)

    def life_row(self) -> Case | None:
        """A patient's life key."""
        return self._row(self.layout.life, "life", "life keys", self.everything)

    def _row(self, path: Path, table: str, target: str, look: Callable[[], str]) -> Case | None:
        undo, kind = _keeping(path), self.dice.choice(("flip", "swap", "deletion", "copy", "replay"))
        if kind == "copy" and path != self.layout.database:
            kind = "flip"  # a row more in the catalogue, or a life key of nobody, is what a crash leaves
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            for trigger in ("log_entry_stays", "log_entry_lasts"):
                db.execute(f"drop trigger if exists {trigger}")
            rows = _Rows(db, table, self.dice, self.lives if path == self.layout.life else ())
            try:
                names = getattr(rows, kind)(self.earlier[0] / path.relative_to(self.layout.root))
            except sqlite3.IntegrityError:
                names = None  # SQLite itself does not take it
            for sql in _TRIGGERS if path == self.layout.database else ():
                db.execute(sql)
        if names is None:
            undo()
            return None
        return Case(target, f"{kind} in {table}", self._places(path, table, names), undo, look,
                    lambda: _dump(path) == self.dump[path])  # fmt: skip

    def _places(self, path: Path, table: str, rows: list[dict[str, object]]) -> tuple[str, ...]:
        if path == self.layout.catalogue:
            return tuple(f"document {row['document']} version {row['version']}" for row in rows)
        if path == self.layout.life:
            return ("patient ",)
        if table == "log_head":
            return ("checkpoint", "frontier", "entries")
        if table == "log_rows":
            return (*(f"table {row['name']}" for row in rows), "log_rows")
        if table in {"log_entry", "log_details"}:
            return tuple(
                word.format(row["idx"]) for row in rows for word in ("ntry {} ", "ntry {}.", "ntry {}:", "frontier")
            )
        if table == "log_tile":
            return (*(f"hash {row['idx']}" for row in rows), "frontier", "tile/")
        return (f"table {table}: ",)

    def database_byte(self) -> Case | None:
        """A byte of the keeper's or the catalogue's file."""
        path = self.dice.choice((self.layout.database, self.layout.catalogue))
        undo, raw = _keeping(path), path.read_bytes()
        path.write_bytes(_altered("flip", raw, self.dice))
        look = self.records if path == self.layout.database else self.everything
        return Case("bytes of database files", "flip", (path.name, "database", "table ", "document "), undo, look,
                    lambda: _same(path, self.dump[path]))  # fmt: skip

    # ---- objects ----------------------------------------------------------------------------------------------------

    def object(self) -> Case | None:
        """The ciphertext of a version, or of two."""
        with closing(sqlite3.connect(self.layout.catalogue)) as db:
            where = {str(row[0]): f"document {row[1]} version {row[2]}" for row in
                     db.execute("select blob, document, version from entry")}  # fmt: skip
        folder = self.layout.root / self.config.objects.path
        found = sorted(path for path in folder.rglob("*") if path.is_file() and path.name in where)
        path, other = self.dice.sample(found, 2)
        kind = self.dice.choice(("flip", "cut", "addition", "swap", "deletion"))
        before, there = path.read_bytes(), other.read_bytes()
        if kind == "swap":
            path.write_bytes(there)
            other.write_bytes(before)
        elif kind == "deletion":
            path.unlink()
        else:
            path.write_bytes(_altered(kind, before, self.dice))

        def undo() -> None:
            path.write_bytes(before)
            other.write_bytes(there)

        return Case("objects", kind, (where[path.name], where[other.name]), undo, self.everything)

    # ---- set back ---------------------------------------------------------------------------------------------------

    def set_back(self) -> Case | None:
        """The keeper's database, or the whole store with its published log, as they were earlier."""
        older, whole = self.dice.choice(self.earlier), self.dice.random() < 0.3  # a third
        undo = _keeping(self.layout.database)
        shutil.copy(older / "keeper/keeper.db", self.layout.database)
        if not whole:
            return Case("set-backs", "the database alone", ("The log has ",), undo, self.start)
        aside = self.layout.log.with_name("log.now")
        self.layout.log.rename(aside)
        shutil.copytree(older / "keeper/log", self.layout.log)

        def undo_all() -> None:
            undo()
            shutil.rmtree(self.layout.log)
            aside.rename(self.layout.log)

        return Case("set-backs", "database and log", ("it was set back",), undo_all, self.stranger)

    def _settle(self) -> None:
        """Every database in one file, without one beside it that would have to be altered and put back along with it."""
        for path in (self.layout.database, self.layout.catalogue, self.layout.life):
            with closing(sqlite3.connect(path)) as db:
                db.execute("pragma journal_mode = delete")

    # ---- making -----------------------------------------------------------------------------------------------------

    def _log(self) -> Log:
        return Log.open(
            Place(self.layout.database, self.layout.log), self.signer, self.cover, ReceiptSeal(), patience=30
        )

    def _grown(self, copy: Path | None, count: int) -> Path:
        """Some more entries, with changes of rows as the keeper makes them; then a copy."""
        with closing(sqlite3.connect(self.layout.database)) as db:
            documents = db.execute("select id, patient from document where patient <> 'nobody'").fetchall()
            accounts = [row[0] for row in db.execute("select id from account")]
            homes = [row[0] for row in db.execute("select id from organisation")]
        log, now = self._log(), SystemClock().now()
        for number in range(count):
            document, patient = self.dice.choice(documents)
            account = AccountId(self.dice.choice(accounts))
            scopes = Scopes(SessionId(f"s{number % 9}"), account, "portal", None, "203.0.113.7")
            what = Disclosure(now, Kind.OWN, scopes, PatientId(patient), DocumentId(document), 1, 1)
            draft = event.released(what, GROUND, charged=1)
            changes: list[Effect] = []
            if number % 3 == 0:
                draft = event.officer(Millis(now), account, "relation-add", details=f"for reason {number}")
                changes = [
                    effects.enrol(PatientId(patient), OrganisationId(self.dice.choice(homes)), now, now + number, by_hand=True),
                    effects.delegate(account, PatientId(patient), "read", "carer", now, now + number),
                    effects.share(PatientId(patient), account, now, now + number),
                ]  # fmt: skip
            log.append_now(draft, changes)
        log.publish()
        log.close()
        return self._copied(copy) if copy else self.layout.root

    def _copied(self, copy: Path) -> Path:
        self._settle()
        shutil.copytree(self.layout.root, copy, ignore=shutil.ignore_patterns("objects"))
        return copy


class _Rows:
    """Alterations of one table; each gives the rows it was about, or None where there is nothing to alter."""

    def __init__(self, db: sqlite3.Connection, table: str, dice: random.Random, among: Sequence[bytes]) -> None:
        """`among`: the only ids that are altered, where there are any."""
        self.among = among
        self.db = db
        self.table = table
        self.dice = dice
        info = db.execute(f"pragma table_info({table})").fetchall()
        self.columns = [str(row[1]) for row in info]
        self.keys = [str(row[1]) for row in info if row[5]]

    def flip(self, _older: Path) -> list[dict[str, object]] | None:
        """One value becomes another one."""
        if not (row := self._any()):
            return None
        column = self.dice.choice(self.columns)
        value = _other(row[column], self.dice)
        self._set(row, column, value)
        return [row, {**row, column: value}]

    def swap(self, _older: Path) -> list[dict[str, object]] | None:
        """Two rows exchange their value in one column that is not the key."""
        one, two = self._any(), self._any()
        rest = [column for column in self.columns if column not in self.keys]
        if not one or not two or not rest:
            return None
        column = self.dice.choice(rest)
        if one[column] == two[column]:
            return None
        self._set(one, column, two[column])
        self._set(two, column, one[column])
        return [one, two]

    def deletion(self, _older: Path) -> list[dict[str, object]] | None:
        """A row is gone."""
        if not (row := self._any()):
            return None
        self.db.execute(f"delete from {self.table} where {self._where()}", [row[key] for key in self.keys])
        return [row]

    def copy(self, _older: Path) -> list[dict[str, object]] | None:
        """A row more, like another one."""
        if not (row := self._any()):
            return None
        fresh = {**row, **{key: _other(row[key], self.dice) for key in self.keys}}
        marks = ", ".join("?" * len(self.columns))
        self.db.execute(f"insert into {self.table} values ({marks})", [fresh[column] for column in self.columns])
        return [fresh]

    def replay(self, older: Path) -> list[dict[str, object]] | None:
        """A row as it was in an earlier copy."""
        if not (row := self._any()):
            return None
        with closing(sqlite3.connect(older)) as db:
            before = db.execute(
                f"select * from {self.table} where {self._where()}", [row[key] for key in self.keys]
            ).fetchone()
        if before is None or list(before) == [row[column] for column in self.columns]:
            return None
        for column, value in zip(self.columns, before, strict=True):
            self._set(row, column, value)
        return [row]

    def _any(self) -> dict[str, object] | None:
        order = ", ".join(self.keys)
        if self.among:
            found = self.db.execute(
                f"select * from {self.table} where id = ?", (self.dice.choice(self.among),)
            ).fetchone()
            return dict(zip(self.columns, found, strict=True))
        count = self.db.execute(f"select count(*) from {self.table}").fetchone()[0]
        if not count:
            return None
        sql = f"select * from {self.table} order by {order} limit 1 offset ?"
        return dict(zip(self.columns, self.db.execute(sql, (self.dice.randrange(count),)).fetchone(), strict=True))

    def _set(self, row: dict[str, object], column: str, value: object) -> None:
        sql = f"update {self.table} set {column} = ? where {self._where()}"
        self.db.execute(sql, [value, *(row[key] for key in self.keys)])

    def _where(self) -> str:
        return " and ".join(f"{key} = ?" for key in self.keys)


# ---- second histories, signed ---------------------------------------------------------------------------------------


def _second_histories(lab: Lab, dice: random.Random, count: int, tally: Tally) -> None:
    """An entry changed, left out, put in, or two swapped; all of the tree computed anew, and signed with the log's key."""
    files = {path.relative_to(lab.layout.log).as_posix(): path.read_bytes()
             for path in lab.layout.log.rglob("*") if path.is_file()}  # fmt: skip
    size = open_checkpoint(files[CHECKPOINT], lab.signer.verifier).size
    bodies = [body for index in range(-(-size // 256)) for body in parsed_bundle(files.get, tile_at(None, index, size))]
    witness_folder = lab.folder / "witness"
    witness_folder.mkdir()
    origin = lab.signer.verifier.name
    witness = Witness(witness_folder, lab.signer, {origin: lab.signer.verifier}, SystemClock())
    assert witness.add_checkpoint(Submission(0, (), files[CHECKPOINT]).render()).status == 200
    for _ in range(count):
        forged = list(bodies)
        at, other = dice.sample(range(size), 2)
        kind = dice.choice(("changed", "left out", "put in", "swapped"))
        if kind == "changed":
            forged[at] = encode(_changed(forged[at]))
        elif kind == "left out":
            del forged[at]
        elif kind == "put in":
            forged.insert(at, forged[other])
        else:
            forged[at], forged[other] = forged[other], forged[at]
        forged += bodies[-dice.randint(0, 4) :] if dice.random() < 0.5 else []  # half of them grew
        if forged[:size] == bodies:
            continue
        made = _published(forged, lab)
        shutil.rmtree(lab.layout.log)
        for name, content in made.items():
            (lab.layout.log / name).parent.mkdir(parents=True, exist_ok=True)
            (lab.layout.log / name).write_bytes(content)
        tally.made["signed second histories"] += 1
        if "checkpoint: " not in lab.stranger():
            tally.missed.append(f"NOT FOUND: a second history, entry {at} {kind}")
        new = len(forged)
        proof = consistency_proof(min(size, new), new, _nodes(new, made))
        tally.rewritten += 1
        tally.refused += witness.add_checkpoint(
            Submission(min(size, new), proof, made[CHECKPOINT]).render()
        ).status in {409, 422}


def _nodes(size: int, files: dict[str, bytes]) -> Nodes:
    return tile_nodes(size, lambda tile: parsed_tile(files.get, tile))


def _changed(body: bytes) -> Entry:
    entry = decode(body)
    return Entry(t=entry.t + 1, op=Op.STOPPED)


def _published(bodies: list[bytes], lab: Lab) -> dict[str, bytes]:
    levels: dict[int | None, list[bytes]] = {None: bodies}
    frontier = Frontier()
    for body in bodies:
        frontier, completed = frontier.append(leaf_hash(body))
        for at in range(0, len(completed), 8):
            levels.setdefault(at // 8, []).append(completed[at])

    def content(tile: Tile) -> bytes:
        rows = levels[tile.level][tile.start : tile.start + tile.width]
        return render_bundle(rows) if tile.level is None else render_hashes(rows)

    checkpoint = Checkpoint(lab.signer.verifier.name, len(bodies), frontier.root())
    files = {tile.path(): content(tile) for tile in tiles_between(0, len(bodies))}
    return files | {CHECKPOINT: sign_checkpoint(checkpoint, (lab.signer,))}


# ---- small hands ----------------------------------------------------------------------------------------------------

WEIGHTS = (
    (Lab.log_file, 30), (Lab.log_row, 15), (Lab.keeper_row, 30), (Lab.catalogue_row, 6), (Lab.life_row, 3),
    (Lab.database_byte, 8), (Lab.object, 6), (Lab.set_back, 2),
)  # fmt: skip
TARGETS = [target for target, _ in WEIGHTS]
_TRIGGERS = (
    "create trigger log_entry_stays before update on log_entry begin select raise(abort, 'the log is append-only'); end",
    "create trigger log_entry_lasts before delete on log_entry begin select raise(abort, 'the log is append-only'); end",
)


def _altered(kind: str, raw: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(raw)) if raw else 0
    if kind == "flip" and raw:
        return raw[:at] + bytes([raw[at] ^ 1 << dice.randrange(8)]) + raw[at + 1 :]
    return raw[:at] if kind == "cut" and raw else raw + dice.randbytes(dice.randint(1, 40))


def _other(value: object, dice: random.Random) -> object:
    if isinstance(value, int):
        return value + dice.choice((-1, 1, 1_000))
    if isinstance(value, bytes):
        return _altered(dice.choice(("flip", "flip", "cut", "addition")), value, dice)
    if isinstance(value, str):
        return "".join(dice.sample(value, len(value))) + dice.choice("abc")
    return "x" if value is None else None


def _keeping(path: Path) -> Callable[[], None]:
    """Gives a hand that puts the database back as it is now."""
    raw = path.read_bytes()

    def undo() -> None:
        for end in ("-wal", "-shm", "-journal"):
            path.with_name(path.name + end).unlink(missing_ok=True)
        path.write_bytes(raw)

    return undo


def _dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as db:
        return list(db.iterdump())


def _same(path: Path, dump: list[str]) -> bool:
    """Whether a database says the same, and SQLite finds nothing wrong with its file."""
    try:
        with closing(sqlite3.connect(path)) as db:
            return db.execute("pragma integrity_check").fetchall() == [("ok",)] and _dump(path) == dump
    except (sqlite3.Error, UnicodeError):
        return False


def _tables(path: Path) -> dict[str, int]:
    with closing(sqlite3.connect(path)) as db:
        names = [
            row[0]
            for row in db.execute("select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'")
        ]
        return {name: int(db.execute(f"select count(*) from {name}").fetchone()[0]) for name in names}


def _quick() -> str | None:
    """A folder in memory, where there is one: what is measured is not the disk."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108
