"""What is described may pass; nothing else does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.gateway.contract import Contract, Match, Request
from strongroom.gateway.kinds import KINDS
from strongroom.gateway.pattern import _NARROW
from strongroom.gateway.refusal import Refusal
from strongroom.gateway.settings import parse

SETTINGS = """
[gateway]
hosts = ["portal.example"]
max_headers = 8
max_cookies = 3

[person]
by = "cookie"
name = "sid"

[[route]]
name = "letter"
path = "/letters/{document:int}"
query = { download = "bool", tag = "token" }
repeat = ["tag"]

[[route]]
name = "latest"
path = "/letters/latest"

[[route]]
name = "scan"
path = "/p/{patient:digits}/scan-{document:hex}.png"

[[route]]
name = "old"
path = "/get.php"
query = { letter = "int" }
document = "letter"

[[route]]
name = "search"
path = "/search"
query = { q = "text" }

[[route]]
name = "upload"
path = "/letters/"
methods = ["POST"]
content_types = ["application/json", "application/pdf"]
max_body = 2_000_000

[[route]]
name = "assets"
path = "/static/{file:path}"
"""
HOST = (b"host", b"portal.example")
CONTRACT = Contract(parse(SETTINGS.encode()))
LEARNING = Contract(parse(SETTINGS.replace("[gateway]", '[gateway]\nroutes = "learn"').encode()))


def check(
    target: bytes, method: str = "GET", *headers: tuple[bytes, bytes], contract: Contract = CONTRACT
) -> Match | Refusal:
    """The contract's answer."""
    return contract.check(Request(method, target, [HOST, *headers]))


def route_of(found: Match | Refusal) -> str:
    """The name of the route that was found."""
    assert isinstance(found, Match)
    assert found.route is not None
    return found.route.route.name


@pytest.mark.parametrize(
    ("target", "route", "document", "patient"),
    [
        (b"/letters/17", "letter", "17", ""),
        (b"/letters/17?download=true&tag=a&tag=b", "letter", "17", ""),
        (b"/%6cetters/%317", "letter", "17", ""),
        (b"/letters/latest", "latest", "", ""),
        (b"/p/007/scan-00ff.png", "scan", "00ff", "7"),
        (b"/get.php?letter=17", "old", "17", ""),
        (b"/get.php", "old", "", ""),
        (b"/search?q=O'Neill+%26+S%c3%b6hne", "search", "", ""),
        (b"/static/js/app-1.2.js", "assets", "", ""),
    ],
)
def test_what_is_described_passes(target: bytes, route: str, document: str, patient: str) -> None:
    """The route, and what the request counts as."""
    found = check(target)
    assert route_of(found) == route
    assert isinstance(found, Match)
    assert (found.document, found.patient) == (document, patient)


@pytest.mark.parametrize("turned", [False, True])
def test_what_fits_two_routes_is_the_narrower_ones(turned: bool) -> None:
    """In whatever order they are written: a number is a number, though it is hexadecimal too."""
    routes = [
        f'[[route]]\nname = "{kind}"\npath = "/x/{{one:{kind}}}"\nquery = {{ {kind} = "int" }}\n'
        for kind in ("text", "token", "hex", "date", "uuid", "int")
    ]
    contract = Contract(parse("".join(reversed(routes) if turned else routes).encode()))
    for value, kind in (("5", "int"), ("0a", "hex"), ("2026-01-31", "date"), ("a-1", "token"), ("a!", "text")):
        assert route_of(contract.check(Request("GET", f"/x/{value}?{kind}=1".encode(), []))) == kind
    assert set(_NARROW) == {*KINDS, "path"}


@pytest.mark.parametrize(
    ("status", "rule", "target", "method"),
    [
        (404, "route-undescribed", b"/", "GET"),
        (404, "route-undescribed", b"/admin", "GET"),
        (404, "route-undescribed", b"/letters/17/", "GET"),
        (404, "route-undescribed", b"/letters/017", "GET"),
        (404, "route-undescribed", b"/letters/17%20or%201", "GET"),
        (404, "route-undescribed", b"/LETTERS/17", "GET"),
        (404, "route-undescribed", b"/p/1/scan-00ff.png.exe", "GET"),
        (404, "route-undescribed", b"/static/", "GET"),
        (404, "route-undescribed", b"/static/.git/config", "GET"),
        (404, "route-undescribed", b"/static" + b"/a" * 40, "GET"),
        (405, "method-undescribed", b"/letters/17", "DELETE"),
        (405, "method-undescribed", b"/letters/17", "get"),
        (400, "query-undescribed", b"/letters/17?document=18", "GET"),
        (400, "query-undescribed", b"/letters/17?download[]=1", "GET"),
        (400, "query-kind", b"/letters/17?download=maybe", "GET"),
        (400, "query-kind", b"/get.php?letter=1%27", "GET"),
        (400, "query-twice", b"/get.php?letter=1&letter=2", "GET"),
        (400, "path-separator", b"/letters/%3f/17", "GET"),
    ],
)
def test_what_is_not_described_is_refused(status: int, rule: str, target: bytes, method: str) -> None:
    """Paths, methods, parameters and their kinds."""
    found = check(target, method)
    assert isinstance(found, Refusal)
    assert (found.status, found.rule) == (status, rule)


