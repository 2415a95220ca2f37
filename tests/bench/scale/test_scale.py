"""A large store in small: what the product finds in it is what the world says."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bench import CACHE, scale
from bench.scale import Standing
from bench.scale.world import World
from strongroom.audit.files import Directory
from strongroom.audit.query import Affected, Read, Selectors, Window
from strongroom.audit.sqlite_reader import Reader
from strongroom.audit.start import check_entry
from strongroom.audit.verify import verify
from strongroom.budget.ledger import Ledger
from strongroom.errors import ConfigError
from strongroom.keeper.sqlite import Catalog
from strongroom.tlog.note import Verifier
from strongroom.wiring.keeper import open_keeper
from strongroom.wiring.place import VKEY, make_store
from tests.bench.conftest import SMALL

END = 1_790_000_000_000


def test_the_log_is_a_real_one(standing: Standing) -> None:
    """The verifier accepts every byte of it, and each entry is filed under what it says."""
    verifier = Verifier.parse((standing.layout.trust / VKEY).read_text().strip())
    assert verify(Directory(standing.layout.log).read, verifier).size > SMALL.entries  # other tests append
    with closing(Reader.open(standing.layout.database)) as reader:
        for stored in reader.entries(0, SMALL.entries):
            check_entry(reader, stored)


def test_the_keeper_opens_it_and_finds_the_theft(standing: Standing) -> None:
    """Everybody who was read and every document, and the budgets as a replay of the whole log gives them."""
    world = standing.world
    keeper = open_keeper(standing.config, standing.layout).keeper
    parts = keeper.door.parts
    try:
        with closing(parts.query()) as query:
            window = Window(parts.log.size)
            thief = Selectors(account=world.login(world.thief), client="cli")
            rows = [row for row in query.who_read(thief, window) if isinstance(row, Read) and row.kind == "stranger"]
            expected = [
                (world.patient(world.victim(number)), ((world.document(one), 1),))
                for number in range(SMALL.victims)
                for one in world.loot(number)
            ]
            assert [(row.patient, row.documents) for row in rows] == expected
            assert all(row.delivered == row.bytes for row in rows)
            people = {one.patient for one in query.people(thief, window) if isinstance(one, Affected)}
            assert people >= {patient for patient, _ in expected}
        ledger = Ledger()
        for disclosure in keeper.recount(0):
            ledger.apply(disclosure)
        assert ledger.snapshot() == parts.ledger.snapshot()
    finally:
        parts.log.close()
        parts.catalog.close()


def test_the_catalogue_is_what_the_world_says(standing: Standing, tmp_path: Path) -> None:
    """Documents, owners, relations and indices."""
    world, catalog = standing.world, Catalog(standing.layout.database)
    held = dict(catalog.documents_of([world.patient(number) for number in range(SMALL.patients)]))
    for number in range(SMALL.patients):
        assert sorted(held[world.patient(number)]) == sorted(world.document(one) for one in world.documents_of(number))
    assert catalog.version(world.document(5), 1) is not None
    counted = "select count(*) from document join version on version.document = document.id where document.decoy = 0"
    assert catalog.rows(counted) == [(SMALL.documents + 1,)]  # and nobody's
    catalog.close()
    make_store(tmp_path / "empty", scale.TEXT)
    named = "select name, sql from sqlite_schema where type in ('index', 'trigger') order by name"
    with (
        closing(sqlite3.connect(standing.layout.database)) as db,
        closing(sqlite3.connect(tmp_path / "empty" / "keeper" / "keeper.db")) as empty,
    ):
        assert db.execute(named).fetchall() == empty.execute(named).fetchall()
        assert db.execute("pragma integrity_check").fetchone() == ("ok",)


def test_the_same_seed_gives_the_same_log(standing: Standing, tmp_path: Path) -> None:
    """Made twice, whatever the keys: the same leaves, but for the last entry, which says the sum of the rows."""
    leaves = []
    for name in ("one", "two"):
        scale.make(tmp_path / name, World(SMALL, 7), END, "small")
        with closing(sqlite3.connect(tmp_path / name / "keeper" / "keeper.db")) as db:
            leaves.append(db.execute("select leaf from log_entry order by idx").fetchall())
    assert leaves[0][:-1] == leaves[1][:-1]
    assert len(leaves[0]) == SMALL.entries + 1


def test_it_is_made_once(standing: Standing) -> None:
    """What is there is used again; what another program made, or did not finish, is made anew."""
    assert scale.stand("small").manifest == standing.manifest
    assert [figure.value for figure in scale.run("small")][:3] == [SMALL.patients, SMALL.clinicians, SMALL.documents]


def test_a_full_one_of_another_version_is_made_anew_only_when_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bench that needs it says what to do, and takes nothing away that took an hour to make."""
    monkeypatch.setenv(CACHE, str(tmp_path))
    monkeypatch.setattr(scale, "make", lambda root, *_: root.mkdir())
    monkeypatch.setattr(scale, "check_room", lambda *_: None)
    said = tmp_path / "scale-full" / scale.SAID
    said.parent.mkdir()
    said.write_text("{}")
    with pytest.raises(ConfigError, match="another version") as caught:
        scale.stand("full")
    assert "bench scale --scale full" in (caught.value.advice or "")
    assert said.exists()
    with pytest.raises(ConfigError, match="no large store"):  # what was made here is none
        scale.stand("full", anew=True)
    assert not said.exists()


def test_it_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing else that lies there."""
    monkeypatch.setenv(CACHE, str(tmp_path))
    (tmp_path / "scale-full").mkdir()
    (tmp_path / "mine").mkdir()
    scale.remove()
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_full_disk_is_told_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what it needs, what there is, and what to do."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(2, 1, 1_000_000))
    with pytest.raises(ConfigError, match=r"needs 0\.0 GB, and .* has 0\.0 GB free") as caught:
        scale.check_room(tmp_path / "cache" / "scale-small", SMALL)
    assert "--cache" in (caught.value.advice or "")
