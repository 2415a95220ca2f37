"""The bench of decisions: each is the one that the relations give, in both stores."""

import pytest

from bench import decision
from bench.scale import Standing


def test_decisions_are_those_that_were_expected(standing: Standing, monkeypatch: pytest.MonkeyPatch) -> None:
    """Owners and clinicians are permitted, strangers are not: the bench stops at any other answer."""
    monkeypatch.setattr(decision, "ASKS", 40)
    figures = list(decision.run("small"))
    assert standing.world.sizes.documents
    assert all(figure.value > 0 and figure.against for figure in figures)
