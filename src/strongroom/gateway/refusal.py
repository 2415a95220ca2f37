"""What the gateway says instead of passing a request on: a value with a sentence in it, never a bare no."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """`rule` is a stable name for logs and allow-lists; `because` is for people and repeats nothing of the request.

    `hard`: refused in learning mode too, because two readers would read it as two different things, or no reader at all.
    """

    status: int
    rule: str
    because: str
    hard: bool = False
    allow: tuple[str, ...] = ()
    """Methods that are described, for the Allow header of a 405."""
    extra: tuple[tuple[bytes, bytes], ...] = ()
    """Headers of the answer."""
