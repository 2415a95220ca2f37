"""From an address to the network that a disclosure is charged to. Pure; an address is never an identity."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from strongroom.errors import ConfigError, Malformed

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_SHORTEST = {4: 8, 6: 19}
"""Shortest prefix a declared network may have: a /0 would give the whole world an organisation's allowance."""
_SCOPE = 64
"""Bits of an IPv6 address that count: the rest is the device's to choose."""


@dataclass(frozen=True, slots=True)
class Declared:
    """Organisations' own networks, longest prefix first."""

    networks: tuple[tuple[Network, str], ...] = ()


def declare(networks: Mapping[str, Iterable[str]]) -> Declared:
    """The declared networks of `networks`, name to CIDRs. Raises ConfigError for one that is wrong, wide or double."""
    found: dict[Network, str] = {}
    for name, blocks in networks.items():
        for block in blocks:
            network = _network(block, name)
            if network in found:
                msg = f"Network {block} is declared twice."
                raise ConfigError(msg)
            found[network] = name
    return Declared(tuple(sorted(found.items(), key=lambda item: -item[0].prefixlen)))


def parse_address(text: str) -> Address:
    """`text` as an address; an IPv4 address in IPv6 clothes (::ffff:a.b.c.d) becomes IPv4. Raises Malformed."""
    try:
        address = ip_address(text)
    except ValueError as error:
        msg = "Not an IP address."
        raise Malformed(msg) from error
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            msg = "An address with a zone is not a remote address."
            raise Malformed(msg)
        return address.ipv4_mapped or address
    return address


def network_of(address: Address, declared: Declared) -> str:
    """`org:NAME` for an address in a declared network, else its /32 or /64 as text."""
    for network, name in declared.networks:
        if address in network:
            return f"org:{name}"
    return f"{address}/32" if isinstance(address, IPv4Address) else str(ip_network((address, _SCOPE), strict=False))


def _network(block: str, name: str) -> Network:
    try:
        network = ip_network(block)
    except ValueError as error:
        msg = f"Network {name}: {block} is not an address block such as 192.0.2.0/24."
        raise ConfigError(msg) from error
    if network.prefixlen < _SHORTEST[network.version]:
        msg = f"Network {name}: {block} is wider than /{_SHORTEST[network.version]}."
        raise ConfigError(msg, advice="Declare the organisation's own addresses only.")
    return network
