"""One filled store, made once; every test has copies."""

from pathlib import Path

import pytest

from bench.model.play import CONFIG
from strongroom.wiring.demo import make_demo


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with budgets that are met often."""
    root = tmp_path_factory.mktemp("model") / "store"
    make_demo(root, CONFIG, rehearsal=True, patients=16, decoys=2)
    return root
