"""Malformed HTTP messages, made from the grammar of well-formed ones: each part is as it should be, or is not.

What smuggled, elsewhere and before: two lengths, a coding in a spelling that one reader takes, bare line ends, folded lines, spaces
before a colon, chunk sizes that two readers count differently, extensions and trailers, absolute addresses, NUL, huge numbers, and
one message behind another.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

INSIDE = b"GET /inside HTTP/1.1\r\nHost: portal\r\nX-Request-Id: inside\r\n\r\n"
"""A request within a body: nobody may read it as one."""
_ENDS = (b"\n", b"\r", b"\r\r\n", b"\n\r", b" \r\n", b"\t\r\n", b"\0\r\n", b"")
_METHODS = (b"GET", b"POST", b"PUT", b"HEAD", b"DELETE", b"OPTIONS", b"PATCH")
_BAD_METHODS = (
    b"get",
    b"GE T",
    b"G\0T",
    b"CONNECT",
    b"PRI",
    b"",
    b"TRACE",
    b"PURGE",
    b"GET\t",
    b" GET",
    b"\r\nGET",
    b"\nPOST",
)
_TARGETS = (b"%b?q=a", b"%b?q=a%%20b&n=1", b"%b/")
_BAD_TARGETS = (
    b"http://portal%b",
    b"http://other%b",
    b"//other%b",
    b"%b#f",
    b"*",
    b"%b\0",
    b"%b%%00",
    b"%b HTTP/1.1",
    b"%b\tx",
    b"%b\x80",
    b"..%b",
    b"%b/../inside",
    b"%b%%2f..%%2finside",
    b"%b\\x",
    b"%b;x=1",
    b"%b?q=\r",
    b"%b HTTP/1.1\r\nHost: portal\r\n\r\nGET /inside",
    b"portal:80",
    b"",
)
_BAD_VERSIONS = (
    b"HTTP/1.0",
    b"HTTP/0.9",
    b"HTTP/1.2",
    b"HTTP/2",
    b"HTTP/2.0",
    b"http/1.1",
    b"HTTP/1.1 ",
    b"HTTP/01.1",
    b"HTTP/1.10",
    b"HTTP 1.1",
    b"",
)
_BAD_LENGTHS = (
    b"%d, %d",
    b"+%d",
    b"-%d",
    b"0x%x",
    b"%d;",
    b"%de0",
    b"0%d",
    b"0000000000000000000000%d",
    b"%d\0",
    b"\x0b%d",
    b"%d a",
    b"%d.0",
    b"9%d999999999999999999",
    b"18446744073709551616",
    b"18446744073709551617",
    b"4294967296",
    b"",
    b" ",
    b'"%d"',
)
_BAD_CODINGS = (
    b"Chunked",
    b"CHUNKED",
    b"chunked ",
    b"\x0bchunked",
    b"\tchunked",
    b"identity",
    b"chunked, identity",
    b"identity, chunked",
    b"gzip, chunked",
    b"xchunked",
    b"chunked;q=1",
    b"chunk\0ed",
    b"chunked,",
    b",chunked",
    b"chunked, chunked",
    b'"chunked"',
    b"chunked\x80",
    b"",
    b"cow",
    b"chunked\n",
    b"deflate",
)
_ODD_HEADERS = (
    b"Connection: close",
    b"Connection: keep-alive",
    b"Connection: content-length",
    b"Connection: transfer-encoding",
    b"Connection: x-request-id, host",
    b"Expect: 100-continue",
    b"Expect: later",
    b"Upgrade: h2c",
    b"Upgrade: websocket\r\nConnection: Upgrade",
    b"TE: trailers",
    b"Trailer: Content-Length",
    b"X-Request-Id: mine",
    b"X-Request-Id : mine",
    b"X: a\r\n b",
    b"X: a\r\n\tContent-Length: 5",
    b"X: a\nContent-Length: 5",
    b"X: a\rContent-Length: 5",
    b"X: a\0b",
    b"X: a\x80b",
    b"X:\x0bb",
    b"X",
    b": x",
    b" X: a",
    b"X Y: a",
    b"X\0: a",
    b"Content-Length\t: 5",
    b"Content-Length\0: 5",
    b"Content_Length: 5",
    b"X: " + b"a" * 70_000,
    b"Transfer-Encoding : chunked",
    b"Transfer_Encoding: chunked",
    b"\tTransfer-Encoding: chunked",
    b"Transfer-Encoding:\r\n chunked",
    b"X: y\r\n Transfer-Encoding: chunked",
    b"Transfer-Encoding\x80: chunked",
    b"X: a\x0aTransfer-Encoding: chunked",
    b"Host: other",
    b"Host : other",
    b"X-Forwarded-Host: other",
    b"Content-Type: application/json",
    b"Content-Encoding: gzip",
    b"Range: bytes=0-1",
    b"Keep-Alive: 5",
    b"Proxy-Connection: close",
    b"X: caf\xc3\xa9",
    b"X: \xff\xfe",
    b"Cookie: a=b\r\nCookie: c=d",
    b"X: a\x1cb",
    b"X: a\x85b",
)
_BAD_SIZES = (
    b"0%x",
    b"%x ",
    b" %x",
    b"%x;a=b",
    b'%x;a="b"',
    b'%x;a="\r\n"',
    b"%x;\n",
    b"+%x",
    b"-%x",
    b"0x%x",
    b"%xg",
    b"%x\n",
    b"%x\0",
    b"%x\t;a",
    b"1%016x",
    b"FFFFFFFFFFFFFFFF",
    b"%x;" + b"a" * 20_000,
    b"%x\r",
    b"%x\x0b",
    b"",
    b"%x;\x80",
    b"%x a",
)
_LASTS = (
    b"0\r\n\r\n",
    b"00\r\n\r\n",
    b"0;x\r\n\r\n",
    b"0\r\nX: 1\r\n\r\n",
    b"0\r\nContent-Length: 5\r\nHost: other\r\n\r\n",
    b"0\n\n",
    b"0\r\n\n",
    b"0\r\n",
    b"0\r\n\r",
    b"0 \r\n\r\n",
    b"0\r\n" + INSIDE,
    b"0\r\nX: a\r\n b\r\n\r\n",
    b"0x0\r\n\r\n",
    b"-0\r\n\r\n",
    b"0\r\n\r\nX",
    b"",
)


@dataclass(frozen=True, slots=True)
class Message:
    """What one connection says. `whole`: it is as it should be, says that it is the last, and has an answer."""

    raw: bytes
    whole: bool


class Grammar:
    """Messages, by a seed: the same seed, the same messages."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._count = 0

    def message(self) -> Message:
        """One to three requests of one connection; one in twenty as it should be."""
        if self._random.random() < 0.05:  # enough to see that what should come through does
            return Message(self._request(b"Connection: close", badness=0), whole=True)
        badness = self._random.choice((0.03, 0.08, 0.2))
        count = self._random.choices((1, 2, 3), (6, 3, 1))[0]
        return Message(b"".join(self._request(b"", badness=badness) for _ in range(count)), whole=False)

    def _request(self, last: bytes, *, badness: float) -> bytes:
        pick = self._random.choice

        def bad() -> bool:
            return self._random.random() < badness

        self._count += 1
        path = b"/letters/n%d" % self._count
        method = pick(_BAD_METHODS) if bad() else pick(_METHODS)
        target = (
            self._filled(pick(_BAD_TARGETS), path) if bad() else path if bad() else self._filled(pick(_TARGETS), path)
        )
        version = pick(_BAD_VERSIONS) if bad() else b"HTTP/1.1"
        space = pick((b"  ", b"\t", b"\x0b", b"")) if bad() else b" "
        headers = [] if bad() else [b"Host: portal"]
        headers += [last] if last else []
        headers += [pick(_ODD_HEADERS) for _ in range(3) if bad()]
        framing, body = self._body(bad, none=method in {b"GET", b"HEAD", b"DELETE", b"OPTIONS"} and not bad())
        headers += framing
        if bad():
            self._random.shuffle(headers)
        lines = [method + space + target + b" " + version, *headers, b""]
        return b"".join(line + (pick(_ENDS) if bad() else b"\r\n") for line in lines) + body

    def _body(self, bad: Callable[[], bool], *, none: bool) -> tuple[list[bytes], bytes]:
        pick = self._random.choice
        if none:
            return [], INSIDE if bad() else b""
        content = pick((b"abcde", b"", INSIDE, b"q=1&r=2", b"0\r\n\r\n" + INSIDE))
        framing: list[bytes] = []
        chunked = self._random.random() < 0.5  # half and half
        if chunked or bad():
            framing.append(b"Transfer-Encoding: " + (pick(_BAD_CODINGS) if bad() else b"chunked"))
        if not chunked or bad():
            length = len(content) + (pick((-1, 1, 7)) if bad() else 0)
            text = self._numbered(pick(_BAD_LENGTHS), length) if bad() else b"%d" % length
            framing += [b"Content-Length: " + text] * (2 if bad() else 1)
            if bad():
                framing.append(b"Content-Length: %d" % (length + 1))
        framing.append(pick((b"Content-Type: application/pdf", b"Content-Type: text/plain")))
        return framing, self._chunks(content, bad) if chunked else content

    def _chunks(self, content: bytes, bad: Callable[[], bool]) -> bytes:
        pick, found = self._random.choice, b""
        cut = self._random.randint(0, len(content))
        for piece in filter(None, (content[:cut], content[cut:])):
            size = self._numbered(pick(_BAD_SIZES), len(piece)) if bad() else b"%x" % len(piece)
            found += size + (pick(_ENDS) if bad() else b"\r\n") + piece + (pick(_ENDS) if bad() else b"\r\n")
        return found + (pick(_LASTS) if bad() else b"0\r\n\r\n")

    @staticmethod
    def _filled(form: bytes, path: bytes) -> bytes:
        return form % path if b"%b" in form else form

    @staticmethod
    def _numbered(form: bytes, number: int) -> bytes:
        count = form.count(b"%")
        return form % ((number,) * count) if count else form
