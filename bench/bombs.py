"""What one look of the WAF may cost: requests made to take it long, without the limit and with it; and honest large ones.

Hostile requests are runs of marks, alone and in pairs, in places that the rules look at, as long as the contract allows. Each is
looked at in a process of its own whose CPU time is measured, and bounded as the gateway bounds it. What is looked at on the spot,
without a bound (`harmless`), is searched for the worst by changing what was worst. The engine is the same for all, with its rules.
"""

import json
import os
import random
import signal
import statistics
import time
from collections.abc import Iterable, Iterator
from urllib.parse import quote

from bench import Scale
from bench.report import Figure, Goal
from strongroom.gateway import rules
from strongroom.gateway.body import language
from strongroom.gateway.harmless import harmless
from strongroom.gateway.modsecurity import Engine, Subject
from strongroom.gateway.sections import Waf

LIMIT = Waf().milliseconds / 1_000
CAP = 5.0
"""Seconds after which nobody waits for a request without the limit."""
MARKS = "<{[(}])>|;&`$'\"\\/ ,:=!?*+@#%^~\n\t"
PAIRS = (
    "<?",
    "${",
    "||",
    "a=",
    "' ",
    "/*",
    "--",
    "(\n\t",
    "*/|?",
    "{{||",
    "<a ",
    "on",
    "../",
    "or ",
    "0x",
    "&#",
    "eval(",
    "{ ",
    "é",
)
WORDS = (
    "a",
    "on",
    "x",
    "or",
    "select",
    "script",
    "cat",
    "union",
    "1",
    "http",
    "php",
    "eval",
    "onload",
    "ls",
    "set",
    "bash",
)
HEADERS = ((b"host", b"portal.example"), (b"accept", b"*/*"))
SEARCH = {"small": 20.0, "full": 300.0}
"""Seconds."""


def run(scale: Scale) -> Iterable[Figure]:
    """One engine for all."""
    engine = Engine()
    rules.load(engine)
    bombs = list(hostile())
    found = [bounded(engine, one, LIMIT) for one in bombs]
    longest = max(used for used, _ in found)
    cut = [one for one, (_, ended) in zip(bombs, found, strict=True) if not ended]
    free = max(bounded(engine, one, CAP)[0] for one in cut[:: max(1, len(cut) // 4)])
    yield Figure("hostile requests", len(found), "requests")
    yield Figure("of these ended at the limit, and refused", len(cut), "requests")
    yield Figure(
        f"CPU of the worst, against without the limit (given up after {CAP:g} s)",
        longest * 1_000, "ms", free * 1_000, Goal("value", "<=", 1.2 * LIMIT * 1_000),
    )  # fmt: skip
    yield Figure(
        "median of those that came to an end", statistics.median(used for used, ended in found if ended) * 1_000, "ms"
    )
    tries, spot = searched(engine, SEARCH[scale])
    yield Figure("looked at on the spot: the worst that was found", spot * 1_000, "ms", goal=Goal("value", "<=", 50))
    yield Figure("in so many tries", tries, "requests")
    for name, subject in honest():
        yield Figure(name, timed(engine, subject) * 1_000, "ms", goal=Goal("value", "<=", 50))


def post(kind: str, body: bytes) -> Subject:
    """A body."""
    kind_ = ((b"content-type", kind.encode()), (b"content-length", b"%d" % len(body)))
    return Subject("POST", b"/letters", (*HEADERS, *kind_), "192.0.2.1", body)


def hostile() -> Iterator[Subject]:
    """As long as is let pass to the rules."""
    for run_ in (*MARKS, *PAIRS):
        value = (run_ * 65_000)[:60_000]
        yield post("application/json", json.dumps({"note": value[:30_000]}).encode())
        yield post("application/x-www-form-urlencoded", b"note=" + quote(value[:15_000], safe="").encode())
        yield Subject("GET", b"/search?q=" + quote(value[:2_000], safe="").encode(), HEADERS, "192.0.2.1")
        shown = value.replace("\n", " ").encode()[:8_000]
        yield Subject("GET", b"/", (*HEADERS, (b"user-agent", shown), (b"cookie", b"a=" + shown)), "192.0.2.1")
        many = {f"k{number}": value[:200] for number in range(100)}
        yield post("application/json", json.dumps(many).encode())


def honest() -> Iterator[tuple[str, Subject]]:
    """What people send."""
    agent = (b"user-agent", b"Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0")
    yield "honest: a GET", Subject("GET", b"/letters/4711", (*HEADERS, agent), "192.0.2.1")
    prose = "The patient was seen in clinic on 3 May (Dr O'Neill); BP 120/80, no change. " * 850
    yield "honest: 64 KB of prose in JSON", post("application/json", json.dumps({"note": prose[:65_000]}).encode())
    scan = json.dumps({"contentType": "application/pdf", "data": "JVBERi0xLjcKJeLjz9MK" * 52_000}).encode()
    yield "honest: a document of 1 MB, as base64 in JSON", post("application/json", language("application/json", scan))


def bounded(engine: Engine, subject: Subject, seconds: float) -> tuple[float, bool]:
    """CPU seconds of a look, of at most so many; and whether it came to its end."""
    pid = os.fork()
    if not pid:
        signal.setitimer(signal.ITIMER_PROF, seconds)
        engine.inspect(subject)
        os._exit(0)
    _, status, used = os.wait4(pid, 0)
    return used.ru_utime + used.ru_stime, os.waitstatus_to_exitcode(status) == 0


def timed(engine: Engine, subject: Subject) -> float:
    """CPU seconds, the least of three."""
    found = []
    for _ in range(3):
        began = time.thread_time()
        engine.inspect(subject)
        found.append(time.thread_time() - began)
    return min(found)


def searched(engine: Engine, seconds: float) -> tuple[int, float]:
    """How many were tried, and CPU seconds of the worst."""
    chance = random.Random(1)
    best: list[tuple[float, list[str]]] = []
    tries, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        pieces = list(chance.choice(best)[1]) if best and chance.random() < 0.7 else []
        pieces.insert(chance.randrange(len(pieces) + 1), piece(chance))
        pieces.insert(chance.randrange(len(pieces) + 1), piece(chance))
        text = "".join(pieces * 12)[: chance.choice((150, 250, 400))]
        subject = plain(text)
        if not harmless(subject):
            continue
        tries += 1
        began = time.thread_time()
        engine.inspect(subject)
        best.append((time.thread_time() - began, pieces[:8]))
        best.sort(reverse=True)
        del best[20:]
    worst = best[0][0] if best else 0.0
    return tries, worst


def piece(chance: random.Random) -> str:
    """A word and marks."""
    return chance.choice(WORDS) + "".join(chance.choice(MARKS[:-2]) for _ in range(chance.randint(0, 3)))


def plain(text: str) -> Subject:
    """Everywhere at once."""
    raw = text.encode()
    headers = ((b"user-agent", raw), (b"referer", raw), (b"cookie", b"a=" + raw.replace(b";", b"")), (b"x-own", raw))
    return Subject("GET", b"/search?q=" + quote(text, safe="").encode(), (*HEADERS, *headers), "192.0.2.1")
