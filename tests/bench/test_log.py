"""The bench of the log: it proves, verifies, dies and starts again."""

import pytest

from bench import log
from bench.scale import Standing


def test_what_was_appended_before_the_death_is_replayed(standing: Standing, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every release of the last minute is in the log that the next keeper starts with."""
    for name, value in (("PROOFS", 3), ("MINUTE", 32), ("STARTS", 1)):
        monkeypatch.setitem(getattr(log, name), "small", value)
    figures = {figure.name: figure.value for figure in log.run("small")}
    assert figures["entries in the log"] >= standing.world.sizes.entries
    assert figures["entries to replay after the crash"] >= 32
    assert 0 < figures["memory of the keeper, at most"] < 1
