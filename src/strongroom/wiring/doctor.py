"""What `strongroom doctor` looks at. Each look is one function that gives findings and never raises."""

import asyncio
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2

from strongroom.audit.files import CHECKPOINT, Directory
from strongroom.audit.sqlite_rows import Tick
from strongroom.audit.verify import opened, parsed_tile, prove
from strongroom.clock import MINUTE, SECOND, SystemClock
from strongroom.config import Config, Layout, parse
from strongroom.courier.publish import read_standing
from strongroom.courier.push import read_pushed
from strongroom.documents.probe import probe
from strongroom.errors import StrongroomError
from strongroom.keeper.acts import ActDone, Health
from strongroom.keeper.client import OfficersClient
from strongroom.tlog.checkpoint import open_checkpoint
from strongroom.tlog.cosign import Cosigner, check_quorum
from strongroom.tlog.tile import tile_nodes
from strongroom.tlog.tree import frontier_at
from strongroom.wiring.app import open_blobs
from strongroom.wiring.finding import Finding
from strongroom.wiring.place import log_keys, objects_path, registered
from strongroom.wiring.publisher import asked
from strongroom.wiring.reach import reach
from strongroom.wiring.root import open_root
from strongroom.wiring.verify import rows_wrong

PATIENCE = 3.0
"""Seconds a program may take to answer."""
ROOM = 0.10
"""Share of a disk that should be free; below a third of it things stop soon."""
MIB = 1_048_576
SMALL = 256 * MIB
"""Bytes of a database whose rows are counted again unasked: some seconds. A count keeps the write-ahead log from shrinking."""
SKEW = 5 * SECOND
STALE = 5 * MINUTE


Look = Callable[[Config, Layout], Iterator[Finding]]


def examine(
    store: Path, *, rows: bool = False, tick: Tick | None = None, outside: tuple[str, int] | None = None
) -> Iterator[Finding]:
    """Every finding, in the order of what depends on what.

    `rows`: count the keeper's rows again, however many there are. `outside`: an end that no process may reach.
    """
    layout = Layout(store)
    try:
        config = parse(layout.config.read_bytes())
    except OSError as error:
        yield Finding("configuration", "bad", f"it cannot be read: {error.strerror}", "Run as root.")
        return
    except StrongroomError as error:
        yield Finding("configuration", "bad", error.message, error.advice)
        return
    yield Finding("configuration", "ok", f"store {config.store.name}")
    for look in (
        _border,
        _permissions,
        _root,
        _officers,
        _issuers,
        _programs,
        _log,
        _witnesses,
        _copy,
        _objects,
        _disks,
    ):
        try:
            yield from look(config, layout)
        except StrongroomError as error:
            yield Finding(look.__name__.strip("_"), "bad", error.message, error.advice)
        except OSError as error:
            yield Finding(look.__name__.strip("_"), "warn", f"not looked at: {error.strerror}", "Run as root.")
    try:
        yield from reach(config, layout, outside)
    except StrongroomError as error:
        yield Finding("reach", "bad", error.message, error.advice)
    yield from _rows(config, layout, tick, every=rows)


def _rows(config: Config, layout: Layout, tick: Tick | None, *, every: bool) -> Iterator[Finding]:
    """Whether the rows that the keeper decides by are those that its log tells of. It reads all of them."""
    try:
        size = layout.database.stat().st_size
        if size > SMALL and not every:
            said = f"not counted again: the keeper's database has {size // MIB} MiB"
            yield Finding("rows", "ok", said, "Do it at a quiet hour: strongroom doctor --rows")
            return
        wrong = rows_wrong(config, layout, open_root(config, layout), tick)
    except StrongroomError as error:
        yield Finding("rows", "bad", error.message, error.advice)
        return
    except OSError as error:
        yield Finding("rows", "warn", f"not looked at: {error.strerror}", "Run as root.")
        return
    advice = "Stop the keeper, keep a copy, and restore a backup; whoever can write that file is the incident."
    yield from (Finding("rows", "bad", one, advice) for one in wrong)
    if not wrong:
        yield Finding("rows", "ok", "every row of the keeper's database is one that its log tells of")


def _border(config: Config, _layout: Layout) -> Iterator[Finding]:
    if config.separate_users:
        yield Finding("border", "ok", "every process runs under a user of its own")
    else:
        advice = "Make the store as root, in a place that every user may pass to."
        yield Finding("border", "warn", "none: all processes run as one user", advice)


