"""What an answer shows is learned from JSON and from links, as the requests that would follow them."""

import json

import pytest

from strongroom.gateway.body import FORM
from strongroom.gateway.contract import Contract, Match, Request
from strongroom.gateway.reading import MAX_SHOWN, name_in_json, shown, words
from strongroom.gateway.settings import Checked, parse
from strongroom.gateway.target import Target, read

SETTINGS = b"""
[person]
by = "cookie"
name = "sid"

[[route]]
name = "letter"
path = "/my/letters/{document:int}"

[[route]]
name = "old"
path = "/get"
query = { document = "int", lang = "token" }

[[route]]
name = "list"
path = "/my/inbox"
query = { q = "text", page = "int" }
shows = { ids = ["items[].ref"], links = true }
"""


@pytest.fixture(scope="module")
def checked() -> Checked:
    """The settings above."""
    return parse(SETTINGS)


def ids(checked: Checked, kind: bytes, body: bytes, address: bytes = b"/my/inbox") -> set[str]:
    """The ids that the listing shows."""
    one = next(one for one in checked.routes if one.route.name == "list")
    target = read(address)
    assert isinstance(target, Target)
    found = shown(Contract(checked), one, kind, target, body)
    assert {family for family, _ in found} <= {"document"}
    return {name for _, name in found}


def test_json_shows_what_stands_at_its_places(checked: Checked) -> None:
    """References are the ids at their ends; what is no JSON shows nothing."""
    body = json.dumps({"items": [{"ref": 7}, {"ref": "Binary/8"}, {"other": 9}]}).encode()
    assert ids(checked, b"application/fhir+json; charset=utf-8", body) == {"7", "8"}
    assert ids(checked, b"application/json", b"{") == set()
    assert ids(checked, b"application/json", b"[" * 100_000) == set()
    assert ids(checked, b"text/plain", body) == set()


@pytest.mark.parametrize(
    ("page", "found"),
    [
        (b'<a href="letters/7">', {"7"}),
        (b"<a href='/my/letters/7'>", {"7"}),
        (b'<img SRC = "/my/letters/7">', {"7"}),
        (b'<a href="/get?document=7&amp;lang=en">', {"7"}),
        (b'<a href="../my/letters/7#top">', {"7"}),
        (b'<a data-url="http://portal/my/letters/7">', {"7"}),
        (b'fetch("/my/letters/7")', {"7"}),
        (b'{"url": "/my/letters/7"}', {"7"}),
        (b'<a href="/admin/7">', set()),
        (b'<a href="/my/letters/x">', set()),
        (b'<a href="http://[">', set()),
        (b'<a href="\xff">', set()),
    ],
)
def test_links_show_what_they_lead_to(checked: Checked, page: bytes, found: set[str]) -> None:
    """Relative, absolute, escaped as HTML has it; others show nothing."""
    assert ids(checked, b"text/html", page) == found


def test_a_page_shows_nothing_that_the_request_named(checked: Checked) -> None:
    """Who searches for a link, and gets the search repeated, was shown nothing; numbers of pages hide no longer numbers."""
    page = b'You searched for <b title="/my/letters/4711"></b> <a href="/my/letters/4711">x</a> <a href="letters/8">'
    assert ids(checked, b"text/html", page, b"/my/inbox?q=/my/letters/4711") == {"8"}
    assert ids(checked, b"text/html", page, b"/my/inbox?page=1") == {"4711", "8"}


def test_what_may_be_an_id_in_a_body_is_known() -> None:
    """However deep it stands, in whatever text, and with what may stand around it."""
    assert words("application/json", b'{"a": [1, {"b": "x/4711, y"}], "c": "AB\\u0043", "d": true, "e": 1.5}') >= {
        "1",
        "4711",
        "abc",
        "ABC",
    }
    assert words(FORM, b"a=0042&b=u%2Fa.b") >= {"42", "0042", "a.b", "a"}
    assert words("application/json", b"{") == frozenset()
    assert words("application/xml", b"<a id='7'>&#52;711</a>") >= {"7", "4711"}


def test_what_is_learned_of_one_answer_is_bounded(checked: Checked) -> None:
    """A page of everything teaches so much and no more."""
    page = b"".join(b'<a href="letters/%d">' % number for number in range(MAX_SHOWN + 1_000))
    assert len(ids(checked, b"text/html", page)) == MAX_SHOWN


def test_an_answer_to_a_login_names_a_person() -> None:
    """By a place in its JSON; what names nobody is nobody."""
    settings = b'[[route]]\nname = "login"\npath = "/login"\nmethods = ["POST"]\nlogin = { answer = "user.name" }\n'
    login = parse(settings).routes[0]
    assert name_in_json(login, b'{"user": {"name": "ann"}}') == "ann"
    assert name_in_json(login, b"{}") == ""
    assert name_in_json(login, b"{") == ""


def test_an_id_with_slashes_is_shown_whole() -> None:
    """Base64 of either alphabet; where ids have none, what ends with one is a reference to it."""
    text = SETTINGS.replace(b'path = "/my/letters/{document:int}"', b'path = "/open"\nquery = { document = "base64" }')
    text = text.replace(b'query = { document = "int", lang', b'query = { nr = "int", lang')
    checked = parse(text)
    body = json.dumps({"items": [{"ref": "ab/c+d=="}, {"ref": "TGV0"}]}).encode()
    assert ids(checked, b"application/json", body) == {"ab_c-d", "TGV0"}
    found = Contract(checked).check(Request("GET", b"/open?document=ab%2Fc%2Bd%3D%3D", ()))
    assert isinstance(found, Match)
    assert found.document == "ab_c-d"


def test_a_path_that_is_a_document_is_shown_whole() -> None:
    """As it stands behind the address of files."""
    checked = parse(
        SETTINGS.replace(b"/my/letters/{document:int}", b"/files/{document:path}").replace(
            b'document = "int", lang', b'nr = "int", lang'
        )
    )
    body = json.dumps({"items": [{"ref": "2024/scan 7.pdf"}, {"ref": "8.pdf"}]}).encode()
    assert ids(checked, b"application/json", body) == {"2024/scan 7.pdf", "8.pdf"}
    found = Contract(checked).check(Request("GET", b"/files/2024/scan%207.pdf", ()))
    assert isinstance(found, Match)
    assert found.document == "2024/scan 7.pdf"
