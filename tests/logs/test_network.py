"""Counts, as flow records write them."""

import pytest

from strongroom.logs.network import whole


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (7, 7),
        ("8", 8),
        (7.0, 7),
        (7.5, None),
        ("-", None),
        (True, None),
        (None, None),
        ("\u0667", None),
        ("9" * 41, None),
    ],
)
def test_a_count(written: object, expected: int | None) -> None:
    """Numbers and digits; nothing else is one."""
    assert whole(written) == expected
