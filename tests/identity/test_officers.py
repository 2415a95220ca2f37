from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.clock import MINUTE, Millis
from strongroom.errors import ConfigError, Conflict, Malformed
from strongroom.identity.officers import (
    MAX_OFFICERS,
    Officer,
    Officers,
    Role,
    Signed,
    compose_act,
    read_officers,
    sign_act,
    write_officers,
)
from strongroom.identity.refusal import Refusal
from strongroom.identity.signing import generate

NOW = Millis(1_767_225_600_000)
ANN, BEN, EVE = generate(), generate(), generate()
REGISTERED = (
    Officer("ann", ANN.public_bytes, frozenset({Role.PRIVACY})),
    Officer("ben", BEN.public_bytes, frozenset({Role.PRIVACY, Role.SECURITY})),
)


def _officers() -> Officers:
    return Officers("store", REGISTERED, Millis(NOW - 60 * MINUTE))


def _act(now: Millis = NOW, **changes: Any) -> bytes:
    return compose_act(**{"store": "store", "op": "unfreeze", "args": {"scope": "module"}, "now": now, **changes})


def test_round_trip() -> None:
    """A signed act arrives as it was composed, with who signed it."""
    body = _act()
    signed = _officers().verify(body, [("ann", sign_act(ANN, body))], NOW)
    assert isinstance(signed, Signed)
    assert (signed.op, signed.args, signed.at) == ("unfreeze", {"scope": "module"}, NOW)
    assert signed.by == REGISTERED[:1]


def test_two_officers() -> None:
    """Two people are two names with two keys, and each must hold a role that is asked for."""
    body = _act()
    both = [("ann", sign_act(ANN, body)), ("ben", sign_act(BEN, body))]
    signed = _officers().verify(body, both, NOW)
    assert isinstance(signed, Signed)
    assert signed.has(frozenset({Role.PRIVACY}), 2)
    assert signed.has(frozenset({Role.SECURITY}))
    assert not signed.has(frozenset({Role.SECURITY}), 2)
    assert not signed.has(frozenset({Role.OPERATOR}))
    assert not signed.has(frozenset())
    assert not signed.has(frozenset(), 0)


def test_nobody_is_two() -> None:
    """One officer's signature given twice is refused, and so is one officer with another's name."""
    body = _act()
    mine = sign_act(ANN, body)
    for signatures in ([("ann", mine), ("ann", mine)], [("ann", mine), ("ben", mine)]):
        assert isinstance(_officers().verify(body, signatures, NOW), Refusal)


@pytest.mark.parametrize("name", ["eve", "ann", "", "ann\n"])
def test_strangers(name: str) -> None:
    """A key that is not registered signs nothing, under whatever name."""
    body = _act()
    assert isinstance(_officers().verify(body, [(name, sign_act(EVE, body))], NOW), Refusal)


def test_one_bad_signature_fails_all() -> None:
    """A good signature does not carry a bad one; none at all, and five, are refused."""
    body = _act()
    good = ("ann", sign_act(ANN, body))
    for signatures in ([good, ("eve", b"x" * 64)], [good, ("ben", b"")], [], [good] * 5):
        assert isinstance(_officers().verify(body, signatures, NOW), Refusal)


def test_another_act() -> None:
    """A signature is for these bytes and for an act: another body, or the bare body signed, is refused."""
    body = _act()
    assert isinstance(_officers().verify(_act(), [("ann", sign_act(ANN, body))], NOW), Refusal)
    assert isinstance(_officers().verify(body, [("ann", ANN.sign(body))], NOW), Refusal)


def test_another_store() -> None:
    """An act for one store is none for another, where the same officer may be registered."""
    body = _act(store="other")
    assert isinstance(_officers().verify(body, [("ann", sign_act(ANN, body))], NOW), Refusal)


@pytest.mark.parametrize(("made", "why"), [(-15, None), (-16, "expired"), (0, None), (1, "expired")])
def test_fresh(made: int, why: str | None) -> None:
    """An act holds for 15 minutes, and none is of the future: a restart before its time would let it be done again."""
    body = _act(Millis(NOW + made * MINUTE))
    outcome = _officers().verify(body, [("ann", sign_act(ANN, body))], NOW)
    assert getattr(outcome, "why", None) == why


