"""A paging token is good for the caller and the search it was made for, and for nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.fhir.fault import Unreadable
from strongroom.fhir.page import Pager
from strongroom.secret import Secret

PAGER = Pager(Secret(b"k" * 32))


@given(st.text(), st.text(max_size=50), st.integers(-(2**53), 2**53), st.text(max_size=26))
def test_a_token_gives_back_its_position(caller: str, search: str, number: int, name: str) -> None:
    """Whatever the caller and the search are called."""
    try:
        (caller + search + name).encode()
    except UnicodeEncodeError:
        return
    assert PAGER.position(caller, search, PAGER.token(caller, search, (number, name))) == (number, name)


def test_nobody_elses_token_is_taken() -> None:
    """Another caller, another search, another key, a moved border between the two: all refused."""
    token = PAGER.token("alice", "type=a", (5, "x"))
    for caller, search in (("bob", "type=a"), ("alice", "type=b"), ("alicet", "ype=a"), ("", "alicetype=a")):
        with pytest.raises(Unreadable):
            PAGER.position(caller, search, token)
    with pytest.raises(Unreadable):
        Pager(Secret(b"j" * 32)).position("alice", "type=a", token)


def test_a_token_has_one_spelling() -> None:
    """Neither the other alphabet's letters nor filling characters are taken."""
    tokens = [PAGER.token("alice", "", (number, "x")) for number in range(64)]
    spelled = [one for one in tokens if "-" in one or "_" in one]
    assert spelled
    for one in spelled:
        for other in (one.replace("-", "+").replace("_", "/"), one + "=", one + "=="):
            with pytest.raises(Unreadable):
                PAGER.position("alice", "", other)


def test_no_bit_may_change() -> None:
    """Every changed character is refused; so are texts that are no token."""
    token = PAGER.token("alice", "type=a", (5, "abcdef"))
    for place in range(len(token)):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        with pytest.raises(Unreadable):
            PAGER.position("alice", "type=a", changed)
    for text in ("", "A", "AAAA", "é", "!", token + "AAAA", "A" * 10_000):
        with pytest.raises(Unreadable):
            PAGER.position("alice", "type=a", text)
