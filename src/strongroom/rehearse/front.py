"""What a rehearsal through the gateway attacks: the vulnerable portal, and a gateway before it that enforces, on a simulated clock.

A protocol: rehearsals construct nothing. The command line hands in a factory, which `wiring.front` implements.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol


class Front(Protocol):
    """One portal and one gateway, made for one run."""

    @property
    def gateway(self) -> tuple[str, int]:
        """Host and port."""

    @property
    def portal(self) -> tuple[str, int]:
        """Host and port of the portal itself: what a thief would meet if there were no gateway."""

    def at(self, milliseconds: int) -> None:
        """Move the gateway's clock on to so many milliseconds after the run began. It never goes back."""


FrontFactory = Callable[[int, bool], AbstractContextManager[Front]]
"""Of how many patients there are, and whether listings are described: without, nothing is known to have been shown."""