def test_done_once() -> None:
    """An act is done once, whoever signs it again."""
    officers, body = _officers(), _act()
    assert isinstance(officers.verify(body, [("ann", sign_act(ANN, body))], NOW), Signed)
    assert isinstance(officers.verify(body, [("ben", sign_act(BEN, body))], Millis(NOW + MINUTE)), Refusal)


def test_not_again_after_a_restart() -> None:
    """What was signed before the keeper started is refused: whether it was done is not remembered."""
    body = _act()
    restarted = Officers("store", REGISTERED, Millis(NOW + 1))
    outcome = restarted.verify(body, [("ann", sign_act(ANN, body))], Millis(NOW + 2))
    assert isinstance(outcome, Refusal)
    assert outcome.why == "expired"


def test_other_spellings() -> None:
    """The same JSON in another spelling is another act, and refused however it is signed."""
    found = msgspec.json.decode(_act())
    for body in (msgspec.json.format(_act()), msgspec.json.encode({**found, "extra": 1}, order="sorted")):
        assert isinstance(_officers().verify(body, [("ann", sign_act(ANN, body))], NOW), Refusal)


@pytest.mark.parametrize("changes", [{"op": ""}, {"op": "Freeze"}, {"store": ""}, {"args": {"x": "y" * 70_000}}])
def test_what_is_not_composed(changes: dict[str, Any]) -> None:
    """What could not be verified is not composed."""
    with pytest.raises(Malformed):
        _act(**changes)


def test_two_names_for_one_key() -> None:
    """Two officers with one key, or one name, would let one person be two: refused."""
    for second in (Officer("ann", BEN.public_bytes, frozenset()), Officer("ben", ANN.public_bytes, frozenset())):
        with pytest.raises(ConfigError):
            Officers("store", [REGISTERED[0], second], NOW)


def test_nothing_is_made_up() -> None:
    """A signed act cannot be constructed outside."""
    with pytest.raises(TypeError):
        Signed("op", {}, NOW, (), object())


@given(st.binary(max_size=200), st.lists(st.tuples(st.text(max_size=5), st.binary(max_size=70)), max_size=5))
def test_garbage_is_refused(body: bytes, signatures: list[tuple[str, bytes]]) -> None:
    """Any garbage is refused, and raises nothing."""
    assert isinstance(_officers().verify(body, signatures, NOW), Refusal)
    assert isinstance(_officers().verify(_act(), signatures, NOW), Refusal)


@given(
    st.lists(
        st.builds(
            Officer, st.text(max_size=40), st.binary(min_size=32, max_size=32), st.frozensets(st.sampled_from(Role)),
            st.integers(0, 2**62),
        )
    )
)  # fmt: skip
def test_a_list_is_read_as_it_was_written(officers: list[Officer]) -> None:
    """Names, keys, roles and since when."""
    assert list(read_officers(write_officers(officers))) == officers


@pytest.mark.parametrize("written", [b"", b"{}", b'[{"name": "ann", "key": "00", "roles": []}]', b'[{"name": "ann"}]'])
def test_what_is_no_list(written: bytes) -> None:
    """Refused, not half read."""
    with pytest.raises(Malformed):
        read_officers(written)


def test_roles_begin_and_end() -> None:
    """One who waits, or was dismissed, is known and has no role; no name and no key is given twice."""
    officers = _officers()
    body = _act()
    eve = Officer("eve", EVE.public_bytes, frozenset({Role.SECURITY}), Millis(NOW + 1))
    officers.check_new(eve)
    officers.put(eve)
    signed = officers.verify(body, [("eve", sign_act(EVE, body))], NOW)
    assert isinstance(signed, Signed)
    assert not signed.has(frozenset(Role))
    body = _act()
    signed = officers.verify(body, [("eve", sign_act(EVE, body))], Millis(NOW + 1))
    assert isinstance(signed, Signed)
    assert signed.has(frozenset({Role.SECURITY}))
    other = generate().public_bytes
    for name, key in (("eve", other), ("ann", other), ("new", EVE.public_bytes)):
        with pytest.raises(Conflict):
            officers.check_new(Officer(name, key, frozenset()))
    assert [one.name for one in officers.listed()] == ["ann", "ben", "eve"]


def test_how_many_there_may_be() -> None:
    """The list is bounded, those who were dismissed included."""
    many = [Officer(f"n{at}", at.to_bytes(32), frozenset()) for at in range(MAX_OFFICERS)]
    with pytest.raises(Conflict):
        Officers("store", many, NOW).check_new(Officer("one", b"!" * 32, frozenset()))
