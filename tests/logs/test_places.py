"""Where in the world an address is."""

import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import ConfigError
from strongroom.logs import mapping, places
from strongroom.logs.batch import table
from tests.logs.mmdb import mmdb

COUNTRIES = mmdb(
    {
        "192.0.2.0/24": {"country": {"iso_code": "NZ"}},
        "198.51.100.0/24": {"country": {"iso_code": "ro"}},
        "2001:db8::/32": {"country": {"iso_code": "AU"}},
    }
)
NETWORKS = mmdb(
    {"192.0.2.0/24": {"autonomous_system_number": 64496}, "203.0.113.0/24": {"autonomous_system_number": 64497}}
)
BOTH = mmdb(
    {
        "192.0.2.0/25": {"country_code": "NZ", "country": "New Zealand", "asn": "AS64500"},
        "192.0.2.128/25": {"country": "FJ", "asn": "none"},
        "198.51.100.0/24": {"country": {"names": "x"}, "asn": "AS99999999999"},
    }
)


def test_each_file_tells_what_it_knows() -> None:
    """A country from one, a network from the other; of IPv6 too; of nobody nothing."""
    both = places.Places((COUNTRIES, NETWORKS))
    assert both.of("192.0.2.9") == ("NZ", 64496)
    assert both.of("198.51.100.1") == ("RO", None)
    assert both.of("203.0.113.1") == (None, 64497)
    assert both.of("2001:db8::1") == ("AU", None)
    for nobody in ("10.0.0.1", "::1", "not an address", "192.0.2.9:443", "", None):
        assert both.of(nobody) == (None, None)


def test_one_file_may_tell_both_in_another_makers_words() -> None:
    """Flat, and what is no country or number of ours is none."""
    one = places.Places((BOTH,))
    assert [one.of(f"192.0.2.{n}") for n in (1, 200)] == [("NZ", 64500), ("FJ", None)]
    assert one.of("198.51.100.1") == (None, None)


def test_events_get_their_places(tmp_path: Path) -> None:
    """By a mapping that names the files beside it. Events without addresses stay as they are."""
    (tmp_path / "c.mmdb").write_bytes(COUNTRIES)
    (tmp_path / "n.mmdb").write_bytes(NETWORKS)
    (tmp_path / "m.toml").write_text('places = ["c.mmdb", "n.mmdb"]')
    found = mapping.load(tmp_path / "m.toml")
    events = table(("time", "src_endpoint.ip"), [(1, "192.0.2.1"), (2, None), (3, "198.51.100.2"), (4, "192.0.2.1")])
    changed = found.changed(events)
    assert changed[places.COUNTRY].to_pylist() == ["NZ", None, "RO", "NZ"]
    assert changed[places.PROVIDER].to_pylist() == [64496, None, None, 64496]
    others = table(("time",), [(1,)])
    assert found.changed(others) is others


def test_places_travel() -> None:
    """To another process, without the files."""
    there = pickle.loads(pickle.dumps(places.Places((COUNTRIES,))))  # noqa: S301  # our own
    assert there.of("192.0.2.9") == ("NZ", None)


def test_what_is_no_such_file_is_refused_by_name(tmp_path: Path) -> None:
    """A packed download, and one that is not there."""
    (tmp_path / "x.mmdb").write_bytes(b"\x1f\x8b" + b"x" * 1000)
    for name in ("x.mmdb", "none.mmdb"):
        (tmp_path / "m.toml").write_text(f'places = ["{name}"]')
        with pytest.raises(ConfigError, match=name):
            mapping.load(tmp_path / "m.toml")


@given(at=st.integers(0, len(COUNTRIES) - 1), byte=st.integers(0, 255), cut=st.booleans())
def test_a_broken_file_is_refused_or_answers(at: int, byte: int, cut: bool) -> None:
    """Any byte another, or the rest gone: a refusal that says so, or a place that is one."""
    raw = COUNTRIES[:at] if cut else COUNTRIES[:at] + bytes([byte]) + COUNTRIES[at + 1 :]
    try:
        found = places.Places((raw,))
        told = [found.of(address) for address in ("192.0.2.9", "198.51.100.1", "2001:db8::1", "10.0.0.1")]
    except ConfigError:
        return
    for country, provider in told:
        assert country is None or (len(country) == 2 and country.isalpha())
        assert provider is None or provider > 0
