"""Outlines of requests. Invariant: whatever has a plan means by it what it means by itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.logs import web
from strongroom.logs.outline import DIGITS, plan
from strongroom.logs.route import target

DIGIT = st.sampled_from("0123456789")


def outline(request: str) -> str:
    """With 0 for every digit."""
    return request.encode().translate(DIGITS).decode()


def meant(request: str) -> tuple[object, ...] | None:
    """What its plan says of a request."""
    found = plan(outline(request))
    if found is None:
        return None

    def text(parts: tuple[object, ...] | None) -> str | None:
        if parts is None:
            return None
        return "".join(part if isinstance(part, str) else request[slice(*part)] for part in parts)  # type: ignore[misc]  # a span

    number = int(request[slice(*found.number)]) if found.number else None
    query = request[slice(*found.query)] if found.query else None
    return (
        found.method, found.act, request[slice(*found.path)], query, text(found.route), text(found.document), number,
    )  # fmt: skip


def by_itself(request: str) -> tuple[object, ...]:
    """What `web.row` says of it."""
    method, address = web.split(request)
    path, _, query = address.partition("?")
    aim = target(path, query)
    return (
        method or None, web.act(method, path), path, query or None, aim.route, aim.document, aim.number,
    )  # fmt: skip


@pytest.mark.parametrize(
    "request_",
    [
        "GET /portal/documents/110003/content HTTP/1.1", "GET /api/v2/documents/4711?x=7&page=3&lang=en HTTP/2.0",
        "GET /scan00417.tar.gz", "-", "", "POST /a", "GET /get?id=007", "GET /d/5f0c1b5e-1111-4222-8333-123456789abc",
        "DELETE /documents/4711.pdf", "GET /d/110034_200x200.jpg", "GET /d/jR4kWq9X?sig=9&docId=x9Y", "GET /f(12)",
        "GET /app.js?v=3", "GET /a?b", "GET /patients/471/documents?page=2", "GET /DocumentReference?patient=471",
        "GET /patients/7/d/9", "POST /fhir/DocumentReference/_search", "GET /Documents?$skip=50&$top=25&x=7",
    ],
)  # fmt: skip
def test_common_requests_have_a_plan(request_: str) -> None:
    """And it says what the request says by itself."""
    assert meant(request_) == by_itself(request_)


@pytest.mark.parametrize(
    "request_",
    ["GET /2015/05/x", "GET /p/ZAA0083", "GET /img2015", "GET /a.woff2", "GET /4711.mp3", "GET /d/" + "9" * 19, "GET /%34",
     "GET /a?id=img2015", "GET /é1", "GET /lab/2025-001234", "GET /a?key=b/2015", "GET /f(img2015)", 'GET /a?b={"id":471}'],
)  # fmt: skip
def test_where_digits_decide_there_is_none(request_: str) -> None:
    """Dates, codes, years, endings, numbers beyond 64 bits, what is escaped."""
    assert plan(outline(request_)) is None


@given(
    st.text(
        st.one_of(st.sampled_from("0123456789//?&==.-abcxyzAZ%_ (')~:|,@"), st.characters(exclude_categories=["Cs"])),
        max_size=60,
    ),
    st.lists(DIGIT, min_size=60, max_size=60),
)  # fmt: skip
def test_all_requests_of_an_outline_mean_the_same(text: str, digits: list[str]) -> None:
    """Whatever their digits are."""
    drawn = "".join(digit if char in "0123456789" else char for char, digit in zip(text, digits, strict=False))
    for request in (text, f"GET /{text}", f"GET /{drawn} HTTP/1.1", drawn):
        found = meant(request)
        assert found is None or found == by_itself(request)


@given(
    st.lists(
        st.sampled_from(
            ["/", "patients", "documents", "4711", "?", "patient=", "&", "id=", "x=", "List", "Patients(77)"]
        ),
        max_size=9,
    )
)
def test_lists_mean_the_same(parts: list[str]) -> None:
    """What says whose it is, and what is a list, in whatever order."""
    request = "GET /" + "".join(parts)
    found = meant(request)
    assert found is None or found == by_itself(request)


def test_a_plan_takes_what_is_always_the_same_as_such() -> None:
    """Only what holds digits is taken from the request."""
    found = plan("GET /documents/000/content HTTP/0.0")
    assert found is not None
    assert (found.route, found.number) == (("/documents/{int}/content",), (15, 18))
