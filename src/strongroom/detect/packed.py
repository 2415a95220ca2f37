"""Numbers by numbers, few of them packed: sixteen bytes each, the one that was put last at the end.

A watch keeps something small of each of very many: what somebody read last, and when. In a dict that would be ten times as large.
"""

from collections.abc import Iterable, Iterator
from struct import Struct
from typing import Final

FEW: Final = 16
"""Entries that are packed. More are a dict: to look through them would cost more than it saves."""
_ENTRY: Final = Struct(">Qq")
_PACK: Final = _ENTRY.pack
_SIZE: Final = _ENTRY.size
_NUMBER: Final = Struct(">q").unpack_from
NEVER: Final = -1

Packed = bytes | dict[int, int]
"""Keys of 64 bits without a sign -> numbers with one. Never changed from outside: `put` and `drop` give what is to be kept."""


def put(held: Packed, key: int, number: int) -> Packed:
    """With this, as the last."""
    if isinstance(held, dict):
        held.pop(key, None)
        held[key] = number
        return held
    entry = _PACK(key, number)
    at = held.find(entry[:8])
    if at > 0 and at % _SIZE:
        at = place(held, entry[:8])
    held = held + entry if at < 0 else held[:at] + held[at + _SIZE :] + entry
    return held if len(held) <= FEW * _SIZE else dict(items(held))


def renew(held: Packed, key: int, number: int, begin: int) -> tuple[Packed, int]:
    """With this, as the last, and without the first ones below `begin`; and what its number was."""
    if isinstance(held, dict):
        before = held.pop(key, NEVER)
        held[key] = number
        while held[first := next(iter(held))] < begin:
            del held[first]
        return held, before
    entry = _PACK(key, number)
    at, before = held.find(entry[:8]), NEVER
    if at > 0 and at % _SIZE:
        at = place(held, entry[:8])
    if at >= 0:
        (before,) = _NUMBER(held, at + 8)
        held = held[:at] + held[at + _SIZE :]
    while held and _NUMBER(held, 8)[0] < begin:
        held = held[_SIZE:]
    held += entry
    return (held if len(held) <= FEW * _SIZE else dict(items(held))), before


def get(held: Packed, key: int) -> int:
    """The number of this key; NEVER where it is not there."""
    if isinstance(held, dict):
        return held.get(key, NEVER)
    wanted = key.to_bytes(8, "big")
    at = held.find(wanted)
    if at > 0 and at % _SIZE:
        at = place(held, wanted)
    return NEVER if at < 0 else int(_NUMBER(held, at + 8)[0])


def marked(held: Packed, key: bytes, number: bytes, since: bytes) -> tuple[Packed, bool] | None:
    """With this number, an even one, of this key, where that stands, as the last where it is new; each is eight bytes.

    It is one more, odd, and told so, where the key is new, or its number is odd and not below `since`. None: either is there.
    """
    if isinstance(held, dict):
        one, even = int.from_bytes(key, "big"), int.from_bytes(number, "big")
        known = held.get(one, NEVER)
        if known | 1 == even | 1:
            return None
        new = known == NEVER or bool(known & 1 and known >= int.from_bytes(since, "big"))
        held[one] = even + new
        return held, new
    at = held.find(key)
    if at > 0 and at % _SIZE:
        at = place(held, key)
    odd = number[:7] + _ODD[number[7]]
    if at < 0:
        held += key + odd
        return (held if len(held) <= FEW * _SIZE else dict(items(held))), True
    last = held[at + 8 : at + _SIZE]
    if last in {number, odd}:
        return None
    new = bool(last[7] & 1) and last >= since
    return held[: at + 8] + (odd if new else number) + held[at + _SIZE :], new


_ODD: Final = [bytes([one | 1]) for one in range(256)]


def size(held: Packed) -> int:
    """How many there are."""
    return len(held) if isinstance(held, dict) else len(held) // _SIZE


def oldest(held: Packed) -> int:
    """The number that was put first. There must be one."""
    if isinstance(held, dict):
        return next(iter(held.values()))
    return int.from_bytes(held[8:_SIZE], "big", signed=True)


def newest(held: Packed) -> int:
    """The number that was put last. There must be one."""
    if isinstance(held, dict):
        return next(reversed(held.values()))
    return int.from_bytes(held[-8:], "big", signed=True)


def drop(held: Packed) -> Packed:
    """Without the one that was put first."""
    if isinstance(held, dict):
        del held[next(iter(held))]
        return held
    return held[_SIZE:]


def without(held: Packed, key: int) -> Packed:
    """Without this one, which must be there."""
    if isinstance(held, dict):
        del held[key]
        return held
    at = place(held, key.to_bytes(8, "big"))
    return held[:at] + held[at + _SIZE :]


def items(held: Packed) -> Iterable[tuple[int, int]]:
    """All, in their order."""
    return held.items() if isinstance(held, dict) else _unpacked(held)


def dump(held: Packed) -> bytes:
    """As bytes."""
    return b"".join(_ENTRY.pack(*one) for one in held.items()) if isinstance(held, dict) else held


def load(kept: bytes) -> Packed:
    """The way back."""
    return kept if len(kept) <= FEW * _SIZE else dict(_unpacked(kept))


def _unpacked(held: bytes) -> Iterator[tuple[int, int]]:
    yield from _ENTRY.iter_unpack(held)


def place(held: bytes, key: bytes, first: int = 0) -> int:
    """Where the entry of a key begins, of those from `first` on; below 0: nowhere. The same bytes may stand across two entries."""
    at = held.find(key, first)
    while at >= 0 and (at - first) % _SIZE:
        at = held.find(key, at + 1)
    return at


_PARTS: Final = 4_096


class Many:
    """A set of numbers of 64 bits without a sign, of which there may be very many: eight bytes each."""

    __slots__ = ("_parts", "_size")

    def __init__(self, kept: bytes = b"") -> None:
        """`kept`: what `dump` gave."""
        self._parts = [b""] * _PARTS
        self._size = 0
        for at in range(0, len(kept), 8):
            self.add(int.from_bytes(kept[at : at + 8], "big"))

    def __len__(self) -> int:
        return self._size

    def add(self, one: int) -> bool:
        """Whether it was not there."""
        part, wanted = one % _PARTS, one.to_bytes(8, "big")
        held = self._parts[part]
        at = held.find(wanted)
        if at >= 0:
            while at >= 0 and at % 8:
                at = held.find(wanted, at + 1)
            if at >= 0:
                return False
        self._parts[part] = held + wanted
        self._size += 1
        return True

    def dump(self) -> bytes:
        """As bytes."""
        return b"".join(self._parts)
