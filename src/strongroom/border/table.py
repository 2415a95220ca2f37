"""The one declared table: who runs as whom, listens where, and may reach what. Everything else is derived from it. Pure.

What is not in a row is not allowed. A change here changes the printed rules, what `doctor` tries, and what the tests try.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from strongroom.config import Config, Layout
from strongroom.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Process:
    """A row. `listens`, `connects`: places of TCP; `opens`, `offers`: Unix sockets; `files`: what is nobody else's."""

    name: str
    user: str
    """The field of `[users]` that says as whom it runs."""
    listens: str = ""
    connects: tuple[str, ...] = ()
    offers: tuple[str, ...] = ()
    opens: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    """Others' files that it opens while it is still root, and cannot open again."""
    groups: tuple[str, ...] = ()
    """Whose groups it is in: of those whom it hands a socket. It gains nothing of theirs, whose files are their own."""


TABLE = (
    Process(
        "gateway", "gateway", listens="gateway", connects=("app", "signin", "siem", "resolvers"), files=("gateway",)
    ),
    Process("signin", "signin", listens="signin", files=("signin",)),
    Process(
        "app", "app", listens="app", connects=("objects", "resolvers"), opens=("keeper.sock",),
        files=("app", "objects", "objects key"),
    ),
    Process(
        "keeper", "keeper", connects=("hsm",), offers=("keeper.sock", "keeper-admin.sock", "courier.sock"),
        files=("keeper", "hsm", "pin"), groups=("app", "courier"),
    ),
    Process("courier", "courier", connects=("issuers", "resolvers"), opens=("courier.sock",)),
    Process("publisher", "courier", connects=("witnesses", "copy", "resolvers"), takes=("keeper", "copy key")),
)  # fmt: skip
"""`reencrypt` runs as the app and reaches what the app does, over a line to the keeper that root opened for it. Commands
of operators (doctor, backup, restore) run as root, who can be anybody: no rule is about root."""

_HOST = re.compile(r"[A-Za-z0-9._:-]{1,253}")

FACES = "gateway"
"""The one place that the street may reach."""
NOBODYS = ("officers", "copy key")
"""Files that no process may open."""
DNS = 53
DATAGRAMS = frozenset({"resolvers", "siem"})
"""Places that are asked, or told, by UDP as well as by TCP."""


@dataclass(frozen=True, slots=True)
class End:
    """Something that listens: a name or an address, and a port."""

    place: str
    host: str
    port: int

    @property
    def protocols(self) -> tuple[str, ...]:
        """By which it is reached."""
        return ("tcp", "udp") if self.place in DATAGRAMS else ("tcp",)

    @property
    def shown(self) -> str:
        """As `host:port`."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Row:
    """A process of one store: its row with every name replaced by what the configuration means by it."""

    process: Process
    uid: int
    groups: tuple[int, ...]
    listens: tuple[End, ...]
    connects: tuple[End, ...]
    opens: tuple[Path, ...]
    files: tuple[Path, ...]

    @property
    def name(self) -> str:
        """Of the process."""
        return self.process.name


@dataclass(frozen=True, slots=True)
class Borders:
    """The table of one store. `places`: every TCP end there is; `sockets`, `files`: by name, those that must be closed."""

    store: str
    root: Path
    rows: tuple[Row, ...]
    places: Mapping[str, tuple[End, ...]]
    sockets: Mapping[str, Path]
    files: Mapping[str, tuple[Path, ...]]
    gateways: tuple[str, ...] = ()
    admin: tuple[str, ...] = ()
    admin_port: int = 22

    def row(self, name: str) -> Row:
        """The row of a process. Raises KeyError."""
        return {one.name: one for one in self.rows}[name]

    def uids(self) -> dict[int, tuple[Row, ...]]:
        """User id to the rows of all that runs as it: what separates by user cannot tell those apart."""
        found: dict[int, tuple[Row, ...]] = {}
        for row in self.rows:
            found[row.uid] = (*found.get(row.uid, ()), row)
        return found

    @property
    def separate(self) -> bool:
        """Whether every user of the table is one of its own. A gateway may be on another machine, and have none here."""
        users = {row.process.user: row.uid for row in self.rows if row.name != FACES or row.uid}
        return 0 not in users.values() and len(set(users.values())) == len(users)

    def closed(self, uid: int) -> tuple[Path, ...]:
        """The files and sockets that a process of this user may not open."""
        mine = {path for row in self.uids().get(uid, ()) for path in (*row.files, *row.opens, *self.offered(row))}
        every = [path for paths in self.files.values() for path in paths] + list(self.sockets.values())
        return tuple(path for path in every if path not in mine)

    def hidden(self, row: Row) -> tuple[Path, ...]:
        """What is not even there for a process that has a mount namespace of its own.

        Sockets go by their directories: a socket is made anew at each start. What all sockets share stays.
        """
        shared = Layout(self.root).run
        found = [path.parent if path in self.sockets.values() else path for path in self.closed(row.uid)]
        return tuple(path for path in dict.fromkeys(found) if path != shared)

    def offered(self, row: Row) -> tuple[Path, ...]:
        """The sockets that a process makes."""
        return tuple(self.sockets[name] for name in row.process.offers)

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names, sorted, that have to be looked up before rules can be printed."""
        ends = (end for row in self.rows for end in row.connects)
        return tuple(sorted({end.host for end in ends if not is_address(end.host)}))


