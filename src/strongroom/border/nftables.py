"""The table as nftables rules for a machine whose processes have users of their own. Pure.

Each process goes out by its user: to what its row lists, and back to whoever came in by its own port. Nobody else on the
machine reaches what is one process's alone. From outside the gateway's port is open, and what `[reach]` names.
"""

import ipaddress
from collections.abc import Iterator

from strongroom.border.table import FACES, Book, Borders, End, Row, addresses
from strongroom.errors import ConfigError

RESET = "counter reject with tcp reset"
NO = (f"        meta l4proto tcp {RESET}", "        counter reject with icmpx admin-prohibited")
"""At once and counted, so that a process that tries is seen: `nft list table inet strongroom`. Of an ICMP error about TCP a
connecting socket would learn only after a second, when it tries again.
"""
OURS = ("app", "signin")
"""What listens here for the gateway alone."""
ALONE = ("objects", "hsm")
"""What one process alone may reach: nobody else on the machine either."""


def render(borders: Borders, book: Book) -> dict[str, str]:
    """File name -> text. Raises ConfigError where processes share a user: nothing could tell them apart."""
    users = borders.uids()
    if not borders.separate:
        msg = "The processes of this store have no users of their own, and rules by user need them."
        raise ConfigError(msg, advice="Make the store as root, or set [users].")
    users.pop(0, None)  # of a gateway that is not on this machine
    text = "\n".join(
        [
            "#!/usr/sbin/nft -f",
            f"# Printed by `strongroom network --format nftables` for the store {borders.store}; made again, not edited.",
            "# Loading replaces this table and touches no other. Root is not bound: it could be anybody.",
            "table inet strongroom",
            "delete table inet strongroom",
            "table inet strongroom {",
            *_sets(borders, book),
            *_input(borders),
            *(line for uid, rows in users.items() for line in _user(uid, rows, book)),
            *_others(borders, book),
            "    chain output {",
            "        type filter hook output priority filter; policy accept;",
            f"        meta skuid vmap {{ 0 : accept, {', '.join(f'{uid} : goto {_name(rows)}' for uid, rows in users.items())} }}",
            "        jump others",
            "    }",
            "}",
            "",
        ]
    )
    return {"strongroom.nft": text}


def _name(rows: tuple[Row, ...]) -> str:
    return rows[0].process.user


def _v4(ends: tuple[End, ...], book: Book, *, version: int) -> list[str]:
    """Elements `address . port`, sorted, of one version of IP."""
    every = {(one, end.port) for end in ends for one in addresses(end, book)}
    return [f"{one} . {port}" for one, port in sorted(every) if ipaddress.ip_address(one).version == version]


def _sets(borders: Borders, book: Book) -> Iterator[str]:
    """One set for each place outside: what a name leads to is replaced without touching a rule."""
    for place, ends in sorted(_outside(borders).items()):
        for version, kind in ((4, "ipv4_addr"), (6, "ipv6_addr")):
            elements = _v4(ends, book, version=version)
            if elements:
                names = ", ".join(sorted({end.shown for end in ends}))
                yield f"    set {place}{version} {{"
                yield f"        # {names}"
                yield f"        type {kind} . inet_service"
                yield f"        elements = {{ {', '.join(elements)} }}"
                yield "    }"


def _outside(borders: Borders) -> dict[str, tuple[End, ...]]:
    return {place: ends for place, ends in borders.places.items() if ends and place not in {FACES, *OURS}}


def _to(place: str, ends: tuple[End, ...], book: Book) -> Iterator[str]:
    """Matches of everything that goes to a place outside."""
    for version, family in ((4, "ip"), (6, "ip6")):
        if _v4(ends, book, version=version):
            yield from (f"{family} daddr . {protocol} dport @{place}{version}" for protocol in ends[0].protocols)


def _ports(ends: tuple[End, ...]) -> str:
    return f"{{ {', '.join(str(port) for port in sorted({end.port for end in ends}))} }}"


def _input(borders: Borders) -> Iterator[str]:
    inner = tuple(end for place in OURS for end in borders.places[place])
    yield "    chain input {"
    yield "        type filter hook input priority filter; policy drop;"
    yield "        iif lo accept"
    yield "        ct state vmap { established : accept, related : accept, invalid : drop }"
    yield "        meta l4proto { icmp, ipv6-icmp } accept"
    if borders.row(FACES).uid:
        yield f'        tcp dport {_ports(borders.places[FACES])} accept comment "the street reaches the gateway"'
    for one in borders.gateways:
        yield f'        {_family(one)} saddr {one} tcp dport {_ports(inner)} accept comment "a gateway elsewhere"'
    for one in borders.admin:
        yield f'        {_family(one)} saddr {one} tcp dport {borders.admin_port} accept comment "administration"'
    yield from NO
    yield "    }"


def _family(network: str) -> str:
    return "ip6" if ":" in network else "ip"


def _user(uid: int, rows: tuple[Row, ...], book: Book) -> Iterator[str]:
    yield f"    chain {_name(rows)} {{"
    yield f"        # user {uid}: {', '.join(row.name for row in rows)}"
    for row in rows:
        if row.listens:
            yield f"        tcp sport {_ports(row.listens)} ct direction reply accept"
    for place, ends in _by_place(rows).items():
        if place in OURS:
            yield f'        oif lo tcp dport {_ports(ends)} accept comment "{place}"'
        else:
            yield from (f"        {match} accept" for match in _to(place, ends, book))
    yield from NO
    yield "    }"


def _by_place(rows: tuple[Row, ...]) -> dict[str, tuple[End, ...]]:
    found: dict[str, tuple[End, ...]] = {}
    for end in (end for row in rows for end in row.connects):
        ends = found.get(end.place, ())
        found[end.place] = ends if end in ends else (*ends, end)
    return found


def _others(borders: Borders, book: Book) -> Iterator[str]:
    """Everybody else on the machine. Packets without a socket (the kernel's own) match no user, and pass."""
    inner = tuple(end for place in OURS for end in borders.places[place])
    yield "    chain others {"
    yield f"        meta skuid > 0 oif lo tcp dport {_ports(inner)} {RESET}"
    for place in ALONE:
        for match in _to(place, borders.places[place], book):
            yield f"        meta skuid > 0 {match} {RESET}"
    yield "    }"
