"""A portal's own description becomes routes: typed, with their bodies, documents and lists; what it does not say is asked."""

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import Malformed
from strongroom.gateway.draft import draft
from strongroom.gateway.openapi import MAX_OPENAPI, Described
from strongroom.gateway.sections import Person
from strongroom.gateway.settings import parse

PORTAL: dict[str, Any] = {
    "openapi": "3.0.3",
    "servers": [{"url": "https://portal.example/api/v1/"}],
    "components": {
        "securitySchemes": {"people": {"type": "http", "scheme": "bearer"}},
        "schemas": {
            "Letter": {
                "type": "object",
                "properties": {
                    "id": {"type": "integer"}, "title": {"type": "string"}, "answers": {"$ref": "#/components/schemas/Page"},
                },
            },
            "Page": {
                "type": "object",
                "properties": {"items": {"type": "array", "items": {"$ref": "#/components/schemas/Letter"}}},
            },
        },
        "parameters": {"page": {"name": "page", "in": "query", "schema": {"type": "integer"}}},
    },
    "paths": {
        "/letters": {
            "parameters": [{"$ref": "#/components/parameters/page"}],
            "get": {
                "parameters": [{"name": "tag", "in": "query", "schema": {"type": "array", "items": {"enum": ["new", "read"]}}}],
                "responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Page"}}}}},
            },
            "post": {"requestBody": {"content": {"multipart/form-data": {}}}},
        },
        "/letters/{letterId}": {
            "get": {
                "parameters": [{"name": "letterId", "in": "path", "schema": {"type": "integer"}}],
                "responses": {"200": {"content": {"application/pdf": {}}}},
            }
        },
        "/visits/{id}": {
            "get": {
                "parameters": [{"name": "id", "in": "path", "schema": {"type": "string", "format": "uuid"}}],
                "responses": {"200": {"content": {"application/json": {}}}},
            }
        },
        "/odd/{a}-{b}": {"get": {}},
    },
}  # fmt: skip


def test_routes_are_typed_and_know_their_documents_and_lists() -> None:
    """Kinds by schema, documents by what is answered, ids of lists by where the schema has them; the person by its scheme."""
    found = Described(json.dumps(PORTAL).encode())
    letters, letter, visit = found.routes
    assert (letters.path, letters.methods) == ("/api/v1/letters", ("GET", "HEAD", "POST"))
    assert (letters.query, letters.repeat) == ({"page": "int", "tag": "token"}, ("tag",))
    assert (letters.ids, letters.family, letters.content_types) == (("items[].id",), "letter", ("multipart/form-data",))
    assert (letter.path, letter.document) == ("/api/v1/letters/{letter:int}", "letter")
    assert (visit.path, visit.document) == ("/api/v1/visits/{visit:guid}", "")
    assert "visit names something" in visit.ask[0]
    assert found.people == (Person(by="jwt", name="sub"),)
    assert found.left_out == {"paths that gateway.toml has no way to write": 1}
    read = parse(draft(found.routes, found.people, found.left_out, "portal.yaml").encode())
    assert [one.document for one in read.routes] == ["", "letter", ""]
    assert read.listed == {"letter"}


def test_yaml_and_swagger_are_read_too() -> None:
    """The older form: types beside names, files as a type, a base path, a key in a cookie."""
    text = yaml.safe_dump(
        {
            "swagger": "2.0", "basePath": "/p", "consumes": ["application/json"],
            "securityDefinitions": {"k": {"type": "apiKey", "in": "cookie", "name": "SID"}},
            "paths": {
                "/files/{id}": {
                    "get": {
                        "parameters": [{"name": "id", "in": "path", "type": "string"}],
                        "responses": {"200": {"schema": {"type": "file"}}},
                    },
                    "put": {"parameters": [{"name": "x", "in": "body", "schema": {}}]},
                },
                "/form": {"post": {"parameters": [{"name": "x", "in": "formData", "type": "string"}]}},
            },
        }
    )  # fmt: skip
    found = Described(text.encode())
    assert [(one.path, one.document, one.content_types) for one in found.routes] == [
        ("/p/files/{file:id}", "file", ("application/json",)),
        ("/p/form", "", ("application/x-www-form-urlencoded",)),
    ]
    assert found.people == (Person(by="cookie", name="SID"),)


@pytest.mark.parametrize(
    "raw",
    [b"", b"[]", b"{}", b"a: [", b"x" * (MAX_OPENAPI + 1), b'{"openapi": 3' + b"[" * 20_000, b"\xff\xfe"],
    ids=range(7),
)
def test_what_describes_no_api_is_said(raw: bytes) -> None:
    """Too long, no JSON and no YAML, or something else altogether."""
    with pytest.raises(Malformed):
        Described(raw)


def test_schemas_that_contain_themselves_end() -> None:
    """A tree of schemas is followed to a depth, and references in a circle lead nowhere."""
    loop = {"openapi": "3.1.0", "components": {"a": {"$ref": "#/components/b"}, "b": {"$ref": "#/components/a"}},
            "paths": {"/x": {"get": {"parameters": [{"$ref": "#/components/a"}]}}}}  # fmt: skip
    assert [one.path for one in Described(json.dumps(loop).encode()).routes] == ["/x"]


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(
        [
            "get",
            "query",
            "path",
            "$ref",
            "#/paths",
            "string",
            "integer",
            "array",
            "a\nb",
            "{",
            "{a}",
            "/x/{a}",
            "http://[",
            "200",
            "body",
        ]
    )
)
KEYS = st.sampled_from(
    ["paths", "get", "post", "/a/{b}", "/letters", "/letters/{id}", "parameters", "name", "in", "schema", "type", "items", "enum",
     "properties", "$ref", "responses", "200", "content", "application/json", "servers", "url", "components", "securitySchemes"]
)  # fmt: skip
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=40
)


@given(st.dictionaries(KEYS, TREES, max_size=8))
def test_whatever_stands_in_a_description_nothing_breaks(tree: dict[str, Any]) -> None:
    """A stranger's description gives a draft that can be read, or none; it never raises."""
    found = Described(json.dumps({**tree, "openapi": "3.0.0"}).encode())
    if found.routes:
        parse(draft(found.routes, found.people, found.left_out, "x").encode())
