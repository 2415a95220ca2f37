"""What a request names in its body: one reading, or none."""

import json
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import ConfigError
from strongroom.gateway import body as bodies
from strongroom.gateway.body import FORM
from strongroom.gateway.named import MAX_NAME, named, signs_in
from strongroom.gateway.refusal import Refusal
from strongroom.gateway.settings import Described, parse
from tests.gateway.conftest import Scripted, gateway

JSON = "application/json"
SETTINGS = """
[person]
by = "header"
name = "x-user"

[guard]
mode = "enforce"
limits = { person-documents-24h = 2 }

[[route]]
name = "open"
path = "/api/letters/open"
methods = ["POST"]
content_types = ["application/json", "application/x-www-form-urlencoded"]
body = { document = "letter.id:int", patient = "owner:digits" }
"""
ONE = parse(SETTINGS.encode()).routes[0]


def read(kind: str, body: bytes, one: Described = ONE) -> dict[str, str] | str:
    """What the body names, of several with blanks between; or the rule that refuses it."""
    assert bodies.check(kind, body, 1_000) is None
    found = named(one, kind, body)
    return found.rule if isinstance(found, Refusal) else {name: " ".join(given) for name, given in found.items()}


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (JSON, b'{"letter": {"id": 71, "more": "x"}, "owner": "007", "else": [1]}'),
        (JSON, b'{"letter": {"id": "71"}, "owner": 7}'),
        (FORM, b"letter.id=71&owner=007&else=1"),
        (FORM, b"letter%5Bid%5D=71&owner=%37"),
    ],
)
def test_a_document_and_a_patient_are_named(kind: str, body: bytes) -> None:
    """In JSON by their places, in a form by the field, with a point or with brackets."""
    found = read(kind, body)
    assert isinstance(found, dict)
    assert (found["document"], found["patient"].lstrip("0")) == ("71", "7")


@pytest.mark.parametrize(
    ("kind", "body", "rule"),
    [
        (JSON, b'{"letter": {"id": 71}}', "body-lacks"),
        (JSON, b'{"letter": [{"id": 71}], "owner": 7}', "body-lacks"),
        (JSON, b'{"letter": {"id": [71, 72]}, "owner": 7}', "body-lacks"),
        (JSON, b'{"letter": {"id": 71.0}, "owner": 7}', "body-lacks"),
        (JSON, b'{"letter": {"id": null}, "owner": 7}', "body-lacks"),
        (JSON, b"[]", "body-lacks"),
        (JSON, b'{"letter": {"id": "071"}, "owner": 7}', "body-kind"),
        (JSON, b'{"letter": {"id": -71}, "owner": 7}', "body-kind"),
        (JSON, b'{"letter": {"id": "71 or 1=1"}, "owner": 7}', "body-kind"),
        (JSON, b'{"letter": {"id": 71, "ID": 72}, "owner": 7}', "body-twice"),
        (JSON, b'{"letter": {"id": 71}, "Letter": {"id": 72}, "owner": 7}', "body-twice"),
        (JSON, b'{"letter": {"Id": 71}, "owner": 7}', "body-twice"),
        (FORM, b"letter.id=71&letter.id=72&owner=7", "body-twice"),
        (FORM, b"letter.id=71&letter%5Bid%5D=72&owner=7", "body-twice"),
        (FORM, b"letter.id=71&%20letter.id=72&owner=7", "body-twice"),
        (FORM, b"letter.id=71&letter_id=72&owner=7", "body-twice"),
        (FORM, b"letter.id=71&LETTER.ID%00=72&owner=7", "body-twice"),
        (FORM, b"letter.id=71&owner=7&owner%5B%5D=8", "body-twice"),
        (FORM, b"letter.id=71&owner=7&owner%5B0%5D=8", "body-twice"),
        (FORM, b"owner=7", "body-lacks"),
        (FORM, b"letter.id=&owner=7", "body-kind"),
    ],
)
def test_what_could_be_read_otherwise_is_refused(kind: str, body: bytes, rule: str) -> None:
    """Other capitals, blanks, brackets and joints; two of it; a list; nothing; another kind."""
    assert read(kind, body) == rule


