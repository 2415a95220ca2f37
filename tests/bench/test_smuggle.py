"""A thousand malformed messages before each of two real portals: none is read as two, none otherwise than the gateway read it."""

from dataclasses import replace

import pytest

import bench.smuggle
from bench.smuggle import PORTALS, Noted, differences, tried
from bench.smuggle.grammar import INSIDE, Grammar
from bench.smuggle.upstreams import Read
from strongroom.gateway import upstream
from strongroom.gateway.ports import Asked
from strongroom.gateway.proxy import Event

LETTER = Read("GET", b"/letters/n1?q=a", ((b"x-request-id", b"r"),), b"")
ASKED = Asked("r", 0, "letter", None, "", "", "document", "n1")


@pytest.mark.parametrize("name", PORTALS)
def test_what_the_portal_reads_is_what_the_gateway_read(name: str) -> None:
    """And what is as it should be is answered: the rest would prove nothing if nothing came through."""
    found = tried(name, 7, 1_000)
    assert list(differences(found)) == []
    assert found.whole > 20
    assert found.answered == found.whole <= len(found.read)


def test_a_gateway_that_frames_wrongly_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that leaves out how long a body is: the portal reads what stands in it as a request."""

    def wrong(question: upstream.Question) -> bytes:
        return right(replace(question, length=None, body=None))

    right = upstream._head_of
    monkeypatch.setattr(upstream, "_head_of", wrong)
    monkeypatch.setattr(bench.smuggle, "LONG", 1.0)
    kinds = {kind for kind, _ in differences(tried("http.server", 7, 300))}
    assert "read as two" in kinds


@pytest.mark.parametrize(
    ("read", "event", "kinds"),
    [
        ([LETTER], Event("r", 0, "GET", asked=ASKED), []),
        ([LETTER, LETTER], Event("r", 0, "GET", asked=ASKED), ["read as two"]),
        ([replace(LETTER, headers=())], Event("r", 0, "GET", asked=ASKED), ["read as two"]),
        ([replace(LETTER, headers=LETTER.headers * 2)], Event("r", 0, "GET", asked=ASKED), ["read as two"]),
        ([replace(LETTER, method="POST")], Event("r", 0, "GET", asked=ASKED), ["read otherwise", "logged otherwise"]),
        (
            [replace(LETTER, target=b"/letters/n2")],
            Event("r", 0, "GET", asked=ASKED),
            ["read otherwise", "logged otherwise"],
        ),
        ([replace(LETTER, body=b"x")], Event("r", 0, "GET", asked=ASKED), ["read otherwise"]),
        (
            [replace(LETTER, headers=(*LETTER.headers, (b"x", b"y")))],
            Event("r", 0, "GET", asked=ASKED),
            ["read otherwise"],
        ),
        ([LETTER], Event("r", 0, "HEAD", asked=ASKED), ["logged otherwise"]),
        ([LETTER], None, ["logged otherwise"]),
    ],
)
def test_a_difference_is_found(read: list[Read], event: Event | None, kinds: list[str]) -> None:
    """Each kind of it."""
    noted = Noted(asked={"r": LETTER}, read=read, events={"r": event} if event else {})
    assert [kind for kind, _ in differences(noted)] == kinds


def test_the_same_seed_says_the_same() -> None:
    """And what it says is of many kinds: whole, in two lengths, with a request inside, several behind one another."""
    first, second = Grammar(3), Grammar(3)
    messages = [first.message() for _ in range(2_000)]
    assert messages == [second.message() for _ in range(2_000)]
    raw = [message.raw for message in messages]
    for part in (
        INSIDE,
        b"\n\n",
        b"\0",
        b"\r\n\t",
        b"chunked, identity",
        b"HTTP/0.9",
        b"http://other",
        b"Host : ",
        b"999999999",
        b";a=",
    ):
        assert any(part in one for one in raw), part
    assert any(one.count(b" HTTP/1.1\r\n") > 2 for one in raw)
