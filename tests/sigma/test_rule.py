"""The values of rules."""

from strongroom.sigma.rule import LEVELS, Pattern, Wildcard


def test_levels_are_in_order() -> None:
    """From least to worst: findings are ranked by their place."""
    assert LEVELS == ("informational", "low", "medium", "high", "critical")


def test_a_star_in_a_text_is_no_wildcard() -> None:
    """Escaped stars stay texts."""
    assert not isinstance(Pattern(("*",)).parts[0], Wildcard)
