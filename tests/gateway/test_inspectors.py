"""The WAF's processes say what the engine says; one that takes too long is ended, and the next request finds another."""

import asyncio
import json
import os
from collections.abc import Iterator

import pytest

from strongroom.errors import Unavailable
from strongroom.gateway.inspectors import LANES, Inspectors, Overdue
from strongroom.gateway.intake import Unfit
from strongroom.gateway.modsecurity import Engine, Inspected, Subject
from strongroom.gateway.waf import Waf
from tests.gateway.test_waf import engine

__all__ = ["engine"]  # a fixture

CLIENT = "192.0.2.1"
HEADERS = ((b"host", b"portal.example"), (b"user-agent", b"Mozilla/5.0"), (b"accept", b"*/*"))
ATTACK = Subject("GET", b"/letters?q=1%27%20OR%201=1--%20-", HEADERS, CLIENT)
HONEST = Subject("GET", b"/letters/4711", HEADERS, CLIENT)
GENEROUS, MEAN = 10_000, 300
"""Milliseconds. A look at an honest request takes two."""


def says(text: str) -> Subject:
    """A body that holds this text."""
    body = json.dumps({"text": text}).encode()
    headers = (*HEADERS, (b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)))
    return Subject("POST", b"/letters", headers, CLIENT, body)


BOMB = says("<" * 8_000)
"""Fifty seconds, if nobody ended it."""


@pytest.fixture
def mean(engine: Engine) -> Iterator[Inspectors]:
    """Processes with little time."""
    one = Inspectors(engine, MEAN, lambda: None)
    yield one
    one.close()


def test_they_say_what_the_engine_says(engine: Engine) -> None:
    """One after the other and many at once, with a body and without."""

    async def asked() -> list[Inspected]:
        one = Inspectors(engine, GENEROUS, lambda: None)
        subjects = [ATTACK, HONEST, says("Please select one from the list."), says("x' UNION SELECT a FROM b--")] * 5
        found = await asyncio.gather(*map(one.inspect, subjects))
        assert len(one._idle) == LANES
        one.close()
        return found

    found = asyncio.run(asked())
    assert [one.status for one in found] == [403, 0, 0, 403] * 5
    assert found[0] == engine.inspect(ATTACK)


def test_what_takes_too_long_is_ended_and_the_next_is_looked_at(mean: Inspectors) -> None:
    """By the kernel, after so much CPU; others go on beside it."""

    async def asked() -> None:
        bombs = [asyncio.ensure_future(mean.inspect(BOMB)) for _ in range(LANES + 1)]
        assert (await mean.inspect(ATTACK)).status == 403
        for bomb in bombs:
            with pytest.raises(Overdue):
                await bomb
        assert (await mean.inspect(HONEST)).status == 0

    asyncio.run(asked())


def test_whoever_stops_waiting_leaves_nothing_behind(mean: Inspectors) -> None:
    """The answer to one is never the answer to the next."""

    async def asked() -> None:
        for _ in range(10):
            waiting = asyncio.ensure_future(mean.inspect(ATTACK))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            waiting.cancel()
            assert (await mean.inspect(HONEST)).status == 0

    asyncio.run(asked())


def test_without_processes_nothing_is_looked_at_and_the_worker_ends(
    mean: Inspectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever looks after workers starts another one."""
    ended: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, _: ended.append(pid))
    mean._control.close()
    with pytest.raises(Unavailable):
        asyncio.run(mean.inspect(HONEST))
    assert ended == [os.getpid()]


def test_what_takes_too_long_is_refused(engine: Engine) -> None:
    """400, told to whoever sent it; on the spot is looked at what is plain."""

    async def asked() -> str:
        waf = Waf(engine, block=False)
        waf.look_in(MEAN, lambda: None)
        assert waf.at_once(HONEST)
        marked = Subject("GET", ATTACK.target + b"%3C%3C%3C%3C", HEADERS, CLIENT)
        assert not waf.at_once(marked)
        found = await waf.look_beside(marked, b"", b"")
        assert found.refusal is not None
        with pytest.raises(Unfit) as caught:
            await waf.inspect(BOMB)
        waf.close()
        assert caught.value.refusal.status == 400
        return caught.value.refusal.rule

    assert asyncio.run(asked()) == "waf-late"
