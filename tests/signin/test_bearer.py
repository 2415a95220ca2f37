from typing import Any

import pytest

from strongroom.identity.dpop import Proofs
from strongroom.identity.refusal import Refusal
from strongroom.identity.signing import generate
from strongroom.identity.token import Verified
from strongroom.signin.bearer import OwnTokens
from strongroom.signin.tokens import Session, issue

URL = "https://signin.example/logout"


@pytest.mark.parametrize("own", [True, False])
def test_only_ones_own(desk: Any, own: bool) -> None:
    """The issuer believes tokens under its own key, and none under another."""
    now = desk.clock.now()
    token = issue(desk.key if own else generate(), desk.settings, Session("u", "cli", sid="s"), now)
    who = OwnTokens(desk.settings, desk.key, Proofs()).verify(token, "", URL, "203.0.113.7", now)
    assert isinstance(who, Verified if own else Refusal)
