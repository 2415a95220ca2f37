"""multipart/form-data as it comes, with one reading or none. Pure.

Two readers that split a body at different places see different fields: what one inspects is not what the other takes. So what
passes is narrower than RFC 7578 and what browsers and clients of this decade send:

* the body begins with its first boundary and ends with its last; lines of headers end with CRLF;
* the boundary stands nowhere but between parts, with CRLF before it and CRLF or `--` after it;
* a part has Content-Disposition (form-data, a name, perhaps a file name, in this order), and at most Content-Type,
  Content-Length and Content-Transfer-Encoding (binary, 7bit, 8bit), each once;
* names are UTF-8 without quotes, backslashes, semicolons, `=` and controls; `filename*` is not taken (RFC 7578, section 4.2).

Fields and headers are held until somebody has looked at them; what stands in files flows.
"""

import re
from typing import Final

from strongroom.gateway.body import MAX_WHOLE
from strongroom.gateway.intake import Unfit
from strongroom.gateway.refusal import Refusal

HELD: Final = 65_536
"""Bytes of a file that are held before they flow: most uploads of pages are smaller and are passed on whole."""
MAX_HEADERS: Final = 4_096
"""Bytes of one part's. Two names of 255 characters, in UTF-8 of four bytes each, fit."""

_TYPE: Final = re.compile(
    rb"multipart/form-data(?:[ \t]*;[ \t]*charset=[\"]?utf-8[\"]?)?[ \t]*;[ \t]*"
    rb"boundary=(?:\"([A-Za-z0-9'+_.-]{1,70})\"|([A-Za-z0-9'+_.-]{1,70}))(?:[ \t]*;[ \t]*charset=[\"]?utf-8[\"]?)?",
    re.IGNORECASE,
)
_ENTITY: Final = (
    rb"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,32}[0-9]{0,2});"  # as browsers write what a charset has not
)
_NAME: Final = rb"(?:\"((?:[^\"\\;=\x00-\x1f\x7f]|" + _ENTITY + rb"){%s,255})\"|([A-Za-z0-9!#$%%&'*+.^_`|~-]{1,255}))"
_DISPOSITION: Final = re.compile(
    rb"form-data[ \t]*;[ \t]*name=" + _NAME % b"1" + rb"([ \t]*;[ \t]*filename=" + _NAME % b"0" + rb")?", re.IGNORECASE
)
_OTHERS: Final = {
    b"content-type": re.compile(rb"[A-Za-z0-9!#$&^_.+-]{1,80}/[A-Za-z0-9!#$&^_.+-]{1,80}[\x20-\x7e]{0,120}"),
    b"content-length": re.compile(rb"[0-9]{1,15}"),
    b"content-transfer-encoding": re.compile(rb"binary|7bit|8bit", re.IGNORECASE),
}


def boundary_of(content_type: bytes) -> bytes | None:
    """The boundary that a Content-Type of multipart/form-data names; None where it can be read in two ways."""
    found = _TYPE.fullmatch(content_type)
    return (found[1] or found[2]) if found else None


def content_type(value: bytes) -> bytes:
    """The same header in one spelling: what the WAF and the portal read. Another header, as it is."""
    boundary = boundary_of(value)
    return value if boundary is None else b"multipart/form-data; boundary=" + boundary


