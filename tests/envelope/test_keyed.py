"""Keyed hashes of short things."""

import hmac

from hypothesis import given
from hypothesis import strategies as st

from strongroom.envelope.keyed import keyed_hash


@given(st.binary(min_size=32, max_size=32), st.lists(st.binary(max_size=200), max_size=5))
def test_each_is_what_the_standard_library_says(key: bytes, many: list[bytes]) -> None:
    """One after the other under one key, none touching the next."""
    hashed = keyed_hash(key)
    assert [hashed(one) for one in many] == [hmac.digest(key, one, "sha256") for one in many]
