import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import ConfigError, Malformed
from strongroom.identity.pipe import Target, parse_line, parse_uri

_hosts = st.text(alphabet="abcxyz019.-", min_size=1, max_size=253)


@given(_hosts, st.integers(1, 65_535))
def test_round_trip(host: str, port: int) -> None:
    """What the keeper writes, the courier reads."""
    assert parse_line(Target(host, port).line()) == Target(host, port)


@pytest.mark.parametrize(
    "line",
    [
        b"", b"\n", b"CONNECT op.example:443", b"CONNECT op.example:443\r\n", b"CONNECT op.example:443\n\n",
        b"CONNECT op.example:0\n", b"CONNECT op.example:65536\n", b"CONNECT op.example:0443\n",
        b"CONNECT op.example:\n", b"CONNECT :443\n",
        b"CONNECT OP.example:443\n", b"CONNECT a b:443\n", b"CONNECT [::1]:443\n", b"GET / HTTP/1.1\n",
        b"CONNECT " + b"a" * 254 + b":443\n",
    ],
)  # fmt: skip
def test_other_lines(line: bytes) -> None:
    """One form of the line is taken, and no other."""
    with pytest.raises(Malformed):
        parse_line(line)


@given(st.binary(max_size=60))
def test_garbage(line: bytes) -> None:
    """Garbage raises Malformed, and never anything else."""
    with pytest.raises(Malformed):
        parse_line(b"X" + line)


@pytest.mark.parametrize(
    ("uri", "target", "path"),
    [
        ("https://op.example/jwks", Target("op.example", 443), "/jwks"),
        ("https://OP.example:8443", Target("op.example", 8443), "/"),
        ("https://127.0.0.1:1/a/b?c=d", Target("127.0.0.1", 1), "/a/b?c=d"),
    ],
)
def test_addresses(uri: str, target: Target, path: str) -> None:
    """An https address is taken apart into where to connect and what to ask for."""
    assert parse_uri(uri) == (target, path)


@pytest.mark.parametrize(
    "uri",
    [
        "", "op.example", "http://op.example/jwks", "https:///jwks", "https://u:p@op.example/", "https://op.example/#x",
        "https://op.example:99999/", "https://op.example:0/", "https://[::1]/", "https://op.example/a b",
        "https://op.example/a\r\nHost:evil", "https://op_1.example/",
    ],
)  # fmt: skip
def test_addresses_not_taken(uri: str) -> None:
    """No plain http, no user, no fragment, nothing that could break a line."""
    with pytest.raises(ConfigError):
        parse_uri(uri)
