"""Processes that are killed and machines that lose power: what was acknowledged holds. `./up bench crash` does more of it."""

import importlib
import inspect
import random
import shutil

import pytest

from bench import crash
from bench.dying import MOMENTS


def test_every_moment_has_its_function() -> None:
    """A moment that is named after a function which is no more would never be passed; names are said once."""
    assert len({moment.name for moment in MOMENTS}) == len(MOMENTS)
    for moment in MOMENTS:
        module, _, path = moment.where.partition(":")
        found = importlib.import_module(module)
        for name in path.split("."):
            found = getattr(found, name)
        assert inspect.isfunction(found), moment.where


@pytest.fixture(scope="module")
def found() -> crash.Found:
    """Twenty kills at named moments and at any, then five losses of power and one on a disk that lies."""
    if shutil.which("strace") is None:
        pytest.skip("needs strace (./up check installs it)")
    size = crash.Size(kills=20, losses=5, moments=5, every=9, seconds=2.5, lies=1)
    return crash.crash(size, seed=random.randrange(2**32))


def test_nothing_that_was_acknowledged_is_lost(found: crash.Found) -> None:
    """Releases have their entries, entries their charges, uploads their bytes; nothing is half there; the log verifies."""
    assert found.broken == []


def test_the_examination_had_something_to_examine(found: crash.Found) -> None:
    """People were served all the while; and where a disk loses what it said was synced, that is found."""
    assert found.kills >= 20
    assert found.losses == 5
    assert found.examined > 5
    assert found.told.released
    assert found.told.uploads
    assert found.caught
