"""A whole keeper in one process: a real store of a small synthetic town, real tokens, real contexts, a clock that can be moved."""

import asyncio
import hashlib
import shutil
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest

from strongroom.clock import MINUTE, Millis
from strongroom.config import Config, Layout, parse
from strongroom.identity import keyfile
from strongroom.identity.context import ContextKey, sign_context
from strongroom.identity.officers import Officer, Role, compose_act, read_officers, sign_act, write_officers
from strongroom.identity.signing import SigningKey, generate
from strongroom.ids import new_id
from strongroom.keeper import protocol as p
from strongroom.keeper.acts import Act, ActDone, ActRefused, Signature
from strongroom.keeper.server import Keeper
from strongroom.signin.tokens import PERSON, Session, issue
from strongroom.wiring.app import read_context_key
from strongroom.wiring.demo import DemoFile, demo_file, make_demo
from strongroom.wiring.keeper import open_keeper
from strongroom.wiring.rehearsal import MovedClock, Rehearsal, clock_file
from strongroom.wiring.signin import signin_settings, signing_key
from strongroom.wiring.stage import _proof

T = TypeVar("T")
CONFIG = '[store]\nname = "unit"\ndemonstration = true\n'


@dataclass
class House:
    """One open keeper and everything needed to ask it."""

    layout: Layout
    config: Config
    demo: DemoFile
    clock: MovedClock
    context_key: ContextKey
    signing: SigningKey
    rehearsal: Rehearsal = field(default_factory=Rehearsal)
    keeper: Keeper | None = None
    sid: str = "one"

    def run(self, work: Callable[["House"], Awaitable[T]]) -> T:
        """Open the keeper, do `work`, close it in good order."""

        async def whole() -> T:
            self.open()
            try:
                return await work(self)
            finally:
                self.close()

        return asyncio.run(whole())

    def open(self) -> Keeper:
        """As a start of the process does, without its sockets."""
        self.keeper = open_keeper(self.config, self.layout, rehearsal=self.rehearsal, patience=30.0).keeper
        return self.keeper

    def close(self) -> None:
        """Let go of the files."""
        if self.keeper is not None:
            self.keeper.door.parts.log.close()
            self.keeper.door.parts.catalog.close()
            self.keeper = None

    @property
    def parts(self) -> Any:
        """The door's parts."""
        assert self.keeper is not None
        return self.keeper.door.parts

    def asking(self, subject: str, **changes: Any) -> p.Asking:
        """`subject` asks, second factor just shown. `mfa=False`, `old=True` (factor long ago), `purpose=`, `sid=`."""
        now = self.clock.now()
        shown = now - 10 * MINUTE if changes.get("old") else now
        amr = PERSON if changes.get("mfa", True) else ("pwd",)
        session = Session(
            subject, "cli", sid=changes.get("sid", f"{self.sid}-{subject}"), amr=amr, auth_time=Millis(shown)
        )
        token = issue(self.signing, signin_settings(self.config), session, now)
        return self._asking(token, "", changes.get("purpose", ""))

    def program(self, subject: str, purpose: str = "TREAT", *, bound: bool = True) -> p.Asking:
        """A service account asks, with a token bound to its key and a proof of it."""
        now, key = self.clock.now(), generate()
        session = Session(subject, subject, sid=new_id(), jkt=key.kid if bound else "")
        token = issue(self.signing, signin_settings(self.config), session, now)
        url = f"{self.config.base}/x"
        return self._asking(token, _proof(key, token, "GET", url, now) if bound else "", purpose)

    def _asking(self, token: str, proof: str, purpose: str) -> p.Asking:
        context = sign_context(
            self.context_key, token=token, address="192.0.2.1", now=self.clock.now(), method="GET",
            url=f"{self.config.base}/x", request=new_id(),
        )  # fmt: skip
        return p.Asking(token=token, context=context, proof=proof, purpose=purpose)

    async def ask(self, request: p.AppRequest) -> Any:
        """The door's answer."""
        assert self.keeper is not None
        return await self.keeper.dispatch.handle(request, 0)

    async def act(
        self, op: str, args: dict[str, object], *officers: str, attachment: bytes = b""
    ) -> ActDone | ActRefused:
        """An officer's act."""
        assert self.keeper is not None
        if attachment:
            args = {**args, "attachment": hashlib.sha256(attachment).hexdigest()}
        body = compose_act(self.config.store.name, op, args, self.clock.now())
        signatures = tuple(
            Signature(officer=name, value=sign_act(keyfile.read(self.layout.root / "officers" / f"{name}.key"), body))
            for name in officers
        )
        reply = await self.keeper.acts.handle(Act(body=body, signatures=signatures, attachment=attachment), 0)
        assert isinstance(reply, ActDone | ActRefused)
        return reply

    async def done(self, op: str, args: dict[str, object], *officers: str, attachment: bytes = b"") -> dict[str, Any]:
        """An act that must succeed; its result."""
        reply = await self.act(op, args, *officers, attachment=attachment)
        assert isinstance(reply, ActDone), reply
        result: dict[str, Any] = msgspec.json.decode(reply.result)
        return result

    def documents(self, patient: str, *, hidden: bool = False) -> list[str]:
        """A patient's documents; `hidden`: those not everybody may see."""
        return sorted(
            document
            for document, owner in self.demo.documents
            if owner == patient and (document in self.demo.hidden) is hidden
        )

    def foreign(self, subject: str) -> list[tuple[str, str]]:
        """(document, patient) that `subject` may not read, one for each patient."""
        mine = set(self.demo.readable.get(subject, ()))
        found = {
            owner: document
            for document, owner in self.demo.documents
            if owner not in mine and document not in self.demo.hidden
        }
        return [(document, owner) for owner, document in sorted(found.items())]


def second_officer(house: House, name: str = "second", role: Role = Role.PRIVACY) -> str:
    """Register one more officer, before the keeper starts. Gives the name."""
    key = keyfile.create(house.layout.root / "officers" / f"{name}.key")
    path = house.layout.trust / "officers.json"
    officers = read_officers(path.read_bytes())
    path.write_bytes(write_officers((*officers, Officer(name, key.public_bytes, frozenset({role})))))
    return name


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A filled store, made once."""
    root = tmp_path_factory.mktemp("keeper") / "store"
    make_demo(root, CONFIG, rehearsal=True, patients=16, decoys=2)
    return root


@pytest.fixture
def house(template: Path, tmp_path: Path) -> Iterator[House]:
    """A copy of the store for one test."""
    root = tmp_path / "store"
    shutil.copytree(template, root)
    layout = Layout(root)
    config = parse(layout.config.read_bytes())
    demo = msgspec.json.decode(demo_file(layout).read_bytes(), type=DemoFile)
    clock = MovedClock(clock_file(layout.run))
    house = House(layout, config, demo, clock, read_context_key(layout), signing_key(config, layout))
    yield house
    house.close()
