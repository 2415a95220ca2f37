"""The fact query against a naive oracle: the same worlds, told twice, must give the same facts."""

import random
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from strongroom.errors import ConfigError, Unavailable
from strongroom.ids import AccountId, OrganisationId, PatientId
from strongroom.keeper.schema import NOBODY, NOTHING, VERSION, create_tables
from strongroom.keeper.sqlite import Catalog

NOW = 1_000


@dataclass
class World:
    """Relations as plain lists; the oracle walks them without any index or join."""

    accounts: list[tuple[str, bytes, str, int, str | None]] = field(default_factory=list)
    patients: list[tuple[str, str | None]] = field(default_factory=list)
    documents: list[tuple[str, str, str, str, int, int]] = field(default_factory=list)
    members: list[tuple[str, str, int, int]] = field(default_factory=list)
    enrolments: list[tuple[str, str, int, int]] = field(default_factory=list)
    delegations: list[tuple[str, str, str, str, int, int]] = field(default_factory=list)
    shares: list[tuple[str, str, int, int]] = field(default_factory=list)
    withholdings: list[tuple[str, str, str, int, int]] = field(default_factory=list)
    glasses: list[tuple[str, str, int, str | None, int, int]] = field(default_factory=list)
    grants: list[tuple[str, str, str, int, int, int]] = field(default_factory=list)
    agreements: list[tuple[str, str, int]] = field(default_factory=list)


def period(rng: random.Random) -> tuple[int, int]:
    """A period around now, its ends included as often as not."""
    return rng.choice([0, NOW - 1, NOW, NOW + 1]), rng.choice([NOW - 1, NOW, NOW + 1, 10 * NOW])


def make(rng: random.Random) -> World:  # noqa: C901  # a flat list of relations
    """A small world in which every relation occurs, live and not."""
    world = World()
    organisations = [f"o{n}" for n in range(3)]
    patients = [f"p{n}" for n in range(4)]
    accounts = [f"a{n}" for n in range(5)]
    parties = ["", *organisations, *accounts]
    world.patients = [(p, rng.choice([None, "2015-02-28"])) for p in patients]
    for a in accounts:
        kind = rng.choice(["person", "clinician", "service"])
        world.accounts.append((a, a.encode(), kind, rng.randint(0, 1), rng.choice([None, *patients])))
    for n in range(6):
        category = rng.choice(["normal", "sensitive", "clinician-only"])
        state = rng.choice(["available", "pending", "deleted"])
        world.documents.append((f"d{n}", rng.choice(patients), category, state, 1, int(rng.random() < 0.2)))
    for left in accounts:
        for organisation in rng.sample(organisations, 2):
            world.members.append((left, organisation, *period(rng)))
    for p in patients:
        for organisation in rng.sample(organisations, 2):
            world.enrolments.append((p, organisation, *period(rng)))
        for party in rng.sample(parties[1:], 3):
            world.shares.append((p, party, *period(rng)))
        for party in rng.sample(parties, 3):
            world.withholdings.append((p, party, rng.choice(["", "normal", "sensitive"]), 0, rng.randint(0, 1)))
        for a in rng.sample(accounts, 3):
            world.delegations.append((a, p, rng.choice(["read", "full"]), "parent", *period(rng)))
            since, until = period(rng)
            world.glasses.append((a, p, since, rng.choice([None, *organisations]), until, 0))
            world.agreements.append((a, p, rng.choice([NOW - 1, NOW, NOW + 1])))
    for a in rng.sample(accounts, 3):
        world.grants.append((a, rng.choice(organisations), "TREAT", 5, 6, 7))
    return world