def _permissions(config: Config, layout: Layout) -> Iterator[Finding]:
    users, me = config.users, os.geteuid()
    wanted = {
        layout.keeper: users.keeper, layout.database: users.keeper, layout.secrets: users.keeper,
        layout.signin: users.signin, layout.app: users.app, layout.catalogue: users.app,
    }  # fmt: skip
    if config.gateway.enabled:
        wanted |= {layout.gateway: users.gateway, layout.gateway_key: users.gateway}
    if config.objects.kind == "local":
        wanted[objects_path(layout, config)] = users.app
    count = 0
    for path, owner in wanted.items():
        found = path.stat()
        if found.st_mode & 0o077:
            count += 1
            mode = "700" if stat.S_ISDIR(found.st_mode) else "600"
            yield Finding("permissions", "bad", f"{path} can be read by others", f"Run: chmod {mode} {path}")
        if found.st_uid != (owner if config.separate_users else me):
            count += 1
            yield Finding(
                "permissions", "bad", f"{path} belongs to user {found.st_uid}", f"Run: chown -R {owner}: {path}"
            )
    if not count:
        yield Finding("permissions", "ok", "private things are private")


def _root(config: Config, layout: Layout) -> Iterator[Finding]:
    warning = open_root(config, layout).warning
    if warning and not config.store.demonstration:
        yield Finding("root key", "warn", warning)
    else:
        yield Finding("root key", "ok", "evaluation key in a file, synthetic people" if warning else "in an HSM")


def _officers(_config: Config, layout: Layout) -> Iterator[Finding]:
    yield Finding("officers", "ok", f"{sum(1 for one in registered(layout) if one.roles)} registered")
    lying = sorted(path.name for path in (layout.root / "officers").glob("*.key"))
    if lying:
        said = f"key files still lie in the store: {', '.join(lying)}"
        yield Finding("officers", "warn", said, "Hand them to their people; whoever has them is the officer.")


def _issuers(config: Config, layout: Layout) -> Iterator[Finding]:
    for entry in config.issuer:
        if entry.jwks_file and not (layout.root / entry.jwks_file).is_file():
            yield Finding("issuers", "bad", f"{entry.url}: {entry.jwks_file} is not there", "Put the key set there.")
        elif entry.jwks_uri and not entry.jwks_file and not entry.ca_file:
            said = f"{entry.url}: its keys are fetched on the word of every public authority"
            yield Finding("issuers", "warn", said, "Set ca_file (and spki_sha256) for it.")
        else:
            yield Finding("issuers", "ok", entry.url)


def _programs(config: Config, layout: Layout) -> Iterator[Finding]:
    try:
        reply = OfficersClient(layout.admin_socket).ask(Health())
        well = isinstance(reply, ActDone)
        yield Finding(
            "keeper", "ok" if well else "bad", "answers" if well else "refuses", "" if well else "See its messages."
        )
    except StrongroomError as error:
        yield Finding("keeper", "bad", error.message, "Start it: strongroom serve.")
    yield from _answers("app", f"http://{_reach(config.api.host)}:{config.api.port}/fhir/metadata")
    if config.signin.enabled:
        yield from _answers(
            "signin", f"http://{_reach(config.signin.host)}:{config.signin.port}/.well-known/openid-configuration"
        )


def _answers(name: str, url: str) -> Iterator[Finding]:
    try:
        answer = httpx2.get(url, timeout=PATIENCE, trust_env=False)
    except httpx2.HTTPError as error:
        yield Finding(name, "bad", f"does not answer at {url} ({type(error).__name__})", "Start it: strongroom serve.")
        return
    if answer.is_server_error:
        yield Finding(name, "bad", f"answers with {answer.status_code}", "See its messages.")
    else:
        yield Finding(name, "ok", f"answers in {answer.elapsed.total_seconds() * 1000:.0f} ms")


def _log(_config: Config, layout: Layout) -> Iterator[Finding]:
    """The checkpoint and the newest entry's proof; the whole log is `strongroom log verify`'s."""
    verifier = log_keys(layout)
    directory = Directory(layout.log)
    checkpoint = opened(directory.read, verifier)
    if checkpoint.size:
        prove(directory.read, verifier, checkpoint.size - 1)
    yield Finding("log", "ok", f"{checkpoint.size} entries, the last of them proven")
    # Files come of the same clock that `now` asks, unless it was set back since.
    published = int((layout.log / CHECKPOINT).stat().st_mtime * 1000)
    age = SystemClock().now() - published
    if age < -SKEW:
        yield Finding(
            "clock", "bad", f"it is {-age // SECOND} s behind the last checkpoint", "Set the machine's clock right."
        )
        return
    yield Finding("clock", "ok", "it is not behind the log")
    written = max(
        (one.stat().st_mtime for one in layout.keeper.glob("keeper.db*") if "lock" not in one.name), default=0.0
    )
    behind = int(written * 1000) - published
    if behind > STALE:
        said = f"the newest checkpoint is {behind // MINUTE} min older than the newest entry"
        yield Finding("checkpoint", "bad", said, "Look at the keeper's messages and the disk of keeper/log.")
    else:
        yield Finding("checkpoint", "ok", f"published {max(age, 0) // SECOND} s ago, as new as the log")


