"""Parts that are gone or lie, under load: refused in words that say what to do, and well again by themselves.

Which kind of answer comes, and not how soon: that is measured by `./up bench faults`, which also has the faults that need the
right to mount and to trace.
"""

from dataclasses import replace

import pytest

from bench.faults import FAULTS, asking, measured
from bench.faults.fault import Result
from bench.faults.scene import MODULE
from bench.weed import WEED

PLAIN = (
    "keeper database: gone",
    "keeper database: lying",
    "catalogue: gone",
    "clock: ahead",
    "signer of contexts: lying",
    "keeper process: gone",
)
WHOLE = ("HSM: gone", "HSM: lying", "bucket: lying")


def run(names: tuple[str, ...]) -> Result:
    """These faults, each until it was refused, with clients that wait for as long as it takes."""
    chosen = [replace(fault, seconds=min(fault.seconds, 0.5)) for fault in FAULTS if fault.name in names]
    assert len(chosen) == len(names)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asking, "PATIENCE", 60.0)
        return measured("small", chosen, own_disk=False)


def check(result: Result, names: tuple[str, ...]) -> None:
    """Every one refused what it must, said what to do, and was healed; nothing that was acknowledged is missing."""
    assert {row.name: row.broken for row in result.rows} == {name: [] for name in names}
    assert result.broken == []
    assert result.released
    assert result.uploads


def test_parts_of_a_store_with_files() -> None:
    """Its databases, the clock, who signs contexts, a process."""
    check(run(PLAIN), PLAIN)


def test_parts_of_a_store_with_an_hsm_and_a_bucket() -> None:
    """A token that is taken out, another one in its place, a bucket that gives other bytes."""
    if not MODULE.exists() or not WEED.exists():
        pytest.skip("needs SoftHSM and the SeaweedFS server `weed` (./up check installs both)")
    check(run(WHOLE), WHOLE)
