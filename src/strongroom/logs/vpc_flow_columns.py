"""VPC flow logs as columns: what `vpc_flow` says of each line, said of a whole piece at once.

A line is taken only where it has exactly the usual form, a flow that was counted; whatever else it is, it is left to
`vpc_flow.parse`. That both say the same is held by a property test: this file may be fast, and the other one is right.
"""

from collections.abc import Callable
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from strongroom.logs import network
from strongroom.logs.batch import ARROW, Columns, always, one, split
from strongroom.logs.record import COLUMNS, Act, Kind, Log, text
from strongroom.logs.units import MAX_LINE
from strongroom.logs.vpc_flow import DEFAULT, NEEDED

_PRINTABLE: Final = bytes(range(0x21, 0x7F)) + b" \n"
_DOUBLED: Final = (b"  ", b"\n\n", b" \n", b"\n ")
_ADDRESS: Final = "^[0-9a-fA-F:.]{2,45}$"
_DIGITS: Final = {
    "start": 11, "end": 11, "bytes": 18, "packets": 18, "srcport": 5, "dstport": 5, "protocol": 3,
}  # fmt: skip
"""How many digits a number may have, to be below any bound but its own."""
_MOST: Final = {"srcport": 65_535, "dstport": 65_535, "protocol": 255}

_KNOWN: Final = frozenset({*NEEDED, *_DIGITS, "action", "flow-direction"})
_TYPES: Final = tuple(ARROW[COLUMNS[name]] for name in network.FIELDS)


def below(first: bytes) -> Callable[[bytes], Columns]:
    """How pieces are read whose file begins with this line: by the names in it, else as the default format."""
    names = tuple(text(first).split())
    known = names if set(names) >= NEEDED else DEFAULT
    return lambda piece: _columns(piece, known) if len(set(known)) == len(known) else _none(piece)


def _none(piece: bytes) -> Columns:
    """All lines are left."""
    starts, places = 0, []
    for line in piece.removesuffix(b"\n").split(b"\n"):
        places.append((starts, len(line)))
        starts += len(line) + 1
    nothing = tuple(pa.array([], kind) for kind in _TYPES)
    return Columns(nothing, pa.array([], pa.int64()), pa.array([], pa.int32()), tuple(places))


def _columns(piece: bytes, names: tuple[str, ...]) -> Columns:
    whole = piece if piece.endswith(b"\n") else piece + b"\n"
    if whole.translate(None, _PRINTABLE) or any(pair in whole for pair in _DOUBLED) or whole[:1] in {b" ", b"\n"}:
        return _none(piece)
    fields, others = split(whole, names, " ")
    if others:
        every = pa.array([len(line) for line in whole.split(b"\n")[:-1]], pa.int32())
        numbers = pa.array([number for number in range(len(every)) if number not in others], pa.int64())
        lengths = every.take(numbers)
    else:
        lengths = every = _lengths(fields)
        numbers = None
    ends = pc.cumulative_sum(pc.add(every.cast(pa.int64()), one(1)))
    starts = pc.subtract(ends, pc.add(every.cast(pa.int64()), one(1)))
    said = dict(zip(names, fields, strict=True))
    fits = _usual(said, lengths)
    taken = pc.indices_nonzero(fits) if numbers is None else numbers.filter(fits)
    rest: tuple[tuple[int, int], ...] = ()
    if len(taken) < len(every):
        left = pa.array(range(len(every)), taken.type)
        left = left.filter(pc.invert(pc.is_in(left, value_set=taken)))
        rest = tuple(zip(starts.take(left).to_pylist(), every.take(left).to_pylist(), strict=True))
        said = {name: field.filter(fits) for name, field in said.items() if name in _KNOWN}
        starts, every = starts.take(taken), every.take(taken)
    return Columns(_values(said, len(taken)), starts, every, rest)


def _lengths(fields: list[pa.Array]) -> pa.Array:
    total = one(len(fields) - 1)
    for field in fields:
        total = pc.add(total, pc.binary_length(field))
    return total.cast(pa.int32())


def _usual(said: dict[str, pa.Array], lengths: pa.Array) -> pa.Array:
    """Whether lines are flows that were counted, with every number within its bounds."""
    fits = pc.and_(
        pc.match_substring_regex(said["srcaddr"], _ADDRESS), pc.match_substring_regex(said["dstaddr"], _ADDRESS)
    )
    fits = pc.and_(fits, pc.less_equal(lengths, one(MAX_LINE)))
    for name, most in _DIGITS.items():
        if name in said:
            fits = pc.and_(fits, pc.match_substring_regex(said[name], f"^[0-9]{{1,{most}}}$"))
    if "version" in said and tuple(said) == DEFAULT:
        fits = pc.and_(fits, pc.match_substring_regex(said["version"], "^[0-9]+$"))
    if "log-status" in said:
        fits = pc.and_(fits, pc.equal(said["log-status"], one("OK")))
    for name, bound in _MOST.items():
        if name in said:
            number = pc.if_else(fits, said[name], one("0")).cast(pa.int64())
            fits = pc.and_(fits, pc.less_equal(number, one(bound)))
    return fits


def _values(said: dict[str, pa.Array], many: int) -> tuple[pa.Array, ...]:
    """The columns, in the order of `network.FIELDS`."""
    denied = _which(said.get("action"), many, {"REJECT": network.DENIED, "ACCEPT": network.ALLOWED})
    failed = pc.fill_null(pc.equal(denied, pa.scalar(network.DENIED, pa.int32())), fill_value=False)
    port, target, protocol = (_number(said, name, pa.int32(), many) for name in ("srcport", "dstport", "protocol"))
    return (
        pc.multiply(said["start"].cast(pa.int64()), one(1_000)),
        pc.multiply(_number(said, "end", pa.int64(), many), one(1_000)),
        always(Log.NETWORK.value, many),
        always(None, many),
        pc.if_else(failed, pa.scalar(2, pa.int32()), pa.scalar(1, pa.int32())),
        always(Act.OTHER.value, many),
        said["srcaddr"],
        always(Kind.ADDRESS.value, many),
        said["srcaddr"],
        port,
        said["dstaddr"],
        target,
        protocol,
        _which(said.get("flow-direction"), many, {"ingress": network.INBOUND, "egress": network.OUTBOUND}),
        denied,
        said["bytes"].cast(pa.int64()),
        pa.nulls(many, pa.int64()),
        _number(said, "packets", pa.int64(), many),
        pa.nulls(many, pa.int64()),
    )


def _number(said: dict[str, pa.Array], name: str, kind: pa.DataType, many: int) -> pa.Array:
    return said[name].cast(kind) if name in said else pa.nulls(many, kind)


def _which(words: pa.Array | None, many: int, meant: dict[str, int]) -> pa.Array:
    """The number that each word means; null for others."""
    found = pa.nulls(many, pa.int32())
    if words is not None:
        for word, number in meant.items():
            found = pc.if_else(pc.equal(words, one(word)), pa.scalar(number, pa.int32()), found)
    return found