def test_a_refused_method_says_which_are_described() -> None:
    """For Allow."""
    found = check(b"/letters/17", "POST")
    assert isinstance(found, Refusal)
    assert found.allow == ("GET", "HEAD")


@pytest.mark.parametrize(
    ("status", "rule", "headers"),
    [
        (431, "headers-many", [(b"x", b"1")] * 8),
        (431, "cookies-many", [(b"cookie", b"a=1; b=2; c=3; d=4")]),
        (400, "header-twice", [(b"content-type", b"a/b"), (b"content-type", b"c/d")]),
        (400, "header-twice", [(b"cookie", b"sid=1"), (b"cookie", b"sid=2")]),
        (400, "header-twice", [HOST]),
        (421, "host-other", [(b"host", b"other.example")]),
        (501, "coding-other", [(b"transfer-encoding", b"gzip, chunked")]),
        (415, "body-encoded", [(b"content-encoding", b"gzip")]),
        (400, "method-override", [(b"x-http-method-override", b"DELETE")]),
        (400, "method-override", [(b"x-original-url", b"/admin")]),
    ],
)
def test_headers(status: int, rule: str, headers: list[tuple[bytes, bytes]]) -> None:
    """Too many, double, or asking for something else than the request: refused in every mode."""
    headers = headers if headers[0][0] == b"host" and rule == "host-other" else [HOST, *headers]
    for contract in (CONTRACT, LEARNING):
        found = contract.check(Request("GET", b"/letters/17", headers))
        assert isinstance(found, Refusal)
        assert (found.status, found.rule, found.hard) == (status, rule, True)


@pytest.mark.parametrize(
    ("status", "rule", "target", "method", "headers"),
    [
        (0, "", b"/letters/", "POST", {b"content-type": b"application/pdf", b"content-length": b"2000000"}),
        (0, "", b"/letters/", "POST", {b"content-type": b"Application/JSON; charset=utf-8", b"content-length": b"9"}),
        (0, "", b"/letters/", "POST", {b"content-type": b"application/pdf", b"transfer-encoding": b"chunked"}),
        (0, "", b"/letters/", "POST", {b"content-length": b"0"}),
        (413, "body-large", b"/letters/", "POST", {b"content-type": b"application/pdf", b"content-length": b"2000001"}),
        (
            413,
            "body-large",
            b"/letters/",
            "POST",
            {b"content-type": b"application/json", b"content-length": b"1048577"},
        ),
        (413, "body-large", b"/letters/", "POST", {b"content-type": b"application/json", b"content-length": b"9" * 16}),
        (415, "body-type", b"/letters/", "POST", {b"content-type": b"text/xml", b"content-length": b"9"}),
        (415, "body-type", b"/letters/", "POST", {b"content-length": b"9"}),
        (400, "body-undescribed", b"/letters/17", "GET", {b"content-length": b"9"}),
        (400, "body-undescribed", b"/letters/17", "GET", {b"transfer-encoding": b"chunked"}),
    ],
)
def test_bodies(status: int, rule: str, target: bytes, method: str, headers: dict[bytes, bytes]) -> None:
    """Described types, up to their size; none where none is described."""
    found = check(target, method, *headers.items())
    assert (found.status, found.rule) == (status, rule) if isinstance(found, Refusal) else not rule


def test_learning_passes_on_what_is_not_described_and_says_so() -> None:
    """With the reason that would have refused it; tricks are refused all the same."""
    found = check(b"/admin?x=1", "PATCH", contract=LEARNING)
    assert isinstance(found, Match)
    assert (found.route, found.noted.rule if found.noted else "") == (None, "route-undescribed")
    assert found.target.wire == b"/admin?x=1"
    assert isinstance(check(b"/a%2fb", contract=LEARNING), Refusal)
    assert route_of(check(b"/letters/17", contract=LEARNING)) == "letter"


@pytest.mark.parametrize(
    ("link", "document"),
    [
        (b"/letters/17", ("document", "17")),
        (b"/p/1/scan-ff.png", ("document", "ff")),
        (b"/get.php?letter=9", ("letter", "9")),
        (b"/letters/latest", None),
        (b"/admin/17", None),
        (b"/letters/%2f", None),
    ],
)
def test_links_name_documents(link: bytes, document: tuple[str, str] | None) -> None:
    """An address that a listing shows counts as the request that would follow it."""
    assert CONTRACT.document_of(link) == document


@given(st.sampled_from(["GET", "POST", "HEAD", "X"]), st.text("/letrs17.?=&%2f;pgnq-", max_size=30).map(str.encode))
def test_any_request_has_one_answer_and_what_passes_is_described(method: str, target: bytes) -> None:
    """No error; what passes passes again as it is written; no strict id has a second spelling."""
    found = check(b"/" + target, method)
    if isinstance(found, Refusal):
        return
    assert found.route is not None
    assert method in found.route.route.methods
    again = check(found.target.wire, method)
    assert isinstance(again, Match)
    assert (again.route, again.values) == (found.route, found.values)
    if found.document:
        link = CONTRACT.document_of(found.target.wire)
        assert link is not None
        assert link[1] == found.document
