"""The documents and patients that a request names in its body: in JSON, or as fields of a form. Pure.

    named(route, kind, body) -> {parameter: value} | Refusal

Portals do not all read a body alike. Some take `ID`, ` id` and `id[]` for `id`, and of two the last: so whatever one of them could
take for a described parameter must be that parameter as it is described, once. Else one document would be counted, another given.
"""

import json
from collections.abc import Iterable
from typing import Final
from urllib.parse import parse_qsl

from strongroom.gateway.kinds import fits
from strongroom.gateway.places import Place, found
from strongroom.gateway.refusal import Refusal
from strongroom.gateway.settings import Described

FORM: Final = "application/x-www-form-urlencoded"
_JOINTS: Final = str.maketrans("-. []\0", "______")


def named(one: Described, kind: str, body: bytes) -> dict[str, str] | Refusal:
    """Every parameter that the route describes in bodies. `body` has passed `body.check`; `kind` is its media type."""
    values: dict[str, str] = {}
    fields = _fields(body) if kind == FORM else None
    document = json.loads(body) if fields is None else None
    for name, (place, grammar) in one.body.items():
        given = _in_json(document, place) if fields is None else _in_form(fields, place)
        if given is None:
            because = "A parameter of the body could be read in two ways."
            return Refusal(400, "body-twice", because, hard=True)
        if len(given) != 1:
            return Refusal(400, "body-lacks", "The body lacks a parameter that is described.", hard=True)
        if not fits(grammar, given[0]):
            return Refusal(400, "body-kind", "A parameter of the body is not of the kind that is described.", hard=True)
        values[name] = given[0]
    return values


def _fields(body: bytes) -> list[tuple[str, str]]:
    """`body.check` has bounded their number."""
    return parse_qsl(body.decode("ascii"), keep_blank_values=True)


def _in_form(fields: Iterable[tuple[str, str]], place: Place) -> list[str] | None:
    """The value of the field, written `letter.id` or `letter[id]`; None where another could be taken for it."""
    name = ".".join(place)
    alike = [
        (field, value) for field, value in fields if _alike(name) in {_alike(field), _alike(field.partition("[")[0])}
    ]
    written = {name, place[0] + "".join(f"[{part}]" for part in place[1:])}
    return [value for _, value in alike] if len(alike) <= 1 and {field for field, _ in alike} <= written else None


def _in_json(document: object, place: Place) -> list[str] | None:
    """The same, of members, on each level of the way."""
    level = document
    for name in place:
        if not isinstance(level, dict):
            return []
        if [member for member in level if _alike(member) == _alike(name)] not in ([name], []):
            return None
        level = level.get(name)
    return list(found(document, place))


def _alike(name: str) -> str:
    """What some portal takes for the same name: capitals, blanks around it, brackets, joints of other kinds."""
    return name.translate(_JOINTS).casefold().strip().strip("_")
