"""Which steps of all detections are to be done. Detections that begin with the same steps share what these make."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from strongroom.detect.detection import Detection
from strongroom.detect.parts import EVERYTHING, By, Here, Known, Parts, Step

Chain = tuple[Step, ...]
"""The steps up to one, that one included."""
START: Final[Chain] = ()
"""The place of the events, as they lie."""


@dataclass(frozen=True, slots=True)
class Job:
    """One statement for every part of a place.

    `key` tells, of each row of the answer, whose it is; without one it is for the one who asks. `before`: the chains whose last
    steps the statement may name, in their order.
    """

    name: str
    place: Chain
    before: tuple[Chain, ...]
    sql: str
    key: str | None = None

    @property
    def known(self) -> tuple[Chain, ...]:
        """What must be known before it can be asked."""
        return tuple(chain for chain in self.before if isinstance(chain[-1], Known))


def parts_of(detection: Detection) -> Parts:
    """A detection without parts is judged where everything is."""
    return detection.parts or Parts((EVERYTHING,), detection.hits)


def place_of(chain: Chain) -> Chain:
    """Where what comes after these steps is done: up to the last `By`."""
    for at in range(len(chain), 0, -1):
        if isinstance(chain[at - 1], By):
            return chain[:at]
    return START


def chains(detections: Iterable[Detection]) -> Iterator[Chain]:
    """Every chain that ends with something that goes to others, each once, the shorter before the longer."""
    seen: set[Chain] = set()
    for detection in detections:
        steps = parts_of(detection).steps
        for end in range(1, len(steps) + 1):
            if steps[:end] not in seen and not isinstance(steps[end - 1], Here):
                seen.add(steps[:end])
                yield steps[:end]


def job_of(name: str, chain: Chain) -> Job:
    """That makes the last step of a chain: rows for others, or a part's share of what all must know."""
    step, place = chain[-1], place_of(chain[:-1])
    before = _before(chain[:-1], place)
    if isinstance(step, Known):
        return Job(name, place, before, step.share)
    return Job(name, place, before, step.rows, step.key if isinstance(step, By) else None)


def hits_of(name: str, detection: Detection) -> Job:
    """That finds the hits of a detection."""
    steps, hits = parts_of(detection)
    place = place_of(steps)
    return Job(name, place, _before(steps, place), f"SELECT about, fired, event FROM ({hits})")


def _before(steps: Chain, place: Chain) -> tuple[Chain, ...]:
    every = (steps[:end] for end in range(1, len(steps) + 1))
    return tuple(
        one for one in every if isinstance(one[-1], Known) or (isinstance(one[-1], Here) and len(one) > len(place))
    )
