"""A test account's file: secrets come from it or from the environment, and print nowhere."""

import pytest

from strongroom.errors import ConfigError
from strongroom.gateway.account import MAX_ACCOUNT, read_account

FILE = b"""
owns = ["70"]
[login]
user = "7"
password = { env = "ANNA" }
[values]
patient = "7"
"""


def test_an_account_is_read_and_does_not_print() -> None:
    """The password is there for who signs in, and in no text of it."""
    one = read_account("anna", FILE, {"ANNA": "hunter2"})
    assert (one.name, sorted(one.owns), dict(one.values)) == ("anna", ["70"], {"patient": "7"})
    assert one.login["password"].reveal() == b"hunter2"
    assert "hunter2" not in repr(one)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"\xff", "no TOML"),
        (b"password = hunter2", "no TOML"),
        (b'secret = "hunter2"', "secret"),
        (b'[login]\npassword = ["hunter2"]', "login"),
        (b'owns = ["1"]', "one of the two"),
        (b'[login]\nuser = "hunter2"\n[headers]\nCookie = "hunter2"', "one of the two"),
        (b'[headers]\nCookie = "hunter2\\r\\nHost: other"', "end of a line"),
        (b'[headers]\n"Bad Name" = "hunter2"', "headers"),
        (b'[login]\npassword = { env = "NOT_THERE" }', "NOT_THERE"),
        (b"#" * (MAX_ACCOUNT + 1), "longer"),
    ],
)
def test_what_is_wrong_is_said_without_the_secret(raw: bytes, said: str) -> None:
    """A sentence that names the account, and nothing of what stood there."""
    with pytest.raises(ConfigError) as caught:
        read_account("anna", raw, {})
    assert said in str(caught.value)
    assert "anna" in str(caught.value)
    assert "hunter2" not in str(caught.value)
