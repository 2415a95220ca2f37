"""What is said over sockets: frames of the keeper's, both ends; the line and the TLS that the courier carries.

A stream is cut the same way whole, byte by byte and with a tail; one bad request ends neither the connection nor its
neighbours; what decodes is written and read again as the same.
"""

import asyncio
import datetime as dt
import ssl
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bench.fuzz import http
from bench.fuzz.target import Target, must
from bench.fuzz.wire import Wire, loop
from strongroom.courier.allow import Denied, allow
from strongroom.errors import ConfigError, Malformed
from strongroom.identity.fetch import MAX_WIRE, Fetch, Source, source
from strongroom.identity.jwk import MAX_JWKS
from strongroom.identity.pipe import parse_line, parse_uri
from strongroom.keeper import acts
from strongroom.keeper import protocol as p
from strongroom.keeper.client import _apps_link
from strongroom.keeper.frame import Frames, frame
from strongroom.keeper.socket import Listener, _Connection

_KINDS: dict[str, tuple[Any, int]] = {
    "request": (p.AppRequest, p.MAX_REQUEST),
    "reply": (p.Reply, p.MAX_REPLY),
    "act": (acts.OfficersRequest, acts.MAX_ACT),
    "outcome": (acts.OfficersReply, acts.MAX_ANSWER),
}
_GARBLED = p.Refused(why="malformed")


def _prefixed(message: bytes) -> bytes:
    return len(message).to_bytes(4, "big") + message


def _cut(kind: str, pieces: list[bytes]) -> tuple[list[tuple[int, Any]], bool]:
    """The messages in `pieces`, and whether the stream was given up."""
    body, limit = _KINDS[kind]
    frames: Frames[Any] = Frames(body, limit)
    found: list[tuple[int, Any]] = []
    try:
        for piece in pieces:
            found += frames.cut(piece)
            must(len(frames._buffer) <= limit + 4, "no more is kept than one message")  # noqa: SLF001  # a bound on memory
    except Malformed:
        return found, True
    return found, False


