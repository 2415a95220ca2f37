"""What a request names in its body, in JSON or as fields of a form: documents and patients, and who signs in. Pure.

    named(route, kind, body)        -> {parameter: values} | Refusal
    signs_in(route, kind, body)     -> name | Refusal

Portals do not all read a body alike. Some take `ID`, ` id` and `id[]` for `id`, and of two the last: so whatever one of them could
take for a described parameter must be that parameter as it is described, once. Else one document would be counted, another given;
one name would be counted, another signed in.
"""

import json
from collections.abc import Iterable
from typing import Final
from urllib.parse import parse_qsl

from strongroom.gateway.body import FORM
from strongroom.gateway.kinds import fits
from strongroom.gateway.places import EVERY, Place, found
from strongroom.gateway.refusal import Refusal
from strongroom.gateway.settings import Described

MAX_NAME: Final = 256
"""Characters of the name of who signs in."""
_TWICE: Final = Refusal(400, "body-twice", "A parameter of the body could be read in two ways.", hard=True)
_JOINTS: Final = str.maketrans("-. []\0", "______")


def named(one: Described, kind: str, body: bytes) -> dict[str, tuple[str, ...]] | Refusal:
    """The values of each parameter that the route describes in bodies. `body` has passed `body.check`; `kind` is its type."""
    values: dict[str, tuple[str, ...]] = {}
    for name, (place, grammar) in one.body.items():
        given = _given(kind, body, place)
        if given is None:
            return _TWICE
        if not given:
            return Refusal(400, "body-lacks", "The body lacks a parameter that is described.", hard=True)
        if not all(fits(grammar, value) for value in given):
            return Refusal(400, "body-kind", "A parameter of the body is not of the kind that is described.", hard=True)
        values[name] = tuple(given)
    return values


def signs_in(one: Described, kind: str, body: bytes) -> str | Refusal:
    """Who a login's request names; nobody, where it is for the answer to say. `body` as above."""
    login = one.route.login
    if login is None or not login.asked:
        return ""
    given = _given(kind, body, one.login)
    if given is None:
        return _TWICE
    if len(given) != 1 or len(given[0]) > MAX_NAME:
        return Refusal(
            400, "login-nameless", "The request does not say who signs in, where it was expected.", hard=True
        )
    return given[0]


def _given(kind: str, body: bytes, place: Place) -> list[str] | None:
    """The values at that place; None where another reader could find others."""
    if kind != FORM:
        return _in_json(json.loads(body), place)
    found = _in_form(_fields(body), place)
    if b";" in body and found != _in_form(_fields(body.replace(b";", b"&")), place):
        return None  # to some readers `;` ends a field
    return found


def _fields(body: bytes) -> list[tuple[str, str]]:
    """`body.check` has bounded their number."""
    return parse_qsl(body.decode("ascii"), keep_blank_values=True)


def _in_form(fields: Iterable[tuple[str, str]], place: Place) -> list[str] | None:
    """The value of the field, written `letter.id` or `letter[id]`; all of `ids[]`; None where another could be taken for it."""
    many = place[-1] == EVERY
    way = place[:-1] if many else place
    name = ".".join(way)
    alike = [
        (field, value) for field, value in fields if _alike(name) in {_alike(field), _alike(field.partition("[")[0])}
    ]
    written = {name, f"{name}[]"} if many else {name, way[0] + "".join(f"[{part}]" for part in way[1:])}
    found = {field for field, _ in alike}
    one = len(found) <= 1 and found <= written and (many or len(alike) <= 1)
    return [value for _, value in alike] if one else None


def _in_json(document: object, place: Place) -> list[str] | None:
    """The same, of members, on each level of the way. Where one element of a list has none, there is none."""
    if not place:
        return list(found(document, place))
    if place[0] == EVERY:
        inner = [_in_json(element, place[1:]) for element in document] if isinstance(document, list) else []
        if any(one is None for one in inner):
            return None
        return [value for one in inner for value in one or ()] if all(inner) else []
    if not isinstance(document, dict):
        return []
    if [member for member in document if _alike(member) == _alike(place[0])] not in ([place[0]], []):
        return None
    return _in_json(document.get(place[0]), place[1:])


def _alike(name: str) -> str:
    """What some portal takes for the same name: capitals, blanks around it, brackets, joints of other kinds."""
    return name.translate(_JOINTS).casefold().strip().strip("_")
