"""Putting the gateway together, before anybody's portal. It needs no store, and holds no key but its own of TLS."""

import contextlib
import logging
import os
import pwd
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from strongroom import __version__
from strongroom.border import kernel
from strongroom.clock import Clock, SystemClock, iso
from strongroom.errors import ConfigError
from strongroom.gateway import cef, rules, sqlite_learned
from strongroom.gateway.counts import Counts
from strongroom.gateway.guard import Watchful
from strongroom.gateway.live import Learning
from strongroom.gateway.metrics import Metrics
from strongroom.gateway.modsecurity import Engine
from strongroom.gateway.person import People
from strongroom.gateway.ports import Act, Guard, Unwatched
from strongroom.gateway.proxy import Event, Proxy, Vouching
from strongroom.gateway.settings import MAX_SETTINGS, Checked, parse
from strongroom.gateway.sqlite import Uncounted, prepare
from strongroom.gateway.sqlite_learned import Learned
from strongroom.gateway.upstream import Upstream, read_origin
from strongroom.gateway.verdicts import Verdicts
from strongroom.gateway.waf import Waf
from strongroom.wiring.http import served
from strongroom.wiring.memory import collect_rarely
from strongroom.wiring.meter import Counting, Metered
from strongroom.wiring.street import Street
from strongroom.wiring.telling import Teller, imported_by, keeper_of, open_sinks, open_syslog, say
from strongroom.wiring.user import become, preload
from strongroom.wiring.workers import Workers

STOPPING: Final = 30
"""Seconds that requests under way are given when the gateway is told to stop."""
BACKLOG: Final = 2_048
"""Connections that may wait to be taken, by all workers together."""
log = logging.getLogger("strongroom.gateway")


def _silent() -> None:
    """Nobody wants to know."""


def read_settings(path: Path) -> Checked:
    """The settings in the file `path`. Raises ConfigError."""
    try:
        with path.open("rb") as file:
            return parse(file.read(MAX_SETTINGS + 1))
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}."
        raise ConfigError(msg, advice="docs/gateway.md shows what stands in it.") from error


def open_gateway(  # each is a part that may be missing
    checked: Checked, url: str, report: Callable[[Event], None], *,
    counts: Counts | None = None, waf: Waf | None = None, clock: Clock | None = None, vouch: Vouching | None = None,
    acted: Callable[[Act], None] | None = None, learning: Learning | None = None,
) -> Proxy:  # fmt: skip
    """The gateway before the portal at `url`. Without `counts` it counts in memory. `acted` hears of the guard's acts,
    `learning` of what passes undescribed.

    Raises ConfigError.
    """
    upstream = Upstream(read_origin(url, checked.settings.upstream.ca_file), checked.settings.upstream)
    others = {
        name: Upstream(read_origin(one.url, one.ca_file, f"[upstreams.{name}] url ="), one)
        for name, one in checked.settings.upstreams.items()
    }
    counts = counts or Counts()
    people, guard = People(checked.settings.people, counts), open_guard(checked, counts, acted)
    return Proxy(
        checked, upstream, people, guard, clock or SystemClock(), report=report, waf=waf, vouch=vouch, learning=learning,
        others=others,
    )  # fmt: skip


def open_waf(checked: Checked) -> Waf | None:
    """The WAF that the settings ask for, loaded and tried. Raises ConfigError."""
    settings = checked.settings.waf
    if settings.mode == "off":
        return None
    engine = Engine(settings.library)
    types = [kind for route in checked.settings.route for kind in route.content_types]
    found = rules.load(engine, Path(settings.rules), settings.exempt, types)
    log.info("%s with %d rules.", engine.version, engine.loaded)
    if not found.steady:
        log.warning("The WAF's rules look at clocks or counts: no verdict is remembered.")
    return Waf(engine, block=settings.mode == "block", verdicts=Verdicts() if found.steady else None)


def open_guard(checked: Checked, counts: Counts, acted: Callable[[Act], None] | None = None) -> Guard:
    """The guard that the settings ask for."""
    settings = checked.settings.guard
    if settings.mode == "off":
        return Unwatched()
    return Watchful(
        counts, enforce=settings.mode == "enforce", rules=checked.rules, listed=checked.listed,
        decoys=settings.decoys, exempt=settings.exempt, tell=acted,
    )  # fmt: skip


