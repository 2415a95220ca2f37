import pytest

from strongroom.clock import DAY, Millis
from strongroom.errors import Unavailable
from strongroom.identity.sessions import Revoked
from strongroom.ids import SessionId

A, B, C = SessionId("a"), SessionId("b"), SessionId("c")


def test_revoked_is_revoked() -> None:
    """What was revoked, or is on record as revoked, is; nothing else is."""
    revoked = Revoked([(A, Millis(0))])
    revoked.revoke(B, Millis(1))
    assert [session in revoked for session in (A, B, C)] == [True, True, False]


def test_lasts_ninety_days() -> None:
    """A revocation outlives every token and is forgotten after 90 days; repeating it begins anew."""
    revoked = Revoked([(A, Millis(0)), (B, Millis(0))])
    revoked.revoke(B, Millis(DAY))
    revoked.revoke(C, Millis(90 * DAY))
    assert A in revoked
    revoked.revoke(C, Millis(90 * DAY + 1))
    assert A not in revoked
    assert B in revoked


def test_full() -> None:
    """When there is no room it says so, and what was revoked stays revoked."""
    revoked = Revoked([(A, Millis(0)), (B, Millis(0))], limit=2)
    with pytest.raises(Unavailable):
        revoked.revoke(C, Millis(1))
    revoked.revoke(A, Millis(1))
    assert len(revoked) == 2
    assert B in revoked
