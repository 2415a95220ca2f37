"""The WAF is the real engine with the real rules: what it must block it blocks, and what it says names no patient."""

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from strongroom.errors import ConfigError, Unavailable
from strongroom.gateway import crs, rules
from strongroom.gateway.intake import Unfit
from strongroom.gateway.modsecurity import Engine, Inspected, Subject
from strongroom.gateway.proxy import Event
from strongroom.gateway.waf import AT_ONCE, SHARE, WAITING, Found, Waf
from tests.gateway.conftest import Served, gateway
from tests.gateway.test_multipart import FIELD, FILE, B, body

HEADERS = ((b"host", b"portal.example"), (b"user-agent", b"Mozilla/5.0"), (b"accept", b"*/*"))
SECRET = b"Ngaire-Tamatea"


@pytest.fixture(scope="module")
def engine() -> Engine:
    """Debian's engine with Debian's rules, and an exemption."""
    if not crs.FOLDER.is_dir():
        pytest.skip("needs libmodsecurity3 and modsecurity-crs (packaging/debian.txt)")
    found = Engine()
    rules.load(found, exempt=("941100 ARGS:comment",))
    return found


def asked(engine: Engine, target: bytes, *headers: tuple[bytes, bytes], client: str = "192.0.2.1") -> Inspected:
    """What the rules say to a GET."""
    return engine.inspect(Subject("GET", target, (*HEADERS, *headers), client))


def posted(engine: Engine, kind: bytes, body: bytes) -> Inspected:
    """What the rules say to a POST."""
    headers = (*HEADERS, (b"content-type", kind), (b"content-length", b"%d" % len(body)))
    return engine.inspect(Subject("POST", b"/letters", headers, "192.0.2.1", body))


@pytest.mark.parametrize(
    "target",
    [
        b"/letters?q=1%27%20OR%20%271%27%3D%271",
        b"/letters?q=1%20UNION%20SELECT%20password%20FROM%20users",
        b"/letters?q=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E",
        b"/letters?q=..%2F..%2F..%2Fetc%2Fpasswd",
        b"/letters?q=%7C%20cat%20/etc/passwd",
        b"/letters?q=%24%7Bjndi%3Aldap%3A%2F%2Fx%7D",
        b"/letters?f[$ne]=1",
        b"/.git/config",
    ],
)
def test_attacks_are_blocked(engine: Engine, target: bytes) -> None:
    """In addresses; from the machine itself, too."""
    for client in ("192.0.2.1", "127.0.0.1"):
        found = asked(engine, target, client=client)
        assert found.status == 403
        assert found.hits


def test_attacks_in_headers_and_bodies_are_blocked(engine: Engine) -> None:
    """JSON, forms, XML with entities, a header of one's own."""
    assert asked(engine, b"/letters", (b"x-own", b"${jndi:ldap://x/a}")).status == 403
    assert posted(engine, b"application/json", b'{"q": "1\' UNION SELECT 1--"}').status == 403
    assert posted(engine, b"application/json", b'{"user": {"$ne": null}}').status == 403
    assert posted(engine, b"application/x-www-form-urlencoded", b"q=%3Cscript%3Ealert(1)%3C/script%3E").status == 403
    xml = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'
    assert posted(engine, b"text/xml", xml).status in {400, 403}
    assert posted(engine, b"application/json", b'{"q": ').status == 400


@pytest.mark.parametrize(
    "target",
    [b"/letters/4711", b"/letters?q=O%27Neill", b"/letters?q=M%C3%BCller+%26+S%C3%B6hne", b"/fhir/Binary/a1?_count=10"],
)
def test_honest_requests_pass(engine: Engine, target: bytes) -> None:
    """With nothing matched."""
    assert asked(engine, target) == Inspected(0, ())


def test_honest_bodies_pass(engine: Engine) -> None:
    """FHIR, forms, ordinary words."""
    assert (
        posted(engine, b"application/fhir+json", b'{"resourceType": "DocumentReference", "status": "current"}').status
        == 0
    )
    assert posted(engine, b"application/x-www-form-urlencoded", b"user=ann&password=correct+horse").status == 0
    assert posted(engine, b"application/json", '{"text": "Größe 1,80 m; kein Fieber."}'.encode()).status == 0


def test_what_is_kept_of_a_match_is_no_word_of_a_patient(engine: Engine) -> None:
    """Numbers of rules and names of parts; neither values nor names that are no names."""
    found = asked(engine, b"/letters?q=%3Cscript%3E" + SECRET + b"%3C/script%3E&%3Cscript%3E" + SECRET + b"=1")
    assert found.status == 403
    assert {hit.part for hit in found.hits} >= {"ARGS:q"}
    assert SECRET.decode() not in repr(found)


