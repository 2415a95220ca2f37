"""What the bins before a bin let expect of it: the band that is drawn behind the traffic.

Robust (a median and its deviations, so that the theft itself does not move it much) and out of the past alone, as a watch would
have known it then. Not a detection: nothing fires by it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from strongroom.clock import DAY

LEAST: Final = 3
"""Earlier bins of a kind without which nothing is expected."""
MOST: Final = 28
"""Earlier bins that are looked at, the latest: four weeks of days."""
_WIDE: Final = 3 * 1.4826
"""Three standard deviations, as the median of the deviations tells them where the noise is normal."""


@dataclass(frozen=True, slots=True)
class Band:
    """What was to be expected: the middle, and between what it may well lie."""

    low: float
    middle: float
    high: float


def bands(amounts: Sequence[float], width: int) -> list[Band | None]:
    """One for each bin of `width` milliseconds, in their order and without holes: from the same hours of earlier weeks where
    there are LEAST of them, else of earlier days, else none. Bins of a day or more are compared with all before them.
    """
    day = DAY // width if width < DAY else 1
    found: list[Band | None] = []
    for at in range(len(amounts)):
        steps = (7 * day, day) if width <= DAY else (1,)
        pasts = (amounts[at - step :: -step][:MOST] if at >= step else () for step in steps)
        found.append(next((_band(past) for past in pasts if len(past) >= LEAST), None))
    return found


def _band(past: Sequence[float]) -> Band:
    middle = median(past)
    deviation = _WIDE * median(abs(one - middle) for one in past)
    return Band(max(0.0, middle - deviation), middle, middle + deviation)
