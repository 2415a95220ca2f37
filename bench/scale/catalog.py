"""The keeper's tables of a large store: people, relations and documents, loaded in order, indices last.

The tables are those of the product (`keeper.sqlite`); only the way in is another one. Keys and names are bytes of the right
length: a bench that opens some makes real ones for them (`cast.py`).
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.scale.world import PAIRS, TAILS, World
from strongroom.clock import DAY, YEAR
from strongroom.keeper.effects import FOREVER
from strongroom.keeper.veil import Veil

Say = Callable[[str], None]
PIECES = 16
"""Steps in which the largest tables are told of."""
SEALED_NAME, WRAPPED, RECOVERED, VERSION_KEY = 60, 106, 125, 60
"""Bytes of what is sealed: a name, a patient's key twice, a version's key."""
_PRAGMAS = (
    "journal_mode = off",  # a load that fails is thrown away and begun anew
    "synchronous = off",
    "locking_mode = exclusive",
    "cache_size = -1000000",  # 1 GB
    "temp_store = file",
    "threads = 2",  # for sorting
)


@contextmanager
def loading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection for loads, and the indices laid aside until the end of it."""
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in _PRAGMAS:
        connection.execute(f"pragma {pragma}")
    indices = connection.execute(
        "select name, sql from sqlite_schema where type = 'index' and sql is not null"
    ).fetchall()
    for name, _ in indices:
        connection.execute(f"drop index {name}")
    connection.execute("begin")
    yield connection
    for _, statement in indices:
        connection.execute(statement)
    connection.execute("commit")
    connection.close()


def load(db: sqlite3.Connection, world: World, veil: Veil, issuer: str, end: int, say: Say) -> None:
    """Everybody and everything. `issuer`: of their logins; `end`: milliseconds, nothing is younger."""
    sizes = world.sizes
    say(f"{sizes.patients:,} patients, {sizes.clinicians:,} clinicians")
    _people(db, world, veil, issuer, end)
    _relations(db, world, end)
    _documents(db, world, end, say)


def subject(patient: int) -> str:
    """How a patient is called at the issuer."""
    return f"person-{patient}"


def doctor(clinician: int) -> str:
    """How a clinician is called at the issuer."""
    return f"doctor-{clinician}"


def _people(db: sqlite3.Connection, world: World, veil: Veil, issuer: str, end: int) -> None:
    name, wrapped, recovery = bytes(SEALED_NAME), bytes(WRAPPED), bytes(RECOVERED)
    everybody = range(world.sizes.patients)
    db.executemany(
        "insert into organisation (id, name, imported) values (?, ?, ?)",
        sorted((world.practice(number), name, end) for number in range(world.practices)),
    )
    db.executemany(
        "insert into patient (id, wrapped, recovery, born, name) values (?, ?, ?, ?, ?)",
        ((world.patient(number), wrapped, recovery, _born(number), name) for number in everybody),
    )
    accounts: Iterable[tuple[object, ...]] = (
        (world.login(number), veil.login(issuer, subject(number)), "person", world.patient(number), name)
        for number in everybody
    )
    db.executemany("insert into account (id, login, kind, patient, name) values (?, ?, ?, ?, ?)", accounts)
    staff: Iterable[tuple[object, ...]] = (
        (world.clinician(number), veil.login(issuer, doctor(number)), "clinician", name, world.practice(number))
        for number in range(world.sizes.clinicians)
    )
    db.executemany("insert into account (id, login, kind, name, brought) values (?, ?, ?, ?, ?)", staff)
    identifiers = sorted((veil.identifier("nhi", str(number)), number) for number in everybody)
    db.executemany(
        "insert into identifier values (?, ?)", ((key, world.patient(number)) for key, number in identifiers)
    )


