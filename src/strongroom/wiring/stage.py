"""A store made to be attacked, running on loopback, removed afterwards. See `rehearse.stage.Stage`."""

import base64
import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from strongroom.clock import SECOND, Millis
from strongroom.config import Config, Layout, parse
from strongroom.errors import OperationError
from strongroom.identity import keyfile
from strongroom.identity.context import hash_token
from strongroom.identity.officers import compose_act, sign_act
from strongroom.identity.signing import SigningKey, generate
from strongroom.identity.token import session_id
from strongroom.ids import new_id
from strongroom.keeper.acts import Act, ActDone, Signature
from strongroom.keeper.client import OfficersClient
from strongroom.rehearse.stage import StageOptions
from strongroom.signin.tokens import Session, issue, mint
from strongroom.wiring.demo import DemoFile, demo_file, make_demo
from strongroom.wiring.place import choose_users
from strongroom.wiring.port import free_port
from strongroom.wiring.rehearsal import BROKEN, PROBES, VARIABLE, MovedClock, clock_file
from strongroom.wiring.signin import signin_settings, signing_key
from strongroom.wiring.supervisor import LAUNCHER, Supervisor

CONFIG = """\
[store]
name = "rehearsal"
demonstration = true
patience_seconds = {patience}

[api]
port = {port}

[signin]
port = {signin}

[users]
keeper = {users.keeper}
app = {users.app}
signin = {users.signin}
courier = {users.courier}
gateway = {users.gateway}
"""


