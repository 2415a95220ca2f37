"""A built-in issuer with one user and one program, with cheap hashes and a clock that is moved by hand."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import argon2
import pytest
from joserfc.jwk import ECKey
from joserfc.jws import JWSRegistry

from strongroom.clock import SECOND, ManualClock
from strongroom.identity.signing import SigningKey, generate
from strongroom.identity.strict import base64url
from strongroom.secret import Secret
from strongroom.signin.assertion import TYPE
from strongroom.signin.enrol import Enrolled, Enrolment
from strongroom.signin.grants import Asked, Denied, Grants, Issued
from strongroom.signin.password import Passwords
from strongroom.signin.settings import Settings
from strongroom.signin.sqlite import People, create
from strongroom.signin.totp import Sealer, code_at

ISSUER = "https://signin.example"
PASSWORD = "four unrelated words"


def sign(header: dict[str, Any], claims: dict[str, Any], key: ECKey) -> str:
    """A compact JWS of exactly these parts."""
    signed = ".".join(base64url(json.dumps(part).encode()) for part in (header, claims))
    return f"{signed}.{base64url(JWSRegistry.algorithms[header['alg']].sign(signed.encode(), key))}"


@dataclass
class Desk:
    """The issuer, and the people who come to it."""

    people: People
    clock: ManualClock = field(default_factory=ManualClock)
    key: SigningKey = field(default_factory=generate)
    settings: Settings = field(default_factory=lambda: Settings(ISSUER, "https://store.example/fhir"))
    sealer: Sealer = field(default_factory=lambda: Sealer(Secret(b"k" * 32)))
    passwords: Passwords = field(default_factory=lambda: Passwords(argon2.PasswordHasher(1, 8, 1)))
    program_key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-384", {"kid": "c1"}))
    proof_key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256"))
    proofs: int = 0
    grants: Grants = field(init=False)
    enrolment: Enrolment = field(init=False)
    ann: Enrolled = field(init=False)
    robot: str = field(init=False)

    def __post_init__(self) -> None:
        self.grants = self.open()
        self.enrolment = Enrolment(self.people, self.passwords, self.sealer)
        self.ann = self.enrolment.add_user("Ann", PASSWORD)
        jwks = json.dumps({"keys": [self.program_key.as_dict(private=False)]}).encode()
        self.robot = self.enrolment.add_program("robot", jwks)

    def open(self) -> Grants:
        """The issuer as after a restart."""
        return Grants(self.settings, self.key, self.people, self.clock, sealer=self.sealer, passwords=self.passwords)

    def code(self) -> str:
        """What Ann's authenticator shows now."""
        return code_at(self.ann.totp, self.clock.now())

    def form(self, **changes: str) -> dict[str, str]:
        """A good sign-in form of Ann's."""
        form = {"grant_type": "password", "client_id": "cli", "username": "ann", "password": PASSWORD}
        return {**form, "otp": self.code(), **changes}

    def sign_in(self, *, network: str = "203.0.113.7/32", proof: str = "", **changes: str) -> Issued | Denied:
        """Ann signs in."""
        return self.grants.token(Asked(self.form(**changes), network, "203.0.113.7", proof))

    def assertion(self, *, key: ECKey | None = None, header: dict[str, Any] | None = None, **changes: Any) -> str:
        """The program's statement; good unless changed."""
        at = self.clock.now() // SECOND
        self.proofs += 1
        claims = {"iss": "robot", "sub": "robot", "aud": f"{ISSUER}/token", "exp": at + 300, "jti": f"a{self.proofs}"}
        return sign({"alg": "ES384", "kid": "c1", **(header or {})}, {**claims, **changes}, key or self.program_key)

    def run_program(self, assertion: str, proof: str | None = None, **changes: str) -> Issued | Denied:
        """The program asks for a token."""
        form = {"grant_type": "client_credentials", "client_assertion_type": TYPE, "client_assertion": assertion}
        shown = self.proof() if proof is None else proof
        return self.grants.token(Asked({**form, **changes}, "198.51.100.1/32", "198.51.100.1", shown))

    def proof(self, path: str = "/token", **changes: Any) -> str:
        """A DPoP proof for a POST to the issuer."""
        self.proofs += 1
        header = {"alg": "ES256", "typ": "dpop+jwt", "jwk": self.proof_key.as_dict(private=False)}
        claims = {"jti": f"p{self.proofs}", "htm": "POST", "htu": ISSUER + path, "iat": self.clock.now() // SECOND}
        return sign(header, {**claims, **changes}, self.proof_key)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A fresh issuer."""
    create(tmp_path / "signin.db")
    people = People(tmp_path / "signin.db")
    yield Desk(people)
    people.close()