LOGIN = """
[[route]]
name = "login"
path = "/login"
methods = ["POST"]
content_types = ["%s"]
login = { %s }
"""


@pytest.mark.parametrize(
    ("way", "kind", "body", "name"),
    [
        ("form = 'user'", FORM, b"user=ann&password=x%3By", "ann"),
        ("form = 'user'", FORM, b"user=ann&password=x;y=1", "ann"),
        ("form = 'user[name]'", FORM, b"user%5Bname%5D=ann&user%5Bword%5D=x", "ann"),
        ("form = 'ctl00$Main$Name'", FORM, b"ctl00%24Main%24Name=ann", "ann"),
        ("form = 'user'", FORM, b"user=", ""),
        ("json = 'user.name'", JSON, b'{"user": {"name": "ann"}, "password": "x"}', "ann"),
        ("json = 'number'", JSON, b'{"number": 7}', "7"),
        ("answer = 'name'", JSON, b'{"USER": "ann", "user": "bob"}', ""),
    ],
)
def test_who_signs_in_is_named(way: str, kind: str, body: bytes, name: str) -> None:
    """By a field of a form, or at a place in JSON; or by the answer, and then the request says nothing."""
    assert signs_in(parse((LOGIN % (kind, way)).encode()).routes[0], kind, body) == name


@pytest.mark.parametrize(
    ("way", "kind", "body", "rule"),
    [
        ("form = 'user'", FORM, b"user=bob&user=ann", "body-twice"),
        ("form = 'user'", FORM, b"user=bob&password=x;user=ann", "body-twice"),
        ("form = 'user'", FORM, b"user=bob&User=ann", "body-twice"),
        ("form = 'user'", FORM, b"USER=ann", "body-twice"),
        ("form = 'user'", FORM, b"user%5B%5D=ann", "body-twice"),
        ("form = 'user'", FORM, b"email=ann&password=x", "login-nameless"),
        ("form = 'user'", FORM, b"user=" + b"x" * (MAX_NAME + 1), "login-nameless"),
        ("json = 'user'", JSON, b'{"user": "bob", "USER": "ann"}', "body-twice"),
        ("json = 'user'", JSON, b'{"User": "ann"}', "body-twice"),
        ("json = 'user'", JSON, b'{"user": ["ann"]}', "login-nameless"),
        ("json = 'user'", JSON, b'{"user": "ann%s"}' % (b" " * MAX_NAME), "login-nameless"),
        ("json = 'user'", JSON, b'{"email": "ann"}', "login-nameless"),
    ],
)
def test_a_login_that_could_be_read_otherwise_is_refused(way: str, kind: str, body: bytes, rule: str) -> None:
    """Else the portal would sign in one, and the session be counted as another's: a thief would be anybody they like."""
    found = signs_in(parse((LOGIN % (kind, way)).encode()).routes[0], kind, body)
    assert isinstance(found, Refusal)
    assert (found.rule, found.hard) == (rule, True)


@pytest.mark.parametrize("settings", [LOGIN % (JSON, "form = 'user'"), LOGIN % (FORM, "json = 'user'"),
                                      LOGIN % ("multipart/form-data", "form = 'user'")])  # fmt: skip
def test_a_login_has_a_body_in_which_its_name_is_found(settings: str) -> None:
    """Other types would sign in somebody whose name nobody read."""
    with pytest.raises(ConfigError, match="login"):
        parse(settings.encode())


def _as_net(document: object) -> set[str]:
    """What a reader takes for letter.id to whom capitals are nothing, whichever of several it takes."""
    values = [document]
    for name in ("letter", "id"):
        values = [
            value
            for one in values
            if isinstance(one, dict)
            for member, value in one.items()
            if member.lower().strip() == name
        ]
    return {str(value) for value in values if isinstance(value, int | str)}


