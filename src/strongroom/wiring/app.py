"""Putting the app together: ciphertext, sealed metadata, a way to the door, and nothing else."""

import asyncio
import logging

from strongroom.api.app import Api, create_app
from strongroom.api.settings import MIB, Settings
from strongroom.api.sweep import Sweeper
from strongroom.clock import Clock, SystemClock
from strongroom.config import Config, Layout
from strongroom.documents.local import local_blobs
from strongroom.documents.objects import Objects
from strongroom.documents.probe import probe
from strongroom.documents.s3 import Bucket, read_credentials, s3_blobs
from strongroom.documents.sqlite import Catalogue
from strongroom.envelope.mime import DEFAULT, bare
from strongroom.errors import ConfigError
from strongroom.identity import keyfile
from strongroom.identity.context import ContextKey, Signer, sign_context
from strongroom.keeper.client import KeeperClient
from strongroom.secret import Secret

log = logging.getLogger("strongroom.app")

ENTRY = 5 / 7
"""Of the patience, for a row of the catalogue: an upload needs the door and the object store besides."""
DOOR = 8 / 7
"""Of the patience, for the keeper, which itself waits so long for its log."""


def open_blobs(config: Config, layout: Layout, *, answer: float | None = None) -> Objects:
    """The object store. `answer` as `Objects` has it. Raises ConfigError."""
    if config.objects.kind == "local":
        return local_blobs(layout.root / config.objects.path, config.objects.timeout_seconds, answer=answer)
    bucket = Bucket(
        config.objects.bucket, config.objects.endpoint, config.objects.region, config.objects.allow_http,
        config.objects.timeout_seconds,
    )  # fmt: skip
    return s3_blobs(bucket, read_credentials(layout.root / config.objects.access_key_file), answer=answer)


def read_context_key(layout: Layout, owner: int | None = None, signer: Signer = Signer.LOCAL) -> ContextKey:
    """A signer's key. `owner` as in `keyfile.read_private`. Raises ConfigError."""
    path = layout.gateway_key if signer is Signer.GATEWAY else layout.context_key
    try:
        return ContextKey(Secret(keyfile.read_private(path, owner=owner)), signer)
    except ValueError as error:
        msg = f"{path} is no context key."
        raise ConfigError(msg, advice="Put it back from a backup.") from error


class ContextSigner:
    """The local signer of request context, where there is no gateway."""

    def __init__(self, key: ContextKey, clock: Clock) -> None:
        self._key = key
        self._clock = clock

    def __call__(self, *, token: str, address: str, method: str, url: str, device: str, request: str, **_: str) -> str:
        """See `api.ports.ContextSigner`."""
        return sign_context(
            self._key, token=token, address=address, now=self._clock.now(), method=method, url=url, device=device,
            request=request,
        )  # fmt: skip


class ContextForwarder:
    """Hands on what the gateway signed. Whoever came around it has nothing that the keeper believes."""

    def __call__(self, *, told: str, **_: str) -> str:
        """See `api.ports.ContextSigner`."""
        return told


def open_app(config: Config, layout: Layout, clock: Clock | None = None) -> tuple[Api, Sweeper]:
    """The FHIR server, and what goes on beside it.

    Probes the object store first, and says loudly what it cannot do. Raises ConfigError.
    """
    clock = clock or SystemClock()
    patient = open_blobs(config, layout)
    for warning in asyncio.run(probe(patient)).warnings:
        log.warning("%s", warning)
    settings = Settings(
        base=config.base,
        page_key=Secret(keyfile.read_private(layout.page_key)),
        max_document=config.api.max_document_mb * MIB,
        probe=config.api.probe,
        media_types=DEFAULT if config.api.media_types is None else frozenset(map(bare, config.api.media_types)),
    )
    signer = ContextForwarder() if config.gateway.enabled else ContextSigner(read_context_key(layout), clock)
    patience = config.store.patience_seconds
    blobs, catalogue = open_blobs(config, layout, answer=patience), Catalogue.open(layout.catalogue, ENTRY * patience)
    app = create_app(KeeperClient(layout.socket, DOOR * patience), blobs, catalogue, signer, clock, settings)
    return app, Sweeper(patient, catalogue, app.parts.shelf.is_read, clock)
