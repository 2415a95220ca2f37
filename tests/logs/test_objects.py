"""Names of objects."""

from hypothesis import example, given
from hypothesis import strategies as st

from strongroom.logs.forms import shape
from strongroom.logs.objects import form, route

SEGMENTS = st.sampled_from(
    [
        "documents",
        "4711",
        "letter-00417.pdf",
        "2025",
        "2025-01-02",
        "report2024",
        "report2224.pdf",
        "v1",
        "ZAA0083",
        "5f3a0011",
        "5f0c1a2b-1111-4222-8333-444455556666.pdf",
        "2025-001234",
        "110034_200x200",
        "DOK-2024-00017",
        "jR4kWq9X",
        "1.2.840.113619.2.55",
        "documents(4711)",
        "Patient:123",
        "9" * 40,
        "Māori",
        "é7",
        "",
        "dt=2025-12-29",
        "part-00001",
        "\ud800",
        "\u0663",
        "a" * 600,
    ]
) | st.text("a1-_.0Z29", max_size=12)


@given(st.lists(SEGMENTS, min_size=1, max_size=5).map("/".join))
@example("report2024/report2224")
def test_a_form_is_that_of_each_segment(key: str) -> None:
    """Found out once for names that differ in digits alone, and the same as if each were looked at by itself."""
    forms = [(segment, *shape(segment)) for segment in key.split("/")]
    number = next((number for _, form, number in reversed(forms) if form), None)
    assert form(key) == ("/".join(form or segment for segment, form, _ in forms), number)


def test_where_it_stands() -> None:
    """The store before the name; either may be missing."""
    assert route("letters", "2025/letter-00417.pdf") == ("letters/{int}/letter-{int}.pdf", 417)
    assert route("", "4711") == ("{int}", 4711)
    assert route("letters", "") == ("letters", None)
