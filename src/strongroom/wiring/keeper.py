"""Putting the keeper together and running it: every part of the door is made here and nowhere else."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from strongroom.audit.charges import Charges
from strongroom.audit.files import Directory
from strongroom.audit.log import AcceptedRollback, Log, Place
from strongroom.audit.query import Query
from strongroom.audit.receipt import ReceiptSeal
from strongroom.audit.resolve import Resolver
from strongroom.audit.sqlite_reader import Reader
from strongroom.authz.facts import Case
from strongroom.authz.policy import Deny, Permit, decide, unsafe_permit_everything
from strongroom.authz.published import policy_hash
from strongroom.budget.freeze import Bounds, FreezeList
from strongroom.budget.probes import Failures, Probes
from strongroom.budget.scope import Disclosure
from strongroom.budget.table import DEFAULTS
from strongroom.clock import DAY, HOUR, MINUTE, Clock, Millis, SystemClock
from strongroom.config import Config, Issuer, Layout
from strongroom.errors import ConfigError
from strongroom.identity import fetch
from strongroom.identity.context import ContextKey, ContextVerifier, Signer
from strongroom.identity.dpop import Proofs
from strongroom.identity.issuers import Issuer as PinnedIssuer
from strongroom.identity.issuers import Issuers, Pin
from strongroom.identity.network import declare
from strongroom.identity.officers import Officers
from strongroom.identity.sessions import Revoked
from strongroom.identity.socket import CourierDoor
from strongroom.identity.token import Verifier
from strongroom.keeper.door import FREEZES, Door, Parts, Settings
from strongroom.keeper.officers import Acts
from strongroom.keeper.server import Addresses, Keeper
from strongroom.keeper.snapshot import Snapshots
from strongroom.keeper.sqlite import Catalog
from strongroom.keeper.veil import Veil
from strongroom.keys.custody import Above, Custody
from strongroom.keys.sqlite import LifeFile
from strongroom.wiring.pens import StorePens
from strongroom.wiring.place import VKEY, log_signers, pin_keys, registered
from strongroom.wiring.pulse import keep_beating, tell_ready
from strongroom.wiring.rehearsal import MovedClock, Rehearsal, clock_file
from strongroom.wiring.root import StoreRoots, open_root
from strongroom.wiring.secrets import cover_of, open_secrets, read_recovery, rewrap

Decide = Callable[[Case], Permit | Deny]


@dataclass(frozen=True, slots=True)
class Opened:
    """A keeper that is put together and not yet started."""

    keeper: Keeper
    courier: CourierDoor | None
    courier_group: int | None
    """Who may open the courier's socket besides the keeper's own user."""
    warning: str


def open_keeper(
    config: Config,
    layout: Layout,
    *,
    rehearsal: Rehearsal | None = None,
    accept: AcceptedRollback | None = None,
    patience: float | None = None,
) -> Opened:
    """Every part of the keeper, checked. Raises ConfigError, Tampered, Unavailable; then nothing was started.

    `patience`: seconds that a request waits for the log; None: as configured. Whoever fills a store has more of it.
    """
    root = open_root(config, layout)
    secrets = open_secrets(layout.secrets, config.store.name, root)
    if rehearsal is not None and not secrets.rehearsal:
        msg = "Guards can be switched off only in stores that `strongroom rehearse` made."
        raise ConfigError(msg, advice="Attack your own store with its guards on: strongroom rehearse --store URL.")
    rules = DEFAULTS.with_limits(config.budget) if config.budget else DEFAULTS
    seal = ReceiptSeal()
    log = Log.open(
        Place(layout.database, layout.log),
        log_signers(config, layout, secrets),
        cover_of(secrets),
        seal,
        accept=accept,
        patience=config.store.patience_seconds if patience is None else patience,
    )
    catalog = Catalog(layout.database)
    clock = _clock(layout, rehearsal)
    snapshots = Snapshots(layout.keeper / "budgets.snapshot", secrets.snapshot)

    def resolver(reader: Reader) -> Resolver:
        return Resolver(reader, catalog.documents_of)

    def recount(first: int) -> Iterator[Disclosure]:
        with closing(Reader.open(layout.database)) as reader:
            for _, disclosure in Charges(reader, resolver(reader)).since(first):
                yield disclosure

    def query() -> Query:
        reader = Reader.open(layout.database)
        return Query(reader, resolver(reader), cover_of(secrets))

    ledger, replay_from = snapshots.load(rules, log.size)
    for disclosure in recount(replay_from):
        ledger.apply(disclosure)
    kept = catalog.state(FREEZES)
    issuers = _issuers(config, layout, clock.now(), catalog)
    parts = Parts(
        clock=clock,
        contexts=ContextVerifier([ContextKey(secrets.context, signer_of_contexts(config))]),
        verifier=Verifier(issuers, revoked := Revoked(catalog.revoked()), Proofs()),
        issuers=issuers,
        networks=declare({network.name: network.addresses for network in config.network}),
        revoked=revoked,
        catalog=catalog,
        veil=Veil(secrets.index, secrets.names),
        decide=_decide(rehearsal),
        policy=policy_hash()[:16],
        ledger=ledger,
        probes=Probes(_probe_limit(config, rehearsal)),
        failures=Failures(),
        freezes=FreezeList() if kept is None else FreezeList.restore(kept),
        log=log,
        query=query,
        custody=Custody(
            config.store.name,
            Above(root, read_recovery(layout.secrets), LifeFile(layout.life)),
            seal,
            clock,
            config.keeper.held_keys,
        ),
        roots=StoreRoots(config, layout, partial(rewrap, layout.secrets, config.store.name)),
        pens=StorePens(config, layout),
        settings=Settings(
            glass=config.keeper.break_glass_minutes * MINUTE,
            deletion_delay=config.keeper.deletion_delay_days * DAY,
            watch=Bounds(config.watch.an_hour, config.watch.at_once, config.watch.hours * HOUR),
        ),
    )
    if Directory(layout.log).read(VKEY) != log.keys.render().encode():  # set aside with the log, or not in the backup
        pin_keys(layout, log.keys)
    if len(secrets.log) > len(log.keys.active()):
        parts.pens.tidy()
    door = Door(parts)
    officers = Officers(config.store.name, registered(layout), clock.now())
    advance = clock.advance if isinstance(clock, MovedClock) else None
    keeper = Keeper(door, Acts(door, officers, advance), _addresses(config, layout), snapshots, recount)
    sources = _sources(config, layout)
    courier = CourierDoor(issuers, sources, clock) if sources else None
    users = config.users
    group = users.courier if users.courier not in {0, users.keeper} else None
    return Opened(keeper, courier, group, root.warning)


async def run_keeper(opened: Opened, layout: Layout) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await opened.keeper.start()
    courier = None
    if opened.courier is not None:
        layout.courier_socket.unlink(missing_ok=True)
        courier = await asyncio.start_unix_server(opened.courier.serve, str(layout.courier_socket))
        if opened.courier_group is not None:
            os.chown(layout.courier_socket, -1, opened.courier_group)
        layout.courier_socket.chmod(0o600 if opened.courier_group is None else 0o660)
    tell_ready()
    pulse = asyncio.create_task(keep_beating())
    await stop.wait()
    pulse.cancel()
    if courier is not None:
        courier.close()
    await opened.keeper.stop()


def _decide(rehearsal: Rehearsal | None) -> Decide:
    return unsafe_permit_everything if rehearsal is not None and rehearsal.broken_authorization else decide


def _clock(layout: Layout, rehearsal: Rehearsal | None) -> Clock:
    if rehearsal is not None and rehearsal.machine is not None:
        return SystemClock(_last_time(layout.database), machine=rehearsal.machine)
    if rehearsal is not None:
        return MovedClock(clock_file(layout.run))
    return SystemClock(_last_time(layout.database))


def _last_time(database: Path) -> Millis:
    """The time of the log's last entry: the clock must not be behind it."""
    with closing(Reader.open(database)) as reader:
        row = next(iter(reader.rows("select coalesce(max(t), 0) from log_entry", ())), (0,))
    return Millis(int(row[0]))


