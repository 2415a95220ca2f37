"""The published texts of the policy (Cedar) and their hash. Package data; the one thing in this room that is read."""

import hashlib
from functools import cache
from importlib.resources import files

POLICY = "policy.cedar"
SCHEMA = "policy.cedarschema"


def text(name: str) -> str:
    """The published text of this name."""
    return files("strongroom.authz").joinpath(name).read_text("utf-8")


@cache
def policy_hash() -> str:
    """SHA-256 of both texts, in hex; read once. Every decision in the log carries its first 16 digits."""
    return hashlib.sha256(f"{text(POLICY)}\0{text(SCHEMA)}".encode()).hexdigest()