def socket_stream(data: bytes) -> None:
    """Any stream, for each kind of message: cut alike in every way it may arrive."""
    for kind in _KINDS:
        whole, ended = _cut(kind, [data])
        bytewise = _cut(kind, [data[at : at + 1] for at in range(len(data))])
        must(bytewise == (whole, ended), "byte by byte as whole")
        halves = [data[: len(data) // 2], data[len(data) // 2 :]]
        must(_cut(kind, halves) == (whole, ended), "in two as whole")
        if not ended:
            tail = frame(7, p.Ping() if kind == "request" else _GARBLED)
            for_sure, _ = _cut(kind, [data, tail])
            must(for_sure[: len(whole)] == whole, "a tail changes nothing before it")


def socket_message(data: bytes) -> None:
    """Any message in a frame of the right length: refused alone, or read; what is read is written and read as the same."""
    for kind, (body, limit) in _KINDS.items():
        good = frame(9, p.Ping()) if kind == "request" else b""
        found, ended = _cut(kind, [_prefixed(data) + good])
        must(ended is not _numbered(data), "a message with a number ends nothing")
        for number, message in found:
            if message is None:
                continue
            rewritten = frame(number, message)
            must(_cut(kind, [rewritten]) == ([(number, message)], False), "what decodes re-encodes to itself")
            must("k" * 32 not in repr(message), "keys do not print")
        if kind == "request" and not ended:
            must(found[-1] == (9, p.Ping()), "one bad request does not end its neighbours'")
        if not ended:
            _fed(Frames(body, limit), _prefixed(data), found[: len(found) - bool(good)])


def _numbered(message: bytes) -> bool:
    """Whether it is a pair of a number and something, whatever that is."""
    try:
        msgspec.msgpack.decode(message, type=tuple[int, msgspec.Raw])
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return False
    return True


def _fed(frames: Frames[Any], stream: bytes, found: list[tuple[int, Any]]) -> None:
    """`feed` gives what `cut` gave, or gives the stream up where `cut` found a body that is none."""
    try:
        fed = list(frames.feed(stream))
    except Malformed:
        must(any(body is None for _, body in found), "feed refuses what cut cannot read, and nothing else")
    else:
        must(fed == found, "feed and cut agree")


async def _answered(request: Any, _uid: int) -> object:
    return p.Done(receipt=len(msgspec.msgpack.encode(request)))


def socket_server(data: bytes) -> None:
    """Any bytes at the keeper's end: one answer for each request that has a number, and the connection closed for the rest."""
    loop().run_until_complete(_served(data))


async def _served(data: bytes) -> None:
    listener = Listener(Path("none"), p.AppRequest, p.MAX_REQUEST, _answered, lambda _: True, garbled=_GARBLED)
    connection, wire = _Connection(listener), Wire()
    connection.connection_made(wire)
    connection.data_received(data)
    for _ in range(3):  # the handler's task, its callback, the sending
        await asyncio.sleep(0)
    asked, ended = _cut("request", [data])
    must(wire.over == ended, "closed when it cannot be read, and only then")
    if not ended:
        answers, broken = _cut("reply", [bytes(wire.written)])
        must(
            not broken and sorted(number for number, _ in answers) == sorted(number for number, _ in asked), "each once"
        )
        garbled = sum(1 for _, answer in answers if answer == _GARBLED)
        must(garbled == sum(1 for _, body in asked if body is None), "what does not parse is told so")
    connection.connection_lost(None)


def socket_client(data: bytes) -> None:
    """Any bytes at the app's end: an answer goes to the question with its number, or the connection is given up."""
    loop().run_until_complete(_listened(data))


async def _listened(data: bytes) -> None:
    link, wire = _apps_link(), Wire()
    link.connection_made(wire)
    asking = {number: asyncio.ensure_future(link.ask(number, p.Ping())) for number in range(1, 4)}
    await asyncio.sleep(0)
    link.data_received(data)
    answers, ended = _cut("reply", [data])
    firsts: dict[int, Any] = {}
    for number, answer in answers:
        if answer is None:
            ended = True
            break
        firsts.setdefault(number, answer)
    must(link.lost == ended, "given up when it cannot be read, and only then")
    await asyncio.sleep(0)
    link.connection_lost(None)
    outcomes = await asyncio.gather(*asking.values(), return_exceptions=True)
    for number, outcome in zip(asking, outcomes, strict=True):
        expected = firsts.get(number)
        must(
            outcome == expected or (expected is None and isinstance(outcome, ConnectionResetError)), "each gets its own"
        )


def socket_line(data: bytes) -> None:
    """Any line to the courier, and any address of an issuer: one spelling of a place, and only places that are listed."""
    listed = allow(["https://op.example/jwks", "https://other.example:8443/keys"])
    try:
        target = parse_line(data)
    except Malformed:
        must(isinstance(listed.judge(data), Denied), "what is no line leads nowhere")
    else:
        must(target.line() == data, "a line has one spelling")
        must(isinstance(listed.judge(data), Denied) is (target not in listed.targets), "only what is listed")
    try:
        target, path = parse_uri(data.decode("utf-8", "surrogateescape"))
    except ConfigError:
        return
    must(parse_line(target.line()) == target, "what an address leads to, a line can say")
    must(
        path.startswith("/") and path.isprintable() and " " not in path and "#" not in path,
        "a path fits a request line",
    )


@lru_cache(maxsize=1)
def tls() -> tuple[ssl.SSLContext, Source]:
    """A server for op.example with a certificate of its own, and the source that believes it."""
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "op.example")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - dt.timedelta(1)).not_valid_after(now + dt.timedelta(7))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("op.example")]), critical=False)
        .sign(key, SHA256())
    )  # fmt: skip
    pem = certificate.public_bytes(Encoding.PEM)
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    with tempfile.NamedTemporaryFile() as file:
        file.write(pem + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        file.flush()
        server.load_cert_chain(file.name)
    return server, source("https://op.example/jwks", authorities=pem.decode())


def socket_wire(data: bytes) -> None:
    """Any bytes of the courier's in place of TLS: the fetch fails, with a sentence and without a body."""
    fetch = Fetch(tls()[1])
    must(fetch.start(), "the client speaks first")
    fetch.receive(data)
    fetch.receive(b"")
    must(fetch.ended and fetch.failure and fetch.body is None, "what is not TLS brings no keys")


def socket_answer(data: bytes) -> None:
    """Any bytes under good TLS in place of HTTP: a body within its bound, or a failure; however they are cut."""
    outcomes = []
    for size in (len(data) or 1, 7):
        fetch = Fetch(tls()[1])
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        server = tls()[0].wrap_bio(incoming, outgoing, server_side=True)
        incoming.write(fetch.start())
        while not fetch.ended:
            try:
                server.do_handshake()
                break
            except ssl.SSLWantReadError:
                incoming.write(fetch.receive(outgoing.read()))
        for at in range(0, len(data), size):
            server.write(data[at : at + size])
        incoming.write(fetch.receive(outgoing.read()))
        try:
            server.unwrap()
        except ssl.SSLError:
            fetch.receive(outgoing.read())
        fetch.receive(b"")
        must(fetch.ended, "the fetch ends when the other side does")
        must(fetch.body is None or len(fetch.body) <= MAX_JWKS, "a body is bounded")
        must(bool(fetch.failure) or fetch.body is not None, "a failure says why")
        outcomes.append(fetch.body)
    must(outcomes[0] == outcomes[1], "however it is cut")
    must(len(data) <= MAX_WIRE, "inputs are shorter than the bound on the wire")


_TAGS = tuple(
    kind.__name__
    for body in (p.AppRequest, p.Reply, acts.OfficersRequest, acts.OfficersReply)
    for kind in body.__args__
)
_HTTP = (
    "HTTP/1.1 200 OK\r\n",
    "Content-Length: ",
    "Transfer-Encoding: chunked\r\n",
    "\r\n\r\n",
    "0\r\n\r\n",
    "100 Continue",
)

TARGETS = (
    Target("socket-stream", socket_stream, words=("type", *_TAGS), limit=1_024),
    Target("socket-message", socket_message, "msgpack", ("type", *_TAGS)),
    Target("socket-server", socket_server, words=("type", "Ping")),
    Target("socket-client", socket_client, words=("type", "Status", "Refused", "why")),
    Target("socket-line", socket_line, words=("CONNECT ", "op.example", ":443\n", "https://"), limit=512),
    Target("socket-wire", socket_wire),
    Target("socket-answer", socket_answer, words=_HTTP),
    *http.TARGETS,
)
