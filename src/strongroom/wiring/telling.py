"""Where it goes what becomes of requests: the log, a file, collectors, the counts."""

import contextlib
import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from strongroom import __version__
from strongroom.errors import ConfigError
from strongroom.gateway import ocsf
from strongroom.gateway.counts import Counts
from strongroom.gateway.datagram import Datagrams
from strongroom.gateway.files import Events
from strongroom.gateway.finding import Findings
from strongroom.gateway.http import Http, read_token
from strongroom.gateway.nats import Nats
from strongroom.gateway.orders import Match, Refused
from strongroom.gateway.outbox import Outbox
from strongroom.gateway.ports import Act
from strongroom.gateway.proxy import Event
from strongroom.gateway.sections import Events as EventsSettings
from strongroom.gateway.settings import Checked
from strongroom.gateway.sqlite import Uncounted

log = logging.getLogger("strongroom.gateway")


def open_sinks(checked: Checked) -> dict[str, Events | Outbox]:
    """Where all events go, by name. Raises ConfigError."""
    settings = checked.settings.events
    found: dict[str, Events | Outbox] = {}
    if settings.file:
        try:
            found["file"] = Events(Path(settings.file))
        except OSError as error:
            msg = f"The file of events, {settings.file}, cannot be written: {error.strerror}."
            raise ConfigError(msg, advice="Name another in [events] file, or make its folder.") from error
    if settings.http is not None:
        one = settings.http
        found["http"] = Outbox("http", Http(one.url, read_token(one.token_file), one.scheme, one.ca_file))
    if settings.nats is not None:
        two = settings.nats
        found["nats"] = Outbox("nats", Nats(two.url, two.subject, read_token(two.token_file), two.ca_file))
    return found


def open_syslog(checked: Checked) -> Datagrams | None:
    """The receiver of what is refused that the settings ask for. Raises ConfigError."""
    to = checked.settings.events.syslog
    return Datagrams(to) if to else None


def imported_by(events: EventsSettings) -> Iterable[str]:
    """Packages that sending events needs."""
    if events.http is not None:
        yield from ("httpx2", "httpcore2", "h11", "anyio")
    if events.nats is not None:
        yield "nats"


class Teller:
    """Tells what became of a request: in the log what was refused, to `sinks` everything, and what was found with it."""

    def __init__(self, sinks: Iterable[Events | Outbox]) -> None:
        self._sinks = tuple(sinks)
        self._findings = Findings(__version__)

    def tell(self, event: Event) -> None:
        """A request has ended."""
        say(event)
        self._put(partial(ocsf.event, event, __version__))
        for asked in event.also:
            self._put(partial(ocsf.event, replace(event, asked=asked, also=(), size=0), __version__))
        if event.hits and (found := self._findings.of_waf(event)) is not None:
            self._put(lambda: found)

    def acted(self, act: Act) -> None:
        """The guard did something."""
        if (found := self._findings.of_act(act)) is not None:
            self._put(lambda: found)

    def _put(self, made: Callable[[], dict[str, Any]]) -> None:
        for sink in self._sinks:
            sink.put(made)


def keeper_of(counts: Counts) -> Callable[[Event], None]:
    """Keeps what was refused, to be explained; where that fails, the request has its answer all the same."""

    def keep(event: Event) -> None:
        if not event.rule.startswith(("waf", "guard")):
            return
        asked = event.asked
        who = asked.who if asked else None
        one = Refused(
            event.request, event.at, event.method, asked.route if asked else "", event.status, event.rule, event.refused,
            event.network, who.person if who else "", who.session if who else "",
            tuple(Match(hit.rule, hit.part, hit.severity) for hit in event.hits),
        )  # fmt: skip
        with contextlib.suppress(Uncounted):  # which is said loudly where something would have left
            counts.remember(one)

    return keep


def say(event: Event) -> None:
    """A line for whatever was refused, or would have been; names and rules only."""
    if event.rule:
        route = event.asked.route if event.asked is not None else ""
        word = "refused" if event.refused else "noted"
        log.info(
            "%s %s %s %s by %s, answered %d", event.request, event.method, route or "-", word, event.rule, event.status
        )