def serving(app: ASGIApp, checked: Checked, port: int | None = None) -> uvicorn.Config:
    """How it is served. `port` in place of the configured one."""
    settings = checked.settings.gateway
    config = served(app, settings.host, settings.port if port is None else port, dated=True, protocol=Street)
    config.lifespan = "on"  # at its end the portal's connections are closed
    config.timeout_graceful_shutdown = STOPPING
    if settings.certificate:
        config.ssl_certfile, config.ssl_keyfile = settings.certificate, settings.key
    return config


@dataclass(frozen=True, slots=True)
class Ports:
    """What the parent bound: where the portal is served, and where numbers are told."""

    street: socket.socket
    meter: socket.socket | None


def run_gateway(settings: Path, url: str) -> None:
    """Serve until told to stop. Raises ConfigError before the port is bound."""
    logging.basicConfig(level=logging.INFO, format="gateway: %(message)s", stream=sys.stderr)
    run(lambda: read_settings(settings), url, counts_of(read_settings(settings), settings))


@dataclass(frozen=True, slots=True)
class House:
    """What a gateway has that stands before our own app."""

    vouch: Vouching | None = None
    seat: Callable[[], None] | None = None
    """How a worker takes its place, instead of only becoming the user that the settings name."""
    ready: Callable[[], None] = _silent
    """Called when the port is bound; `beat` about each second from then on."""
    beat: Callable[[], None] = _silent


ALONE: Final = House()
"""Before anybody's portal."""


def run(read: Callable[[], Checked], url: str, path: Path, house: House = ALONE) -> None:
    """Serve what `read` gives, again each time we are told to reload. `path`: of the counts. Raises as `run_gateway`."""
    checked = read()
    serve = prepared(checked, url, path, house)
    street, meter = checked.settings.gateway, checked.settings.metrics
    with contextlib.ExitStack() as open_ports:
        ports = Ports(
            open_ports.enter_context(bound(street.host, street.port)),
            None if meter.port is None else open_ports.enter_context(bound(meter.host, meter.port)),
        )
        house.ready()

        def again() -> Callable[[], None] | None:
            """What SIGHUP brings: ports and counts stay where they are."""
            try:
                serve = prepared(read(), url, path, house)
            except ConfigError as error:
                log.error("NOT RELOADED, and all goes on as before: %s", error)
                return None
            log.warning("Reloaded: new workers serve what the settings say now.")
            return lambda: serve(ports)

        workers = Workers(
            checked.settings.gateway.workers, lambda: serve(ports), log.error, again, STOPPING + 5, house.beat
        )
        workers.run()
    if checked.settings.guard.mode != "off":
        for line in summary(Counts(path)):
            log.info("%s", line)


def counts_of(checked: Checked, settings: Path) -> Path:
    """Where the counts lie that go with the settings in that file."""
    return settings.absolute().parent / checked.settings.gateway.state / "counts.db"


def learned_of(counts: Path) -> Path:
    """Where it lies what was learned from traffic."""
    return counts.with_name("learned.db")


def prepared(checked: Checked, url: str, path: Path, house: House = ALONE) -> Callable[[Ports], None]:
    """What a worker does, when all that it needs is there and was tried. Raises ConfigError."""
    waf = open_waf(checked)
    open_gateway(checked, url, say, waf=waf)  # whether it can be
    try:
        serving(_nothing, checked).load()
    except OSError as error:
        msg = f"The gateway cannot speak TLS: {error.strerror or 'certificate or key is none'}."
        raise ConfigError(msg, advice="Are certificate and key PEM files that can be read?") from error
    for one in (*open_sinks(checked).values(), open_syslog(checked)):
        if one is not None:
            one.close()
    owner = user_of(checked)
    if owner:
        preload("strongroom.gateway", "uvicorn", "httptools", "starlette", *imported_by(checked.settings.events))
    prepare(path, owner or -1)
    if checked.settings.gateway.routes == "learn":
        sqlite_learned.prepare(learned_of(path), owner or -1)
    for line in announced(checked):
        log.warning("%s", line)
    return lambda ports: _work(checked, url, path, waf, house, ports)