_NAMES = st.sampled_from(["letter", "Letter", "LETTER ", "id", "Id", " id", "ID", "owner", "x"])
_LEAVES = st.one_of(st.integers(0, 99), st.sampled_from(["1", "2"]))
_TREES = st.recursive(_LEAVES, lambda inner: st.dictionaries(_NAMES, inner, max_size=3), max_leaves=8)


@given(own=st.integers(0, 99), tree=st.dictionaries(_NAMES, _TREES, max_size=4))
def test_no_reader_of_json_finds_another_document(own: int, tree: dict[str, object]) -> None:
    """Whatever stands beside it: what is counted is all that any reader could take for it."""
    tree = {"letter": {"id": own}, "owner": 7, **tree}
    found = named(ONE, JSON, json.dumps(tree).encode())
    if isinstance(found, dict):
        assert _as_net(tree) == set(found["document"])


def _as_php(fields: list[tuple[str, str]]) -> set[str]:
    """What PHP, and those to whom capitals are nothing, take for it."""
    return {
        value
        for name, value in fields
        if name.strip().lower().replace(".", "_").replace("[", "_").rstrip("]").rstrip("_") == "letter_id"
    }


@given(
    fields=st.lists(
        st.tuples(
            st.sampled_from(
                ["letter.id", "letter[id]", "letter_id", "Letter.Id", " letter.id", "letter.id[]", "owner", "x"]
            ),
            st.sampled_from(["1", "2", "3"]),
        ),
        max_size=5,
    )
)
def test_no_reader_of_forms_finds_another_document(fields: list[tuple[str, str]]) -> None:
    """The same, of PHP's names."""
    found = named(ONE, FORM, urlencode(fields).encode())
    if isinstance(found, dict):
        assert _as_php(fields) == set(found["document"])


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('"letter.id:int"', '"letter.id"', "of no kind"),
        ('"letter.id:int"', '"letters[].id:int"', "a form has no lists within lists"),
        ('"owner:digits"', '"owners[]:digits"', "not every one of a list"),
        ('"letter.id:int"', '"letter id:int"', "a place in JSON"),
        ('["POST"]', '["POST", "GET"]', "methods that have one"),
        ('"application/json", ', '"application/pdf", ', "JSON or a form"),
        ("/letters/open", "/letters/{document:int}", "in two of"),
    ],
)
def test_a_description_that_cannot_be_kept_is_refused(old: str, new: str, why: str) -> None:
    """With the route's name."""
    with pytest.raises(ConfigError, match=f"Route open: .*{why}"):
        parse(SETTINGS.replace(old, new).encode())


