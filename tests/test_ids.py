"""Identifiers are base32 of random bits."""

import base64

from hypothesis import given
from hypothesis import strategies as st

from strongroom.ids import encode, is_ours, new_id


@given(st.binary(min_size=16, max_size=32))
def test_an_identifier_is_base32_of_sixteen_bytes(raw: bytes) -> None:
    """As RFC 4648 writes it, in lower case, without padding."""
    assert encode(raw) == base64.b32encode(raw[:16]).decode().rstrip("=").lower()


def test_a_new_one_is_ours_and_no_other() -> None:
    """128 random bits do not come twice."""
    assert is_ours(new_id())
    assert new_id() != new_id()
