import argon2
import pytest

from strongroom.errors import UsageError
from strongroom.signin.password import Passwords

PASSWORDS = Passwords(argon2.PasswordHasher(1, 8, 1))


def test_round_trip() -> None:
    """The right password is right, in any composition of its letters, and another is not."""
    kept = PASSWORDS.hash("vier wörter für ann", "ann2")
    assert PASSWORDS.check("vier wörter für ann", kept)
    assert PASSWORDS.check("vier wo\u0308rter fu\u0308r ann", kept)
    assert not PASSWORDS.check("vier worter fur ann", kept)


def test_hashes_are_argon2id_and_salted() -> None:
    """By default: argon2id with 64 MiB; twice the same password, two hashes."""
    assert Passwords().hash("four unrelated words", "ann").startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert PASSWORDS.hash("four unrelated words", "ann") != PASSWORDS.hash("four unrelated words", "ann")


@pytest.mark.parametrize("password", ["elevenchars", "x" * 1_025, "my name is Ann!", ""])
def test_passwords_not_taken(password: str) -> None:
    """Short ones, endless ones, and those that contain the login name are refused."""
    with pytest.raises(UsageError):
        PASSWORDS.hash(password, "ann")


@pytest.mark.parametrize("kept", [None, "", "nonsense", "$argon2id$v=19$m=1,t=1,p=1$AAAA$AAAA"])
def test_nobody_and_broken_records(kept: str | None) -> None:
    """An unknown user has no password, the one of nobody included; a broken record is nobody's."""
    assert not PASSWORDS.check("the password of nobody", kept)
    assert not PASSWORDS.check("", kept)


def test_an_unknown_user_costs_as_much(monkeypatch: pytest.MonkeyPatch) -> None:
    """For an unknown user a hash is computed too, with the same parameters."""
    seen: list[str] = []
    real = argon2.PasswordHasher.verify

    def verify(self: argon2.PasswordHasher, kept: str, password: bytes) -> bool:
        seen.append(kept.rpartition("$")[0].rpartition("$")[0])
        return real(self, kept, password)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", verify)
    PASSWORDS.check("x", None)
    PASSWORDS.check("x", PASSWORDS.hash("four unrelated words", "ann"))
    assert len(seen) == 2
    assert seen[0] == seen[1]


def test_a_long_password_is_not_cut() -> None:
    """A password that is right in its first 1,024 bytes and goes on is wrong."""
    kept = PASSWORDS.hash("x" * 1_024, "ann")
    assert PASSWORDS.check("x" * 1_024, kept)
    assert not PASSWORDS.check("x" * 1_025, kept)
