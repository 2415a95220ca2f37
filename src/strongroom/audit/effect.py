"""A change of the keeper's database, as a value, done in the same transaction as the entry that records it."""

from collections.abc import Sequence
from dataclasses import dataclass

SqlValue = str | bytes | int | float | None


@dataclass(frozen=True, slots=True)
class Effect:
    """One statement. If it fails, the draft it came with fails, with all its effects, and is not in the log.

    `rows`: how many rows it must change; another number is a Conflict. None: any number.
    """

    sql: str
    parameters: Sequence[SqlValue] = ()
    rows: int | None = None
