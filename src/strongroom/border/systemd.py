"""The table as systemd units, one for each process, in place of `strongroom serve`. Pure.

A unit's own means do not know ports of what goes out, and tell no incoming connection from an outgoing one: nftables does. They
add what nftables cannot: other processes' files are not there, and the keeper has no network at all.
"""

from collections.abc import Iterator
from pathlib import Path

from strongroom.border.table import FACES, Book, Borders, Row, addresses

ORDER = ("keeper", "signin", "app", "courier", "publisher", FACES)
"""In which they start."""

_BECOMES = "CAP_SETUID CAP_SETGID CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER"
"""A program starts as root, takes its sockets and handles along, and becomes its user for good (`wiring.user.become`)."""
_HARDENING = """\
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=read-only
ProtectProc=invisible
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
PrivateTmp=yes
LockPersonality=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
LimitCORE=0
UMask=0077"""


def render(borders: Borders, book: Book, program: Path, running: frozenset[str]) -> dict[str, str]:
    """Unit name -> text, for each of the programs `running`. `program`: where `strongroom` is installed."""
    rows = [borders.row(name) for name in ORDER if name in running]
    return {_unit(row.name): "\n".join(_lines(borders, row, book, program)) + "\n" for row in rows}


def _unit(name: str) -> str:
    return f"strongroom-{name}.service"


def _lines(borders: Borders, row: Row, book: Book, program: Path) -> Iterator[str]:
    yield f"# Printed by `strongroom network --format systemd` for the store {borders.store}; made again, not edited."
    yield "[Unit]"
    yield f"Description=Strongroom {row.name} of {borders.store}"
    if row.name != "keeper":
        yield f"Wants={_unit('keeper')}"
        yield f"After={_unit('keeper')} network-online.target"
    yield ""
    yield "[Service]"
    yield from _started(borders, row, program)
    yield "Restart=always"
    yield "RestartSec=1"
    if row.name != FACES:
        yield f"ReadWritePaths={_quoted(borders.root)}"
    taken = {path for name in row.process.takes for path in borders.files[name]}
    for path in borders.hidden(row):
        if path not in taken:
            yield f"InaccessiblePaths=-{_quoted(path)}"
    yield _HARDENING
    yield from _network(row, book)
    yield ""
    yield "[Install]"
    yield "WantedBy=multi-user.target"


def _started(borders: Borders, row: Row, program: Path) -> Iterator[str]:
    if row.name == FACES:
        app = borders.places["app"][0]
        yield f"User={row.uid}"
        yield f"Group={row.uid}"
        yield "CapabilityBoundingSet="
        if borders.files["gateway"]:  # our own, before our own app
            yield f"ReadWritePaths={_quoted(borders.files['gateway'][0])}"
            yield f"ExecStart={_quoted(program)} run gateway --store {_quoted(borders.root)}"
            return
        settings = _quoted(borders.root / "gateway.toml")
        yield f"ExecStart={_quoted(program)} gateway --upstream http://{app.shown} --config {settings}"
        return
    yield f"CapabilityBoundingSet={_BECOMES}"
    yield f"ExecStart={_quoted(program)} run {row.name} --store {_quoted(borders.root)}"


def _network(row: Row, book: Book) -> Iterator[str]:
    if not row.listens and not row.connects:
        yield "PrivateNetwork=yes"
        yield "RestrictAddressFamilies=AF_UNIX"
        return
    yield "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6"
    yield "SocketBindDeny=any"
    for end in row.listens:
        yield f"SocketBindAllow=tcp:{end.port}"
    if row.name == FACES:
        yield "# Who comes from the street and where it goes itself are one list here: nftables keeps them apart."
        return
    yield "IPAddressDeny=any"
    if row.listens:
        yield "# Clients: the gateway of this machine."
        yield "IPAddressAllow=localhost"
    for end in row.connects:
        yield f"# {end.place}: {end.shown}"
        yield f"IPAddressAllow={' '.join(addresses(end, book))}"


def _quoted(path: Path) -> str:
    """A path as a unit file reads it: specifiers and quotes escaped."""
    text = str(path).replace("\\", "\\\\").replace("%", "%%").replace('"', '\\"').replace("$", "$$")
    return f'"{text}"' if any(one in text for one in " \t'\"\\") else text
