"""What ciphertext is bound to: no two different things give the same bytes."""

from hypothesis import given
from hypothesis import strategies as st

from strongroom.envelope.binding import bind, content_context, metadata_context

parts = st.lists(st.text(max_size=8), max_size=4)


@given(st.text(max_size=6), parts, st.text(max_size=6), parts)
def test_binding_is_injective(purpose: str, one: list[str], other_purpose: str, other: list[str]) -> None:
    """Equal bytes mean equal purpose and equal parts, wherever the borders between parts lie."""
    same = (purpose, one) == (other_purpose, other)
    assert (bind(purpose, *one) == bind(other_purpose, *other)) is same


def test_every_field_of_a_context_counts() -> None:
    """Another patient, document, version, type or purpose is another context."""
    base = content_context("p", "d", 1, "text/plain")
    others = [
        content_context("q", "d", 1, "text/plain"),
        content_context("p", "e", 1, "text/plain"),
        content_context("p", "d", 2, "text/plain"),
        content_context("p", "d", 1, "text/html"),
        metadata_context("p", "d", 1),
    ]
    assert base not in others
    assert len(set(others)) == len(others)
