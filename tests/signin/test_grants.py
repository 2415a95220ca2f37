from typing import Any

import pytest
from joserfc.jwk import ECKey

from strongroom.clock import HOUR, MINUTE, SECOND, Millis
from strongroom.identity.context import hash_token
from strongroom.identity.jws import read_jws
from strongroom.identity.token import session_id
from strongroom.signin.grants import Asked, Denied, Issued
from strongroom.signin.totp import code_at

HERE = "203.0.113.7/32"


def _claims(issued: object) -> dict[str, Any]:
    assert isinstance(issued, Issued)
    return read_jws(issued.token).claims


def _step_up(desk: Any, token: str, otp: str, *, proof: str = "", network: str = HERE) -> Any:
    return desk.grants.step_up(Asked({"otp": otp}, network, "203.0.113.7", proof, token))


def test_signing_in(desk: Any) -> None:
    """Login, password and code together yield a token of ten minutes that says so."""
    issued = desk.sign_in()
    at = desk.clock.now() // SECOND
    claims = _claims(issued)
    assert read_jws(issued.token).is_by(desk.key.public)
    assert (claims["iss"], claims["aud"]) == (desk.settings.issuer, desk.settings.audience)
    assert (claims["sub"], claims["client_id"]) == (desk.ann.subject, "cli")
    assert (claims["iat"], claims["exp"], claims["auth_time"]) == (at, at + 600, at)
    assert claims["amr"] == ["pwd", "otp", "mfa"]
    assert issued.seconds == 600
    assert not issued.bound


def test_two_sessions_are_two(desk: Any) -> None:
    """Signing in twice makes two sessions and two tokens."""
    first = _claims(desk.sign_in())
    desk.clock.advance(30 * SECOND)
    second = _claims(desk.sign_in())
    assert first["sid"] != second["sid"]
    assert first["jti"] != second["jti"]


@pytest.mark.parametrize(
    "changes",
    [
        {"username": "nobody"},
        {"password": "four unrelated Words"},
        {"otp": "000000"},
        {"otp": "x"},
        {"username": "ann\x00"},
    ],
)
def test_everything_wrong_is_one_answer(desk: Any, changes: dict[str, str]) -> None:
    """An unknown user, a wrong password and a wrong code cannot be told apart."""
    denied = desk.sign_in(**changes)
    assert denied == Denied("invalid_grant", "Login name, password or one-time code is wrong.")


def test_disabled(desk: Any) -> None:
    """A disabled user gets the same answer as a wrong password, and none of the steps goes on."""
    token = desk.sign_in().token
    desk.enrolment.set_disabled("ann", disabled=True)
    desk.clock.advance(30 * SECOND)
    assert desk.sign_in() == desk.sign_in(password="wrong")
    assert _step_up(desk, token, desk.code()) == Denied(
        "invalid_token", "The access token is not acceptable, or its session is over.", 401
    )
    desk.enrolment.set_disabled("ann", disabled=False)
    assert isinstance(desk.sign_in(), Issued)


@pytest.mark.parametrize("missing", ["username", "password", "otp"])
def test_something_missing(desk: Any, missing: str) -> None:
    """A form without one of the three is a malformed request, whoever asks; nothing is tried."""
    for username in ("ann", "nobody"):
        assert desk.sign_in(**{"username": username, missing: ""}).error == "invalid_request"


@pytest.mark.parametrize(("changes", "error"), [
    ({"client_id": "evil"}, "invalid_client"),
    ({"client_id": "robot"}, "invalid_client"),
    ({"grant_type": "authorization_code"}, "unsupported_grant_type"),
    ({"grant_type": ""}, "unsupported_grant_type"),
])  # fmt: skip
def test_other_clients_and_grants(desk: Any, changes: dict[str, str], error: str) -> None:
    """People sign in with the programs that are made for it, in the one way there is."""
    assert desk.sign_in(**changes).error == error