@contextlib.contextmanager
def open_stage(
    options: StageOptions, say: Callable[[str], None] = lambda _: None, launcher: tuple[str, ...] = LAUNCHER
) -> Iterator["RunningStage"]:
    """Make, fill and start a store; stop and remove it in the end."""
    folder = Path(tempfile.mkdtemp(prefix="strongroom-rehearsal-"))
    folder.chmod(0o755)
    try:
        root = folder / "store"
        text = CONFIG.format(port=free_port(), signin=free_port(), users=choose_users(root), patience=options.patience)
        make_demo(root, text, patients=options.patients, decoys=options.decoys, rehearsal=True, say=say)
        stage = RunningStage(root, options, say, launcher)
        stage.start()
        try:
            yield stage
        finally:
            stage.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class RunningStage:
    """See `rehearse.stage.Stage`."""

    def __init__(
        self, root: Path, options: StageOptions, say: Callable[[str], None], launcher: tuple[str, ...] = LAUNCHER
    ) -> None:
        self._layout = Layout(root)
        self._config: Config = parse(self._layout.config.read_bytes())
        self._demo = msgspec.json.decode(demo_file(self._layout).read_bytes(), type=DemoFile)
        self._clock = MovedClock(clock_file(self._layout.run))
        self._key = signing_key(self._config, self._layout)
        switches = ["on", *([BROKEN] if options.authorization_broken else [])]
        if options.probe_limit is not None:
            switches.append(f"{PROBES}{options.probe_limit}")
        environment = {**os.environ, VARIABLE: ",".join(switches)}
        self._supervisor = Supervisor(root, say, environment, launcher=launcher)

    def start(self) -> None:
        """Start every process."""
        self._supervisor.start()

    def stop(self) -> None:
        """Stop every process."""
        self._supervisor.stop()

    @property
    def root(self) -> Path:
        """Where the store lies."""
        return self._layout.root

    @property
    def issuer(self) -> str:
        """Address of the sign-in."""
        return self._config.issuer_url

    @property
    def supervisor(self) -> Supervisor:
        """For whoever ends processes and has them started again."""
        return self._supervisor

    @property
    def base(self) -> str:
        """See `Stage`."""
        return self._config.base

    @property
    def border(self) -> str:
        """See `Stage`."""
        return "uid" if self._config.separate_users else "none"

    @property
    def documents(self) -> tuple[tuple[str, str], ...]:
        """See `Stage`."""
        return self._demo.documents

    @property
    def hidden(self) -> frozenset[str]:
        """See `Stage`."""
        return frozenset(self._demo.hidden)

    @property
    def own(self) -> Mapping[str, str]:
        """See `Stage`."""
        return self._demo.own

    @property
    def readable(self) -> Mapping[str, frozenset[str]]:
        """See `Stage`."""
        return {subject: frozenset(patients) for subject, patients in self._demo.readable.items()}

    @property
    def clinicians(self) -> tuple[str, ...]:
        """See `Stage`."""
        return tuple(subject for login, subject in self._demo.logins.items() if login.startswith("doctor"))

    @property
    def programs(self) -> tuple[str, ...]:
        """Subjects of service accounts."""
        return self._demo.services

    def token(self, subject: str) -> str:
        """See `Stage`."""
        return mint(self._key, signin_settings(self._config), subject, self._clock.now(), demonstration=True)

    def program_token(self, subject: str) -> tuple[str, Callable[[str, str], str]]:
        """See `Stage`."""
        key, now = generate(), self._clock.now()
        session = Session(subject, subject, sid=new_id(), amr=(), auth_time=now, jkt=key.kid)
        token = issue(self._key, signin_settings(self._config), session, now)

        def prove(method: str, url: str) -> str:
            return _proof(key, token, method, url, self._clock.now())

        return token, prove

    def session(self, token: str) -> str:
        """See `Stage`."""
        raw = token.split(".")[1]
        claims = msgspec.json.decode(base64.urlsafe_b64decode(raw + "=" * (-len(raw) % 4)))
        return session_id(self._config.issuer_url, "sid", str(claims["sid"]))

    def advance(self, milliseconds: int) -> None:
        """See `Stage`."""
        self._clock.advance(milliseconds)

    def who_read(self, **selectors: str | int) -> dict[str, Any]:
        """See `Stage`."""
        return self._act("who-read", dict(selectors), "privacy")

    def app_files(self) -> Mapping[str, Path]:
        """See `Stage`."""
        objects = self._layout.root / self._config.objects.path
        return {
            "socket": self._layout.socket, "context_key": self._layout.context_key, "catalogue": self._layout.catalogue,
            "objects": objects, "admin_socket": self._layout.admin_socket, "root": self._layout.root,
        }  # fmt: skip

    def copies(self, folder: Path) -> Mapping[str, Path]:
        """See `Stage`."""
        found = {"objects": folder / "objects", "catalogue": folder / "catalogue.db", "keeper_db": folder / "keeper.db"}
        shutil.copytree(self._layout.root / self._config.objects.path, found["objects"])
        for name, source in (("catalogue", self._layout.catalogue), ("keeper_db", self._layout.database)):
            live, copy = sqlite3.connect(source), sqlite3.connect(found[name])
            live.backup(copy)
            live.close()
            copy.close()
        return found

    def run_as_app(self, script: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """See `Stage`."""
        before = (
            "import sys\n"
            "from strongroom.wiring.user import become, preload\n"
            "preload('strongroom.envelope', 'strongroom.documents', 'strongroom.keeper', 'strongroom.identity',"
            " 'cryptography', 'sqlite3', 'json', 'base64', 'msgspec')\n"
            f"become({self._config.users.app})\n"
        )
        command = [sys.executable, "-c", before + script, *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)  # noqa: S603  # our own

    def _act(self, op: str, args: dict[str, object], officer: str) -> dict[str, Any]:
        key = keyfile.read(self._layout.root / "officers" / f"{officer}.key")
        body = compose_act(self._config.store.name, op, args, self._clock.now())
        signature = Signature(officer=officer, value=sign_act(key, body))
        reply = OfficersClient(self._layout.admin_socket).ask(Act(body=body, signatures=(signature,)))
        if not isinstance(reply, ActDone):
            raise OperationError(reply.why, advice=reply.advice)
        result: dict[str, Any] = msgspec.json.decode(reply.result)
        return result


def _proof(key: SigningKey, token: str, method: str, url: str, now: Millis) -> str:
    """A DPoP proof (RFC 9449, section 4.2)."""
    claims = {
        "jti": new_id(),
        "htm": method,
        "htu": url.split("?", maxsplit=1)[0],
        "iat": now // SECOND,
        "ath": hash_token(token),
    }
    header = {"alg": "EdDSA", "typ": "dpop+jwt", "jwk": {"kty": "OKP", "crv": "Ed25519", "x": key.jwk()["x"]}}

    def part(value: object) -> str:
        return base64.urlsafe_b64encode(msgspec.json.encode(value)).rstrip(b"=").decode()

    signed = f"{part(header)}.{part(claims)}"
    return f"{signed}.{base64.urlsafe_b64encode(key.sign(signed.encode())).rstrip(b'=').decode()}"
