"""The bench of hunts on a cluster: its logs are late and partly twice, all of each is read, and each has something to find."""

import os
import subprocess
import sys
from pathlib import Path

from bench import distributed
from strongroom.detect.duckdb import Engine
from strongroom.detect.hunt import Wanted, hunt
from strongroom.logs import files


def test_made_logs_are_read_and_hold_a_theft(tmp_path: Path) -> None:
    """Access logs, OCSF in Parquet with its ids, CloudTrail: nothing unreadable, what came twice is left out."""
    for path, twice in (
        (distributed._access(tmp_path / "access", 12_000), False),
        (distributed._parquet(tmp_path, 12_000), True),
        (distributed._trail(tmp_path, 400), True),
    ):
        with Engine() as engine:
            found = hunt(files.expand((str(path),)), Wanted(), engine)
        assert len(found.files) == distributed.FILES
        assert all(file.format and not file.account.unreadable for file in found.files)
        assert bool(found.duplicates) == twice
        assert found.findings


def test_what_other_processes_spend_is_counted() -> None:
    """Those below this one, while they live."""
    meter = distributed.Meter()
    before = meter.total()
    program = "print(sum(range(10**7)), flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ}
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        assert meter.total() > before
        process.communicate(b"\n")
