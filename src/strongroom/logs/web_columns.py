"""Requests as columns: what `web.row` says of a request's line, for many at once, by their outlines."""

from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from strongroom.logs import web
from strongroom.logs.outline import DIGITS, Parts, Plan, plan
from strongroom.logs.route import target

_FEW: Final = 8
"""Requests of one outline below which each is looked at by itself: a plan costs as much to carry out."""


@dataclass(frozen=True, slots=True)
class Aims:
    """What requests ask for, a value a request in each."""

    method: pa.Array
    act: pa.Array
    path: pa.Array
    query: pa.Array
    route: pa.Array
    document: pa.Array
    number: pa.Array


_NAMES: Final = Aims.__slots__
_TYPES: Final = (*[pa.string()] * 6, pa.int64())


def aims(requests: pa.Array) -> Aims:
    """Of each request line."""
    outlines = _outlines(requests).dictionary_encode()
    counts = pc.value_counts(outlines.indices).field("counts").to_pylist()
    plans = [
        plan(one) if many >= _FEW else None for one, many in zip(outlines.dictionary.to_pylist(), counts, strict=True)
    ]
    # Requests in the order of their plans, those without one last; and back again.
    ranks = pa.array([place if one else len(plans) for place, one in enumerate(plans)], pa.int32())
    order = pc.sort_indices(ranks.take(outlines.indices)).cast(pa.int32())
    sorted_ = requests.take(order)
    parts, at = [], 0
    for one, many in zip(plans, counts, strict=True):
        if one:
            parts.append(_planned(sorted_.slice(at, many), one))
            at += many
    parts.append(_each(sorted_.slice(at)))
    back = pc.inverse_permutation(order)
    columns = zip(*parts, strict=True)
    return Aims(*(pa.concat_arrays(column).take(back) for column in columns))


def cut(values: pa.Array, start: int, end: int) -> pa.Array:
    """Bytes of ASCII text from and to, negative ones counted from the end. Every text must be long enough."""
    return pc.binary_slice(values.view(pa.binary()), start, end).view(pa.string())


def _outlines(requests: pa.Array) -> pa.Array:
    """The same with 0 for every digit."""
    _, offsets, data = requests.buffers()
    masked = data.to_pybytes().translate(DIGITS) if data is not None else b""
    return pa.StringArray.from_buffers(len(requests), offsets, pa.py_buffer(masked), None, 0, requests.offset)


def _planned(requests: pa.Array, one: Plan) -> tuple[pa.Array, ...]:
    """Requests of one outline."""
    many = len(requests)

    def text(parts: Parts | None) -> pa.Array:
        if parts is None:
            return pa.nulls(many, pa.string())
        made = [part if isinstance(part, str) else cut(requests, *part) for part in parts]
        if len(made) == 1:
            return made[0] if isinstance(made[0], pa.Array) else _always(made[0], many)
        return pc.binary_join_element_wise(*made, "") if made else _always("", many)

    def always(value: str | None) -> pa.Array:
        return pa.nulls(many, pa.string()) if value is None else _always(value, many)

    path, query = cut(requests, *one.path), text((one.query,) if one.query else None)
    number = cut(requests, *one.number).cast(pa.int64()) if one.number else pa.nulls(many, pa.int64())
    return always(one.method), always(one.act), path, query, text(one.route), text(one.document), number


def _each(requests: pa.Array) -> tuple[pa.Array, ...]:
    """Requests each of which is looked at by itself, the same ones once."""
    given = requests.dictionary_encode()
    found = list(map(_one, given.dictionary.to_pylist()))
    columns = list(zip(*found, strict=True)) or [()] * len(_TYPES)
    return tuple(pa.array(column, kind).take(given.indices) for column, kind in zip(columns, _TYPES, strict=True))


def _one(request: str) -> tuple[str | None, str, str, str | None, str, str | None, int | None]:
    method, address = web.split(request)
    path, _, query = address.partition("?")
    aim = target(path, query)
    act = web.ACTS.get(method, web.OTHER)
    return method or None, act, path, query or None, aim.route, aim.document, aim.number


def _always(value: str, many: int) -> pa.Array:
    return pa.repeat(pa.scalar(value, pa.string()), many)
