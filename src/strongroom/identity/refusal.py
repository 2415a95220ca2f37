"""What identity answers when it does not believe the asker. A value with a sentence in it, never an exception."""

from dataclasses import dataclass
from typing import Literal

Why = Literal["login", "expired", "unavailable"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Not believed. `why` is the protocol's word and all a client may be told; `because` is for the operator's eyes.

    `because` repeats nothing of what was presented: no claim, no key id, no address.
    """

    why: Why
    because: str


def unavailable(because: str) -> Refusal:
    """It is not the asker's doing, and to sign in again would not help: a part of the store is not well."""
    return Refusal("unavailable", because)


def login(because: str) -> Refusal:
    """The credential is not acceptable; only another one would be."""
    return Refusal("login", because)
