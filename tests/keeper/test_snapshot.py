"""Snapshots of the budgets: believed only when whole, ours and not ahead of the log; losing one loses no charge."""

from pathlib import Path

import pytest

from strongroom.budget.ledger import Ledger
from strongroom.budget.scope import Disclosure, Kind, Scopes
from strongroom.budget.table import DEFAULTS
from strongroom.clock import Millis
from strongroom.errors import Unavailable
from strongroom.ids import AccountId, DocumentId, PatientId, SessionId
from strongroom.keeper.snapshot import Snapshots
from strongroom.secret import Secret

KEY = Secret(b"k" * 32)
EMPTY = Ledger(DEFAULTS).snapshot()


def used() -> Ledger:
    """A ledger that has counted something."""
    ledger = Ledger(DEFAULTS)
    scopes = Scopes(SessionId("s"), AccountId("a"), "cli", None, "192.0.2.1/32")
    ledger.apply(Disclosure(Millis(10**12), Kind.STRANGER, scopes, PatientId("p"), DocumentId("d"), 1, 5))
    return ledger


def loaded(path: Path, key: Secret = KEY, size: int = 7) -> tuple[bytes, int]:
    """What a start finds: the ledger's bytes and from where to replay."""
    ledger, index = Snapshots(path, key).load(DEFAULTS, size)
    return ledger.snapshot(), index


def test_what_is_kept_is_found_again(tmp_path: Path) -> None:
    """With the place in the log from which to replay; the newest wins; nobody else may read the file."""
    path = tmp_path / "s"
    Snapshots(path, KEY).keep(Ledger(DEFAULTS), 3)
    Snapshots(path, KEY).keep(used(), 7)
    assert loaded(path) == (used().snapshot(), 7)
    assert path.stat().st_mode & 0o777 == 0o600
    assert used().snapshot() != EMPTY


def test_a_missing_forged_cut_or_older_logs_snapshot_is_not_believed(tmp_path: Path) -> None:
    """Then everything is replayed from the first entry."""
    path = tmp_path / "s"
    assert loaded(path) == (EMPTY, 0)
    Snapshots(path, KEY).keep(used(), 7)
    raw = path.read_bytes()
    assert loaded(path, key=Secret(b"x" * 32)) == (EMPTY, 0)
    assert loaded(path, size=6) == (EMPTY, 0)
    for place in (0, 7, 8, 39, 40, len(raw) - 1):
        path.write_bytes(raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :])
        assert loaded(path) == (EMPTY, 0)
    for length in (0, 5, 8, 20, 40, len(raw) - 1):
        path.write_bytes(raw[:length])
        assert loaded(path) == (EMPTY, 0)


def test_a_snapshot_of_another_form_is_not_believed(tmp_path: Path) -> None:
    """Ours by its tag, but of a ledger that this version does not read."""
    path = tmp_path / "s"
    snapshots = Snapshots(path, KEY)
    place = (7).to_bytes(8, "big")
    path.write_bytes(place + snapshots._tag(place + b"rubbish") + b"rubbish")
    assert loaded(path) == (EMPTY, 0)


def test_a_snapshot_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    """And says what to do."""
    path = tmp_path / "s"
    Snapshots(path, KEY).keep(used(), 7)
    path.with_suffix(".new").mkdir()
    with pytest.raises(Unavailable, match="snapshot"):
        Snapshots(path, KEY).keep(Ledger(DEFAULTS), 9)
    assert loaded(path) == (used().snapshot(), 7)
