"""Nothing of a body goes on before what is in it was looked at."""

import asyncio
import itertools
import json
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message

from strongroom.gateway.flow import START, Seen, flow, seen
from strongroom.gateway.intake import Intake, Unfit
from strongroom.gateway.multipart import HELD
from strongroom.gateway.refusal import Refusal
from tests.gateway.test_multipart import FIELD, FILE, B, body

MULTIPART = b"multipart/form-data; boundary=" + B


def intake(pieces: Iterable[bytes]) -> Intake:
    """A client that sends these."""
    waiting = list(pieces)

    async def receive() -> Message:
        piece = waiting.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(waiting)}

    return Intake(receive, 10_000_000)


def flown(kind: bytes, pieces: Iterable[bytes], attack: bytes = b"ATTACK") -> tuple[list[str], bytes, str]:
    """What happened, in order: looks and pieces; what went on; the rule that ended it."""
    told: list[str] = []
    gone = bytearray()

    async def look(raw: bytes) -> None:
        told.append("look")
        if attack in raw:
            raise Unfit(Refusal(403, "waf", "No."))

    async def run() -> str:
        try:
            async for piece in flow(
                intake(pieces), kind, kind.partition(b";")[0].decode(), look, max_keys=10, described=True
            ):
                told.append("piece")
                gone.extend(piece)
        except Unfit as error:
            return error.refusal.rule
        return ""

    rule = asyncio.run(run())
    return told, bytes(gone), rule


@pytest.mark.parametrize("kind", [b"application/json", b"application/pdf", MULTIPART, b"text/html", b""])
@given(sizes=st.lists(st.integers(1, 3 * START), min_size=1, max_size=5))
def test_the_first_piece_is_behind_a_look(kind: bytes, sizes: list[int]) -> None:
    """Whatever it is and however it comes; and what goes on is what came."""
    if kind == MULTIPART:
        raw = body((FIELD, b"x"), (FILE, bytes(sum(sizes))), (FIELD, b"y"))
    else:
        raw = json.dumps("x" * sum(sizes)).encode()
    places = [0, *(min(sum(sizes[:number]), len(raw)) for number in range(1, len(sizes))), len(raw)]
    told, gone, rule = flown(kind, [raw[start:end] for start, end in itertools.pairwise(places)])
    assert (told[0], gone, rule) == ("look", raw, "")


def test_fields_behind_a_large_file_are_looked_at_before_they_go_on() -> None:
    """The file flows; the field behind it does not, where it is an attack."""
    start = body((FIELD, b"x"), (FILE, bytes(5 * HELD)))[: -len(B) - 8]
    end = body((FIELD, b"ATTACK"))
    told, gone, rule = flown(MULTIPART, [start, b"\r\n" + end])
    assert (told, rule) == (["look", "piece", "look"], "waf")
    assert b"ATTACK" not in gone
    told, gone, rule = flown(MULTIPART, [start + b"\r\n--" + B + b"--\r\n"])
    assert told == ["look", "piece"]


def test_whole_bodies_and_starts_are_looked_at() -> None:
    """Where in them the attack stands; a document's own words are nobody's business."""
    far = b" " * START + b"ATTACK"
    assert flown(b"application/json", [b'"', far, b'"'])[1:] == (b"", "waf")
    assert flown(b"text/html", [b"ATTACK", far])[1:] == (b"", "waf")
    assert flown(b"text/html", [far, far])[2] == ""
    assert flown(b"application/pdf", [b"ATTACK"]) == (["look", "piece"], b"ATTACK", "")


def test_what_is_refused_before_any_look() -> None:
    """No boundary; no JSON; parts that have two readings."""
    assert flown(b"multipart/form-data", [b"x"]) == ([], b"", "multipart-boundary")
    assert flown(b"application/json", [b"{"]) == ([], b"", "json-malformed")
    assert flown(MULTIPART, [b"x"]) == ([], b"", "multipart-malformed")


def test_how_much_is_seen_is_said() -> None:
    """By type alone."""
    kinds = ["application/json", "text/xml", "multipart/form-data", "application/pdf", "text/html", ""]
    assert [seen(kind, described=True) for kind in kinds] == [
        Seen.ALL,
        Seen.ALL,
        Seen.FIELDS,
        Seen.HEAD,
        Seen.START,
        Seen.START,
    ]
    assert [seen("text/plain", described=described) for described in (True, False)] == [Seen.HEAD, Seen.START]
