"""What strangers send to the gateway, and what a portal answers: addresses, requests, bodies, listings.

An address has one spelling, and what passes once passes again as it was written; a second reader (the standard library's) reads in
it what was checked; a strict id stands in what is forwarded exactly as it was counted.
"""

import json
from collections.abc import Iterable
from email import policy
from email.parser import BytesParser
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from bench.fuzz.target import Target, must
from strongroom.errors import ConfigError, Malformed
from strongroom.gateway import body, target
from strongroom.gateway.answer import AnswerReader, Head
from strongroom.gateway.contract import Contract, Match, Request
from strongroom.gateway.intake import Unfit
from strongroom.gateway.multipart import Parts
from strongroom.gateway.places import MAX_ID, found, read_place
from strongroom.gateway.refusal import Refusal
from strongroom.gateway.settings import parse
from strongroom.wiring.described import DESCRIBED

SETTINGS = [file.read_bytes() for file in sorted(DESCRIBED.iterdir())]
_CONTRACTS = [(Contract(parse(one)), Contract(parse(one + b'[gateway]\nroutes = "learn"\n'))) for one in SETTINGS]
_PLACE = read_place("items[].document.id")


def gateway_target(data: bytes) -> None:
    """Any bytes as a request target."""
    one = target.read(data)
    if isinstance(one, Refusal):
        must(one.hard and 400 <= one.status < 500, "an address is refused for good")
        return
    must(target.read(one.wire) == one, "what is written is read as the same")
    split = urlsplit(one.wire.decode())
    must(not split.netloc and not split.fragment, "nothing but a path and a query")
    must(
        tuple(unquote(part, errors="strict") for part in split.path[1:].split("/")) == one.segments,
        "another reader's path",
    )
    must(tuple(parse_qsl(split.query, keep_blank_values=True)) == one.pairs, "another reader's query")
    must(not {".", ".."} & set(one.segments), "no dots")


def gateway_request(data: bytes) -> None:
    """A method, a target and headers, a line each."""
    method, address, *lines = [*data.split(b"\n"), b"", b""]
    headers = [(name.lower(), value) for name, _, value in (line.partition(b":") for line in lines)]
    request = Request(method.decode("latin-1"), address, headers)
    for strict, learning in _CONTRACTS:
        one, learned = strict.check(request), learning.check(request)
        if isinstance(one, Match):
            must(learned == one, "learning changes nothing for what is described")
            must(one.route is not None and request.method in one.route.route.methods, "what passes is described")
            again = strict.check(Request(request.method, one.target.wire, headers))
            must(again == one, "what passes passes as it is written")
            must(one.document.encode() in one.target.wire, "the counted id is the one that is forwarded")
        else:
            must(isinstance(learned, Refusal) == one.hard, "learning passes on all but tricks")


def gateway_body(data: bytes) -> None:
    """JSON and forms. What passes is read by another reader, and holds no more members than counted."""
    for kind in ("application/fhir+json", "application/x-www-form-urlencoded"):
        if body.check(kind, data, 20) is not None:
            continue
        if kind.endswith("json"):
            try:
                read = msgspec.json.decode(data)
            except msgspec.DecodeError:
                read = json.loads(data)  # numbers that do not fit into what msgspec knows
            must(_members(read) <= 20, "no more members than counted")  # as above
        else:
            must(len(parse_qsl(data.decode(), keep_blank_values=True)) <= 20, "no more fields")  # as above


def gateway_multipart(data: bytes) -> None:
    """An upload's body: one reading however it is cut, and the standard library reads as many parts."""

    def read(size: int) -> tuple[bytes, bytes] | None:
        parts, taken = Parts(b"b", 20), b""
        try:
            for place in range(0, len(data), size):
                parts.feed(data[place : place + size])
            parts.end()
        except Unfit as error:
            must(error.refusal.hard, "a body is refused for good")
            return None
        taken += parts.take()
        return taken, parts.seen()

    found = read(len(data) or 1)
    must(found == read(1) == read(7), "however it is cut")
    if found is None:
        return
    must(found[0] == data, "what goes on is what came")
    message = BytesParser(policy=policy.HTTP).parsebytes(
        b"Content-Type: multipart/form-data; boundary=b\r\n\r\n" + data
    )
    must(len(list(message.iter_parts())) == found[1].count(b"--b\r\n"), "another reader's parts")


def gateway_listing(data: bytes) -> None:
    """What a portal answers to a listing: ids are short text."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return
    must(all(0 < len(one) <= MAX_ID for one in found(document, _PLACE)), "ids are short")


def gateway_answer(data: bytes) -> None:
    """What a portal answers: whole and byte by byte alike, or not believed."""

    def heard(pieces: Iterable[bytes]) -> object:
        reader = AnswerReader()
        parts: list[Head | bytes] = []
        try:
            for piece in pieces:
                parts += reader.feed(piece)
            if not reader.ended:
                reader.eof()
        except Malformed:
            return None
        heads = [part for part in parts if isinstance(part, Head)]
        must(len(heads) == 1 and parts[0] is heads[0], "one head, before all else")
        body = b"".join(part for part in parts if isinstance(part, bytes))
        must(
            heads[0].length in {None, len(body)} or heads[0].status == 304, "as long as was said"
        )  # says another's length
        return heads[0], body

    must(heard([data]) == heard(data[place : place + 1] for place in range(len(data))), "however it is cut")


def gateway_settings(data: bytes) -> None:
    """gateway.toml: read, or refused with a sentence."""
    try:
        parse(data)
    except ConfigError as error:
        must(error.message, "a sentence")


def _members(document: object) -> int:
    if isinstance(document, dict):
        return len(document) + sum(map(_members, document.values()))
    return sum(map(_members, document)) if isinstance(document, list) else 0


_WORDS = (
    "%2f",
    "%5c",
    "%3f",
    "%25",
    "%00",
    "%c0%ae",
    "../",
    "//",
    "/letters/",
    "/file?patient=1&document=",
    "/notes/",
    "/search?q=",
    "/static/",
    ";",
    "&",
    "=",
)

TARGETS = (
    Target("gateway-target", gateway_target, words=_WORDS, limit=512),
    Target(
        "gateway-request", gateway_request, words=(*_WORDS, "\ncontent-length:", "\ntransfer-encoding:", "\ncookie:")
    ),
    Target("gateway-body", gateway_body, "json", words=("&a=", '"a":', "[[", "\\u0061")),
    Target(
        "gateway-multipart",
        gateway_multipart,
        words=("--b\r\n", "\r\n--b--\r\n", 'Content-Disposition: form-data; name="a"', '; filename="a"', "\r\n\r\n"),
    ),
    Target("gateway-listing", gateway_listing, "json"),
    Target(
        "gateway-answer",
        gateway_answer,
        words=("HTTP/1.1 200 OK\r\n", "Content-Length: ", "Transfer-Encoding: chunked\r\n"),
    ),
    Target(
        "gateway-settings",
        gateway_settings,
        words=("[[route]]\n", "path = ", "{document:int}", "[person]\n", "query = {"),
    ),
)