def store(world: World, path: Path) -> Catalog:
    """The world in a database."""
    create_tables(path)
    db = sqlite3.connect(path)
    with db:
        db.executemany("insert into account values (?, ?, ?, ?, ?, x'', null)", world.accounts)
        for p, born in world.patients:
            db.execute("insert into patient values (?, ?, x'', 1, ?, x'')", (p, p.encode(), born))
        for d, p, category, state, newest, decoy in world.documents:
            db.execute(
                "insert into document values (?, ?, ?, ?, ?, ?, null, null)", (d, p, category, state, newest, decoy)
            )
        db.executemany("insert into member values (?, ?, ?, ?)", world.members)
        db.executemany("insert into enrolment values (?, ?, ?, ?, 0)", world.enrolments)
        db.executemany("insert into delegation values (?, ?, ?, ?, ?, ?, 0)", world.delegations)
        db.executemany("insert into share values (?, ?, ?, ?)", world.shares)
        db.executemany("insert into withholding values (?, ?, ?, ?, ?)", world.withholdings)
        db.executemany("insert into glass values (?, ?, ?, ?, ?, ?)", world.glasses)
        db.executemany("insert into service_grant values (?, ?, ?, ?, ?, ?)", world.grants)
        db.executemany("insert into agreement values (?, ?, ?)", world.agreements)
    db.close()
    return Catalog(path)


def live(since: int, until: int) -> bool:
    """From its first millisecond on, up to but not including its last."""
    return since <= NOW < until


def told(world: World, account: str | None, kind: str, patient: str) -> tuple[object, ...]:
    """The facts about one login and one patient, by walking every list; those that nothing of its kind is decided by are
    nothing.
    """
    cares, program = kind == "clinician", kind == "service"
    mine = {o for a, o, since, until in world.members if a == account and live(since, until)}
    theirs = {o for p, o, since, until in world.enrolments if p == patient and live(since, until)}
    delegation = [row[2:] for row in world.delegations if row[:2] == (account, patient)]
    grant = [row[1:] for row in world.grants if row[0] == account]
    openings = [until for a, p, opened, _, until, _ in world.glasses if (a, p) == (account, patient) and opened <= NOW]
    parties = {account} | {o for a, o, _, _ in world.members if a == account}
    barred = [(c, out) for p, party, c, _, out in world.withholdings if p == patient and party in parties | {""}]
    return (
        tuple(delegation[0]) if delegation else None,
        cares and bool(mine & theirs),
        cares and any(p == patient and live(s, u) and party in mine | {account} for p, party, s, u in world.shares),
        frozenset(category for category, _ in barred if cares),
        frozenset(category for category, out in barred if cares and out),
        max(openings) if openings and cares else None,
        tuple(grant[0]) if grant else None,
        program and bool(grant) and grant[0][0] in theirs,
        kind != "person" and any((a, p) == (account, patient) and until > NOW for a, p, until in world.agreements),
        min(mine) if mine and cares else None,
    )


def asked(catalog: Catalog, login: bytes, document: str) -> tuple[object, ...]:
    """The same facts from the query."""
    _, s, _ = catalog.of_document(login, document, NOW)
    d, g = s.delegation, s.grant
    return (
        (d.level, d.basis, d.since, d.until) if d else None,
        s.practice is not None,
        s.shared,
        s.withheld,
        s.ruled_out,
        s.glass_until,
        (g.organisation, g.purpose, g.cursor, g.size, g.until) if g else None,
        s.granted_patient,
        s.agreed,
        s.home,
    )


@pytest.mark.parametrize("seed", range(40))
def test_the_fact_query_equals_its_oracle(seed: int, tmp_path: Path) -> None:
    """For every login and document of a generated world, the one statement says what walking the lists says."""
    world = make(random.Random(seed))
    catalog = store(world, tmp_path / "k.db")
    owners = {d: p for d, p, *_ in world.documents}
    for account, login, kind, disabled, own in world.accounts:
        for document, owner in owners.items():
            row, subject, found = catalog.of_document(login, document, NOW)
            assert (row.id, row.kind, row.disabled, row.patient) == (account, kind, bool(disabled), own)
            assert (found.id, subject.patient) == (document, owner)
            assert asked(catalog, login, document) == told(world, account, kind, owner)
            again_row, again = catalog.of_patient(login, owner, NOW)
            assert (again_row, again) == (row, subject)
    catalog.close()