def test_an_exemption_is_of_one_rule_and_one_part(engine: Engine) -> None:
    """That rule is silent there, and speaks elsewhere; other rules speak there."""
    script = b"%3Cscript%3Ealert(1)%3C/script%3E"
    there = {hit.rule for hit in asked(engine, b"/letters?comment=" + script).hits}
    elsewhere = {hit.rule for hit in asked(engine, b"/letters?q=" + script).hits}
    assert elsewhere - there == {941100}


def test_threads_do_not_mix_what_they_hear(engine: Engine) -> None:
    """Four threads, attacks and honest requests by turns: each verdict is the one of its own request."""
    cases = [b"/letters/%d", b"/letters?q=%%27%%20OR%%201=1--&n=%d", b"/letters?q=%%3Cscript%%3E%d"]
    wanted = [asked(engine, case % 0) for case in cases]
    wrong: list[bytes] = []

    def run() -> None:
        for number in range(60):
            case = number % len(cases)
            if asked(engine, cases[case] % number) != wanted[case]:
                wrong.append(cases[case])

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert engine._heard == {}


def test_half_a_request_is_not_looked_at(engine: Engine) -> None:
    """The engine's strings end at a NUL; what follows would pass unseen."""
    with pytest.raises(Unavailable):
        asked(engine, b"/letters\0?q=<script>")


def test_no_engine_and_no_rules_is_exit_code_78(engine: Engine, tmp_path: Path) -> None:
    """With the line that installs them; and with the engine's own words for rules that do not parse."""
    with pytest.raises(ConfigError, match=r"WAF engine missing.*apt-get install.*modsecurity-crs"):
        Engine("libnothing.so.9")
    with pytest.raises(ConfigError, match=r"WAF rules missing.*apt-get install"):
        rules.load(Engine(), tmp_path / "nowhere")
    (tmp_path / "REQUEST-999-BROKEN.conf").write_text("SecRule NOTHING\n")
    with pytest.raises(ConfigError, match=r"REQUEST-999-BROKEN\.conf do not load"):
        rules.load(Engine(), tmp_path)


def test_rules_that_do_nothing_are_found_out(monkeypatch: pytest.MonkeyPatch, engine: Engine) -> None:
    """Loaded is not enough: known attacks are tried before anything is served."""
    blind = Engine()
    with monkeypatch.context() as patch:
        patch.setattr(rules, "BASE", rules.BASE.replace("SecRuleEngine On", "SecRuleEngine DetectionOnly"))
        with pytest.raises(ConfigError, match="attack 1 is let pass"):
            rules.load(blind)


# ---- beside the loop ------------------------------------------------------------------------------------------------


class Deaf:
    """An engine that takes nothing."""

    def inspect(self, subject: Subject) -> Inspected:
        """Fails."""
        raise Unavailable("No.")


def test_blocking_and_only_telling(engine: Engine) -> None:
    """The same finding, enforced or not."""
    subject = Subject("GET", b"/letters?q=%3Cscript%3Ealert(1)%3C/script%3E", HEADERS, "192.0.2.1")

    async def found(*, block: bool) -> Found:
        waf = Waf(engine, block=block)
        try:
            return await waf.inspect(subject)
        finally:
            waf.close()

    blocked, told = asyncio.run(found(block=True)), asyncio.run(found(block=False))
    assert blocked.refusal is not None
    assert (blocked.refusal.status, blocked.refusal.rule, blocked.enforced) == (403, "waf-941100", True)
    assert (told.refusal, told.hits, told.enforced) == (blocked.refusal, blocked.hits, False)


def test_what_cannot_be_looked_at_is_refused() -> None:
    """An engine that fails, or no room in the queue: 503, and nothing passes."""

    async def refused(waiting: int) -> str:
        waf = Waf(Deaf(), block=True)  # type: ignore[arg-type]  # as much of an engine as is asked
        waf._waiting["192.0.2.2"] = waiting
        with pytest.raises(Unfit) as caught:
            await waf.inspect(Subject("POST", b"/", HEADERS, "192.0.2.1", bytes(AT_ONCE + 1)))
        with pytest.raises(Unfit, match="waf-failed"):
            await waf.inspect(Subject("GET", b"/", HEADERS, "192.0.2.1"))
        waf.close()
        assert caught.value.refusal.status == 503
        assert waf._waiting.total() == waiting
        return caught.value.refusal.rule

    assert asyncio.run(refused(0)) == "waf-failed"
    assert asyncio.run(refused(WAITING)) == "waf-busy"


