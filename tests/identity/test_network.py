import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import ConfigError, Malformed
from strongroom.identity.network import Declared, declare, network_of, parse_address

DECLARED = declare(
    {
        "hospital": ["192.0.2.0/24", "2001:db8:1::/48"],
        "ward": ["192.0.2.128/25"],
    }
)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7/32"),
        ("::ffff:203.0.113.7", "203.0.113.7/32"),
        ("2001:db8:2:3:4::5", "2001:db8:2:3::/64"),
        ("192.0.2.1", "org:hospital"),
        ("::ffff:192.0.2.1", "org:hospital"),
        ("192.0.2.129", "org:ward"),
        ("2001:db8:1:ffff::1", "org:hospital"),
        ("::1", "::/64"),
    ],
)
def test_network_of(address: str, network: str) -> None:
    """An address counts for itself (IPv4) or its /64 (IPv6), unless an organisation declared it; the narrowest wins."""
    assert network_of(parse_address(address), DECLARED) == network


@given(st.ip_addresses(v=4))
def test_mapped_addresses_are_the_same(address: object) -> None:
    """An IPv4 address in IPv6 clothes is the same network as without."""
    assert network_of(parse_address(f"::ffff:{address}"), DECLARED) == network_of(parse_address(str(address)), DECLARED)


@pytest.mark.parametrize(
    "text", ["", "localhost", "1.2.3", "1.2.3.4/32", "01.2.3.4", "fe80::1%eth0", " 1.2.3.4", "1.2.3.4\n"]
)
def test_no_address(text: str) -> None:
    """What is no address of a remote host is refused."""
    with pytest.raises(Malformed):
        parse_address(text)


@pytest.mark.parametrize(
    "networks",
    [
        {"a": ["0.0.0.0/0"]},
        {"a": ["::/0"]},
        {"a": ["10.0.0.0/7"]},
        {"a": ["2000::/3"]},
        {"a": ["192.0.2.1/24"]},
        {"a": ["hospital.example"]},
        {"a": ["192.0.2.0/24"], "b": ["192.0.2.0/24"]},
    ],
)
def test_declarations_not_taken(networks: dict[str, list[str]]) -> None:
    """A declared network that is the whole world, no block, or two organisations' is refused."""
    with pytest.raises(ConfigError):
        declare(networks)


def test_nothing_declared() -> None:
    """Without declarations every address counts for itself."""
    assert declare({}) == Declared()
