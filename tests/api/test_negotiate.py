"""The form of an answer is the one that was asked for."""

import pytest

from strongroom.api.negotiate import taste


@pytest.mark.parametrize(
    ("accept", "wanted", "resource", "fhir", "anything"),
    [
        (None, None, False, True, True),
        ("", None, False, True, True),
        ("*/*", None, False, True, True),
        ("application/fhir+json", None, True, True, False),
        ("application/json", None, True, True, False),
        ("application/FHIR+json; charset=utf-8; fhirVersion=4.0", None, True, True, False),
        ("text/html,application/xhtml+xml,*/*;q=0.8", None, False, True, True),
        ("application/fhir+json, */*;q=0.1", None, True, True, True),
        ("application/fhir+json;q=0.1, application/pdf", None, False, True, False),
        ("application/fhir+xml", None, False, False, False),
        ("application/*", None, False, True, False),
        ("text/*", None, False, False, False),
        ("application/fhir+json;q=0", None, False, False, False),
        ("*/*;q=0", None, False, False, False),
        ("*/*;q=zero", None, False, False, False),
        ("*/*;q=\x1f0.5", None, False, False, False),
        (",;,x", None, False, False, False),
        ("application/pdf", "json", True, True, False),
        ("application/pdf", "application/fhir json", True, True, False),
        ("application/fhir+json", "xml", False, False, False),
        (None, "application/pdf", False, False, False),
    ],
)
def test_what_a_client_takes(
    accept: str | None, wanted: str | None, resource: bool, fhir: bool, anything: bool
) -> None:
    """By Accept, and before it by `_format`."""
    found = taste(accept, wanted)
    assert (found.prefers_resource(), found.fhir(), found.anything()) == (resource, fhir, anything)


def test_the_most_exact_range_decides() -> None:
    """RFC 9110, section 12.5.1."""
    found = taste("text/*;q=0.3, text/plain;q=0.7, */*;q=0.5", None)
    assert [found.quality(one) for one in ("text/plain", "text/html", "image/png")] == [0.7, 0.3, 0.5]
