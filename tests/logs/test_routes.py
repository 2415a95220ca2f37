"""What an operator's routes say of addresses."""

import pytest

from strongroom.logs import routes
from strongroom.logs.routes import Told


def told(route: str, path: str, query: str = "") -> Told | None:
    """What one says."""
    found = routes.read(route)
    assert found is not None
    return found.told(path, query)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("id=4711", ("4711", 4711)),
        ("lang=en&ID=4711&page=2", ("4711", 4711)),
        ("id=a%2Fb+c", ("a/b c", None)),
        ("id=4711&id=4712", ("4711", 4711)),
        ("id=", None),
        ("doc=4711", None),
        ("", None),
    ],
)
def test_a_parameter_names_a_document(query: str, expected: tuple[str, int | None] | None) -> None:
    """Whatever else is asked, and in whatever letters; the first of its name counts."""
    found = told("/get?id={document}", "/get", query)
    assert (found and found[1:3]) == expected
    assert told("/get?id={document}", "/got", query) is None


def test_parameters_name_both_and_what_must_stand_there() -> None:
    """A part of a value is the name's; what is written otherwise must be there."""
    route = "/fhir/Binary?subject=Patient/{patient}&kind=pdf&id={document}"
    expected = (route, "jR4kWq9X", None, "77")
    assert told(route, "/fhir/Binary", "id=jR4kWq9X&subject=Patient%2F77&kind=pdf") == expected
    assert told(route, "/fhir/Binary", "id=jR4kWq9X&subject=Patient/77&kind=xml") is None
    assert told(route, "/fhir/Binary", "id=jR4kWq9X&subject=Group/77&kind=pdf") is None
    chart = "/chart?mrn={patient}"
    assert told(chart, "/chart", "tab=2&mrn=0077") == (chart, "/chart?mrn=0077", 77, "0077")


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("letter.pdf", ("77/letter.pdf", 77)),
        ("3", ("77/3", 77)),
        ("110034", ("110034", 110_034)),
        ("5f0c8f0e-0000-4000-8000-000000000001", ("5f0c8f0e-0000-4000-8000-000000000001", None)),
    ],
)
def test_what_begins_anew_with_each_patient(document: str, expected: tuple[str, int | None]) -> None:
    """Names and small numbers are documents of that patient, walked along by patients; other ids are a document's alone."""
    found = told("/patients/{patient}/{document}", f"/patients/77/{document}")
    assert found is not None
    assert found[1:3] == expected