def _relations(db: sqlite3.Connection, world: World, end: int) -> None:
    since, everybody = end - 2 * YEAR, range(world.sizes.patients)
    db.executemany(
        "insert into enrolment (patient, organisation, since, until) values (?, ?, ?, ?)",
        ((world.patient(number), world.practice(number), since, FOREVER) for number in everybody),
    )
    db.executemany(
        "insert into member (account, organisation, since, until) values (?, ?, ?, ?)",
        ((world.clinician(number), world.practice(number), since, FOREVER) for number in range(world.sizes.clinicians)),
    )
    db.executemany(
        "insert into delegation (account, patient, level, basis, since, until) values (?, ?, 'full', 'parent', ?, ?)",
        (
            (world.login(parent), world.patient(number), since, FOREVER)
            for number in everybody
            if (parent := world.parent(number)) is not None
        ),
    )
    db.executemany(
        "insert into share (patient, party, since, until) values (?, ?, ?, ?)",
        (
            (world.patient(number), world.clinician(number % world.sizes.clinicians), since, end + YEAR)
            for number in everybody[::100]
        ),
    )
    db.executemany(
        "insert into withholding (patient, party, category, since) values (?, ?, 'sensitive', ?)",
        ((world.patient(number), world.practice(number), since) for number in everybody[::50]),
    )


def _born(number: int) -> str:
    return f"{1930 + number % 90}-{1 + number % 12:02}-{1 + number % 28:02}"


# ---- documents ------------------------------------------------------------------------------------------------------
# Fifty million rows in the time that SQLite itself needs for them: ids are put together by a join of three short lists,
# the outer before the inner, as `world.Numbered.id` puts them together, and so come sorted.

_IDS = """
select (a.n * :pairs + b.n) * :run + c.n as number, a.text || b.text || c.text as head
from pair a cross join pair b cross join third c
where a.n >= :first and a.n < :after and (a.n * :pairs + b.n) * :run + c.n < :count
"""
_DOCUMENTS = f"""
insert into document (id, patient, category, state, newest)
select head || tail.text, person.id,
  case number % 50 when 0 then 'sensitive' when 1 then 'clinician-only' else 'normal' end, 'available', 1
from ({_IDS}) cross join tail on tail.n = number % :tails
cross join person on person.n = case when number < :evenly then number % :patients else (number - :evenly) % :favoured end
"""  # noqa: S608  # made of the constant above
_VERSIONS = """
insert into version (document, version, state, content_type, size, sealed_size, created, author, wrapped_content,
  wrapped_metadata)
select id, 1, 'available', 'application/pdf', 252000, 253300, :created, :author,
  cast(substr(id || id || id, 1, :key) as blob), cast(substr(id || id || id, 2, :key) as blob)
from document where id >= :first and id < :after and patient <> 'nobody'
"""


def _documents(db: sqlite3.Connection, world: World, end: int, say: Say) -> None:
    numbered, count = world.documents, world.sizes.documents
    _lists(db, world)
    outer = -(-count // (numbered.run * len(PAIRS)))  # first pairs that are used at all
    step = max(1, -(-outer // PIECES))
    done = 0
    for first in range(0, outer, step):
        after = min(first + step, outer)
        told = {
            "pairs": len(PAIRS), "run": numbered.run, "tails": TAILS, "count": count, "first": first, "after": after,
            "evenly": world.evenly, "patients": world.sizes.patients, "favoured": world.favoured,
        }  # fmt: skip
        done += db.execute(_DOCUMENTS, told).rowcount
        span = {"first": PAIRS[first], "after": PAIRS[after] if after < len(PAIRS) else "~"}
        of = {"created": end - YEAR + first * DAY // 4, "author": world.clinician(first % world.sizes.clinicians)}
        db.execute(_VERSIONS, {**span, **of, "key": VERSION_KEY})
        say(f"{done:,} of {count:,} documents")
    assert done == count


def _lists(db: sqlite3.Connection, world: World) -> None:
    numbered = world.documents
    db.execute("create temp table pair (n integer primary key, text text not null)")
    db.executemany("insert into pair values (?, ?)", enumerate(PAIRS))
    db.execute("create temp table third (n integer primary key, text text not null)")
    db.executemany("insert into third values (?, ?)", ((n, PAIRS[n * numbered.step]) for n in range(numbered.run)))
    db.execute("create temp table tail (n integer primary key, text text not null)")
    db.executemany("insert into tail values (?, ?)", enumerate(numbered.tails))
    db.execute("create temp table person (n integer primary key, id text not null)")
    db.executemany("insert into person values (?, ?)", ((n, world.patient(n)) for n in range(world.sizes.patients)))