def _witnesses(config: Config, layout: Layout) -> Iterator[Finding]:
    """What each witness said last; and that our log extends what they cosigned, which no key of ours could forge."""
    keys, standing = asked(config), {one.name: one for one in read_standing(layout.published)}
    if not keys:
        advice = "Ask somebody else to run `strongroom witness serve`, and name them as [[witness]]."
        yield Finding("witnesses", "warn", "none: whoever has the log's key could rewrite its history unseen", advice)
        return
    for one in keys:
        found = standing.get(one.key.name)
        age = SystemClock().now() - found.at if found and found.at else None
        if found is None or age is None:
            said, state = "it has never cosigned", "bad" if found and found.state == "refused" else "warn"
            yield Finding("witness", state, f"{one.key.name}: {found.said if found and found.said else said}")
        elif found.state == "refused":
            yield Finding("witness", "bad", f"{one.key.name} refuses: {found.said}", "Keep both copies of the log.")
        else:
            late = age > MINUTE
            said = f"{one.key.name} cosigned {found.size} entries {max(age, 0) // SECOND} s ago"
            yield Finding("witness", "warn" if late else "ok", f"{said}; {found.said}" if found.said else said)
    path = layout.published / CHECKPOINT
    if path.is_file():
        yield from _grown(layout, path.read_bytes(), tuple(one.key for one in keys))


def _grown(layout: Layout, cosigned: bytes, keys: tuple[Cosigner, ...]) -> Iterator[Finding]:
    verifier = log_keys(layout)
    read = Directory(layout.log).read
    old, new = open_checkpoint(cosigned, verifier), opened(read, verifier)
    names = ", ".join(check_quorum(cosigned, keys, 1))
    nodes = tile_nodes(new.size, lambda tile: parsed_tile(read, tile))
    if old.size > new.size:
        said = f"{names} cosigned {old.size} entries, the log has {new.size}: it was set back"
    elif frontier_at(old.size, nodes).root() != old.root:
        said = f"the first {old.size} entries are not those that {names} cosigned: history was rewritten"
    else:
        yield Finding("cosigned", "ok", f"the log extends the {old.size} entries that {names} cosigned")
        return
    yield Finding("cosigned", "bad", said, "Keep both copies of the log, and call the security officer.")


def _copy(config: Config, layout: Layout) -> Iterator[Finding]:
    """How far the copy in the second bucket is behind, and whether anything holds it there."""
    if config.copy is None:
        advice = "Name a bucket with object lock as [copy]: docs/log-format.md."
        yield Finding("copy", "warn", "none: the published log lies in one place", advice)
        return
    found, now = read_pushed(layout.published), SystemClock().now()
    size = opened(Directory(layout.log).read, log_keys(layout)).size
    age, behind = now - found.at, max(0, size - found.size)
    said = f"{found.size} of {size} entries, pushed {max(age, 0) // SECOND} s ago" if found.at else "nothing yet"
    late = behind > 0 and age > 3 * config.copy.minutes * MINUTE
    if found.state == "differs":
        yield Finding("copy", "bad", found.said, "Keep both, and call the security officer.")
    elif found.state == "unlocked":
        yield Finding(
            "copy", "bad", f"{said}; {found.said}", "Make the bucket anew with object lock; it cannot be added."
        )
    elif found.state == "refused":
        yield Finding("copy", "bad", f"{said}; {found.said}", "Look at [copy] and its access key.")
    else:
        state = "warn" if late or found.state != "pushed" else "ok"
        locked = f", locked for {found.days} days" if found.days else ""
        yield Finding("copy", state, f"{said}{locked}" + (f"; {found.said}" if found.said else ""))


def _objects(config: Config, layout: Layout) -> Iterator[Finding]:
    if config.objects.kind == "local":
        # Written by the app alone, under its user; a probe by root would leave folders that are not its.
        writable = objects_path(layout, config).is_dir()
        yield Finding("objects", "ok" if writable else "bad", f"local folder {config.objects.path}"
                      + ("" if writable else " is not there"), "" if writable else "Is its disk mounted?")  # fmt: skip
        return
    warnings = asyncio.run(probe(open_blobs(config, layout))).warnings
    for warning in warnings:
        yield Finding("objects", "warn", warning)
    if not warnings:
        yield Finding("objects", "ok", f"bucket {config.objects.bucket}: takes, gives, cuts, deletes, never overwrites")


def _disks(config: Config, layout: Layout) -> Iterator[Finding]:
    places = {layout.keeper, layout.app} | ({objects_path(layout, config)} if config.objects.kind == "local" else set())
    for number in {path.stat().st_dev: path for path in sorted(places)}.values():
        usage = shutil.disk_usage(number)
        free = usage.free / usage.total
        said = f"{free:.0%} free ({usage.free // 2**30} GiB) at {number}"
        state = "ok" if free > ROOM else "warn" if free > ROOM / 3 else "bad"
        yield Finding("disk", state, said, "" if state == "ok" else "Make room: a full disk stops every disclosure.")


def _reach(host: str) -> str:
    """An address at which a program that listens on `host` answers."""
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # listened on by whoever configured it
    return f"[{reached}]" if ":" in reached else reached