def _work(  # one part each
    checked: Checked, url: str, path: Path, waf: Waf | None, house: House, ports: Ports
) -> None:
    """A worker's life: it gets ready, becomes a user of less power, and serves."""
    settle = house.seat or partial(become, user_of(checked))
    if waf is not None:  # before there are threads
        waf.look_in(checked.settings.waf.milliseconds, partial(_without_network, settle))
    sinks, syslog, host = open_sinks(checked), open_syslog(checked), socket.gethostname()
    counts = Counts(path)
    kept = Learned(learned_of(path)) if checked.settings.gateway.routes == "learn" else None
    learning = None if kept is None else Learning(kept.key)
    teller = Teller(sinks.values()) if sinks else None
    tell, acted = (say, None) if teller is None else (teller.tell, teller.acted)
    keep, metrics = keeper_of(counts), Metrics()

    def report(event: Event) -> None:
        tell(event)
        keep(event)
        metrics.note(event)
        if syslog is not None and event.rule:
            syslog.send(cef.line(event, __version__, host, os.getpid()))

    app = open_gateway(checked, url, report, counts=counts, waf=waf, vouch=house.vouch, acted=acted, learning=learning)
    config = serving(app, checked)
    config.load()
    collect_rarely()
    settle()
    counting: dict[str, Counting] = {**sinks, **({} if syslog is None else {"syslog": syslog})}
    keep_learned = (lambda: None) if kept is None or learning is None else partial(kept.keep_all, learning)
    server = Metered(config, counts, metrics, counting, ports.meter, each=keep_learned)
    server.run(sockets=[ports.street])
    for one in sinks.values():
        one.close()
    server.add()
    counts.close()


def _without_network(settle: Callable[[], None]) -> None:
    """Become who a worker becomes; and where it may, lose the network first."""
    with contextlib.suppress(OSError):  # only root has it to lose
        kernel.no_network()
    settle()


def user_of(checked: Checked) -> int:
    """The number of the user that workers become; 0: they stay who they are. Raises ConfigError."""
    name = checked.settings.gateway.user
    if not name:
        return 0
    try:
        return int(name) if name.isdecimal() else pwd.getpwnam(name).pw_uid
    except KeyError as error:
        raise ConfigError(f"There is no user {name}.", advice="[gateway] user names who the workers are.") from error


def bound(host: str, port: int) -> socket.socket:
    """The port, open: who comes now waits for the first worker. Raises ConfigError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        msg = f"The gateway cannot listen on {host}:{port}: {error.strerror}."
        raise ConfigError(msg, advice="Is the port in use?") from error


def looked_after(settings: Path) -> tuple[Checked, Counts]:
    """The settings in that file and the counts that go with them. Raises ConfigError."""
    checked = read_settings(settings)
    path = counts_of(checked, settings)
    try:
        return checked, Counts(path)
    except Uncounted as error:
        msg = f"There are no counts in {path}."
        raise ConfigError(msg, advice="The gateway makes them when it starts. Is --config its gateway.toml?") from error


async def _nothing(_scope: object, _receive: object, _send: object) -> None:
    """For trying what does not depend on what is served."""


def announced(checked: Checked) -> list[str]:
    """What is not in force, loudly."""
    lines = []
    if checked.settings.gateway.routes == "learn":
        lines.append("Learning: what gateway.toml does not describe is passed on, and told.")
    if checked.settings.guard.mode == "simulate":
        lines.append(
            "The guard simulates: nothing is refused by it; what would be is told. Then set guard.mode to enforce."
        )
    if checked.settings.guard.mode == "off":
        lines.append("THE GUARD IS OFF: whoever is signed in may take everything that is described.")
    if checked.settings.waf.mode == "off":
        lines.append("THE WAF IS OFF: nothing looks for attacks in what is passed on.")
    if os.geteuid() == 0 and not checked.settings.gateway.user:
        lines.append("THE WORKERS ARE ROOT: name a user of less power in [gateway] user (of a store: [users] gateway).")
    if checked.settings.waf.mode == "detect":
        lines.append("The WAF only detects: what it would block is told.")
    return lines


def summary(counts: Counts) -> list[str]:
    """What the guard did, or would have done, a line each rule."""
    return [
        f"{one.rule}: {one.requests} requests of {one.who} people, first at {iso(one.first)}"
        for one in counts.reported()
    ]
