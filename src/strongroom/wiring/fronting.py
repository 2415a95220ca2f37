"""Our own gateway before our own app: the settings that come with the program, and a signature on the circumstances of requests."""

import logging
import re
import sys
from typing import Final

from msgspec.structs import replace

from strongroom.api.settings import MIB
from strongroom.clock import Clock, SystemClock
from strongroom.config import Config, Layout
from strongroom.envelope.mime import DEFAULT, bare
from strongroom.errors import ConfigError
from strongroom.gateway.contract import Headers
from strongroom.gateway.settings import Checked
from strongroom.identity.context import CONTEXT, ContextKey, Signer, sign_context
from strongroom.wiring.app import read_context_key
from strongroom.wiring.described import DESCRIBED
from strongroom.wiring.gateway import House, open_waf, read_settings, run
from strongroom.wiring.pulse import beat, tell_ready
from strongroom.wiring.rehearsal import Rehearsal
from strongroom.wiring.seat import take_seat

log = logging.getLogger("strongroom.gateway")

_CREDENTIAL: Final = re.compile(rb"(?:Bearer|DPoP) +([A-Za-z0-9\-._~+/]{1,8192}=*)", re.IGNORECASE)
_DEVICE: Final = re.compile(rb"[A-Za-z0-9_-]{1,128}")


class Vouch:
    """Tells the app what the keeper will believe of a request: see `identity.context`. Without a token there is nothing to tell."""

    def __init__(self, key: ContextKey, origin: str, clock: Clock) -> None:
        """`origin`: scheme and host by which the app is known to clients."""
        self._key, self._origin, self._clock = key, origin, clock

    def __call__(
        self, headers: Headers, *, method: str, wire: bytes, client: str, request: str
    ) -> list[tuple[bytes, bytes]]:
        """The header to add. `wire`: path and query as they are passed on."""
        told = dict(headers)
        found = _CREDENTIAL.fullmatch(told.get(b"authorization", b""))
        if found is None:
            return []
        device = told.get(b"x-device-id", b"")
        context = sign_context(
            self._key, token=found[1].decode(), address=client, now=self._clock.now(), method=method,
            url=self._origin + wire.partition(b"?")[0].decode("latin-1"),
            device=device.decode() if _DEVICE.fullmatch(device) else "", request=request,
        )  # fmt: skip
        return [(CONTEXT.encode(), context.encode())]


def run_front(config: Config, layout: Layout, _rehearsal: Rehearsal | None) -> None:
    """The gateway of a store, until told to stop. Raises ConfigError before the port is bound."""
    logging.basicConfig(level=logging.INFO, format="gateway: %(message)s", stream=sys.stderr)
    host = config.api.host if config.api.host not in {"0.0.0.0", "::"} else "127.0.0.1"  # noqa: S104  # not bound, but replaced
    host = f"[{host}]" if ":" in host else host
    key = read_context_key(layout, config.users.gateway, Signer.GATEWAY)
    origin = "/".join(config.base.split("/", 3)[:3])
    house = House(Vouch(key, origin, SystemClock()), lambda: take_seat("gateway", config, layout), tell_ready, beat)
    run(lambda: _settings(config, layout), f"http://{host}:{config.api.port}", layout.gateway / "counts.db", house)


def _ours(config: Config) -> Checked:
    """Our API, with the documents that this store takes."""
    checked = read_settings(DESCRIBED / "store.toml")
    types = DEFAULT if config.api.media_types is None else map(bare, config.api.media_types)
    deposit = {"content_types": tuple(sorted(types)), "max_body": config.api.max_document_mb * MIB}
    routes = [
        replace(one, route=replace(one.route, **deposit)) if one.route.name == "deposit" else one
        for one in checked.routes
    ]
    return replace(checked, routes=tuple(routes))


def _settings(config: Config, layout: Layout) -> Checked:
    """What gateway.toml describes, with what strongroom.toml says of it. Raises ConfigError."""
    own = config.gateway.settings
    checked = read_settings(layout.root / own) if own else _ours(config)
    told, users = checked.settings, config.users
    settings = replace(
        told,
        gateway=replace(
            told.gateway, host=config.gateway.host, port=config.gateway.port,
            user=str(users.gateway) if users.gateway else "",
        ),
        guard=replace(told.guard, mode=config.gateway.guard),
        waf=replace(told.waf, mode=config.gateway.waf),
    )  # fmt: skip
    checked = replace(checked, settings=settings)
    if config.store.demonstration:
        try:
            open_waf(checked)
        except ConfigError as error:
            log.warning("%s %s", error.message, error.advice)
            log.warning("This is a demonstration, and goes on without a WAF. Another store would not start.")
            return replace(checked, settings=replace(settings, waf=replace(settings.waf, mode="off")))
    return checked
