"""What a portal answers, read strictly: where an answer ends is known, or it is not believed. No I/O.

    reader = AnswerReader(head_only=False)
    for part in reader.feed(data): ...       Head, then pieces of the body
    reader.eof()                             the portal ended the connection
    reader.ended, reader.reusable

The parser is llhttp. Closed here is what it leaves open: a coding of the body beside `chunked`, a switch of protocols, endless
interim answers, headers without end, trailers, a second answer that nobody asked for (answer splitting).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import httptools

from strongroom.errors import Malformed

MAX_HEAD: Final = 65_536
"""Bytes of status line and headers, interim answers included."""
MAX_HEADERS: Final = 200
MAX_INTERIM: Final = 8
"""Answers of 1xx before the one that counts."""
KEPT: Final = 1_024
"""Heads that are remembered, each of `SHORT` bytes at most."""
SHORT: Final = 2_048
_END: Final = b"\r\n\r\n"
SWITCHING, NO_CONTENT, NOT_MODIFIED = 101, 204, 304


@dataclass(frozen=True, slots=True)
class Head:
    """Names in lower case."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    length: int | None
    """Of the body, in bytes; None where chunks or the end of the connection end it."""

    @property
    def announced(self) -> int:
        """Bytes that it says it will give; 0 where it does not say."""
        return self.length or 0


class AnswerReader:
    """One answer. `head_only`: to HEAD, whose answer has no body whatever its headers say."""

    def __init__(self, *, head_only: bool = False) -> None:
        self._head_only = head_only
        self._parser = httptools.HttpResponseParser(self)
        self._headers: list[tuple[bytes, bytes]] = []
        self._parts: list[Head | bytes] = []
        self._heard = 0  # bytes before the head was whole
        self.interim = 0
        self._head: Head | None = None
        self._until_close = False
        self._keeps = False
        self._second = False
        self.ended = False

    @property
    def reusable(self) -> bool:
        """Whether the connection may carry another request: this answer's end was told, and nothing came after it."""
        return self.ended and self._keeps and not self._second and not self._head_only and not self._until_close

    @property
    def begun(self) -> bool:
        """Whether anything was heard."""
        return self._heard > 0

    def feed(self, data: bytes) -> Sequence[Head | bytes]:
        """What `data` adds. Raises Malformed; what came before it holds as far as it goes."""
        if self.ended:
            self._second = self._second or bool(data)
            return ()
        if self._head is None:
            self._heard += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not self.ended:
                raise Malformed("The portal's answer is no HTTP.") from error
            self._second = True
        if self._head is None and self._heard > MAX_HEAD:
            raise Malformed("The portal's answer has headers without end.")
        parts, self._parts = self._parts, []
        return parts

    def eof(self) -> None:
        """The connection ended. Raises Malformed unless that ends the answer."""
        if self.ended:
            return
        if not self._until_close:
            raise Malformed("The portal's answer ended early.")
        self.ended = True

    # ---- called by the parser; what they raise, it wraps -----------------------------------------------------------

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer: those are let go."""
        if self._head is None and not self.ended:
            if len(self._headers) >= MAX_HEADERS:
                raise Malformed("Too many headers.")
            self._headers.append((name.lower(), value.strip(b" \t")))

    def on_headers_complete(self) -> None:
        """The head is whole."""
        if self.ended:
            self._second = True
            return
        headers, self._headers = tuple(self._headers), []
        status = self._parser.get_status_code()
        if status < 200:  # noqa: PLR2004  # the class of interim answers
            self.interim += 1
            if status < 100 or status == SWITCHING or self.interim > MAX_INTERIM:  # noqa: PLR2004  # there is no lower class
                raise Malformed("Not an answer to what was asked.")
            return
        lengths = [value for name, value in headers if name == b"content-length"]
        codings = [value for name, value in headers if name == b"transfer-encoding"]
        if codings and (
            [coding.lower() for coding in codings] != [b"chunked"] or self._parser.get_http_version() != "1.1"
        ):
            raise Malformed("A coding that was not asked for.")
        if status == NO_CONTENT and lengths not in ([], [b"0"]):
            raise Malformed("An answer without a body that has a length.")
        bodiless = self._head_only or status in {NO_CONTENT, NOT_MODIFIED}
        self._until_close = not (lengths or codings or bodiless)
        self._head = Head(status, headers, int(lengths[0]) if lengths else 0 if bodiless else None)
        self._keeps = bool(self._parser.should_keep_alive())  # asked later, the parser has forgotten
        self._parts.append(self._head)
        self.ended = self._head_only

    def on_body(self, body: bytes) -> None:
        """A piece."""
        if self._head is None:
            raise Malformed("A body before its head.")
        if not self.ended:
            self._parts.append(body)
        else:
            self._second = True

    def on_message_complete(self) -> None:
        """The end, of an interim answer too."""
        if self._head is not None:
            self.ended = True


class Heads:
    """Heads that were read before: the same bytes, with as long a body behind them as they say, are the same answer again.

    Only of answers that came in one piece, whole, with nothing before and behind, on a connection that goes on.
    """

    def __init__(self) -> None:
        self._known: dict[bytes, Head] = {}

    def find(self, data: bytes) -> Head | None:
        """The head of `data`, which is one whole answer; None: it has to be read."""
        end = data.find(_END) + len(_END)
        head = self._known.get(data[:end])
        return head if head is not None and head.length == len(data) - end else None

    def keep(self, data: bytes, reader: AnswerReader, head: Head, body: bytes) -> None:
        """`data` was read by `reader`, alone and to its end, as this."""
        end = data.find(_END) + len(_END)
        plain = reader.reusable and not reader.interim and head.length == len(body) and data[end:] == body
        if plain and end <= SHORT:
            self._known[data[:end]] = head
            if len(self._known) > KEPT:
                del self._known[next(iter(self._known))]
