"""One small demonstration store, served, for the commands that need one; and the command line as somebody types it."""

import contextlib
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from strongroom.cli.init import TEMPLATE
from strongroom.cli.main import main
from strongroom.cli.token import token_for
from strongroom.config import Layout
from strongroom.identity import keyfile
from strongroom.identity.officers import Role
from strongroom.wiring.demo import make_demo
from strongroom.wiring.place import choose_users
from strongroom.wiring.port import free_port
from strongroom.wiring.supervisor import Supervisor


@dataclass(frozen=True)
class Said:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object on standard output."""
        found: dict[str, Any] = json.loads(self.out)
        return found


Type = Callable[..., Said]


def typed(*arguments: str | Path) -> Said:
    """Run a command in this process."""
    raw = io.BytesIO()
    out, err, code = io.TextIOWrapper(raw, write_through=True), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main([str(one) for one in arguments])
        except SystemExit as done:
            code = int(done.code or 0)
    return Said(code, raw.getvalue().decode(), err.getvalue())


def registered(store: Path, name: str, role: Role) -> None:
    """Make an officer's key in the directory of this name, and register it as docs/watch.md says."""
    key = store / name / f"{name}.key"
    key.parent.mkdir()
    path = Layout(store).trust / "officers.json"
    entries = json.loads(path.read_bytes())
    entries.append({"name": name, "key": keyfile.create(key).public_bytes.hex(), "roles": [role.value]})
    path.write_text(json.dumps(entries))


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The directory of a store that is served."""
    root = tmp_path_factory.mktemp("served") / "store"
    text = TEMPLATE.format(
        name="numbat", demonstration="true", host="127.0.0.1", port=free_port(), signin_port=free_port(),
        users=choose_users(root),
    )  # fmt: skip
    make_demo(root, text, patients=12, decoys=2)
    registered(root, "watch", Role.WATCH)
    supervisor = Supervisor(root, lambda _: None)
    supervisor.start()
    try:
        yield root
    finally:
        supervisor.stop()


@pytest.fixture
def strongroom(served: Path, monkeypatch: pytest.MonkeyPatch) -> Type:
    """Commands upon that store, as the login patient1."""
    monkeypatch.setenv("STRONGROOM_STORE", str(served))
    monkeypatch.setenv("STRONGROOM_TOKEN", token_for(served, "patient1"))
    return typed


@pytest.fixture
def patient(strongroom: Type) -> str:
    """The patient whose own login patient1 is."""
    return str(strongroom("ls", "--json").json["documents"][0]["patient"])
