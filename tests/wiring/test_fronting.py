"""Our own gateway before our own app: everything that the app serves is described, and what is signed is what came."""

import re
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from strongroom.api.routes import WAYS, Way
from strongroom.cli.main import cli
from strongroom.clock import SystemClock
from strongroom.config import Layout, parse
from strongroom.envelope.mime import DEFAULT
from strongroom.errors import ConfigError
from strongroom.fhir.search import PARAMETERS
from strongroom.gateway.contract import Contract, Request
from strongroom.gateway.refusal import Refusal
from strongroom.identity.context import CONTEXT, Context, ContextKey, ContextVerifier, Signer, hash_token
from strongroom.ids import new_id
from strongroom.secret import Secret
from strongroom.wiring import fronting
from strongroom.wiring.described import DESCRIBED
from strongroom.wiring.gateway import read_settings

STORE = '[store]\nname = "s"\ndemonstration = {demonstration}\n[gateway]\nenabled = true\nport = 9\n{more}\n'
JSON = (b"content-type", b"application/fhir+json")
FORM = (b"content-type", b"application/x-www-form-urlencoded")


def spelled(path: str) -> bytes:
    """An address that the way serves."""
    return re.sub(r"\{\w+\}", lambda one: "1" if one[0] == "{version}" else new_id(), path).encode()


@pytest.mark.parametrize(
    "way", [one for one in WAYS if one.path != "/readyz"], ids=lambda way: f"{way.method} {way.path}"
)
def test_every_way_into_the_api_is_described(way: Way) -> None:
    """What a client may do without a gateway it may do with one. /readyz is not for clients."""
    contract = Contract(read_settings(DESCRIBED / "store.toml"))
    method, path = way.method, way.path
    kind = FORM if path.endswith("_search") else (b"content-type", b"text/plain") if "Binary" in path else JSON
    headers = [(b"host", b"h")] + ([kind, (b"content-length", b"2")] if method in {"POST", "PUT"} else [])
    found = contract.check(Request(method, spelled(path), headers))
    assert not isinstance(found, Refusal), found


@pytest.mark.parametrize("name", [*PARAMETERS, "_id", "patient", "subject", "_count", "_sort", "_page", "_format"])
def test_every_search_parameter_is_described(name: str) -> None:
    """And may come more than once where the API takes the values together."""
    contract = Contract(read_settings(DESCRIBED / "store.toml"))
    value = "5" if name == "_count" else "abc"
    address = f"/fhir/DocumentReference?{name}={value}"
    assert not isinstance(contract.check(Request("GET", address.encode(), [(b"host", b"h")])), Refusal)
    twice = contract.check(Request("GET", f"{address}&{name}={value}".encode(), [(b"host", b"h")]))
    assert isinstance(twice, Refusal) is (name not in PARAMETERS and name != "_id")


def test_a_step_up_proves_who_somebody_is() -> None:
    """The keeper takes a fresh second factor for it; nothing else of the API asks for one that tells the gateway."""
    routes = read_settings(DESCRIBED / "store.toml").routes
    assert [one.route.name for one in routes if one.route.proves] == ["step-up"]


def vouch() -> tuple[fronting.Vouch, ContextVerifier]:
    """A signer, and whoever believes it."""
    key = ContextKey(Secret(bytes(32)), Signer.GATEWAY)
    return fronting.Vouch(key, "https://portal.example", SystemClock()), ContextVerifier([key])


@pytest.mark.parametrize(("scheme", "device"), [(b"Bearer", b"phone-1"), (b"dpop", b""), (b"bearer", b"not a name")])
def test_what_is_signed_is_what_came(scheme: bytes, device: bytes) -> None:
    """The token's hash, the client's address, the method, the address without its query; a device only in our form."""
    signer, verifier = vouch()
    headers = [(b"authorization", scheme + b" abc.def"), (b"x-device-id", device)]
    [(name, told)] = signer(headers, method="GET", wire=b"/fhir/Binary/x?a=b", client="2001:db8::7", request="r1")
    assert name == CONTEXT.encode()
    found = verifier.verify(told.decode(), SystemClock().now())
    assert isinstance(found, Context)
    assert (str(found.address), found.method, found.url) == (
        "2001:db8::7",
        "GET",
        "https://portal.example/fhir/Binary/x",
    )
    assert (found.token_hash, found.request) == (hash_token("abc.def"), "r1")
    assert found.device == (device.decode() if device == b"phone-1" else "")


@pytest.mark.parametrize("value", [b"", b"Basic YTpi", b"Bearer a b", b"Bearer " + b"a" * 8_193])
def test_without_a_token_nothing_is_vouched_for(value: bytes) -> None:
    """The app refuses such a request by itself."""
    signer, _ = vouch()
    assert signer([(b"authorization", value)], method="GET", wire=b"/", client="192.0.2.1", request="r") == []


def test_the_stores_configuration_has_the_last_word(tmp_path: Path) -> None:
    """Where it listens, what is on, whose user; media types and the longest document are the app's."""
    more = 'guard = "enforce"\nwaf = "detect"\n[api]\nmax_document_mb = 7\n[users]\ngateway = 61004\n'
    config = parse(STORE.format(demonstration="false", more=more).encode())
    checked = fronting._settings(config, Layout(tmp_path))
    told = checked.settings
    assert (told.gateway.port, told.gateway.user, told.guard.mode, told.waf.mode) == (9, "61004", "enforce", "detect")
    [deposit] = [one.route for one in checked.routes if one.route.name == "deposit"]
    assert (set(deposit.content_types), deposit.max_body) == (set(DEFAULT), 7 * 1_048_576)


def test_only_a_demonstration_goes_on_without_a_waf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And says so. Any other store does not start: what is missing is told, with what installs it."""

    def missing(_: object) -> None:
        msg = "There is no libmodsecurity."
        raise ConfigError(msg, advice="apt-get install libmodsecurity3")

    monkeypatch.setattr(fronting, "open_waf", missing)
    said: list[str] = []
    monkeypatch.setattr(fronting.log, "warning", lambda *words: said.append(words[0] % words[1:]))
    config = parse(STORE.format(demonstration="true", more="").encode())
    assert fronting._settings(config, Layout(tmp_path)).settings.waf.mode == "off"
    assert any("apt-get install" in one for one in said)
    other = parse(STORE.format(demonstration="false", more="").encode())
    assert fronting._settings(other, Layout(tmp_path)).settings.waf.mode == "block"
    assert msgspec.structs.asdict(other.gateway)["enabled"] is True


def test_the_public_address_is_the_gateways() -> None:
    """What clients are told, and what tokens are for."""
    config = parse(STORE.format(demonstration="true", more="").encode())
    assert config.base == "http://127.0.0.1:9/fhir"


def test_behind_a_gateway_the_app_listens_to_this_machine_alone(tmp_path: Path) -> None:
    """Whatever address the street is offered: that is the gateway's, and the sign-in's."""
    arguments = ["init", "--store", str(tmp_path / "s"), "--host", "192.0.2.7"]
    assert CliRunner().invoke(cli, arguments).exit_code == 0
    config = parse((tmp_path / "s" / "strongroom.toml").read_bytes())
    assert (config.gateway.host, config.api.host, config.signin.host) == ("192.0.2.7", "127.0.0.1", "192.0.2.7")
    assert (
        CliRunner().invoke(cli, [*arguments[:2], str(tmp_path / "t"), *arguments[3:], "--gateway-port", "0"]).exit_code
        == 0
    )
    assert parse((tmp_path / "t" / "strongroom.toml").read_bytes()).api.host == "192.0.2.7"
