"""What the headers of a request hold to tell who asks: a session's cookie, a header, a claim of a bearer token. Pure.

Nothing is verified here: whether a credential is good is the portal's answer (`person`).
"""

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import unquote_to_bytes

import msgspec

from strongroom.errors import Malformed
from strongroom.gateway.refusal import Refusal
from strongroom.identity.strict import unbase64url

_MAX_CLAIM: Final = 256
_ONE_NAME: Final = bytes.maketrans(b". [", b"___")
_PLAIN: Final = re.compile(rb"[A-Za-z0-9!#$&'()*+./:<=>?@^_`{|}~\[\]-]{1,4096}")
_TOKEN: Final = re.compile(rb"(?:[A-Za-z]{1,20} )?([A-Za-z0-9._~+/-]{1,4096}={0,2})")
"""With a scheme or without (RFC 6750, section 2.1)."""
_COOKIE, _AUTHORIZATION = b"cookie", b"authorization"
Headers = Sequence[tuple[bytes, bytes]]
"""As `contract.Headers`."""


def place(by: str, name: str) -> tuple[bytes, bytes]:
    """Where it stands: of two that stand in one place, some reader takes one for the other."""
    if by == "cookie":
        return _COOKIE, _folded(name.encode())
    return (_AUTHORIZATION if by == "jwt" else name.lower().encode()), b""


def credential(by: str, name: str, headers: Headers) -> bytes:
    """What stands there; nothing where there is none."""
    wanted = place(by, name)[0]
    if by == "cookie":
        return next((one for header, value in headers if header == wanted for one in cookies(value, name)), b"")
    value = next((value for header, value in headers if header == wanted), b"")
    if by == "jwt":
        scheme, _, token = value.partition(b" ")
        return token.strip(b" ") if scheme.lower() in {b"bearer", b"dpop"} else b""
    if by == "token":
        found = _TOKEN.fullmatch(value)
        return found[1] if found is not None else b""
    return value


def check(by: str, name: str, headers: Headers) -> Refusal | None:
    """It is told once, and in one way: two readers would find two sessions, and we would count for neither."""
    if by == "jwt":  # of `Authorization` there is one (`contract.SINGLE`)
        return None
    wanted = place(by, name)[0]
    if by in {"header", "token"}:
        told = [value for header, value in headers if header == wanted]
        if len(told) > 1:
            return Refusal(400, "header-twice", "A header that may come once came twice.", hard=True)
        if by == "token" and told and not _TOKEN.fullmatch(told[0]):
            return Refusal(
                400, "session-double", "A token comes in a spelling that could be read in two ways.", hard=True
            )
        return None
    values = [one for header, value in headers if header == wanted for one in cookies(value, name)]
    if len(values) > 1 or any(not _PLAIN.fullmatch(value) for value in values):
        return Refusal(
            400, "session-double", "The session's cookie comes twice, or in more than one spelling.", hard=True
        )
    return None


def cookies(line: bytes, name: str) -> list[bytes]:
    """The values of that name, in one spelling.

    Portals differ in what they take for the same name (PHP: `a.b` is `a_b`; ASP.NET: case does not count) and for the same
    value (many decode escapes): what may be the same is the same here.
    """
    found = []
    for part in line.split(b";"):
        key, mark, value = part.strip(b" \t").partition(b"=")
        if mark and _folded(key) == _folded(name.encode()):
            found.append(unquote_to_bytes(_unquoted(value)))
    return found


def claim(token: bytes, name: str) -> str:
    """The claim of a JSON Web Token, unchecked, as text; empty where there is none."""
    parts = token.split(b".")
    if len(parts) != 3:  # noqa: PLR2004  # header, claims, signature
        return ""
    try:
        claims = msgspec.json.decode(unbase64url(parts[1].decode("ascii")), type=dict[str, msgspec.Raw])
        value = msgspec.json.decode(claims[name], type=str | int) if name in claims else ""
    except (Malformed, msgspec.MsgspecError, UnicodeDecodeError):
        return ""
    return str(value)[:_MAX_CLAIM]


def _unquoted(value: bytes) -> bytes:
    """Without the quotes around it, which to some readers are part of it, and to others not (RFC 6265, section 4.1.1)."""
    return value[1:-1] if len(value) > 1 and value[:1] == value[-1:] == b'"' else value


def _folded(name: bytes) -> bytes:
    return unquote_to_bytes(name).strip(b" \t").translate(_ONE_NAME).lower()
