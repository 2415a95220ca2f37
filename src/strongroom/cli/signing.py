"""How officers' commands sign: key files in, one signed act to the keeper, its result out."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from strongroom.cli.common import load
from strongroom.clock import SystemClock
from strongroom.config import Layout
from strongroom.errors import ConfigError, OperationError
from strongroom.identity import keyfile
from strongroom.identity.officers import compose_act, sign_act
from strongroom.keeper.acts import Act, ActDone, Signature
from strongroom.keeper.client import OfficersClient
from strongroom.secret import Secret

F = TypeVar("F", bound=Callable[..., Any])


def officer_option(function: F) -> F:
    """`--officer FILE`, repeatable: the file's name without `.key` is the officer's registered name."""
    return click.option(
        "--officer",
        "officers",
        type=click.Path(path_type=Path, dir_okay=False),
        multiple=True,
        envvar="STRONGROOM_OFFICER",
        help="Key file of the officer who signs (NAME.key); twice where two must. Default: those in STORE/officers.",
    )(function)


def act(
    store: Path, officers: tuple[Path, ...], op: str, args: Mapping[str, object], attachment: bytes = b""
) -> tuple[int | None, dict[str, Any]]:
    """Sign and do one act. Gives the log index and the result. Raises OperationError with the keeper's sentence."""
    config = load(store)
    files = officers or at_hand(store)
    args = {**args, "attachment": hashlib.sha256(attachment).hexdigest()} if attachment else dict(args)
    body = compose_act(config.store.name, op, args, _now(store))
    signatures = tuple(Signature(officer=name, value=value) for name, value in signed(files, body))
    reply = OfficersClient(Layout(store).admin_socket).ask(Act(body=body, signatures=signatures, attachment=attachment))
    if isinstance(reply, ActDone):
        return reply.receipt, msgspec.json.decode(reply.result)
    raise OperationError(reply.why, advice=reply.advice)


def signed(files: Iterable[Path], body: bytes) -> list[tuple[str, bytes]]:
    """Each officer's name and signature over an act."""
    return [(path.stem, sign_act(keyfile.read(path, _passphrase(path)), body)) for path in files]


def at_hand(store: Path) -> tuple[Path, ...]:
    """The key files that `init` made and nobody took away yet."""
    found = tuple(sorted((store / "officers").glob("*.key")))
    if not found:
        msg = "No officer's key file was given."
        raise ConfigError(msg, advice="Name one with --officer FILE (for some acts two), or set STRONGROOM_OFFICER.")
    return found


def _passphrase(path: Path) -> Secret | None:
    if b"ENCRYPTED" not in keyfile.read_private(path):
        return None
    return Secret(click.prompt(f"Passphrase of {path.name}", hide_input=True, err=True).encode())


def _now(store: Path) -> Any:
    """The store's time: simulated days in stores that a rehearsal made, the machine's otherwise."""
    del store
    return SystemClock().now()