def signer_of_contexts(config: Config) -> Signer:
    """Who is believed about addresses and devices: one, so that whoever owns the app cannot go around the gateway."""
    return Signer.GATEWAY if config.gateway.enabled else Signer.LOCAL


def _probe_limit(config: Config, rehearsal: Rehearsal | None) -> int:
    raised = rehearsal.probe_limit if rehearsal is not None else None
    return config.keeper.probe_limit if raised is None else raised


def _trusted(layout: Layout, name: str) -> bytes:
    try:
        return (layout.trust / name).read_bytes()
    except OSError as error:
        msg = f"A pinned key file is missing: keeper/trust/{name}."
        raise ConfigError(msg, advice="Put it back from a backup.") from error


def _issuers(config: Config, layout: Layout, now: Millis, catalog: Catalog) -> Issuers:
    pinned: list[PinnedIssuer] = []
    if config.signin.enabled:
        pin = Pin(config.issuer_url, config.base, frozenset({"EdDSA"}))
        own = PinnedIssuer(pin, catalog.dropped_keys(pin.url))
        own.offer(_trusted(layout, "signin.jwks.json"), now)
        pinned.append(own)
    for entry in config.issuer:
        issuer = PinnedIssuer(_pin(entry, config.base), catalog.dropped_keys(entry.url))
        if entry.jwks_file:
            issuer.offer((layout.root / entry.jwks_file).read_bytes(), now)
        pinned.append(issuer)
    return Issuers(pinned)


def _pin(entry: Issuer, audience: str) -> Pin:
    if not entry.jwks_file and not entry.jwks_uri:
        msg = f"Issuer {entry.url}: neither jwks_uri nor jwks_file is set."
        raise ConfigError(msg)
    pin = Pin(
        entry.url,
        audience,
        frozenset(entry.algorithms),
        mfa_amr=frozenset(entry.mfa_amr),
        mfa_acr=frozenset(entry.mfa_acr),
        bound_clients=frozenset(entry.bound_clients),
        jwks_uri="" if entry.jwks_file else entry.jwks_uri,
    )
    return replace(pin, overlap=entry.overlap_minutes * MINUTE)


def _sources(config: Config, layout: Layout) -> dict[str, fetch.Source]:
    return {
        entry.url: fetch.source(
            entry.jwks_uri,
            authorities=(layout.root / entry.ca_file).read_text() if entry.ca_file else None,
            spki=[bytes.fromhex(pin) for pin in entry.spki_sha256],
        )
        for entry in config.issuer
        if entry.jwks_uri and not entry.jwks_file
    }


def _addresses(config: Config, layout: Layout) -> Addresses:
    users = config.users
    ours = frozenset({0, users.keeper})
    return Addresses(
        apps=layout.socket,
        officers=layout.admin_socket,
        group=users.app if config.separate_users else None,
        app_uids=frozenset({users.app, 0}) if config.separate_users else _me(),
        operator_uids=ours | frozenset(config.operators.uids) | _me(),
    )


def _me() -> frozenset[int]:
    return frozenset({os.geteuid()})
