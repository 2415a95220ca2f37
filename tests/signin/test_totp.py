import pytest

from strongroom.clock import SECOND, Millis
from strongroom.errors import Tampered
from strongroom.secret import Secret
from strongroom.signin.totp import Sealer, code_at, matching_step, new_secret, provisioning_uri

RFC = Secret(b"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
"""RFC 6238, appendix B: "12345678901234567890"."""


@pytest.mark.parametrize(("at", "code"), [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")])
def test_vectors(at: int, code: str) -> None:
    """The vectors of RFC 6238, appendix B, SHA-1, last six digits."""
    assert code_at(RFC, Millis(at * SECOND)) == code
    assert matching_step(RFC, code, Millis(at * SECOND)) == at // 30


@pytest.mark.parametrize(("by", "step"), [(-60, None), (-30, 99), (0, 100), (30, 101), (60, None)])
def test_drift(by: int, step: int | None) -> None:
    """A phone's clock may be half a minute off, and no more."""
    now = Millis(3_000 * SECOND)
    assert matching_step(RFC, code_at(RFC, Millis(now + by * SECOND)), now) == step


@pytest.mark.parametrize(
    "code", ["", "28708", "2870820", "287 82", "287082\n", "\uff12\uff18\uff17\uff10\uff18\uff12", "-87082"]
)
def test_other_forms(code: str) -> None:
    """Six digits, and nothing else."""
    assert matching_step(RFC, code, Millis(59 * SECOND)) is None


def test_sealed_to_its_user() -> None:
    """A sealed secret opens for its user with its key, and otherwise not; twice sealed, two texts."""
    sealer, secret = Sealer(Secret(b"k" * 32)), new_secret()
    sealed = sealer.seal("ann", secret)
    assert sealer.open("ann", sealed) == secret
    assert secret.reveal() not in sealed
    assert sealer.seal("ann", secret) != sealed
    for broken in (sealed[:-1], sealed[1:], b"", bytes([sealed[0] ^ 1]) + sealed[1:]):
        with pytest.raises(Tampered):
            sealer.open("ann", broken)
    with pytest.raises(Tampered):
        sealer.open("ben", sealed)
    with pytest.raises(Tampered):
        Sealer(Secret(b"l" * 32)).open("ann", sealed)


def test_provisioning() -> None:
    """An authenticator is told who, where, and the secret."""
    uri = provisioning_uri(RFC, "ann@practice.example", "demo")
    assert uri == f"otpauth://totp/demo:ann%40practice.example?secret={RFC.reveal().decode()}&issuer=demo"
