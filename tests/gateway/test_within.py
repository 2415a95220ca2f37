"""Where each patient has a document 1, a document is the patient's: shown, counted and walked along by both."""

import json

import pytest

from strongroom.errors import ConfigError
from strongroom.gateway.contract import Contract, Match, Request
from strongroom.gateway.reading import Said, shown
from strongroom.gateway.refusal import Refusal
from strongroom.gateway.settings import Checked, parse
from strongroom.gateway.target import Target, read
from tests.gateway.test_guard import Scene, scene

HEAD = '[person]\nby = "cookie"\nname = "sid"\n'
DOCUMENT = (
    '[[route]]\nname = "document"\npath = "/patients/{patient:digits}/documents/{document:int}"\nwithin = "patient"\n'
)
TEXT = f"""{HEAD}{DOCUMENT}
[[route]]
name = "old"
path = "/get"
query = {{ p = "int", document = "int" }}
repeat = ["document"]
patient = "p"
within = "p"

[[route]]
name = "open"
path = "/open"
methods = ["POST"]
content_types = ["application/json"]
body = {{ patient = "of:int", document = "ids[]:int" }}
within = "patient"

[[route]]
name = "list"
path = "/patients/{{patient:digits}}/documents"
query = {{ page = "int", q = "text" }}
shows = {{ ids = ["items[].id"] }}

[[route]]
name = "all"
path = "/documents"
query = {{ patient = "int" }}
shows = {{ ids = ["people[].documents[].id", "people[].newest"], within = "people[].id" }}

[[route]]
name = "page"
path = "/start"
query = {{ patient = "int" }}
shows = {{ links = true }}
"""


@pytest.fixture(scope="module")
def checked() -> Checked:
    """The settings above."""
    return parse(TEXT.encode())


def match(checked: Checked, target: bytes) -> Match | Refusal:
    """A GET."""
    return Contract(checked).check(Request("GET", target, ()))


def documents(checked: Checked, target: bytes) -> tuple[str, ...]:
    """What a GET counts as."""
    found = match(checked, target)
    assert isinstance(found, Match)
    return (found.document, *found.also)


def shows(checked: Checked, name: str, address: bytes, body: object, kind: bytes = b"application/json") -> set[str]:
    """The ids that this answer shows."""
    one = next(one for one in checked.routes if one.route.name == name)
    target = read(address)
    assert isinstance(target, Target)
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return {two for _, two in shown(Contract(checked), one, kind, target, text, Said())}


def test_a_document_is_the_patient_and_the_number(checked: Checked) -> None:
    """In whatever address it stands, and in one spelling; without the patient it is none."""
    assert documents(checked, b"/patients/7/documents/5") == ("7/5",)
    assert documents(checked, b"/patients/007/documents/5") == ("7/5",)
    assert documents(checked, b"/get?document=5&p=7&document=6") == ("7/5", "7/6")
    alone = match(checked, b"/get?document=5")
    assert isinstance(alone, Refusal)
    assert (alone.status, alone.rule, alone.hard) == (400, "document-alone", True)


def test_a_body_names_both(checked: Checked) -> None:
    """Several documents of one patient."""
    headers = [(b"content-type", b"application/json"), (b"content-length", b"9")]
    found = Contract(checked).check(Request("POST", b"/open", headers))
    assert isinstance(found, Match)
    assert found.document == ""
    told = found.naming({"patient": ("7",), "document": ("5", "6")})
    assert isinstance(told, Match)
    assert (told.document, told.also, told.patient) == ("7/5", ("7/6",), "7")


def test_a_list_shows_documents_of_the_patient_in_its_address(checked: Checked) -> None:
    """The same number of another patient is not shown by that; nor a number that the request names, but for the patient's own."""
    items = {"items": [{"id": 1}, {"id": 2}, {"id": 7}]}
    assert shows(checked, "list", b"/patients/007/documents", items) == {"7/1", "7/2", "7/7"}
    assert shows(checked, "list", b"/patients/8/documents?page=2&q=x1", items) == {"8/7"}


def test_a_list_shows_documents_of_the_patients_beside_them(checked: Checked) -> None:
    """Each with the one that it stands under; where none is said, of nobody."""
    body = {"people": [{"id": "Patient/7", "documents": [{"id": 1}, {"id": 2}], "newest": 3}, {"newest": 5}]}
    assert shows(checked, "all", b"/documents", body) == {"7/1", "7/2", "7/3", "/5"}


def test_links_show_both(checked: Checked) -> None:
    """As they would be asked for."""
    page = b"""<a href="/patients/7/documents/1"><a href="/get?document=2&amp;p=7"><a href="/get?document=3">"""
    assert shows(checked, "page", b"/start?patient=7", page, b"text/html") == {"7/1", "7/2"}


def thief(one: Scene, *pairs: tuple[int, int], minutes: int = 4, status: int = 200) -> int:
    """How many of these a thief gets, one after the other."""
    got = 0
    for patient, number in pairs:
        got += one.reads("thief", f"{patient}/{number}", patient=str(patient), status=status)
        one.now += minutes * 60_000
    return got


