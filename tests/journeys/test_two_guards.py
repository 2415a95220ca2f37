"""Two guards that know nothing of each other: each holds when the other does nothing and the policy says yes to everybody."""

import os
import tempfile
from collections import Counter
from pathlib import Path

import httpx2
import msgspec

from strongroom.budget.rules import HEADROOM
from strongroom.budget.scope import Kind
from strongroom.budget.table import DEFAULTS
from strongroom.cli.init import gateway_section
from strongroom.clock import SystemClock
from strongroom.config import Layout, parse
from strongroom.signin.tokens import mint
from strongroom.wiring.demo import DemoFile, demo_file, make_demo
from strongroom.wiring.place import choose_users
from strongroom.wiring.port import free_port
from strongroom.wiring.rehearsal import BROKEN, PROBES, VARIABLE
from strongroom.wiring.signin import signin_settings, signing_key
from strongroom.wiring.stage import CONFIG
from strongroom.wiring.supervisor import PROGRAMS, Supervisor

WIDE = "\n[budget]\n" + "".join(
    f"{rule.name} = {rule.limit * HEADROOM}\n" for rule in DEFAULTS.all if Kind.STRANGER in rule.counts
)
"""As wide as limits may be set."""


def stolen(layout: Layout, which: int, tried: int) -> tuple[set[str], set[str]]:
    """What one of the patients' logins, stolen, takes of `tried` strangers' documents, asked for by id: (documents, people).

    One of each person first, so that it is no matter of chance how many people five documents are of.
    """
    config = parse(layout.config.read_bytes())
    demo = msgspec.json.decode(demo_file(layout).read_bytes(), type=DemoFile)
    login = [name for name in demo.logins if name.startswith("patient")][which]
    theirs = demo.readable[demo.logins[login]]  # their own, and who gave them a delegation: no strangers
    token = mint(signing_key(config, layout), signin_settings(config), demo.logins[login], SystemClock().now(),
                 demonstration=True)  # fmt: skip
    environment = {**os.environ, VARIABLE: f"on,{BROKEN},{PROBES}1000000"}
    supervisor = Supervisor(layout.root, lambda _: None, environment, programs=(*PROGRAMS, "gateway"))
    supervisor.start()
    documents, people = set(), set()
    try:
        others = [(one, whose) for one, whose in demo.documents if whose not in theirs and one not in demo.hidden]
        before, turns = Counter[str](), []
        for one, whose in others:
            before[whose] += 1
            turns.append((before[whose], one, whose))
        for _, one, whose in sorted(turns)[:tried]:
            headers = {"Authorization": f"Bearer {token}"}
            answer = httpx2.get(f"{config.base}/Binary/{one}", headers=headers, timeout=60)
            if answer.status_code == 200:
                documents.add(one)
                people.add(whose)
    finally:
        supervisor.stop()
    return documents, people


def test_each_holds_without_the_other() -> None:
    """With authorization broken altogether: without the keeper's limits the gateway ends it after five documents that it never
    showed; without the gateway's guard the keeper ends it after three people.
    """
    with tempfile.TemporaryDirectory(prefix="strongroom-test-") as folder:
        Path(folder).chmod(0o755)
        root = Path(folder) / "store"
        text = CONFIG.format(port=free_port(), signin=free_port(), users=choose_users(root), patience=30)
        street = free_port()
        make_demo(root, text + gateway_section("127.0.0.1", street, "enforce") + WIDE, patients=16, rehearsal=True)
        layout = Layout(root)
        documents, people = stolen(layout, 0, 40)
        assert len(documents) == 5
        assert len(people) > 3
        layout.config.write_text(text + gateway_section("127.0.0.1", street, "off"))
        documents, people = stolen(layout, 1, 40)  # the first has read five people, and may read them again
        assert len(people) <= 3
        assert documents
