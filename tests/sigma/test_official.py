"""Which ids of ATT&CK and D3FEND are official."""

import pytest

from strongroom.sigma import official


def test_sub_techniques_are_spread_out() -> None:
    """`1562:1-4,6-13` means each of them, and T1562.005 is none."""
    assert {"T1562", "T1562.001", "T1562.008", "T1562.013"} <= official.TECHNIQUES
    assert "T1562.005" not in official.TECHNIQUES
    assert "D3-RAPA" in official.DEFENCES


def test_tags_give_techniques_and_defences_once() -> None:
    """In their order; what is not official there is not given out."""
    tags = (
        "attack.collection",
        "attack.t1562.008",
        "attack.T1213",
        "attack.t1213",
        "attack.t9999",
        "d3fend.d3-rapa",
        "d3fend.d3-xx",
    )
    assert official.attacks(tags) == ["T1562.008", "T1213"]
    assert official.defences(tags) == ["D3-RAPA"]


@pytest.mark.parametrize(
    ("tag", "wrong"),
    [
        ("attack.t1213", False), ("attack.t1213.900", True), ("attack.t12", True), ("attack.collection", False),
        ("attack.s0001", False), ("attack.g0001", False), ("attack.theft", True), ("d3fend.d3-apa", False),
        ("d3fend.d3-nonsense", True), ("cve.2021-44228", False), ("tlp.amber", False),
    ],
)  # fmt: skip
def test_tags_that_name_nothing(tag: str, wrong: bool) -> None:
    """Only those of ATT&CK and D3FEND are judged."""
    assert official.unofficial([tag]) == ([tag] if wrong else [])