@pytest.mark.parametrize(
    "pairs",
    [
        [(patient, number) for patient in range(100, 200) for number in (1, 2, 3)],
        [(patient, 1) for patient in range(100, 300)],
        [(patient * 97, 1) for patient in range(200)],
        [(7, number) for number in range(200)],
    ],
)
def test_whoever_was_shown_their_own_takes_five_of_others(pairs: list[tuple[int, int]]) -> None:
    """Everybody has the numbers that the thief was shown of itself: the patient makes the difference."""
    one = scene()
    one.shows("thief", [f"42/{number}" for number in range(200)])
    assert all(one.reads("thief", f"42/{number}") for number in range(20))
    assert thief(one, *pairs) <= 10
    assert all(one.reads("thief", f"42/{number}", session="anew") for number in range(20, 40))


@pytest.mark.parametrize("pairs", [[(patient, 1) for patient in range(60)], [(5, number) for number in range(60)]])
def test_a_walk_along_either_number_ends_where_listings_are_not_described(pairs: list[tuple[int, int]]) -> None:
    """Every third is not there: whoever meets holes between others counts."""
    one = scene(listed=())
    one.reads("thief", "42/1", patient="42")
    one.now += 2 * 24 * 60 * 60_000
    got = 0
    for at, (patient, number) in enumerate(pairs):
        there = at % 3 != 2
        passed = one.reads("thief", f"{patient}/{number}", status=200 if there else 404)
        got += there and passed
        one.now += 1_000
    assert got <= 8
    assert "guard-person-holes-24h" in one.rules


def test_an_own_record_is_read_in_order() -> None:
    """Forty numbers in a row that a list showed, and those of two children."""
    one = scene()
    for patient in (7, 8, 9):
        one.shows("ann", [f"{patient}/{number}" for number in range(40)], patient=str(patient))
    assert all(
        one.reads("ann", f"{patient}/{number}", patient=str(patient)) for patient in (7, 8, 9) for number in range(40)
    )
    assert one.rules == []


def test_a_decoy_is_one_patients() -> None:
    """The same number of somebody else is a document."""
    one = scene(decoys=("7/5",))
    one.shows("ann", ["8/5"])
    assert one.reads("ann", "8/5")
    assert not one.reads("ann", "7/5")


SHOWS = '[[route]]\nname = "list"\npath = "/documents"\nshows = {{ ids = ["items[].id"]{} }}\n'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (DOCUMENT.replace('within = "patient"', 'within = "document"'), "beside the document"),
        (DOCUMENT.replace('within = "patient"', 'within = "folder"'), "beside the document"),
        (DOCUMENT.replace("{document:int}", "{letter:int}"), "beside the document"),
        (DOCUMENT.replace("{patient:digits}", "{patient:name}"), "strict kinds"),
        (DOCUMENT.replace("{document:int}", "{document:path}"), "strict kinds"),
        (
            DOCUMENT.replace("{patient:digits}", "all") + 'methods = ["POST"]\ncontent_types = ["application/json"]\n'
            'body = { patient = "of:int" }\n',
            "stands in the body",
        ),
        (
            DOCUMENT.replace('within = "patient"', 'within = "year"') + 'query = { year = "int" }\nrepeat = ["year"]\n',
            "that comes once",
        ),
        (DOCUMENT + '[[route]]\nname = "old"\npath = "/d/{document:int}"\n', "that of document is: both, or none"),
        (DOCUMENT + SHOWS.format(""), "does not say within what"),
        (DOCUMENT + SHOWS.format(', within = "items[].of[]"'), "stands beside no id"),
        (DOCUMENT + SHOWS.format(', within = "items[].of[1]"'), "does not say within what"),
        (DOCUMENT.replace('within = "patient"\n', "") + SHOWS.format(', within = "items[].of"'), "nothing says"),
    ],
)
def test_what_would_count_wrongly_is_refused(text: str, says: str) -> None:
    """One document would be two, two would be one, or a list would show nobody's."""
    with pytest.raises(ConfigError) as caught:
        parse((HEAD + text).encode())
    assert says in caught.value.message


def test_a_list_may_spell_ids_in_another_way() -> None:
    """Capitals of a GUID and zeros before digits make no other document of it."""
    text = HEAD + (
        '[[route]]\nname = "document"\npath = "/p/{patient:guid}/d/{document:digits}"\nwithin = "patient"\n'
        '[[route]]\nname = "list"\npath = "/list"\nshows = { ids = ["[].id"], within = "[].of" }\n'
    )
    told = parse(text.encode())
    of = "ABCDEF00-0000-4000-8000-000000000000"
    assert shows(told, "list", b"/list", [{"id": "0005", "of": of}]) == {f"{of.lower()}/5"}
    assert documents(told, f"/p/{of}/d/05".encode()) == (f"{of.lower()}/5",)
