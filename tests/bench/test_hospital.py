"""The hospital's part of the bench: each theft is judged against its own account, and one that hides is not counted."""

import csv
import gzip
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bench import hospital


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Sixty days of thirty accounts with a record a day each, and one with thirty an hour."""
    start = datetime(2013, 1, 15, tzinfo=UTC)
    with gzip.open(tmp_path / "h.csv.gz", "wt", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("timestamp", "case_id", "activity", "resource"))
        for day in range(60):
            for account in range(30):
                when = start + timedelta(days=day, minutes=account)
                writer.writerow((when.isoformat(sep=" "), f"C{day}-{account}", "NEW", f"Res{account}"))
    return tmp_path


def test_thefts_are_counted(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of eight bursts are caught, and none of eight that read one record."""
    monkeypatch.setattr(hospital, "THEFTS", 8)
    honest = hospital._events(data / "h.csv.gz")
    assert hospital._caught(honest, 1, hospital._burst) == 8
    assert hospital._caught(honest, 1, lambda _: [timedelta(hours=1)]) == 0


def test_a_theft_takes_what_the_account_never_touched(data: Path) -> None:
    """With that account's whole past under another name, and the theft in the month that is scored."""
    honest = hospital._events(data / "h.csv.gz")
    records = sorted({record for _, _, record in honest})
    theft = hospital._theft(honest, random.Random(2), "Res3", 7, records, [timedelta(hours=5)] * 25)
    own = {record for _, who, record in honest if who == "Res3"}
    assert {who for _, who, _ in theft} == {"thief7"}
    assert len(theft) == 60 + 25
    assert not own & {record for when, _, record in theft if when == hospital.SCORED + timedelta(hours=5)}


def test_paces() -> None:
    """Twenty-five within an hour; a hundred and fifty over thirty days."""
    burst, slow = hospital._burst(random.Random(3)), hospital._slow(random.Random(3))
    assert len(burst) == 25
    assert burst[-1] - burst[0] < timedelta(hours=1)
    assert len(slow) == 150
