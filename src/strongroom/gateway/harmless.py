"""Which requests no rule can take long for, by their characters. Pure.

Regular expressions of the Core Rule Set go back and forth over marks: fifty characters of them can cost 150 ms, two thousand `<`
nearly a second, and eight times as much for twice as many; libmodsecurity 3.0.9 has no limit on it. Between words they cannot. What
has few marks in few places costs what any request costs; for everything else there is a limit on CPU time (`inspectors`).
"""

import re
from typing import Final

from strongroom.gateway.modsecurity import Subject

MARKS: Final = 48
"""Of one cookie, of a User-Agent, a Referer; as many of a path and a query. At most `RUN` of them beside each other."""
RUN: Final = 3
OTHERS: Final = 96
"""Of another header, which few rules look at; six beside each other, as in `", "` and `,*/*;`."""
LONG: Final = 2_048
"""Bytes of one with marks that many rules look at. Tokens are longer."""
_PLAIN: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-."
_FOUR: Final = re.compile(rb"[^A-Za-z0-9_.-]{4}")
_SEVEN: Final = re.compile(rb"[^A-Za-z0-9_.-]{7}")
_FOUR_IN_TARGET: Final = re.compile(rb"(?:%[0-9A-F]{2}|[^A-Za-z0-9_.%-]){4}")
_LOOKED_AT: Final = frozenset({b"user-agent", b"referer"})


def harmless(subject: Subject) -> bool:
    """Whether a request without a body may be looked at without a limit on its time."""
    target = subject.target
    if subject.body or len(target.translate(None, _PLAIN)) > MARKS or _FOUR_IN_TARGET.search(target):
        return False
    return all(_header(name, value) for name, value in subject.headers)


def _header(name: bytes, value: bytes) -> bool:
    if name == b"cookie":
        return all(_few(one) for one in value.split(b"; "))
    if name in _LOOKED_AT:
        return _few(value)
    return len(value.translate(None, _PLAIN)) <= OTHERS and _SEVEN.search(value) is None


def _few(value: bytes) -> bool:
    return len(value.translate(None, _PLAIN)) <= MARKS and len(value) <= LONG and _FOUR.search(value) is None
