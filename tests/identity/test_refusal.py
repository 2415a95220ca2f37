from strongroom.identity.refusal import Refusal, login


def test_login() -> None:
    """A refusal is a value with the protocol's word and a sentence."""
    assert login("Because.") == Refusal("login", "Because.")
