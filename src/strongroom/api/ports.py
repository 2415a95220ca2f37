"""What the API needs from elsewhere, as small protocols. The door is the keeper, wherever it runs."""

from typing import Protocol

from strongroom.documents.sqlite import Entry
from strongroom.keeper.protocol import AppRequest, Reply


class Door(Protocol):
    """The keeper, as an app sees it."""

    async def ask(self, request: AppRequest) -> Reply:
        """One question, one answer. Raises Unavailable when none comes in time; never answers for the keeper."""


class ContextSigner(Protocol):
    """Signs the circumstances of a request; or, behind a gateway, hands on what it signed."""

    def __call__(self, *, token: str, address: str, method: str, url: str, device: str, request: str, told: str) -> str:
        """A context (see identity.context) for one request that carries `token`. `request` names this occasion.

        `told`: what came as `Strongroom-Context`. Only a gateway's is worth anything, and only its signature shows that it is one.
        """


class Catalogue(Protocol):
    """Versions of documents: sealed metadata, and where the bytes are."""

    async def put(self, document: str, version: int, metadata: bytes, blob: str) -> None:
        """Enter a new version. Durable when it returns. Raises Conflict when it is there, Unavailable."""

    async def get(self, document: str, version: int, edition: int) -> Entry | None:
        """One edition of a version. Raises Unavailable."""