def test_a_code_counts_once(desk: Any) -> None:
    """A code that signed somebody in is used up, also after a restart; the next one is not."""
    assert isinstance(desk.sign_in(), Issued)
    assert desk.sign_in().error == "invalid_grant"
    desk.grants = desk.open()
    assert desk.sign_in().error == "invalid_grant"
    desk.clock.advance(30 * SECOND)
    assert isinstance(desk.sign_in(), Issued)


def test_a_wrong_password_does_not_use_up_the_code(desk: Any) -> None:
    """Who mistypes the password may go on with the same code."""
    assert desk.sign_in(password="four unrelated word").error == "invalid_grant"
    assert isinstance(desk.sign_in(), Issued)


def test_guessing_from_one_place(desk: Any) -> None:
    """After five failures a login waits 15 minutes where they happened, also with the right password."""
    for _ in range(5):
        assert desk.sign_in(password="wrong").error == "invalid_grant"
    denied = desk.sign_in()
    assert (denied.error, denied.status, denied.retry) == ("slow_down", 429, 15 * 60)
    desk.clock.advance(15 * MINUTE)
    assert isinstance(desk.sign_in(), Issued)


def test_guessing_looks_the_same_for_nobody(desk: Any) -> None:
    """An unknown login is throttled as a known one is."""
    answers = [[desk.sign_in(username=name, password="wrong") for _ in range(7)] for name in ("ann", "nobody")]
    assert answers[0] == answers[1]


def test_guessing_from_everywhere_does_not_lock_the_owner_out(desk: Any) -> None:
    """Failures elsewhere stop strangers, and not the owner where they signed in before."""
    assert isinstance(desk.sign_in(network="home"), Issued)
    desk.clock.advance(MINUTE)
    outcomes = [desk.sign_in(password="wrong", network=f"bot{number}").error for number in range(30)]
    assert outcomes == ["invalid_grant"] * 20 + ["slow_down"] * 10
    assert desk.sign_in(network="new").error == "slow_down"
    assert isinstance(desk.sign_in(network="home"), Issued)


def test_stepping_up(desk: Any) -> None:
    """A live token and the next code yield a token of the same session with a fresh second factor."""
    first = desk.sign_in()
    desk.clock.advance(8 * MINUTE)
    second = _claims(_step_up(desk, first.token, desk.code()))
    before = _claims(first)
    assert [second[name] == before[name] for name in ("sid", "sub", "client_id", "jti")] == [True, True, True, False]
    assert second["auth_time"] == desk.clock.now() // SECOND
    assert second["amr"] == ["otp", "mfa"]


def test_stepping_up_needs_the_next_code(desk: Any) -> None:
    """The code that signed in does not step up; neither does a wrong one; and guessing is stopped."""
    code = desk.code()
    token = desk.sign_in().token
    assert _step_up(desk, token, code).error == "invalid_grant"
    errors = [_step_up(desk, token, "000000").error for _ in range(5)]
    assert errors == ["invalid_grant"] * 4 + ["slow_down"]


def test_guessing_codes_with_a_stolen_token(desk: Any) -> None:
    """A thief with a token who changes address for every guess is stopped too."""
    token = desk.sign_in().token
    errors = [_step_up(desk, token, "000000", network=f"bot{number}").error for number in range(25)]
    assert errors == ["invalid_grant"] * 20 + ["slow_down"] * 5


@pytest.mark.parametrize("token", ["", "x", "a.b.c"])
def test_stepping_up_without_a_token(desk: Any, token: str) -> None:
    """Without a token of this issuer there is nothing to step up."""
    denied = _step_up(desk, token, desk.code())
    assert (denied.error, denied.status) == ("invalid_token", 401)


def test_stepping_up_with_an_expired_token(desk: Any) -> None:
    """A token that expired is over: sign in again."""
    token = desk.sign_in().token
    desk.clock.advance(12 * MINUTE)
    assert _step_up(desk, token, desk.code()).error == "invalid_token"


def test_a_session_ends_after_a_working_day(desk: Any) -> None:
    """Stepping up prolongs a session for twelve hours, and no more."""
    token = desk.sign_in().token
    for _ in range(12 * 6):
        desk.clock.advance(10 * MINUTE)
        token = _step_up(desk, token, desk.code()).token
    assert desk.clock.now() == 1_767_225_600_000 + 12 * HOUR
    desk.clock.advance(MINUTE)
    assert _step_up(desk, token, desk.code()).error == "invalid_token"


