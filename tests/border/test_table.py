"""The table says what a configuration means, and what it does not say is closed."""

import re
from pathlib import Path

import pytest

from strongroom.border import dns
from strongroom.border.table import FACES, TABLE, declare
from strongroom.config import Layout, parse
from strongroom.errors import ConfigError, OperationError

LAYOUT = Layout(Path("/srv/store"))
GOLDEN = parse((Path(__file__).parent / "golden" / "strongroom.toml").read_bytes())


def test_every_name_in_a_row_means_something() -> None:
    """No row names a place, a socket or a file that there is not: a misspelt one would close nothing."""
    found = declare(GOLDEN, LAYOUT)
    for row in TABLE:
        assert {*row.connects, *filter(None, [row.listens])} <= set(found.places), row.name
        assert {*row.opens, *row.offers} <= set(found.sockets), row.name
        assert {*row.files, *row.takes} <= set(found.files), row.name
    named = {name for row in TABLE for name in row.files}
    assert set(found.files) - named == {"officers", "copy key"}
    assert {row.name for row in TABLE if row.listens == FACES} == {"gateway"}


def test_the_page_has_a_row_for_each_process() -> None:
    """docs/network.md tells of every process of the table, and of no other."""
    page = (Path(__file__).parents[2] / "docs" / "network.md").read_text()
    rows = re.findall(r"(?m)^\| ([a-z]+)(?: \(.*\))? \|", page.partition("| process |")[2].partition("\n\n")[0])
    assert sorted(rows) == sorted(row.name for row in TABLE)


def test_nothing_is_two_processes_own() -> None:
    """A file has one owner, a socket one that opens it; only the app reaches objects, only the keeper an HSM."""
    files = [name for row in TABLE for name in row.files]
    opened = [name for row in TABLE for name in row.opens]
    assert (len(files), len(opened)) == (len(set(files)), len(set(opened)))
    for place, alone in (("objects", "app"), ("hsm", "keeper"), ("app", "gateway"), ("signin", "gateway")):
        assert [row.name for row in TABLE if place in row.connects] == [alone]


def test_a_user_is_closed_to_what_is_others() -> None:
    """What a process may not open is everything of the table but its own."""
    found = declare(GOLDEN, LAYOUT)
    closed = set(found.closed(61001))
    assert {
        LAYOUT.keeper,
        LAYOUT.signin,
        LAYOUT.admin_socket,
        LAYOUT.courier_socket,
        Path("/etc/strongroom/pin"),
    } <= closed
    assert not {LAYOUT.app, LAYOUT.socket, LAYOUT.root / "objects.key"} & closed
    assert LAYOUT.socket in found.closed(61003)
    hidden = found.hidden(found.row("publisher"))
    assert LAYOUT.keeper in found.hidden(found.row("app"))
    assert LAYOUT.keeper in hidden  # its log was opened before
    assert LAYOUT.run not in hidden
    assert LAYOUT.admin_socket.parent in hidden


def test_places_come_from_the_configuration() -> None:
    """Addresses of AWS where none is given, default ports by scheme, IPv6 in brackets."""
    text = """[store]
    name = "x"
    [objects]
    kind = "s3"
    bucket = "docs"
    region = "ap-southeast-2"
    [[witness]]
    vkey = "w"
    url = "http://w.example.net/a"
    [reach]
    siem = ["[fd00::5]:6514"]
    """
    found = declare(parse(text.encode()), LAYOUT)
    shown = {place: [end.shown for end in ends] for place, ends in found.places.items()}
    assert shown["objects"] == ["docs.s3.ap-southeast-2.amazonaws.com:443"]
    assert (shown["witnesses"], shown["siem"]) == (["w.example.net:80"], ["[fd00::5]:6514"])
    assert found.hosts == ("docs.s3.ap-southeast-2.amazonaws.com", "w.example.net")


@pytest.mark.parametrize(
    "endpoint", ["ftp://x", "https://", "https://x:99999", "https://a b/", "https://[::1", "https://x'y/"]
)
def test_an_address_that_is_none_is_refused(endpoint: str) -> None:
    """It would go into rules that somebody loads as root."""
    config = parse(f'[store]\nname = "x"\n[objects]\nkind = "s3"\nendpoint = "{endpoint}"'.encode())
    with pytest.raises(ConfigError, match="names no host"):
        declare(config, LAYOUT)


@pytest.mark.parametrize("given", ["10.0.0.0/33", "example.org", "10.0.0.1; drop", "fe80::1%eth0 x", "fe80::1%eth0"])
def test_a_network_that_is_none_is_refused(given: str) -> None:
    """Before anything is made of it."""
    for field in ("gateways", "resolvers", "admin"):
        with pytest.raises(ConfigError, match=f"reach.{field}"):
            parse(f'[store]\nname = "x"\n[reach]\n{field} = ["{given}"]'.encode())


def test_a_name_server_is_one_address_and_administrators_may_be_a_network() -> None:
    """Rules ask a server by its address; who comes in may come from many."""
    parse(b'[store]\nname = "x"\n[reach]\nadmin = ["10.0.0.0/8"]\nresolvers = ["fd00::1"]')
    with pytest.raises(ConfigError, match="no address"):
        parse(b'[store]\nname = "x"\n[reach]\nresolvers = ["10.0.0.0/8"]')


def test_a_name_is_looked_up_or_said_to_be_unknown() -> None:
    """The machine's own name service answers; for what it does not know there is an advice."""
    assert set(dns.ask("localhost")) & {"127.0.0.1", "::1"}
    with pytest.raises(OperationError) as caught:
        dns.ask("no-such-host.invalid")
    assert "--address no-such-host.invalid=" in caught.value.advice
