"""A small world with one pinned issuer whose tokens can be made well, or badly in every way."""

import hashlib
import hmac
import json
import os
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from strongroom.clock import SECOND, Millis
from strongroom.envelope import small
from strongroom.identity.context import Context, ContextKey, ContextVerifier, Signer, hash_token, sign_context
from strongroom.identity.dpop import Proofs
from strongroom.identity.issuers import Issuer, Issuers, Pin
from strongroom.identity.refusal import Refusal
from strongroom.identity.sessions import Revoked
from strongroom.identity.strict import base64url
from strongroom.identity.token import Verified, Verifier
from strongroom.ids import new_id

AnyKey = ECKey | OKPKey | RSAKey

NOW = Millis(1_767_225_600_000)
URL = "https://store.example/fhir/Binary/x"


def seal(header: dict[str, Any], payload: bytes, key: AnyKey | bytes) -> str:
    """A compact JWS of exactly these parts, signed under the algorithm in `header`; with bytes: as HS256 does."""
    signed = f"{base64url(json.dumps(header).encode())}.{base64url(payload)}"
    if isinstance(key, bytes):
        return f"{signed}.{base64url(hmac.digest(key, signed.encode(), 'sha256'))}"
    name = "Ed25519" if header["alg"] == "EdDSA" else header["alg"]
    return f"{signed}.{base64url(JWSRegistry.algorithms[name].sign(signed.encode(), key))}"


@dataclass
class World:
    """One issuer, one keeper's verifier, one gateway."""

    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "k1"}))
    client_key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256"))
    gateway: ContextKey = field(default_factory=lambda: ContextKey(small.new_key(), Signer.GATEWAY))
    revoked: Revoked = field(default_factory=Revoked)
    issuer: Issuer = field(init=False)
    verifier: Verifier = field(init=False)
    contexts: ContextVerifier = field(init=False)

    def __post_init__(self) -> None:
        pin = Pin(
            "https://op.example",
            "https://store.example/fhir",
            frozenset({"ES256", "RS256", "EdDSA"}),
            mfa_acr=frozenset({"urn:loa:3"}),
            bound_clients=frozenset({"robot"}),
            jwks_uri="https://op.example/jwks",
        )
        self.issuer = Issuer(pin)
        self.offer(self.key)
        self.verifier = Verifier(Issuers([self.issuer]), self.revoked, Proofs())
        self.contexts = ContextVerifier([self.gateway])

    def offer(self, *keys: AnyKey, now: Millis = NOW) -> None:
        """What the courier's pipe brings."""
        self.issuer.offer(json.dumps({"keys": [key.as_dict(private=False) for key in keys]}).encode(), now)

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Claims of a good token; None takes one away."""
        at = NOW // SECOND
        claims = {
            "iss": "https://op.example", "aud": "https://store.example/fhir", "sub": "u1", "sid": "s1", "jti": "j1",
            "client_id": "portal", "iat": at, "exp": at + 600, "auth_time": at, "amr": ["pwd", "otp"],
        }  # fmt: skip
        return {name: value for name, value in {**claims, **changes}.items() if value is not None}

    def seal(self, header: dict[str, Any], payload: bytes) -> str:
        """Exactly these parts, signed by the issuer."""
        return seal(header, payload, self.key)

    def token(self, *, key: AnyKey | bytes | None = None, header: dict[str, Any] | None = None, **changes: Any) -> str:
        """A token; good unless changed."""
        head = {"alg": "ES256", "kid": "k1", "typ": "at+jwt", **(header or {})}
        return seal(head, json.dumps(self.claims(**changes)).encode(), key or self.key)

    def context(self, token: str, *, now: Millis = NOW, method: str = "GET", url: str = URL) -> Context:
        """The verified circumstances of a request that carries `token`; another request every time."""
        told = {"address": "203.0.113.7", "method": method, "url": url, "request": new_id()}
        signed = sign_context(self.gateway, token=token, now=now, **told)
        context = self.contexts.verify(signed, now)
        assert isinstance(context, Context)
        return context

    def ask(self, token: str, proof: str = "", *, now: Millis = NOW, **request: str) -> Verified | Refusal:
        """What the keeper makes of it."""
        return self.verifier.verify(token, proof, self.context(token, now=now, **request), now)

    def proof(
        self, token: str, *, key: ECKey | None = None, header: dict[str, Any] | None = None, **changes: Any
    ) -> str:
        """A DPoP proof; good unless changed."""
        used = key or self.client_key
        head = {"alg": "ES256", "typ": "dpop+jwt", "jwk": used.as_dict(private=False), **(header or {})}
        claims = {"jti": "p1", "htm": "GET", "htu": URL, "iat": NOW // SECOND, "ath": hash_token(token), **changes}
        return seal(head, json.dumps(claims).encode(), used)

    @property
    def bound(self) -> dict[str, Any]:
        """The claims that bind a token to `client_key`."""
        return {"cnf": {"jkt": self.client_key.thumbprint()}}


@pytest.fixture
def world() -> World:
    """A fresh world."""
    return World()


@pytest.fixture
def umask() -> Iterator[None]:
    """The widest umask, so that modes are ours and not the shell's."""
    before = os.umask(0)
    yield
    os.umask(before)


@dataclass(frozen=True)
class Authority:
    """A certificate authority of its own, and one server it vouches for."""

    pem: str
    certificate: Path
    key: Path
    spki: bytes

    def server(self) -> ssl.SSLContext:
        """The server's side of TLS."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.certificate, self.key)
        return context


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certify(subject: str, public: Any, issuer: str, signer: Any, *, names: tuple[str, ...] = ()) -> x509.Certificate:
    """A certificate; of an authority when there are no `names`."""
    now = datetime.now(UTC)
    hosts = [x509.DNSName(name) if name[0].isalpha() else x509.IPAddress(ip_address(name)) for name in names]
    builder = x509.CertificateBuilder().subject_name(_name(subject)).issuer_name(_name(issuer)).public_key(public)
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(hours=1))
    builder = builder.not_valid_after(now + timedelta(hours=6))
    builder = builder.add_extension(x509.BasicConstraints(ca=not names, path_length=None), critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    around = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    builder = builder.add_extension(around, critical=False)
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName(hosts), critical=False)
    else:
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)  # its form
        builder = builder.add_extension(usage, critical=True)
    return builder.sign(signer, hashes.SHA256())


@pytest.fixture(scope="session")
def make_authority(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Authority]:
    """Makes authorities, each with a server for the names given."""

    def make(*names: str) -> Authority:
        ca, leaf = generate_private_key(SECP256R1()), generate_private_key(SECP256R1())
        root = _certify("test authority", ca.public_key(), "test authority", ca)
        certificate = _certify("server", leaf.public_key(), "test authority", ca, names=names)
        where = tmp_path_factory.mktemp("tls")
        (where / "cert.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
        (where / "key.pem").write_bytes(leaf.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        public = leaf.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        pem = root.public_bytes(Encoding.PEM).decode()
        return Authority(pem, where / "cert.pem", where / "key.pem", hashlib.sha256(public).digest())

    return make