def declare(config: Config, layout: Layout, table: tuple[Process, ...] = TABLE) -> Borders:
    """The table of this store. Raises ConfigError for an address that is none."""
    places, sockets, files = _places(config), _sockets(layout), _files(config, layout)
    rows = tuple(
        Row(
            one,
            getattr(config.users, one.user),
            tuple(uid for uid in (getattr(config.users, name) for name in one.groups) if uid),
            places[one.listens] if one.listens else (),
            tuple(end for name in one.connects for end in places[name]),
            tuple(sockets[name] for name in one.opens),
            tuple(path for name in one.files for path in files[name]),
        )
        for one in table
    )
    reach = config.reach
    return Borders(
        config.store.name, layout.root, rows, places, sockets, files, reach.gateways, reach.admin, reach.admin_port
    )


def is_address(host: str) -> bool:
    """Whether this is an address, and no name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


Book = Mapping[str, tuple[str, ...]]
"""Name -> its addresses."""


def look_up(borders: Borders, ask: Callable[[str], tuple[str, ...]], known: Book) -> Book:
    """Addresses of every name: `known`, or as `ask` says. Raises what `ask` raises."""
    return {host: known[host] if host in known else ask(host) for host in borders.hosts}


def addresses(end: End, book: Book) -> tuple[str, ...]:
    """Where an end is, as addresses. Raises KeyError for a name that is not in the book."""
    return (end.host,) if is_address(end.host) else book[end.host]


def _places(config: Config) -> dict[str, tuple[End, ...]]:
    pkcs11, objects, copy = config.keeper.pkcs11, config.objects, config.copy
    return {
        "gateway": (End("gateway", "0.0.0.0", config.gateway.port),),  # noqa: S104  # the one that faces the street
        "app": (End("app", config.api.host, config.api.port),),
        "signin": (End("signin", config.signin.host, config.signin.port),) if config.signin.enabled else (),
        "objects": () if objects.kind == "local" else (_bucket("objects", objects.endpoint, objects.bucket, objects.region),),
        "hsm": tuple(_end("hsm", one) for one in (pkcs11.addresses if pkcs11 else ())),
        "issuers": tuple(_url("issuers", one.jwks_uri) for one in config.issuer if one.jwks_uri and not one.jwks_file),
        "witnesses": tuple(_url("witnesses", one.url) for one in config.witness),
        "copy": () if copy is None else (_bucket("copy", copy.endpoint, copy.bucket, copy.region),),
        "siem": tuple(_end("siem", one) for one in config.reach.siem),
        "resolvers": tuple(End("resolvers", one, DNS) for one in config.reach.resolvers),
    }  # fmt: skip


def _sockets(layout: Layout) -> dict[str, Path]:
    return {path.name: path for path in (layout.socket, layout.admin_socket, layout.courier_socket)}


def _files(config: Config, layout: Layout) -> dict[str, tuple[Path, ...]]:
    pkcs11, objects, root = config.keeper.pkcs11, config.objects, layout.root
    return {
        "gateway": (layout.gateway,) if config.gateway.enabled else (),
        "signin": (layout.signin,),
        "app": (layout.app,),
        "objects": (root / objects.path,) if objects.kind == "local" else (),
        "objects key": (root / objects.access_key_file,) if objects.kind == "s3" else (),
        "keeper": (layout.keeper,),
        "hsm": tuple(root / one for one in (pkcs11.paths if pkcs11 else ())),
        "pin": (root / pkcs11.pin_file,) if pkcs11 else (),
        "officers": (root / "officers",),
        "copy key": (root / config.copy.access_key_file,) if config.copy else (),
    }


def _bucket(place: str, endpoint: str, bucket: str, region: str) -> End:
    return _url(place, endpoint or f"https://{bucket}.s3.{region}.amazonaws.com")


def _url(place: str, url: str) -> End:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    except ValueError:
        host, port = None, 0
    if not _HOST.fullmatch(host or "") or not host or not port:
        msg = f"{place}: {url[:200]} names no host."
        raise ConfigError(msg, advice="Write it as https://host/… in strongroom.toml.")
    return End(place, host, port)


def _end(place: str, text: str) -> End:
    return _url(place, f"tcp://{text}")
