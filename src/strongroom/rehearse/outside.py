"""P1 against a store that somebody else runs: guards on, tokens of test logins, nothing known but what they may know.

Whatever a test login can list of itself counts as its own; everything else that is given out counts as lost. There is no
look into the store's log from here, so the list is not compared (`list_equals_haul` is null).
"""

import json
import random
import time
from collections.abc import Callable, Sequence

from strongroom.rehearse.attack import MAX_REQUESTS, Haul, Moment, address, walk
from strongroom.rehearse.http import OK, Browser
from strongroom.rehearse.scorecard import Run
from strongroom.rehearse.timeline import Lane


async def attack_own_store(
    base: str, tokens: Sequence[str], known: Sequence[str], seed: int, say: Callable[[str], None]
) -> Lane:
    """Walk `known` ids (and invented ones) with every token in turn."""
    browser, rng, haul, moments = Browser(base), random.Random(seed), Haul(), []
    began = time.monotonic()
    for number, token in enumerate(tokens):
        headers = {"Authorization": f"Bearer {token}"}
        own = await _own(browser, headers)
        say(f"  login {number + 1}: {len(own)} documents of its own")
        ids = [document for document in known if document not in own]
        for document in list(walk(ids, rng))[: MAX_REQUESTS // len(tokens)] or list(walk(["a" * 26], rng)):
            answer = await browser.get(f"Binary/{document}", headers, address(number) if "127." in base else "0.0.0.0")  # noqa: S104  # any
            haul.requests += 1
            at = time.monotonic() - began
            if answer.status == OK:
                haul.got(document, at, foreign=True, listing=False)
            moments.append(Moment(at, honest=False, outcome="foreign" if answer.status == OK else "refused"))
    await browser.close()
    run = Run(
        condition="guards-on", logins=len(tokens), rate="max", people_own=len(tokens), people_listed=0,
        documents_lost=len(haul.released), people_lost=len(haul.released), bound=0,
        stopped_by="policy" if not haul.released else "nothing", seconds_to_containment=haul.last_release,
        requests=haul.requests, list_equals_haul=None, honest_requests=0, honest_refused=0, border="unknown",
    )  # fmt: skip
    return Lane(run, moments)


async def _own(browser: Browser, headers: dict[str, str]) -> set[str]:
    answer = await browser.get("DocumentReference?_count=200", headers, "0.0.0.0")  # noqa: S104  # any
    if answer.status != OK:
        return set()
    return {entry["resource"]["id"] for entry in json.loads(answer.body).get("entry", [])}
