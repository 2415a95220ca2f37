"""A store of the size of a country's portal: 1.8 million patients, 50 million documents, 10 million entries in the log.

`standing(scale)` gives it, made once and kept in the cache directory; `./up bench scale` makes it, or tells what is there.
The keeper's database, the log and its files are what the keeper itself opens; ciphertext there is none.
"""

import os
import shutil
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bench import CACHE, Scale
from bench.report import Figure, Goal
from bench.scale import cast, catalog, written
from bench.scale.history import History
from bench.scale.world import SIZES, Size, Sizes, World
from strongroom.audit import event
from strongroom.audit.log import Log, Place
from strongroom.audit.receipt import ReceiptSeal
from strongroom.audit.sqlite import SCHEMA_VERSION
from strongroom.clock import HOUR, Millis, SystemClock
from strongroom.config import Config, Layout, parse
from strongroom.errors import ConfigError
from strongroom.keeper.schema import VERSION
from strongroom.keeper.snapshot import Snapshots
from strongroom.keeper.veil import Veil
from strongroom.keys.custody import Above
from strongroom.keys.sqlite import LifeFile
from strongroom.wiring.place import log_signer, make_store
from strongroom.wiring.root import open_root
from strongroom.wiring.secrets import cover_of, open_secrets, read_recovery

FORM = 2
"""Of what is made here. Counted up when it changes: what is in caches is made anew."""
SAID = "scale.json"
"""What is told of a store when all of it is there."""
SEED = 20_251_230
TEXT = """\
[store]
name = "scale"
demonstration = true
"""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What `SAID` holds. `end`: milliseconds, when the log ends."""

    form: int
    size: Size
    tables: tuple[int, int]
    seed: int
    end: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Standing:
    """A large store, ready to be opened."""

    layout: Layout
    config: Config
    world: World
    manifest: Manifest


def run(scale: Scale) -> Iterable[Figure]:
    """Make it, if it is not there."""
    standing = stand(scale, anew=True)
    size = sum(path.stat().st_size for path in standing.layout.root.rglob("*") if path.is_file())
    sizes = standing.world.sizes
    yield Figure("patients", sizes.patients, "")
    yield Figure("clinicians", sizes.clinicians, "")
    yield Figure("documents", sizes.documents, "")
    yield Figure("entries of the log", sizes.entries, "")
    yield Figure("on the disk", size / 1e9, "GB", goal=Goal("value", "<=", 40.0))
    yield Figure("made in", standing.manifest.seconds, "s")


def cache() -> Path:
    """Where large stores are kept between benches."""
    named = os.environ.get(CACHE)
    return Path(named) if named else Path.home() / ".cache" / "strongroom-bench"


def remove() -> None:
    """Remove what is kept there."""
    for size in SIZES:
        shutil.rmtree(place(size), ignore_errors=True)


def place(size: Size) -> Path:
    """Where the store of one size is kept."""
    return cache() / f"scale-{size}"


def stand(size: Size, *, anew: bool = False) -> Standing:
    """The store of this size. Made when it is not there; and anew when it was made by another version of the program, but a
    full one only where that was asked for (`anew`): it takes the better part of an hour. Raises ConfigError.
    """
    root, world = place(size), World(SIZES[size], SEED)
    if _manifest(root) is None:
        if size == "full" and not anew and (root / SAID).exists():
            msg = f"The large store in {root} was made by another version of this program."
            raise ConfigError(msg, advice="Make it anew: ./up bench scale --scale full.")
        shutil.rmtree(root, ignore_errors=True)
        check_room(root, world.sizes)
        end = SystemClock().now() // HOUR * HOUR
        _say(f"Making {world.sizes.documents:,} documents and {world.sizes.entries:,} entries in {root}")
        make(root, world, end, size)
    return read(root)


def read(root: Path) -> Standing:
    """The store that lies there. Raises ConfigError."""
    manifest = _manifest(root)
    if manifest is None:
        msg = f"There is no large store of this program in {root}."
        raise ConfigError(msg, advice="Make it: ./up bench scale.")
    layout = Layout(root)
    return Standing(layout, parse(layout.config.read_bytes()), World(SIZES[manifest.size], manifest.seed), manifest)


def check_room(root: Path, sizes: Sizes) -> None:
    """Raises ConfigError where the disk has too little room."""
    root.parent.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(root.parent).free
    if free < sizes.bytes:
        msg = f"A store of this size needs {sizes.bytes / 1e9:.1f} GB, and {root.parent} has {free / 1e9:.1f} GB free."
        raise ConfigError(msg, advice="Name another directory: --cache DIR.")


def make(root: Path, world: World, end: int, size: Size) -> None:
    """The store, in a directory where nothing is. `end`: milliseconds; nothing in it is younger."""
    start = time.monotonic()
    made = make_store(root, TEXT)
    layout, config = made.layout, made.config
    os.environ["SQLITE_TMPDIR"] = str(root)  # sorting takes some gigabytes
    upper = open_root(config, layout)
    secrets = open_secrets(layout.secrets, config.store.name, upper)
    lives = LifeFile(layout.life)
    with catalog.loading(layout.database) as db:
        catalog.load(db, world, Veil(secrets.index, secrets.names), config.issuer_url, end, _say)
        cast.give_keys(db, world, config.store.name, Above(upper, read_recovery(layout.secrets), lives))
        ledger = written.write(db, layout.log, History(world, end), log_signer(config, secrets), _say)
        _say("indices")
    lives.close()
    _say("sums of rows")
    signer = log_signer(config, secrets)
    log = Log.open(Place(layout.database, layout.log), signer, cover_of(secrets), ReceiptSeal(), adopt=True)
    log.append_now(event.stopped(Millis(end)))  # an entry that says them, as every keeper's last one
    log.publish()
    log.close()
    Snapshots(layout.keeper / "budgets.snapshot", secrets.snapshot).keep(ledger, world.sizes.entries)
    manifest = Manifest(
        form=FORM,
        size=size,
        tables=(VERSION, SCHEMA_VERSION),
        seed=world.seed,
        end=end,
        seconds=time.monotonic() - start,
    )
    (root / SAID).write_bytes(msgspec.json.encode(manifest))


def _manifest(root: Path) -> Manifest | None:
    try:
        found = msgspec.json.decode((root / SAID).read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError):
        return None
    fits = (found.form, found.tables, found.seed) == (FORM, (VERSION, SCHEMA_VERSION), SEED)
    return found if fits else None


def _say(what: str) -> None:
    print(f"  {time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)
