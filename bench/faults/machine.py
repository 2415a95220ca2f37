"""Faults of the machine's clock, and of who signs the circumstances of requests (the app, until there is a gateway)."""

import contextlib
from collections.abc import Iterator
from functools import partial

from bench.faults.fault import DOOR, Fault
from bench.faults.injuries import flapping
from bench.faults.scene import Scene

HOUR = 3_600_000


@contextlib.contextmanager
def clock_off(milliseconds: int, scene: Scene, name: str = "clock") -> Iterator[None]:
    """Every program's clock is off by so much, or that of one (`clock-app`)."""
    scene.switch(name, str(milliseconds))
    try:
        yield
    finally:
        scene.switch(name, None)


@contextlib.contextmanager
def lying_signer(scene: Scene) -> Iterator[None]:
    """Contexts are signed with a key that nobody knows."""
    scene.switch("signer", "")
    try:
        yield
    finally:
        scene.switch("signer", None)


_RIGHT = "The clock is looked at with each request."
_CLOCK_BACK = r"(keeper: \w+ refused|app: request …): The clock went back \d+ s behind the last recorded event\. Set the machine's"
_CLOCK_AHEAD = (
    r"(keeper: \w+ refused|app: request …): The clock leapt \d+ s ahead of the time that passed\. Set the machine's"
)
_SIGNER = r"keeper: \w+ refused: The request's context is {}\. Compare the clocks"

FAULTS = (
    Fault(
        "clock", "a step of three seconds", "set three seconds ahead, as NTP may do, and back", partial(clock_off, 3_000),
        do="Nothing.", heals="Nobody notices.",
    ),
    Fault(
        "clock", "ahead", "set ahead by an hour", partial(clock_off, HOUR), refused=DOOR, says=_CLOCK_AHEAD,
        do="Set it right. If it is right, start the store again.", heals=_RIGHT, small=True,
    ),
    Fault(
        "clock", "back", "set back by an hour", partial(clock_off, -HOUR), refused=DOOR, says=_CLOCK_BACK,
        do="Set it right.", heals=_RIGHT,
    ),
    Fault(
        "clock", "ahead, unseen, and set right", "set ahead by 20 s, which may be a correction, and then back",
        partial(clock_off, 20_000), refused=DOOR, says=_CLOCK_BACK, do="Wait, or set it right: the log's times go forward only.",
        heals="When the time of the log's last entry has come.",
    ),
    Fault(
        "clock", "flapping", "ahead by an hour and back, each for half a second",
        partial(flapping, partial(clock_off, HOUR)), maybe=DOOR, do="As ahead.", heals=_RIGHT,
    ),
    Fault(
        "signer of contexts", "lying", "signs with a key that the keeper does not know", lying_signer, refused=DOOR,
        says=_SIGNER.format("not signed by a known signer"), do="Put app/context.key back from a backup, then start the app again.",
        heals="The next request that is signed well is served.", small=True,
    ),
    Fault(
        "signer of contexts", "its clock off", "its clock is 40 s ahead of the keeper's, and then right again",
        partial(clock_off, 40_000, name="clock-app"), refused=DOOR, says=_SIGNER.format("stale, or the signer's clock is off.*"),
        do="Set its machine's clock right.", heals="When the time that it signed last has come.",
    ),
)  # fmt: skip