def test_documents_named_in_bodies_are_counted() -> None:
    """Of the person who asks: the third is refused; so is whoever is nobody, and a request without a body. The portal heard two."""
    portal = Scripted(*[b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"] * 4)

    def opens(number: int | None, *who: str) -> tuple[int, str]:
        body = b"" if number is None else json.dumps({"letter": {"id": number}, "owner": 7}).encode()
        status, _, answer = served.gets(
            "/api/letters/open", "Content-Type: application/json", *who, method="POST", body=body
        )
        return status, "" if status == 200 else json.loads(answer)["error"]

    with gateway(SETTINGS.encode(), portal.port) as served:
        ann = "X-User: ann"
        assert [opens(number, ann) for number in (71, 5_000)] == [(200, "")] * 2
        assert opens(9_000, ann) == (403, "guard-person-documents-24h")
        assert opens(71) == (401, "document-stranger")
        assert opens(None, ann) == (400, "body-lacks")
        asked = served.event(1).asked
        assert asked is not None
        assert (asked.document, asked.patient, asked.family) == ("5000", "7", "document")
    assert len(portal.heard) == 2
    portal.close()


MANY_AT_ONCE = (
    SETTINGS.replace('"letter.id:int"', '"ids[]:int"').replace("\nbody", "\nmax_keys = 200\nbody")
    + """
[[route]]
name = "pack"
path = "/pack"
query = { document = "digits" }
repeat = ["document"]
"""
)


@pytest.mark.parametrize(
    ("kind", "body", "found"),
    [
        (JSON, b'{"ids": [71, "72", 71], "owner": 7}', "71 72 71"),
        (FORM, b"ids=71&ids=72&owner=7", "71 72"),
        (FORM, b"ids%5B%5D=71&ids%5B%5D=72&owner=7", "71 72"),
        (JSON, b'{"ids": [], "owner": 7}', "body-lacks"),
        (JSON, b'{"ids": 71, "owner": 7}', "body-lacks"),
        (JSON, b'{"ids": [71, [72]], "owner": 7}', "body-lacks"),
        (JSON, b'{"ids": [71, {"id": 72}], "owner": 7}', "body-lacks"),
        (JSON, b'{"ids": [71, null], "owner": 7}', "body-lacks"),
        (JSON, b'{"ids": [71, "x"], "owner": 7}', "body-kind"),
        (JSON, b'{"ids": [71], "Ids": [72], "owner": 7}', "body-twice"),
        (FORM, b"ids=71&ids%5B%5D=72&owner=7", "body-twice"),
        (FORM, b"ids%5B0%5D=71&owner=7", "body-twice"),
    ],
)
def test_several_documents_are_named_at_once(kind: str, body: bytes, found: str) -> None:
    """A list of JSON, each of it; a field that comes again, with brackets or without."""
    one = parse(MANY_AT_ONCE.encode()).routes[0]
    heard = read(kind, body, one)
    assert (heard if isinstance(heard, str) else heard["document"]) == found


def test_elements_of_a_list_name_documents_further_in() -> None:
    """With the same care on each level."""
    text = SETTINGS.replace('"letter.id:int"', '"letters[].id:int"').replace(
        ', "application/x-www-form-urlencoded"', ""
    )
    one = parse(text.encode()).routes[0]
    assert read(JSON, b'{"letters": [{"id": 1}, {"id": 2}], "owner": 7}', one) == {"document": "1 2", "patient": "7"}
    assert read(JSON, b'{"letters": [{"id": 1}, {"ID": 2}], "owner": 7}', one) == "body-twice"
    assert read(JSON, b'{"letters": [{"id": 1}, {"no": 2}], "owner": 7}', one) == "body-lacks"


def test_each_of_several_is_counted_and_none_leaves_without_the_others() -> None:
    """Two at once pass where two may; three do not, and the portal's answer stays here. In an address as in a body."""
    portal = Scripted(*[b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"] * 4)

    def posts(who: str, *numbers: int) -> tuple[int, bytes]:
        body = json.dumps({"ids": numbers, "owner": 7}).encode()
        lines = ("Content-Type: application/json", f"X-User: {who}")
        status, _, answer = served.gets("/api/letters/open", *lines, method="POST", body=body)
        return status, answer

    def packs(who: str, *numbers: int) -> tuple[int, bytes]:
        query = "&".join(f"document={number}" for number in numbers)
        status, _, answer = served.gets(f"/pack?{query}", f"X-User: {who}")
        return status, answer

    with gateway(MANY_AT_ONCE.encode(), portal.port) as served:
        for ask, who in ((posts, "ann"), (packs, "bob")):
            assert ask(who, 10, 5_000, 10) == (200, b"ok")
            status, answer = ask(who, 10, 9_000)
            assert (status, json.loads(answer)["error"]) == (403, "guard-person-documents-24h")
        assert json.loads(posts("cid", *range(101))[1])["error"] == "documents-many"
        event = served.event(0)
        assert event.asked is not None
        assert [asked.document for asked in (event.asked, *event.also)] == ["10", "5000"]
    assert len(portal.heard) == 2  # what is beyond a limit is seen before the portal is asked
    portal.close()
