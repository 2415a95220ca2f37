"""The whole way of an issuer's keys, with a real provider behind TLS, the courier, and the keeper's own TLS."""

import asyncio
import fcntl
import json
import os
import shutil
import ssl
import subprocess
import time
import urllib.parse
import urllib.request
import uuid
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey
from joserfc.jws import JWSRegistry

from strongroom.clock import ManualClock, Millis
from strongroom.courier.allow import Allowed
from strongroom.courier.relay import Limits, Relay
from strongroom.envelope import small
from strongroom.identity.context import Context, ContextKey, ContextVerifier, Signer, hash_token, sign_context
from strongroom.identity.dpop import Proofs
from strongroom.identity.fetch import source
from strongroom.identity.issuers import COOLDOWN, Issuer, Issuers, Pin
from strongroom.identity.pipe import parse_uri
from strongroom.identity.refusal import Refusal
from strongroom.identity.sessions import Revoked
from strongroom.identity.socket import CourierDoor
from strongroom.identity.strict import base64url
from strongroom.identity.token import Verified, Verifier

NPM = Path(__file__).parents[1] / "npm"
AUDIENCE = "https://store.example/fhir"
READ = f"{AUDIENCE}/Binary/x"


@pytest.fixture(scope="session")
def node() -> str:
    """Node with oidc-provider installed. In CI its absence is a failure, elsewhere a skip that names it."""
    found = shutil.which("node")
    missing = found is None or shutil.which("npm") is None
    if missing and os.environ.get("STRONGROOM_CI") == "1":
        pytest.fail("node and npm are missing; the tests against a real OpenID Connect provider need them.")
    if missing or found is None:
        pytest.skip("needs node and npm, for a real OpenID Connect provider")
    with (NPM / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # pytest's workers come here at the same time
        if not (NPM / "node_modules" / "oidc-provider").exists():
            subprocess.run(["npm", "ci", "--ignore-scripts"], cwd=NPM, check=True, capture_output=True, timeout=300)
    return found


@dataclass
class Provider:
    """The provider's process, its client's key, and how to ask it for a token."""

    node: str
    authority: Any
    client: ECKey = field(default_factory=lambda: ECKey.generate_key("P-384", {"kid": "c1", "alg": "ES384"}))
    port: int = 0
    issuer: str = ""
    process: "subprocess.Popen[str] | None" = None

    def start(self, kid: str, authority: Any = None) -> None:
        """(Re)start on the same port, with a new signing key under the name `kid`."""
        self.stop()
        tls = authority or self.authority
        told = {
            "port": self.port, "cert": str(tls.certificate), "key": str(tls.key), "kid": kid, "audience": AUDIENCE,
            "client": self.client.as_dict(private=False),
        }  # fmt: skip
        self.process = subprocess.Popen(
            [self.node, "op.mjs", json.dumps(told)],
            cwd=NPM,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        listening = json.loads(self.process.stdout.readline())
        self.port, self.issuer = listening["port"], listening["issuer"]

    def stop(self) -> None:
        """End the process that `start` made."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate()

    def token(self, proof: str = "") -> dict[str, Any]:
        """The answer to a client_credentials request, authenticated by private_key_jwt."""
        form = {
            "grant_type": "client_credentials",
            "scope": "system/DocumentReference.rs",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": self._assertion(),
        }
        headers = {"DPoP": proof} if proof else {}
        request = urllib.request.Request(  # noqa: S310  # https, to our own process
            f"{self.issuer}/token", urllib.parse.urlencode(form).encode(), headers
        )
        tls = ssl.create_default_context(cadata=self.authority.pem)
        with urllib.request.urlopen(request, context=tls, timeout=10) as answer:  # noqa: S310  # the same
            found: dict[str, Any] = json.load(answer)
        return found

    def _assertion(self) -> str:
        now = int(time.time())
        claims = {"iss": "robot", "sub": "robot", "aud": self.issuer, "iat": now, "exp": now + 60}
        return _sign({"alg": "ES384", "kid": "c1"}, {**claims, "jti": uuid.uuid4().hex}, self.client)


def _sign(header: dict[str, Any], claims: dict[str, Any], key: ECKey) -> str:
    signed = ".".join(base64url(json.dumps(part).encode()) for part in (header, claims))
    return f"{signed}.{base64url(JWSRegistry.algorithms[header['alg']].sign(signed.encode(), key))}"


@pytest.fixture(scope="module")
def authority(make_authority: Callable[..., Any]) -> Any:
    """The authority that the keeper pins."""
    return make_authority("localhost")


@pytest.fixture
def provider(node: str, authority: Any) -> Iterator[Provider]:
    """A running provider that signs with the key `k1`."""
    running = Provider(node, authority)
    running.start("k1")
    yield running
    running.stop()


class House:
    """A keeper's identity and a courier, on the real sockets, believing one provider."""

    def __init__(self, provider: Provider, authority: Any, path: Path) -> None:
        uri = f"{provider.issuer}/jwks"
        self.clock = ManualClock(Millis(time.time_ns() // 1_000_000))
        self.issuer = Issuer(Pin(provider.issuer, AUDIENCE, frozenset({"ES256"}), jwks_uri=uri))
        self.verifier = Verifier(Issuers([self.issuer]), Revoked(), Proofs())
        self._door = CourierDoor(
            Issuers([self.issuer]), {provider.issuer: source(uri, authorities=authority.pem)}, self.clock, poll=0.01
        )
        self._socket = path / "courier.sock"
        target = parse_uri(uri)[0]
        self._relay = Relay(self._socket, Allowed(frozenset({target})), limits=Limits(retry=0.01))
        self._signer = ContextKey(small.new_key(), Signer.LOCAL)
        self._contexts = ContextVerifier([self._signer])

    def run(self, script: Callable[[], Awaitable[None]]) -> None:
        """`script`, with the courier at work beside it."""

        async def all_of_it() -> None:
            async with await asyncio.start_unix_server(self._door.serve, self._socket), asyncio.timeout(60):
                courier = asyncio.create_task(self._relay.run())
                await script()
                courier.cancel()
                await asyncio.gather(courier, return_exceptions=True)

        asyncio.run(all_of_it())

    async def until(self, what: Callable[[], bool]) -> None:
        """Wait for the courier's work to show."""
        while not what():  # noqa: ASYNC110  # there is no event to wait for; the whole is bounded
            await asyncio.sleep(0.01)

    def ask(self, token: str, proof: str = "") -> Verified | Refusal:
        """What the keeper makes of `token` now."""
        now = self.clock.now()
        told = {"address": "203.0.113.7", "method": "GET", "url": READ, "request": uuid.uuid4().hex}
        signed = sign_context(self._signer, token=token, now=now, **told)
        context = self._contexts.verify(signed, now)
        assert isinstance(context, Context)
        return self.verifier.verify(token, proof, context, now)


def test_keys_rotation_and_tokens(provider: Provider, authority: Any, tmp_path: Path) -> None:
    """A real provider's token is believed once its keys came; after it rotated, again, and only by asking once more."""
    house = House(provider, authority, tmp_path)

    async def script() -> None:
        first = provider.token()["access_token"]
        assert isinstance(house.ask(first), Refusal)
        await house.until(lambda: house.issuer.fetched is not None)
        who = house.ask(first)
        assert isinstance(who, Verified)
        assert (who.issuer, who.subject, who.client, who.mfa) == (provider.issuer, "robot", "robot", False)

        provider.start("k2")
        second = provider.token()["access_token"]
        fetched = house.issuer.fetched
        house.clock.advance(COOLDOWN)
        assert isinstance(house.ask(second), Refusal)
        assert house.issuer.wanted(house.clock.now())
        await house.until(lambda: house.issuer.fetched != fetched)
        assert isinstance(house.ask(second), Verified)
        assert isinstance(house.ask(first), Verified)  # the old key's overlap

    house.run(script)


def test_a_courier_that_forges_keys(provider: Provider, make_authority: Callable[..., Any], tmp_path: Path) -> None:
    """A courier that leads to a provider of its own, with a certificate of its own, brings no key."""
    genuine = provider.authority
    house = House(provider, genuine, tmp_path)

    async def script() -> None:
        provider.authority = make_authority("localhost")
        provider.start("k1")
        forged = provider.token()["access_token"]
        await house.until(lambda: house.issuer.failure.startswith("The certificate is not acceptable"))
        assert house.issuer.fetched is None
        assert isinstance(house.ask(forged), Refusal)

    house.run(script)


def test_bound_tokens(provider: Provider, authority: Any, tmp_path: Path) -> None:
    """A real provider's DPoP-bound token is believed with a proof by its key, once, and not without."""
    house = House(provider, authority, tmp_path)
    key = ECKey.generate_key("P-256")
    header = {"alg": "ES256", "typ": "dpop+jwt", "jwk": key.as_dict(private=False)}

    def proof(method: str, url: str, **claims: str) -> str:
        told = {"jti": uuid.uuid4().hex, "htm": method, "htu": url, "iat": int(time.time()), **claims}
        return _sign(header, told, key)

    async def script() -> None:
        answer = provider.token(proof("POST", f"{provider.issuer}/token"))
        assert answer["token_type"] == "DPoP"
        token = answer["access_token"]
        await house.until(lambda: house.issuer.fetched is not None)
        mine = proof("GET", READ, ath=hash_token(token))
        assert isinstance(house.ask(token), Refusal)
        who = house.ask(token, mine)
        assert isinstance(who, Verified)
        assert who.bound
        assert isinstance(house.ask(token, mine), Refusal)

    house.run(script)