def test_logging_out(desk: Any) -> None:
    """After logging out the session gets no further token; others do."""
    token = desk.sign_in().token
    desk.clock.advance(30 * SECOND)
    other = desk.sign_in().token
    asked = Asked({}, HERE, "203.0.113.7", token=token)
    assert desk.grants.logout(asked) is None
    assert desk.grants.logout(asked).error == "invalid_token"
    desk.clock.advance(30 * SECOND)
    assert _step_up(desk, token, desk.code()).error == "invalid_token"
    assert isinstance(_step_up(desk, other, desk.code()), Issued)


def test_a_new_password_ends_sessions(desk: Any) -> None:
    """Whoever stole a session loses it when the password is changed."""
    token = desk.sign_in().token
    desk.clock.advance(30 * SECOND)
    desk.enrolment.set_password("ann", "four other words here", desk.clock.now())
    assert _step_up(desk, token, desk.code()).error == "invalid_token"
    assert isinstance(desk.sign_in(password="four other words here"), Issued)


def test_bound_session(desk: Any) -> None:
    """A session begun with a proof is bound to its key: stepping up takes a proof by that key over that token."""
    issued = desk.sign_in(proof=desk.proof())
    assert issued.bound
    assert _claims(issued)["cnf"] == {"jkt": desk.proof_key.thumbprint()}
    desk.clock.advance(30 * SECOND)
    assert _step_up(desk, issued.token, desk.code()).error == "invalid_token"
    proof = desk.proof("/step-up", ath=hash_token(issued.token))
    again = _step_up(desk, issued.token, desk.code(), proof=proof)
    assert _claims(again)["cnf"] == {"jkt": desk.proof_key.thumbprint()}


def test_a_bad_proof_signs_nobody_in(desk: Any) -> None:
    """A proof that does not hold is not passed over."""
    assert desk.sign_in(proof=desk.proof("/other")).error == "invalid_dpop_proof"


def test_a_program(desk: Any) -> None:
    """A program with its own key gets a bound token, without a second factor and without a session to prolong."""
    claims = _claims(desk.run_program(desk.assertion()))
    assert (claims["sub"], claims["client_id"]) == (desk.robot, "robot")
    assert claims["cnf"] == {"jkt": desk.proof_key.thumbprint()}
    assert [name in claims for name in ("sid", "amr", "auth_time")] == [False, False, False]
    assert desk.people.session(session_id(desk.settings.issuer, "jti", claims["jti"])) is None


def test_a_program_must_bind(desk: Any) -> None:
    """Without a proof of possession a program gets nothing."""
    assert desk.run_program(desk.assertion(), proof="").error == "invalid_dpop_proof"


def test_a_statement_counts_once(desk: Any) -> None:
    """A captured statement is worthless, also after a restart and with another key's proof."""
    assertion = desk.assertion()
    assert isinstance(desk.run_program(assertion), Issued)
    desk.grants = desk.open()
    desk.proof_key = ECKey.generate_key("P-256")
    assert desk.run_program(assertion).error == "invalid_client"


def test_a_disabled_program(desk: Any) -> None:
    """A disabled program gets nothing."""
    desk.people.set_disabled(desk.robot, disabled=True)
    assert desk.run_program(desk.assertion()).error == "invalid_client"


@pytest.mark.parametrize("changes", [{"client_assertion_type": ""}, {"client_assertion": ""}, {"client_id": "other"}])
def test_programs_of_another_kind(desk: Any, changes: dict[str, str]) -> None:
    """There is one way for programs to say who they are."""
    assert desk.run_program(desk.assertion(), **changes).error == "invalid_client"


def test_the_code_is_for_now(desk: Any) -> None:
    """A code of two minutes ago, or of two minutes ahead, is wrong."""
    for by in (-2, 2):
        code = code_at(desk.ann.totp, Millis(desk.clock.now() + by * MINUTE))
        assert desk.sign_in(otp=code).error == "invalid_grant"