class Parts:
    """One body. Feed it what comes; `take` what may go on, after somebody has looked at `seen`."""

    def __init__(self, boundary: bytes, most: int) -> None:
        """`most`: parts that the body may have."""
        self._mark, self._most = b"--" + boundary, most
        self._rest = b""  # not understood yet
        self._step = self._first
        self._count = 0
        self._file = False
        self._seen = bytearray()
        self._held = bytearray()
        self._free = 0  # bytes of `_held` that end in a file, or with the body: nothing in them is half seen
        self.news = True
        """Whether something stands in `seen` that did not when `take` was last called."""

    def feed(self, piece: bytes) -> None:
        """The next bytes. Raises Unfit."""
        self._held += piece
        self._rest += piece
        while self._step():
            pass
        if len(self._seen) > MAX_WHOLE:
            raise Unfit(Refusal(413, "multipart-large", f"The fields have more than {MAX_WHOLE} bytes.", hard=True))

    @property
    def ripe(self) -> bool:
        """Whether enough of a file has come to pass on."""
        return self._free >= HELD

    def seen(self) -> bytes:
        """The body up to here, closed, without what stands in its files."""
        ended = b"\r\n" if self._step == self._content else b""
        return b"%b%b%b--\r\n" % (bytes(self._seen), ended, self._mark)

    def take(self) -> bytes:
        """What may go on now: no field and no headers but such as `seen` has whole."""
        taken = bytes(self._held[: self._free])
        del self._held[: self._free]
        self._free, self.news = 0, False
        return taken

    def end(self) -> None:
        """All has come, and may be taken. Raises Unfit where that was not the end of it."""
        if self._step != self._over or self._rest not in {b"", b"\r\n"}:
            raise _bad("multipart-malformed", "The body does not end with its last boundary.")
        self._free = len(self._held)

    # ---- the steps: whether there is more to do -----------------------------------------------------------------------

    def _first(self) -> bool:
        if not self._mark.startswith(self._rest[: len(self._mark)]):
            raise _bad("multipart-malformed", "The body does not begin with its boundary.")
        if len(self._rest) < len(self._mark):
            return False
        return self._at_mark(0)

    def _after(self) -> bool:
        """Behind a boundary: another part, or the end."""
        if len(self._rest) < 2:  # noqa: PLR2004  # CRLF, or --
            return False
        what, self._rest = self._rest[:2], self._rest[2:]
        if what == b"--":
            self._step = self._over
        elif what == b"\r\n":
            self._count += 1
            if self._count > self._most:
                raise _bad("multipart-many", f"The body has more than {self._most} parts.")
            self._step = self._headers
        else:
            raise _bad("multipart-boundary", "The boundary stands where none belongs.")
        return True

    def _headers(self) -> bool:
        end = self._rest.find(b"\r\n\r\n")
        if end > MAX_HEADERS or (end < 0 and len(self._rest) > MAX_HEADERS):
            raise _bad("multipart-headers", "A part has too long headers.")
        if end < 0:
            return False
        raw, self._rest = self._rest[:end], self._rest[end + 4 :]
        self._file = _has_file(raw)
        self._seen += b"%b\r\n%b\r\n\r\n" % (self._mark, raw)
        self.news = True
        self._step = self._content
        return True

    def _content(self) -> bool:
        place = self._rest.find(self._mark)
        if place >= 0:
            if self._rest[max(place - 2, 0) : place] != b"\r\n":
                raise _bad("multipart-boundary", "The boundary stands where none belongs.")
            self._keep(self._rest[: place - 2])
            self._seen += b"\r\n"
            return self._at_mark(place)
        sure = len(self._rest) - len(self._mark) - 1  # the rest may begin a boundary, and the CRLF before it
        if sure > 0:
            self._keep(self._rest[:sure])
            self._rest = self._rest[sure:]
        if self._file:
            self._free = len(self._held) - len(self._rest)
        return False

    def _over(self) -> bool:
        if not b"\r\n".startswith(self._rest):
            raise _bad("multipart-malformed", "Something follows the last boundary.")
        return False

    def _at_mark(self, place: int) -> bool:
        self._rest = self._rest[place + len(self._mark) :]
        self._step = self._after
        return True

    def _keep(self, content: bytes) -> None:
        if self._file or not content:
            return
        if b"\0" in content:
            raise _bad("multipart-malformed", "A field holds a NUL.")
        self._seen += content
        self.news = True


def _has_file(raw: bytes) -> bool:
    """Whether the part of these headers is a file. Raises Unfit for headers that are not taken."""
    found: dict[bytes, bytes] = {}
    for line in raw.split(b"\r\n"):
        name, colon, value = line.partition(b":")
        name, value = name.lower(), value.strip(b" \t")
        if not colon or name in found or not (name == b"content-disposition" or name in _OTHERS):
            raise _bad("multipart-headers", "A part has headers that are not taken, or one of them twice.")
        if name in _OTHERS and not _OTHERS[name].fullmatch(value):
            raise _bad("multipart-headers", "A header of a part is not as it should be.")
        found[name] = value
    disposition = _DISPOSITION.fullmatch(found.get(b"content-disposition", b""))
    if disposition is None or not _is_utf8(raw):
        raise _bad("multipart-name", "A part has no name, or one with quotes, backslashes, semicolons or `=` in it.")
    return disposition[3] is not None


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _bad(rule: str, because: str) -> Unfit:
    return Unfit(Refusal(400, rule, because, hard=True))
