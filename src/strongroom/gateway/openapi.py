"""From a portal's own description (OpenAPI 3, Swagger 2) to a draft of what the gateway is to let pass. Pure.

A description says what was meant to be there; what is forgotten is not in it, and stays closed.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import msgspec
import yaml

from strongroom.errors import Malformed
from strongroom.gateway.body import MULTIPART
from strongroom.gateway.kinds import fits
from strongroom.gateway.learned import METHODS, Drafted, free, is_id, judge, mark_lists, singular
from strongroom.gateway.pattern import read_pattern
from strongroom.gateway.sections import Person

MAX_OPENAPI: Final = 8_388_608
"""Bytes."""
MAX_DEPTH: Final = 24
"""References and properties that are followed into a schema, which may contain itself."""
MAX_ROUTES: Final = 5_000
_TEMPLATE: Final = re.compile(r"([^{}/]*)\{([^{}/]{1,100})\}([^{}/]*)")
_NAME: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,100}")
_TYPE: Final = re.compile(r"[a-z0-9.+-]{1,64}/[a-z0-9.+-]{1,64}")
_TALK: Final = re.compile(r"application/(?:.+\+)?json|application/(?:.+\+)?xml|text/.+|application/problem.*|\*/\*")
"""Types in which a portal talks; what is in none of them is a document."""


class Described:
    """What one description says: `routes`, the `people` if it tells how they are known, and what is `left_out`, and why."""

    def __init__(self, raw: bytes) -> None:
        """Raises Malformed."""
        self._whole = _decoded(raw)
        self.left_out: dict[str, int] = {}
        self.routes: list[Drafted] = []
        self._places: dict[str, list[str]] = {}
        self.people = self._people()
        paths = self._whole.get("paths")
        for path, item in sorted(paths.items() if isinstance(paths, dict) else ()):
            if isinstance(item, dict) and len(self.routes) < MAX_ROUTES:
                self._path(str(path), self._at(item))
        mark_lists(self.routes)
        for one in self.routes:
            self._ids(one)

    def _path(self, path: str, item: Mapping[str, Any]) -> None:
        operations = {
            method: self._at(item[method.lower()]) for method in METHODS if isinstance(item.get(method.lower()), dict)
        }
        if not operations:
            return
        given = [self._at(one) for where in (item, *operations.values()) for one in _list(where.get("parameters"))]
        query = {
            str(one.get("name")): one
            for one in given
            if one.get("in") == "query" and _NAME.fullmatch(str(one.get("name")))
        }
        kinds = {str(one.get("name")): self._kind(one) for one in given if one.get("in") == "path"}
        written = _written(self._base() + path, kinds, set(query))
        try:
            if written is None:
                raise Malformed("")  # noqa: TRY301  # told below, with those that read_pattern refuses
            read_pattern(written[0])
        except Malformed:
            self.left_out["paths that gateway.toml has no way to write"] = (
                self.left_out.get("paths that gateway.toml has no way to write", 0) + 1
            )
            return
        methods = set(operations) | ({"HEAD"} if "GET" in operations else set())
        one = Drafted(written[0], tuple(method for method in METHODS if method in methods))
        for name, parameter in sorted(query.items()):
            one.query[name] = self._kind(parameter, query=True)
        one.repeat = tuple(
            sorted(name for name, parameter in query.items() if _schema(parameter).get("type") == "array")
        )
        one.content_types = tuple(sorted({kind for op in operations.values() for kind in self._bodies(op)}))
        if MULTIPART in one.content_types:
            one.max_body = 26_214_400
        reading = operations.get("GET", {})
        served = any(not _TALK.fullmatch(kind) for kind in self._answers(reading))
        judge(
            one, written[1], [singular(part) for part in one.path.split("/") if part and "{" not in part], served=served
        )
        self._places[one.path] = list(self._shown(reading))
        self.routes.append(one)

    def _ids(self, one: Drafted) -> None:
        """Where a list's answer has ids, by its schema: then nobody needs to be asked."""
        if not one.links:
            return
        names = {"id", one.family, f"{one.family}id", f"{one.family}_id", "uuid"}
        found = [place for place in self._places[one.path] if place.rpartition(".")[2].lower() in names]
        one.ids = tuple(place for place in found if place.count("[]") == min(other.count("[]") for other in found))
        if one.ids:
            one.ask = tuple(ask for ask in one.ask if not ask.startswith("If it answers in JSON"))

    def _people(self) -> tuple[Person, ...]:
        """Sessions and bearer tokens; a key in a header only where there is nothing else, for it may be an app's."""
        components = self._at(self._whole.get("components"))
        schemes = components.get("securitySchemes") or self._whole.get("securityDefinitions")
        found: dict[str, Person] = {}
        for one in map(self._at, (schemes.values() if isinstance(schemes, dict) else ())):
            name = str(one.get("name", ""))
            if one.get("type") in {"oauth2", "openIdConnect"} or str(one.get("scheme", "")).lower() == "bearer":
                found.setdefault("jwt", Person(by="jwt", name="sub"))
            known = one.get("type") == "apiKey" and one.get("in") in {"cookie", "header"}
            if known and re.fullmatch(r"[A-Za-z0-9_.-]{1,128}", name):
                by: Literal["cookie", "header"] = "cookie" if one["in"] == "cookie" else "header"
                found.setdefault(by, Person(by=by, name=name))
        if len(found) > 1:
            found.pop("header", None)
        return tuple(found.values())

    def _base(self) -> str:
        servers = _list(self._whole.get("servers"))
        url = str(self._at(servers[0]).get("url", "")) if servers else str(self._whole.get("basePath", ""))
        path = urlsplit(url).path if "{" not in url else ""
        return path.rstrip("/")

    def _kind(self, parameter: Mapping[str, Any], *, query: bool = False) -> str:
        schema = self._at(_schema(parameter))
        if schema.get("type") == "array":
            schema = self._at(schema.get("items"))
        form, kind = schema.get("format"), schema.get("type")
        named = {"uuid": "guid", "date": "date"}.get(str(form), "")
        if named or kind in {"integer", "boolean"}:
            return named or {"integer": "int", "boolean": "bool"}[str(kind)]
        values = [str(one) for one in _list(schema.get("enum"))]
        if values and all(fits("token", value) for value in values):
            return "token"
        return "text" if query and not is_id(str(parameter.get("name"))) else "id" if not query else "reference"

    def _bodies(self, operation: Mapping[str, Any]) -> Iterator[str]:
        content = self._at(operation.get("requestBody")).get("content")
        yield from (kind for kind in (content if isinstance(content, dict) else ()) if _TYPE.fullmatch(kind))
        where = {str(self._at(one).get("in")) for one in _list(operation.get("parameters"))}
        if "body" in where:
            yield from map(
                str, _list(operation.get("consumes")) or _list(self._whole.get("consumes")) or ["application/json"]
            )
        if "formData" in where:
            yield MULTIPART if MULTIPART in _list(operation.get("consumes")) else "application/x-www-form-urlencoded"

    def _good(self, operation: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        answers = operation.get("responses")
        for status, answer in answers.items() if isinstance(answers, dict) else ():
            if str(status).startswith("2"):
                yield self._at(answer)

    def _answers(self, operation: Mapping[str, Any]) -> Iterator[str]:
        for answer in self._good(operation):
            content = answer.get("content")
            yield from map(str, content if isinstance(content, dict) else ())
            if self._at(answer.get("schema")).get("type") == "file":
                yield "application/octet-stream"
        yield from map(str, _list(operation.get("produces")))

    def _shown(self, operation: Mapping[str, Any]) -> Iterator[str]:
        """Places in the JSON of an answer that hold one value, in the words of `places`; of arrays only."""
        for answer in self._good(operation):
            content = self._at(answer.get("content"))
            schemas = [self._at(one).get("schema") for kind, one in content.items() if "json" in kind]
            for schema in (*schemas, answer.get("schema")):
                yield from (place for place in self._walk(schema, "", MAX_DEPTH) if "[]" in place)

    def _walk(self, schema: object, place: str, left: int) -> Iterator[str]:
        found = self._at(schema)
        if not left or not found:
            return
        for part in _list(found.get("allOf")):
            yield from self._walk(part, place, left - 1)
        if "items" in found:
            yield from self._walk(found["items"], f"{place}[]", left - 1)
        properties = found.get("properties")
        if isinstance(properties, dict) and left > MAX_DEPTH - 8:  # a list's ids are not deep
            for name, inner in properties.items():
                if re.fullmatch(r"[A-Za-z_$][A-Za-z0-9_$-]{0,63}", str(name)):
                    yield from self._walk(inner, f"{place}.{name}" if place else str(name), left - 1)
        elif found.get("type") in {"string", "integer"} and place:
            yield place

    def _at(self, value: object) -> dict[str, Any]:
        """An object, or what a reference in it leads to within this description; else nothing."""
        for _ in range(MAX_DEPTH):
            if not isinstance(value, dict):
                return {}
            reference = value.get("$ref")
            if not isinstance(reference, str):
                return value
            value = self._whole
            for part in reference.removeprefix("#/").split("/") if reference.startswith("#/") else ("",):
                value = value.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(value, dict) else None
        return {}


def _decoded(raw: bytes) -> dict[str, Any]:
    if len(raw) > MAX_OPENAPI:
        raise Malformed(f"The description is longer than {MAX_OPENAPI} bytes.")
    try:
        found = msgspec.json.decode(raw)
    except (msgspec.MsgspecError, RecursionError):
        try:
            found = yaml.safe_load(raw)
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            raise Malformed("The description is neither JSON nor YAML.") from error
    if not isinstance(found, dict) or not ("openapi" in found or "swagger" in found):
        raise Malformed("This describes no API: neither `openapi` nor `swagger` stands in it.")
    return found


def _schema(parameter: Mapping[str, Any]) -> Mapping[str, Any]:
    schema = parameter.get("schema")
    return schema if isinstance(schema, dict) else parameter  # Swagger 2 has it beside the name


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _written(path: str, kinds: Mapping[str, str], taken: set[str]) -> tuple[str, list[str]] | None:
    """A path of a description as gateway.toml writes it, and its parameters; None where there is no way."""
    parts: list[str] = []
    names: list[str] = []
    for part in path.removeprefix("/").split("/"):
        found = _TEMPLATE.fullmatch(part)
        if found is None:
            if "{" in part or "}" in part:
                return None
            parts.append(part)
            continue
        before, name, after = found.groups()
        snake = re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()).strip("_")
        short = re.sub(r"_(?:id|uuid|key|number)$", "", snake) or snake
        called = free(short if re.fullmatch(r"[a-z][a-z0-9_]{0,39}", short) else "id", {*names, *taken})
        if called == "id" and parts:
            above = re.sub(r"[^a-z0-9]+", "_", singular(parts[-1]))
            called = free(above if re.fullmatch(r"[a-z][a-z0-9_]{0,39}", above) else "id", {*names, *taken})
        names.append(called)
        parts.append(f"{before}{{{called}:{kinds.get(name, 'id')}}}{after}")
    return "/" + "/".join(parts), names
