"""The programs of a store, as `strongroom run NAME` starts them: load everything, become one's own user, then open."""

import asyncio
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
import uvloop
from starlette.types import ASGIApp

from strongroom.authz.published import policy_hash
from strongroom.config import Config, Layout, parse
from strongroom.courier.allow import allow
from strongroom.courier.relay import Relay
from strongroom.errors import ConfigError
from strongroom.wiring.app import open_app
from strongroom.wiring.fronting import run_front
from strongroom.wiring.http import served
from strongroom.wiring.keeper import open_keeper, run_keeper
from strongroom.wiring.memory import collect_rarely, keep_freed
from strongroom.wiring.publisher import run_publisher
from strongroom.wiring.pulse import keep_beating, tell_ready
from strongroom.wiring.rehearsal import VARIABLE, MovedClock, Rehearsal, clock_file, parse_switches
from strongroom.wiring.root import preload_root
from strongroom.wiring.seat import take_seat
from strongroom.wiring.signin import open_signin
from strongroom.wiring.user import preload

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from strongroom.clock import Clock

WEB = ("uvicorn", "starlette", "anyio", "h11", "httptools", "uvloop", "obstore", "joserfc", "argon2", "pyotp")


def run_program(name: str, store: Path) -> None:
    """Run one program until it is told to stop. Raises ConfigError before anything is served."""
    layout = Layout(store)
    config = parse(layout.config.read_bytes())
    logging.basicConfig(level=logging.INFO, format=f"{name}: %(message)s", stream=sys.stderr)
    rehearsal = parse_switches(os.environ[VARIABLE]) if VARIABLE in os.environ else None
    preload("strongroom.envelope", "strongroom.documents", "strongroom.api", "strongroom.signin", "cryptography", *WEB)
    policy_hash()  # read while the package can still be read
    programs: dict[str, Callable[[Config, Layout, Rehearsal | None], None]] = {
        "app": _app,
        "courier": _courier,
        "gateway": run_front,
        "keeper": _keeper,
        "publisher": run_publisher,
        "signin": _signin,
    }
    if name not in programs:
        msg = f"There is no program {name!r}."
        raise ConfigError(msg, advice=f"One of {', '.join(programs)}.")
    programs[name](config, layout, rehearsal)


def _keeper(config: Config, layout: Layout, rehearsal: Rehearsal | None) -> None:
    preload_root(config)
    take_seat("keeper", config, layout)
    opened = open_keeper(config, layout, rehearsal=rehearsal)
    if opened.warning:
        logging.getLogger("strongroom.keeper").warning("%s", opened.warning)
    collect_rarely()
    uvloop.run(run_keeper(opened, layout))


def _app(config: Config, layout: Layout, rehearsal: Rehearsal | None) -> None:
    take_seat("app", config, layout)
    keep_freed()
    clock: Clock | None = MovedClock(clock_file(layout.run)) if rehearsal is not None else None
    app, sweeper = open_app(config, layout, clock)
    collect_rarely()
    _serve(app, config.api.host, config.api.port, dated=True, beside=sweeper.run)


def _signin(config: Config, layout: Layout, _rehearsal: Rehearsal | None) -> None:
    take_seat("signin", config, layout)
    _serve(open_signin(config, layout), config.signin.host, config.signin.port)


def _courier(config: Config, layout: Layout, _rehearsal: Rehearsal | None) -> None:
    take_seat("courier", config, layout)
    wanted = [entry.jwks_uri for entry in config.issuer if entry.jwks_uri and not entry.jwks_file]
    relay = Relay(layout.courier_socket, allow(wanted))
    tell_ready()

    async def run() -> None:
        await asyncio.gather(relay.run(), keep_beating())

    asyncio.run(run())


class _Server(uvicorn.Server):
    """Tells the supervisor once it listens, and begins what is done beside serving."""

    beside: "Callable[[], Coroutine[None, None, None]] | None" = None

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]  # wider is fine
        await super().startup(sockets)  # type: ignore[arg-type]  # handed on as it came
        if self.started:
            tell_ready()
            loop = asyncio.get_running_loop()
            beside = [keep_beating] if self.beside is None else [keep_beating, self.beside]
            self._tasks = [loop.create_task(one()) for one in beside]  # held, or they would be collected


def _serve(
    app: ASGIApp,
    host: str,
    port: int,
    *,
    dated: bool = False,
    beside: "Callable[[], Coroutine[None, None, None]] | None" = None,
) -> None:
    """Serve until told to stop. `dated`: the application writes Date itself. `beside`: goes on meanwhile, on the same loop.

    Raises ConfigError.
    """
    server = _Server(served(app, host, port, dated=dated))
    server.beside = beside
    try:
        server.run()
    except SystemExit as error:  # uvicorn's way to say that it could not bind
        msg = f"The address {host}:{port} cannot be listened on."
        raise ConfigError(
            msg, advice="Is something else listening there? Change the port in strongroom.toml."
        ) from error
