"""One byte range of a document (RFC 9110, section 14). Several at once, and what is no range, are as if not asked for:
the whole is sent, as the RFC allows.
"""

import re
from dataclasses import dataclass

_RANGE = re.compile(r"bytes=(?P<first>[0-9]{0,18})-(?P<last>[0-9]{0,18})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Range:
    """Bytes from `first`; `length` of them at most, or all. With `from_end`, the last `length` bytes."""

    first: int
    length: int | None
    from_end: bool = False

    def of(self, size: int) -> tuple[int, int] | None:
        """Start and length within `size` bytes; None when there is nothing there (416)."""
        start = max(0, size - (self.length or 0)) if self.from_end else self.first
        length = size - start if self.length is None else min(self.length, size - start)
        return (start, length) if length > 0 else None


def parse_range(header: str | None) -> Range | None:
    """The range that `header` asks for; None for the whole."""
    found = _RANGE.fullmatch((header or "").strip())
    if found is None or not (found["first"] or found["last"]):
        return None
    if not found["first"]:
        length = int(found["last"])
        return Range(0, length, from_end=True) if length else None
    first = int(found["first"])
    if not found["last"]:
        return Range(first, None)
    length = int(found["last"]) - first + 1
    return Range(first, length) if length > 0 else None
