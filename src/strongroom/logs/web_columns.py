"""Requests as columns: what `web.row` says of a request's line, for many at once, by their outlines."""

from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from strongroom.logs import web
from strongroom.logs.batch import always, one
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
        plan(text) if many >= _FEW else None for text, many in zip(outlines.dictionary.to_pylist(), counts, strict=True)
    ]
    # Requests in the order of their plans, those without one last; and back again.
    ranks = pa.array([place if found else len(plans) for place, found in enumerate(plans)], pa.int32())
    order = pc.sort_indices(ranks.take(outlines.indices)).cast(pa.int32())
    sorted_ = requests.take(order)
    parts, at = [], 0
    for found, many in zip(plans, counts, strict=True):
        if found:
            parts.append(_planned(sorted_.slice(at, many), found))
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


def _planned(requests: pa.Array, found: Plan) -> tuple[pa.Array, ...]:
    """Requests of one outline."""
    many = len(requests)

    def text(parts: Parts | None) -> pa.Array:
        if parts is None:
            return pa.nulls(many, pa.string())
        made = [one(part) if isinstance(part, str) else cut(requests, *part) for part in parts]
        if len(parts) == 1:
            return always(parts[0], many) if isinstance(parts[0], str) else made[0]
        return pc.binary_join_element_wise(*made, one("")) if made else always("", many)

    path, query = cut(requests, *found.path), text((found.query,) if found.query else None)
    number = cut(requests, *found.number).cast(pa.int64()) if found.number else pa.nulls(many, pa.int64())
    return (
        always(found.method, many),
        always(found.act, many),
        path,
        query,
        text(found.route),
        text(found.document),
        number,
    )


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
    return method or None, web.act(method, path), path, query or None, aim.route, aim.document, aim.number
