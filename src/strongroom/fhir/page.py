"""The paging token: where the next page begins, made by nobody but us and good for one caller and one search only.

    token = base64url( tag(16) || MessagePack(position) )     tag = HMAC-SHA-256(key, caller, search, position), cut

A token shown by somebody else, or for another search, is refused and says nothing about why. It grants nothing by
itself: the door is asked again for every page.
"""

import base64
import binascii
import hashlib
import hmac

import msgspec

from strongroom.fhir.fault import Fault, Unreadable
from strongroom.secret import Secret

_TAG = 16
MAX_TOKEN = 512
"""Characters. A position is two numbers or a number and an id."""


class Pager:
    """Makes and reads tokens under one key (32 bytes, of this process or shared by its siblings)."""

    def __init__(self, key: Secret) -> None:
        self._key = key

    def token(self, caller: str, search: str, position: tuple[int, str]) -> str:
        """A token for the page after `position`, for `caller` and `search` only."""
        body = msgspec.msgpack.encode(position)
        return _spelled(self._tag(caller, search, body) + body)

    def position(self, caller: str, search: str, token: str) -> tuple[int, str]:
        """What `token` was made from. Raises Unreadable (400) for any other token."""
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise _refused() from None
        tag, body = raw[:_TAG], raw[_TAG:]
        if (
            len(token) > MAX_TOKEN
            or token != _spelled(raw)
            or not hmac.compare_digest(tag, self._tag(caller, search, body))
        ):
            raise _refused()
        return msgspec.msgpack.decode(body, type=tuple[int, str])

    def _tag(self, caller: str, search: str, body: bytes) -> bytes:
        # Hashed one by one: no caller can be chosen so that his name and a search read like another's.
        parts = b"".join(hashlib.sha256(part).digest() for part in (caller.encode(), search.encode(), body))
        return hmac.digest(self._key.reveal(), parts, "sha256")[:_TAG]


def _spelled(raw: bytes) -> str:
    """The one spelling: Python's reader takes those of the other alphabet for the same."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _refused() -> Unreadable:
    return Unreadable(Fault("value", "This page is not one of yours: start the search again."))
