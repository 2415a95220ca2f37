import json
from typing import Any

import pytest

from strongroom.clock import DAY, HOUR, SECOND, Millis
from strongroom.errors import ConfigError, Malformed
from strongroom.identity.issuers import COOLDOWN, Issuer, Issuers, Pin
from strongroom.identity.signing import SigningKey, generate

NOW = Millis(1_767_225_600_000)
A, B = generate(), generate()


def _pin(**changes: Any) -> Pin:
    pin = {"url": "https://op.example", "audience": "aud", "algorithms": frozenset({"EdDSA"})}
    return Pin(**{**pin, "jwks_uri": "https://op.example/jwks", **changes})


def _set(*keys: SigningKey) -> bytes:
    return json.dumps({"keys": [key.jwk() for key in keys]}).encode()


def _after(by: int) -> Millis:
    return Millis(NOW + by)


def test_old_keys_overlap() -> None:
    """A key that left the set holds for an hour more, and not a millisecond longer."""
    issuer = Issuer(_pin())
    issuer.offer(_set(A), NOW)
    issuer.offer(_set(B), NOW)
    assert issuer.key(A.kid, _after(HOUR)) == A.public
    assert issuer.key(A.kid, _after(HOUR + 1)) is None
    assert issuer.key(B.kid, _after(HOUR + 1)) == B.public


def test_a_returned_key_stays() -> None:
    """A key that left and came back holds on."""
    issuer = Issuer(_pin())
    for keys in ((A,), (B,), (A, B)):
        issuer.offer(_set(*keys), NOW)
    assert issuer.key(A.kid, _after(2 * HOUR)) == A.public


def test_the_overlap_is_not_prolonged() -> None:
    """Fetching again does not give a withdrawn key another hour."""
    issuer = Issuer(_pin())
    issuer.offer(_set(A), NOW)
    issuer.offer(_set(B), NOW)
    issuer.offer(_set(B), _after(HOUR - 1))
    assert issuer.key(A.kid, _after(HOUR + 1)) is None


def test_a_name_given_to_another_key() -> None:
    """When a key id comes to name another key, the former one does not hold any longer."""
    issuer = Issuer(_pin())
    issuer.offer(json.dumps({"keys": [{**A.jwk(), "kid": "one"}]}).encode(), NOW)
    issuer.offer(json.dumps({"keys": [{**B.jwk(), "kid": "one"}]}).encode(), NOW)
    key = issuer.key("one", NOW)
    assert key is not None
    assert key.thumbprint == B.kid


def test_old_keys_are_bounded() -> None:
    """An issuer that changes its keys all the time does not fill the memory; the newest of the old ones hold."""
    issuer = Issuer(_pin())
    for number in range(100):
        issuer.offer(json.dumps({"keys": [{**A.jwk(), "kid": str(number)}]}).encode(), NOW)
    assert [issuer.key(str(number), NOW) is not None for number in (0, 34, 35, 98, 99)] == [
        False,
        False,
        True,
        True,
        True,
    ]


@pytest.mark.parametrize(
    "raw", [b"", b"{}", b'{"keys": []}', b'{"keys": [{"kty": "oct", "k": "AAAA", "kid": "x"}]}', b'{"keys": 3}', b"[1]"]
)
def test_an_empty_set_changes_nothing(raw: bytes) -> None:
    """A set without a usable key is refused, and the keys in hand hold on."""
    issuer = Issuer(_pin())
    issuer.offer(_set(A), NOW)
    with pytest.raises(Malformed):
        issuer.offer(raw, NOW)
    assert issuer.key(A.kid, NOW) == A.public


def test_dropped_for_good() -> None:
    """A key that was dropped does not hold, whatever sets still or again say, also after a restart."""
    issuer = Issuer(_pin())
    issuer.offer(_set(A, B), NOW)
    assert issuer.drop(A.kid) == A.kid
    assert issuer.drop("unknown") is None
    again = Issuer(_pin(), dropped=[A.kid])
    for one in (issuer, again):
        one.offer(_set(A, B), NOW)
        assert one.key(A.kid, NOW) is None
        assert one.key(B.kid, NOW) == B.public


def test_dropped_while_overlapping() -> None:
    """A key in its overlap can be dropped too."""
    issuer = Issuer(_pin())
    issuer.offer(_set(A), NOW)
    issuer.offer(_set(B), NOW)
    issuer.drop(A.kid)
    assert issuer.key(A.kid, NOW) is None


def test_starved_keys_end() -> None:
    """Keys that could not be refreshed for a week do not hold; those from a file do."""
    fetched, pinned = Issuer(_pin()), Issuer(_pin(jwks_uri=""))
    for issuer in (fetched, pinned):
        issuer.offer(_set(A), NOW)
        assert issuer.key(A.kid, _after(7 * DAY)) == A.public
    assert fetched.key(A.kid, _after(7 * DAY + 1)) is None
    assert pinned.key(A.kid, _after(700 * DAY)) == A.public


def test_wanted() -> None:
    """Keys are wanted at first, hourly, and for an unknown key id; a thousand unknown ones make one attempt in 30 s."""
    issuer = Issuer(_pin())
    assert issuer.wanted(NOW)
    issuer.tried(NOW)
    assert not issuer.wanted(_after(COOLDOWN - 1))
    assert issuer.wanted(_after(COOLDOWN))
    issuer.offer(_set(A), NOW)
    assert not issuer.wanted(_after(HOUR - 1))
    assert issuer.wanted(_after(HOUR))
    for number in range(1_000):
        assert issuer.key(f"unknown{number}", NOW) is None
    attempts = 0
    for second in range(60):
        if issuer.wanted(_after(COOLDOWN + second * SECOND)):
            issuer.tried(_after(COOLDOWN + second * SECOND))
            attempts += 1
    assert attempts == 2


def test_a_file_is_never_wanted() -> None:
    """An issuer whose keys are pinned by a file is not fetched, whatever key ids are shown."""
    issuer = Issuer(_pin(jwks_uri=""))
    issuer.offer(_set(A), NOW)
    issuer.key("unknown", NOW)
    assert not issuer.wanted(_after(9 * DAY))


def test_longest_untried_first() -> None:
    """One issuer that never answers does not keep the others waiting."""
    first, second = Issuer(_pin()), Issuer(_pin(url="https://two.example"))
    issuers = Issuers([first, second])
    first.tried(NOW)
    assert issuers.wanted(_after(COOLDOWN)) is second
    second.tried(_after(COOLDOWN))
    assert issuers.wanted(_after(COOLDOWN)) is first
    assert list(issuers) == [first, second]


def test_no_issuer_is_no_configuration() -> None:
    """None pinned, or one twice, is refused."""
    for listed in ([], [Issuer(_pin()), Issuer(_pin())]):
        with pytest.raises(ConfigError):
            Issuers(listed)


@pytest.mark.parametrize(
    "changes",
    [{"url": ""}, {"audience": ""}, {"algorithms": frozenset()}]
    + [{"algorithms": frozenset({"EdDSA", alg})} for alg in ("none", "HS256", "RS1", "ES512", "")],
)
def test_a_pin_believes_something_and_not_anything(changes: dict[str, Any]) -> None:
    """A pin without address, audience or algorithm is refused, and so is a symmetric or absent signature."""
    with pytest.raises(ConfigError):
        _pin(**changes)
