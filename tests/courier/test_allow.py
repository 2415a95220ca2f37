import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.courier.allow import Allowed, Denied, allow
from strongroom.errors import ConfigError
from strongroom.identity.pipe import Target

LISTED = allow(["https://op.example/jwks", "https://two.example:8443/keys"])


@pytest.mark.parametrize("target", [Target("op.example", 443), Target("two.example", 8443)])
def test_listed_hosts(target: Target) -> None:
    """The hosts of the configured addresses may be connected to."""
    assert LISTED.judge(target.line()) == target


@pytest.mark.parametrize(
    "line",
    [
        b"CONNECT op.example:8443\n", b"CONNECT two.example:443\n", b"CONNECT evil.example:443\n",
        b"CONNECT op.example.evil.example:443\n", b"CONNECT 127.0.0.1:8441\n", b"", b"CONNECT op.example:443",
    ],
)  # fmt: skip
def test_other_hosts(line: bytes) -> None:
    """Another host, another port or no line at all leads nowhere, whoever asks."""
    assert isinstance(LISTED.judge(line), Denied)


@given(st.binary(max_size=60))
def test_an_empty_list_leads_nowhere(line: bytes) -> None:
    """With nothing configured the courier connects to nothing."""
    assert isinstance(Allowed().judge(line), Denied)


def test_only_https() -> None:
    """An address without TLS is a mistake of configuration."""
    with pytest.raises(ConfigError):
        allow(["http://op.example/jwks"])
