"""Putting the gateway together, before anybody's portal. It needs no store, and holds no key but its own of TLS."""

import logging
import secrets
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import uvicorn

from strongroom import __version__
from strongroom.clock import SystemClock, iso
from strongroom.errors import ConfigError
from strongroom.gateway import ocsf, rules
from strongroom.gateway.files import Events
from strongroom.gateway.guard import Watchful
from strongroom.gateway.modsecurity import Engine
from strongroom.gateway.person import People
from strongroom.gateway.ports import Guard, Unwatched
from strongroom.gateway.proxy import Event, Proxy
from strongroom.gateway.settings import MAX_SETTINGS, Checked, parse
from strongroom.gateway.upstream import Upstream, read_origin
from strongroom.gateway.verdicts import Verdicts
from strongroom.gateway.waf import Waf
from strongroom.wiring.http import Patient, Unacceptable, served

STOPPING: Final = 30
"""Seconds that requests under way are given when the gateway is told to stop."""
log = logging.getLogger("strongroom.gateway")


class Narrow(Patient):
    """A client's connection, as for our own servers; and the address in a request is a path, spelled out.

    uvicorn takes `http://host/path` apart and lets a fragment go: what stood in the request line would not be what is checked.
    """

    def on_headers_complete(self) -> None:
        """Called by the parser. Raises Unacceptable, which ends the connection."""
        if not self.url.startswith(b"/") or self.url.startswith(b"//") or b"#" in self.url:
            raise Unacceptable
        super().on_headers_complete()


def read_settings(path: Path) -> Checked:
    """The settings in the file `path`. Raises ConfigError."""
    try:
        with path.open("rb") as file:
            return parse(file.read(MAX_SETTINGS + 1))
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}."
        raise ConfigError(msg, advice="docs/gateway.md shows what stands in it.") from error


def open_gateway(
    checked: Checked, url: str, report: Callable[[Event], None], *, guard: Guard | None = None, waf: Waf | None = None
) -> Proxy:
    """The gateway before the portal at `url`. Raises ConfigError."""
    upstream = Upstream(read_origin(url, checked.settings.upstream.ca_file), checked.settings.upstream)
    people = People(checked.settings.person, secrets.token_bytes(32))
    return Proxy(checked, upstream, people, guard or open_guard(checked), SystemClock(), report=report, waf=waf)


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


def open_guard(checked: Checked) -> Guard:
    """The guard that the settings ask for. What it knows is gone with it."""
    settings = checked.settings.guard
    if settings.mode == "off":
        return Unwatched()
    return Watchful(
        secrets.token_bytes(32), enforce=settings.mode == "enforce", rules=checked.rules, listed=checked.listed,
        decoys=settings.decoys, exempt=settings.exempt,
    )  # fmt: skip


def serving(app: Proxy, checked: Checked, port: int | None = None) -> uvicorn.Config:
    """How it is served. `port` in place of the configured one."""
    settings = checked.settings.gateway
    config = served(app, settings.host, settings.port if port is None else port, dated=True, protocol=Narrow)
    config.lifespan = "on"  # at its end the portal's connections are closed
    config.timeout_graceful_shutdown = STOPPING
    if settings.certificate:
        config.ssl_certfile, config.ssl_keyfile = settings.certificate, settings.key
    return config


def run_gateway(settings: Path, url: str) -> None:
    """Serve until told to stop. Raises ConfigError before anything is served."""
    logging.basicConfig(level=logging.INFO, format="gateway: %(message)s", stream=sys.stderr)
    checked = read_settings(settings)
    guard = open_guard(checked)
    waf, events = open_waf(checked), open_events(checked)
    app = open_gateway(checked, url, say if events is None else teller(events), guard=guard, waf=waf)
    for line in announced(checked):
        log.warning("%s", line)
    signal.signal(signal.SIGTERM, _stopped)
    try:
        uvicorn.Server(serving(app, checked)).run()
    except (SystemExit, OSError) as error:  # uvicorn's way to say that it could not bind; a certificate that is none
        where = f"{checked.settings.gateway.host}:{checked.settings.gateway.port}"
        advice = "Is the port in use, or is certificate or key not a file that can be read?"
        raise ConfigError(f"The gateway cannot listen on {where}.", advice=advice) from error
    for line in summary(guard):
        log.info("%s", line)
    if events is not None:
        events.close()


def open_events(checked: Checked) -> Events | None:
    """The file of events that the settings ask for. Raises ConfigError."""
    name = checked.settings.events.file
    if not name:
        return None
    try:
        return Events(Path(name))
    except OSError as error:
        msg = f"The file of events, {name}, cannot be written: {error.strerror}."
        raise ConfigError(msg, advice="Name another in [events] file, or make its folder.") from error


def teller(events: Events) -> Callable[[Event], None]:
    """Tells what became of a request: in the log what was refused, in the file everything."""

    def tell(event: Event) -> None:
        say(event)
        events.put(lambda: ocsf.event(event, __version__))

    return tell


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
    if checked.settings.waf.mode == "detect":
        lines.append("The WAF only detects: what it would block is told.")
    return lines


def summary(guard: Guard) -> list[str]:
    """What the guard did, or would have done, a line each rule."""
    if not isinstance(guard, Watchful):
        return []
    found = guard.report
    return [
        f"{rule}: {count} requests of {len(found.people[rule])} people, first at {iso(found.first[rule])}"
        for rule, count in sorted(found.requests.items())
    ]


def _stopped(_signal: int, _frame: object) -> None:
    """The server stops in order when it is told to, and then raises the signal again, for whoever else waits for it: nobody."""


def say(event: Event) -> None:
    """A line for whatever was refused, or would have been; names and rules only."""
    if event.rule:
        route = event.asked.route if event.asked is not None else ""
        word = "refused" if event.refused else "noted"
        log.info(
            "%s %s %s %s by %s, answered %d", event.request, event.method, route or "-", word, event.rule, event.status
        )
