"""An answer holds a document when its content is there, whatever the status says."""

from strongroom.gateway.likeness import MOST, SAME, SIZE, Heard, pieces, print_of

ABSENT = Heard(404, "text/html", b"<html><body>Not found</body></html>")
PAGE = Heard(200, "text/html", b"<html><body>Discharge of 3 May\nDiagnosis: asthma\nNext visit in June</body></html>")
OTHER = pieces(b"<html><body>Discharge of 9 May\nDiagnosis: none at all</body></html>")


def test_the_same_bytes_and_most_of_them() -> None:
    """A page with another banner and today's date is the document; a refusal with its frame is not, whatever its status."""
    mark = print_of(PAGE, ABSENT, OTHER)
    assert mark is not None
    assert mark.told(Heard(403, "text/html", PAGE.body)) == SAME
    varied = PAGE.body.replace(b"Next visit in June", b"Printed on 29 November")
    assert mark.told(Heard(200, "text/html", varied)) == MOST
    for nothing in (
        ABSENT,
        Heard(200, "text/html", ABSENT.body),
        Heard(0),
        Heard(200, "text/html", b"<html><body>Sign in"),
    ):
        assert mark.told(nothing) == ""


def test_head_tells_the_size() -> None:
    """Of a document that is there: its type and length, where an absent id is answered otherwise."""
    mark = print_of(PAGE, ABSENT, OTHER)
    assert mark is not None
    assert mark.told(Heard(200, "text/html", length=len(PAGE.body)), bodiless=True) == SIZE
    for nothing in (Heard(404, "text/html", length=len(PAGE.body)), Heard(200, "text/html", length=3), Heard(200)):
        assert mark.told(nothing, bodiless=True) == ""
    soft = print_of(PAGE, Heard(200, "text/html", ABSENT.body), OTHER)
    assert soft is not None
    assert soft.told(Heard(200, "text/html", length=len(PAGE.body)), bodiless=True) == ""


def test_what_differs_from_nothing_cannot_be_told() -> None:
    """The page of an application that draws everything itself is the same for every id."""
    assert (
        print_of(Heard(200, "text/html", b"<div id=app>"), Heard(200, "text/html", b"<div id=app>"), frozenset())
        is None
    )