def test_nobody_fills_the_queue_alone() -> None:
    """One address may wait with so many; the others have room."""

    async def refused(client: str) -> str:
        waf = Waf(Deaf(), block=True)  # type: ignore[arg-type]  # as much of an engine as is asked
        waf._waiting["192.0.2.1"] = SHARE
        with pytest.raises(Unfit) as caught:
            await waf.inspect(Subject("POST", b"/", HEADERS, client, bytes(AT_ONCE + 1)))
        waf.close()
        return caught.value.refusal.rule

    assert asyncio.run(refused("192.0.2.1")) == "waf-busy"
    assert asyncio.run(refused("192.0.2.2")) == "waf-failed"


# ---- through the gateway --------------------------------------------------------------------------------------------

PORTAL = b"""
[gateway]
routes = "learn"

[[route]]
name = "upload"
path = "/letters"
methods = ["POST"]
content_types = ["multipart/form-data"]
max_body = 50_000_000
"""
ATTACK = b"1' UNION SELECT password FROM users--"


@pytest.fixture(scope="module")
def served(engine: Engine, portal: int) -> Iterator[Served]:
    """A gateway with the WAF before the vulnerable portal, whose POST says how much it got."""
    waf = Waf(engine, block=True)
    with gateway(PORTAL, portal, waf=waf) as one:
        yield one
    waf.close()


def upload(served: Served, *parts: tuple[bytes, bytes]) -> tuple[int, bytes, Event]:
    """Status and body of the answer, and what became of it."""
    number = len(served.events)
    status, _, answer = served.gets(
        "/letters", "Content-Type: multipart/form-data; boundary=" + B.decode(), method="POST", body=body(*parts)
    )
    return status, answer, served.event(number)


def test_uploads_flow_behind_what_the_rules_see(served: Served) -> None:
    """Ten megabytes of a file, with fields before and behind it: they come whole to the portal."""
    parts = ((FIELD, b"Letter"), (FILE, b"%PDF-1.7 " + ATTACK + bytes(10_000_000)), (FIELD, b"seen"))
    status, answer, event = upload(served, *parts)
    assert (status, int(answer)) == (201, len(body(*parts)))
    assert (event.seen, event.hits) == ("fields", ())


@pytest.mark.parametrize(
    "parts",
    [
        ((FIELD, ATTACK), (FILE, b"x")),
        ((FILE, bytes(1_000_000)), (FIELD, ATTACK)),
        ((FILE.replace(b"scan.pdf", b"../scan.pdf"), bytes(1_000_000)),),
        ((FILE, bytes(1_000_000)), (FILE.replace(b"scan.pdf", b"scan.php"), b"x")),
    ],
)
def test_attacks_in_uploads_do_not_come_whole_to_the_portal(
    served: Served, parts: tuple[tuple[bytes, bytes], ...]
) -> None:
    """In fields and names, before and behind a file."""
    status, answer, event = upload(served, *parts)
    assert (status, event.portal, event.refused, event.seen) == (403, 0, True, "fields")
    assert json.loads(answer)["error"].startswith("waf-")


@pytest.mark.parametrize(
    ("kind", "sent", "saw"),
    [
        ("application/json", json.dumps({"q": ATTACK.decode()}).encode(), "all"),
        ("application/x-www-form-urlencoded", b"q=%27+UNION+SELECT+password+FROM+users--", "all"),
        ("text/html", b"<?php system($_GET['x']); ?>", "start"),
        ("multipart/form-data; boundary=" + B.decode(), body((FIELD, ATTACK)), "fields"),
    ],
)
def test_what_nobody_described_is_looked_at_too(served: Served, kind: str, sent: bytes, saw: str) -> None:
    """While the gateway learns; and the event says how much of it."""
    number = len(served.events)
    status = served.gets("/letters", f"Content-Type: {kind}", method="POST", body=sent)[0]
    event = served.event(number)
    assert (status, event.portal, event.seen) == (403, 0, saw)


def test_a_document_that_nobody_described_flows_and_the_event_says_so(served: Served) -> None:
    """Nobody looked into it."""
    number = len(served.events)
    assert served.gets("/letters", "Content-Type: application/pdf", method="POST", body=b"%PDF" + ATTACK)[0] == 201
    assert served.event(number).seen == "head"
