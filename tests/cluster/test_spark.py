"""What is said where Spark cannot run. Where it runs, `./up bench distributed` holds it to what one machine says."""

import importlib.util
from pathlib import Path

import pytest

from strongroom.cluster.spark import Spark
from strongroom.errors import ConfigError


def test_without_pyspark_the_line_that_installs_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The main installation stays small: nothing of Spark is in it."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(ConfigError, match="pyspark") as caught:
        Spark("local[1]", tmp_path / "nowhere")
    assert "strongroom hunt --install-spark" in caught.value.advice