def test_unknown_logins_and_documents_are_nobodys(tmp_path: Path) -> None:
    """What is not known has no relation to anybody, and is found by the same statement."""
    catalog = store(make(random.Random(1)), tmp_path / "k.db")
    row, subject, found = catalog.of_document(b"a0", "no such document", NOW)
    assert (row.id, subject.patient, found.id, found.state) == ("a0", NOBODY, NOTHING, "deleted")
    row, subject, found = catalog.of_document(b"no such login", "d0", NOW)
    assert (row.id, row.kind, subject.delegation, subject.practice) == (None, None, None, None)
    assert (subject.shared, subject.glass_until, subject.grant, subject.home) == (False, None, None, None)
    assert catalog.of_patient(b"a0", "no such patient", NOW)[1].patient == NOBODY
    catalog.close()


def test_lists_are_ordered_paged_and_without_decoys(tmp_path: Path) -> None:
    """A decoy is in no list."""
    world = make(random.Random(3))
    world.documents += [(f"e{n}", world.patients[n % 4][0], "normal", "available", 1, 1) for n in range(4)]
    catalog = store(world, tmp_path / "k.db")
    for patient, *_ in world.patients:
        expected = sorted(d for d, p, _, _, _, decoy in world.documents if p == patient and not decoy)
        whole = [row.id for row, _ in catalog.page(PatientId(patient), "", 100)]
        assert whole == expected
        if expected:
            assert [row.id for row, _ in catalog.page(PatientId(patient), expected[0], 100)] == expected[1:]
            assert [row.id for row, _ in catalog.page(PatientId(patient), "", 1)] == expected[:1]
        for row, version in catalog.page(PatientId(patient), "", 100):
            assert version == catalog.version(row.id, row.newest)
    catalog.close()


def test_documents_of_many_patients_at_once(tmp_path: Path) -> None:
    """Each with all there ever were, decoys and deleted ones, too; without those who have none."""
    rng = random.Random(5)
    world = make(rng)
    catalog = store(world, tmp_path / "k.db")
    held: dict[str, set[str]] = {}
    for document, patient, *_ in world.documents:
        held.setdefault(patient, set()).add(document)
    wanted = [PatientId(one) for one in (*sorted(held)[:3], "unknown")]
    assert {one: set(found) for one, found in catalog.documents_of(wanted)} == {one: held[one] for one in wanted[:3]}
    assert catalog.documents_of([]) == []
    catalog.close()


def test_openings_count_what_is_inside_the_window_and_was_not_agreed(tmp_path: Path) -> None:
    """Only unagreed openings after the moment given count, by account and by organisation."""
    world = World(accounts=[("a", b"a", "clinician", 0, None)])
    world.glasses = [("a", "p", 10, "o", 99, 0), ("a", "p", 11, "o", 99, 0), ("a", "q", 12, "o", 99, 1)]
    world.glasses.append(("b", "p", 13, "o", 99, 0))
    catalog = store(world, tmp_path / "k.db")
    assert catalog.openings(AccountId("a"), OrganisationId("o"), 10) == (1, 2)
    assert catalog.openings(AccountId("a"), None, 9) == (2, 0)
    catalog.close()


def test_a_database_that_is_gone_is_unavailable(tmp_path: Path) -> None:
    """A read that cannot be done says what to look at; it never answers as if there were nothing."""
    catalog = store(World(), tmp_path / "k.db")
    sqlite3.connect(tmp_path / "k.db").execute("drop table document")
    with pytest.raises(Unavailable, match="database"):
        catalog.of_document(b"a", "d", NOW)


def test_a_database_without_its_sentinels_is_unavailable(tmp_path: Path) -> None:
    """An unknown document could not be looked up as nobody's; it must not be found out by an error of another kind."""
    catalog = store(World(), tmp_path / "k.db")
    db = sqlite3.connect(tmp_path / "k.db")
    with db:
        db.execute("delete from document")
    db.close()
    with pytest.raises(Unavailable, match="sentinel"):
        catalog.of_document(b"a", "d", NOW)
    catalog.close()


