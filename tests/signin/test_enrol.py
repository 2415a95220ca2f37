from typing import Any

import pytest

from strongroom.errors import Conflict, Malformed, UsageError
from strongroom.ids import is_ours
from strongroom.secret import Secret
from strongroom.signin.grants import Issued
from strongroom.signin.totp import code_at

WORDS = "four unrelated words"


def test_a_new_user_can_sign_in(desk: Any) -> None:
    """What enrolling hands out is what signing in takes."""
    ben = desk.enrolment.add_user(" Ben@Practice.example ", WORDS)
    assert is_ours(ben.subject)
    code = code_at(ben.totp, desk.clock.now())
    assert isinstance(desk.sign_in(username="BEN@practice.example", otp=code), Issued)


def test_names_are_taken_once(desk: Any) -> None:
    """A login name or a subject that is taken is refused, in whatever capitals."""
    for name, subject in (("ANN", ""), ("ben", desk.ann.subject)):
        with pytest.raises(Conflict):
            desk.enrolment.add_user(name, WORDS, subject=subject)
    with pytest.raises(Conflict):
        desk.enrolment.add_program("robot", desk.key.jwks())


@pytest.mark.parametrize("login", ["", " ", "-a", "a b", "ann\nben", "a" * 129, "änn"])
def test_names_not_taken(desk: Any, login: str) -> None:
    """A login name is short, and plain enough to be typed and read aloud."""
    with pytest.raises(UsageError):
        desk.enrolment.add_user(login, WORDS)


@pytest.mark.parametrize("client", ["", "a b", "a" * 65, "../x"])
def test_client_ids_not_taken(desk: Any, client: str) -> None:
    """So is a client id."""
    with pytest.raises(UsageError):
        desk.enrolment.add_program(client, desk.key.jwks())


def test_a_program_brings_keys(desk: Any) -> None:
    """A program without a usable key is refused."""
    with pytest.raises(Malformed):
        desk.enrolment.add_program("other", b'{"keys": []}')


def test_given_subject_and_secret(desk: Any) -> None:
    """Subject and second factor can be brought along, for stores that are made by a program."""
    secret = Secret(b"JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    assert desk.enrolment.add_user("ben", WORDS, subject="b1", totp=secret).subject == "b1"
    assert isinstance(desk.sign_in(username="ben", otp=code_at(secret, desk.clock.now())), Issued)


def test_a_new_second_factor(desk: Any) -> None:
    """After renewing, the old authenticator is good for nothing and the new one for signing in."""
    old = desk.code()
    renewed = desk.enrolment.renew_totp("ann")
    assert desk.sign_in(otp=old).error == "invalid_grant"
    assert isinstance(desk.sign_in(otp=code_at(renewed, desk.clock.now())), Issued)


def test_unknown_users(desk: Any) -> None:
    """A user who is not there is not changed by mistake."""
    with pytest.raises(UsageError):
        desk.enrolment.renew_totp("nobody")
    with pytest.raises(UsageError):
        desk.enrolment.set_disabled("nobody", disabled=True)
    with pytest.raises(UsageError):
        desk.enrolment.set_password("nobody", WORDS, desk.clock.now())
