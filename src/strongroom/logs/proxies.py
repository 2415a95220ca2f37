"""Addresses that ask for others: a content network, a load balancer in another's house.

Whoever connects may write whatever they like into X-Forwarded-For. A proxy adds behind it whom it saw itself. So where the operator
names the networks of the proxies, who asked is the last address that is in none of them, and what stands before it is not believed.
Private addresses are proxies of one's own (`web.client`).
"""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from strongroom.errors import ConfigError
from strongroom.logs import formats, web
from strongroom.logs.formats import Format
from strongroom.logs.record import Kind

MOST: Final = 4_096
"""Networks. Content networks have some hundred at most."""
_ADDRESS, _PRINCIPAL, _KIND, _SAID = "src_endpoint.ip", "principal", "principal.kind", "http_request.x_forwarded_for"


@dataclass(frozen=True, slots=True)
class Proxies:
    """`lengths`: (version, length of the prefix) that there are; `prefixes`: (version, length, prefix as a number)."""

    lengths: frozenset[tuple[int, int]]
    prefixes: frozenset[tuple[int, int, int]]

    def among(self, address: str) -> bool:
        """Whether it is one of theirs. What is no address is none."""
        try:
            asked = ip_address(address)
        except ValueError:
            return False
        mapped = getattr(asked, "ipv4_mapped", None)
        asked = mapped or asked
        return any(
            version == asked.version
            and (version, length, int(asked) >> (asked.max_prefixlen - length)) in self.prefixes
            for version, length in self.lengths
        )

    def client(self, address: str, said: str) -> str:
        """Who asked, where `address` is a proxy; the proxy itself where it does not tell."""
        known = (one for one in web.hops(said) if not web.PRIVATE.fullmatch(one) and not self.among(one))
        return next(known, address)

    def changed(self, events: pa.Table) -> pa.Table:
        """The events with whoever asked through a proxy in its place."""
        if not {_ADDRESS, _PRINCIPAL, _KIND, _SAID} <= set(events.column_names):
            return events
        addresses, said = (events[name].combine_chunks().cast(pa.string()) for name in (_ADDRESS, _SAID))
        given = addresses.dictionary_encode()
        theirs = pa.array([bool(one) and self.among(one) for one in given.dictionary.to_pylist()], pa.bool_())
        passed = pc.and_(pc.coalesce(theirs.take(given.indices), pa.scalar(value=False)), said.is_valid())
        if not passed.true_count:
            return events
        pairs = zip(addresses.filter(passed).to_pylist(), said.filter(passed).to_pylist(), strict=True)
        known: dict[tuple[str, str], str] = {}
        clients = pa.array(
            [known.get(pair) or known.setdefault(pair, self.client(*pair)) for pair in pairs], pa.string()
        )
        moved = pc.replace_with_mask(addresses, passed, clients)
        who, kind = (events[name].combine_chunks().cast(pa.string()) for name in (_PRINCIPAL, _KIND))
        who = pc.if_else(pc.equal(kind, pa.scalar(Kind.ADDRESS.value)), moved, who)
        for name, column in ((_ADDRESS, moved), (_PRINCIPAL, who)):
            events = events.set_column(events.column_names.index(name), name, column)
        return events


def claimed(sample: bytes, format_: Format) -> bool:
    """Whether most requests from outside, of a file that begins like this, say that they are somebody else's: nobody who names no
    proxies knows then who asked.
    """
    if _SAID not in format_.fields:
        return False
    address, said = (format_.fields.index(name) for name in (_ADDRESS, _SAID))
    rows = [row for row in formats.sampled(format_, sample) if not web.PRIVATE.fullmatch(row[address] or "-")]
    foreign = [row for row in rows if row[said] and row[address] not in web.hops(row[said])]
    return 2 * len(foreign) > len(rows)


def read(written: list[str]) -> Proxies:
    """Networks as 192.0.2.0/24 or addresses. Raises ConfigError with the one that does not fit."""
    if len(written) > MOST:
        raise ConfigError(f"More than {MOST} proxies are named.")
    networks = [_network(one) for one in written]
    return Proxies(
        frozenset((one.version, one.prefixlen) for one in networks),
        frozenset(
            (one.version, one.prefixlen, int(one.network_address) >> (one.max_prefixlen - one.prefixlen))
            for one in networks
        ),
    )


def _network(written: str) -> IPv4Network | IPv6Network:
    try:
        network = ip_network(written)
    except ValueError as error:
        raise ConfigError(
            f"The proxy {written!r} is no network.", advice="Write 192.0.2.0/24, 2001:db8::/32 or an address."
        ) from error
    if network.prefixlen == 0:
        raise ConfigError(f"The proxy {written!r} is the whole internet: everybody could say who they are.")
    return network
