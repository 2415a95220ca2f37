"""What a client looks like: the kind of device that it says it is, and the manner in which its program writes requests. Pure.

Two signs that are chosen apart: whoever changes the words of a device with each request still writes headers in the order of one
program. Versions are no part of either, for a release changes everybody's.
"""

import hashlib
import re
from functools import lru_cache
from typing import Final

from strongroom.gateway.contract import Headers
from strongroom.ids import encode

_SAYS: Final = frozenset({b"user-agent", b"accept-language", b"sec-ch-ua", b"sec-ch-ua-platform"})
_BY_REQUEST: Final = re.compile(
    rb"cookie2?|referer|origin|authorization|dpop|range|if-.+|content-.+|cache-control|pragma|transfer-encoding|expect|"
    rb"x-request-id|sec-fetch-.+|priority|upgrade-insecure-requests|x-csrf-.+|x-xsrf-.+"
)
"""Headers that one program sends with some requests and not with others."""
_NUMBERS: Final = re.compile(rb"[0-9][0-9._]*")
MOST: Final = 4_096
"""Bytes of either that are looked at."""


def device(headers: Headers) -> str:
    """The kind of device that it says it is, without numbers of versions."""
    said = b"\0".join(value for name, value in headers if name in _SAYS)
    return _name(_NUMBERS.sub(b"#", said[:MOST]))


def manner(headers: Headers) -> str:
    """Which headers its program sends, in which order, and what codings it takes."""
    names = b"\0".join(name for name, _ in headers)
    codings = next((value for name, value in headers if name == b"accept-encoding"), b"")
    return _manner(names[:MOST], codings[:MOST])


@lru_cache(1_024)
def _manner(names: bytes, codings: bytes) -> str:
    kept = [name for name in names.split(b"\0") if not _BY_REQUEST.fullmatch(name)]
    return _name(b"\0".join([codings, *kept]))


@lru_cache(1_024)
def _name(text: bytes) -> str:
    return encode(hashlib.sha256(text).digest())