def test_tables_of_another_version_are_refused(tmp_path: Path) -> None:
    """With both versions in the message, before anything is read."""
    path = tmp_path / "keeper.sqlite"
    create_tables(path)
    with sqlite3.connect(path) as db:
        db.execute(f"pragma user_version = {VERSION + 1}")
    db.close()
    with pytest.raises(ConfigError, match=f"version {VERSION + 1}; this program reads {VERSION}"):
        Catalog(path)


@pytest.mark.parametrize(
    ("here", "elsewhere", "expected"),
    [
        ((0, NOW + 1, 0), None, True),
        ((0, NOW + 1, 1), None, True),
        ((0, NOW + 1, 0), (0, NOW + 1), True),
        ((0, NOW, 0), None, True),
        ((0, NOW, 0), (0, NOW), True),
        ((0, NOW, 0), (NOW + 1, NOW + 2), True),
        ((0, NOW, 0), (NOW, NOW + 1), False),
        ((0, NOW, 1), None, False),
        (None, None, False),
        (None, (0, NOW + 1), False),
    ],
)
def test_whom_a_feed_may_speak_of(
    tmp_path: Path, here: tuple[int, int, int] | None, elsewhere: tuple[int, int] | None, expected: bool
) -> None:
    """Who is there; who was let go by the feed itself and is with nobody else; nobody whom an officer took away."""
    create_tables(tmp_path / "k.db")
    db = sqlite3.connect(tmp_path / "k.db")
    with db:
        if here:
            db.execute("insert into enrolment values ('p', 'o', ?, ?, ?)", here)
        if elsewhere:
            db.execute("insert into enrolment values ('p', 'x', ?, ?, 0)", elsewhere)
        db.execute("insert into enrolment values ('q', 'o', 0, 99999, 0)")
    db.close()
    catalog = Catalog(tmp_path / "k.db")
    assert catalog.is_reachable(PatientId("p"), OrganisationId("o"), NOW) is expected
    catalog.close()


def test_who_brought_a_login(tmp_path: Path) -> None:
    """An organisation, or nobody."""
    create_tables(tmp_path / "k.db")
    db = sqlite3.connect(tmp_path / "k.db")
    with db:
        db.execute("insert into account values ('a', x'01', 'person', 0, null, x'', 'o')")
        db.execute("insert into account values ('b', x'02', 'service', 0, null, x'', null)")
    db.close()
    catalog = Catalog(tmp_path / "k.db")
    assert [catalog.brought_by(AccountId(one)) for one in "abc"] == ["o", None, None]
    catalog.close()


def test_what_a_record_can_be_shared_with(tmp_path: Path) -> None:
    """An organisation or a clinician; no patient's login, no program, nobody."""
    create_tables(tmp_path / "k.db")
    db = sqlite3.connect(tmp_path / "k.db")
    with db:
        for number, kind in enumerate(("clinician", "person", "service")):
            db.execute("insert into account values (?, ?, ?, 0, null, x'', null)", (kind, bytes([number]), kind))
        db.execute("insert into organisation (id, name) values ('o', x'')")
    db.close()
    catalog = Catalog(tmp_path / "k.db")
    assert [catalog.is_party(one) for one in ("clinician", "o", "person", "service", "", "x")] == [True] * 2 + [
        False
    ] * 4
    catalog.close()


def test_a_round_of_the_loop_sees_one_state_and_the_next_the_newest(tmp_path: Path) -> None:
    """A change that is committed meanwhile is in no fact of the round, and in all of the next; closing waits for none."""
    path, later = tmp_path / "k.db", list[Callable[[], None]]()
    catalog = store(make(random.Random(1)), path)
    catalog.share(later.append)
    with sqlite3.connect(path) as writer:
        writer.execute("pragma journal_mode = wal")

        def disabled() -> bool:
            return catalog.of_document(b"a0", "d0", NOW)[0].disabled

        before = disabled()
        writer.execute("update account set disabled = 1 - disabled")
        writer.commit()
        assert disabled() is before
        assert len(later) == 1
        later.pop()()
        assert disabled() is not before
    catalog.close()
    later.pop()()
