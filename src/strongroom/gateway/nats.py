"""Events to a stream of NATS (JetStream): each is published under its number, and is taken when the stream says that it has it.

Plain NATS tells nobody whether somebody listened: for events that is not enough. A number that comes again is known again by the
stream, so that what was tried twice is there once.

The client library goes on in the clear where a server, or whoever stands before it, does not ask for TLS. We do not: neither token
nor event is sent before the connection is encrypted, where the address says `tls`.
"""

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from strongroom.errors import ConfigError
from strongroom.gateway.http import check_address, trusted
from strongroom.secret import Secret

if TYPE_CHECKING:
    from nats.aio.client import Client

TIMEOUT: Final = 10.0
"""Seconds until a connection, and until a batch is acknowledged."""
LEAVING: Final = 0.5
"""Seconds until a connection is let go."""


class Nats:
    """One server. The library's loop runs in a thread of its own: it answers the server while nothing is sent."""

    def __init__(self, url: str, subject: str, token: Secret | None, ca_file: str) -> None:
        """Raises ConfigError where the library is not installed, and for what is no address or no file of certificates."""
        try:
            from nats import errors  # noqa: PLC0415  # an extra that other receivers do not need
            from nats.aio.client import Client  # noqa: PLC0415
        except ImportError as error:
            msg = "Events are to go to NATS, but its client is not installed."
            raise ConfigError(msg, advice="Install strongroom[nats].") from error
        check_address(url, {"tls": 4222, "nats": 4222}, "[events.nats] url")
        self._url, self._subject, self._token = url, subject, token
        self._tls = trusted(ca_file) if urlsplit(url).scheme == "tls" else None
        self._make, self._failures = Client, (errors.Error, OSError, TimeoutError)
        self._client: Client | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="nats", daemon=True)
        self._thread.start()

    def send(self, events: Sequence[tuple[str, bytes]]) -> None:
        """See `outbox.Way`."""
        under_way = asyncio.run_coroutine_threadsafe(asyncio.wait_for(self._sent(events), TIMEOUT), self._loop)
        try:
            under_way.result()
        except self._failures as error:
            self._left()
            name = type(error).__name__.removesuffix("Error")
            msg = f"no stream takes {self._subject}" if name == "NoStreamResponse" else f"not acknowledged: {name}"
            raise OSError(msg) from error

    def close(self) -> None:
        """See `outbox.Way`."""
        self._left()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _sent(self, events: Sequence[tuple[str, bytes]]) -> None:
        if self._client is None or not self._client.is_connected:
            self._client = await self._connected()
        stream = self._client.jetstream()
        told = [
            await stream.publish_async(self._subject, line, headers={"Nats-Msg-Id": number}) for number, line in events
        ]
        await asyncio.gather(*told)

    async def _connected(self) -> "Client":
        client = self._make()

        def token() -> str:
            self._must_be_hidden(client)
            return self._token.reveal().decode() if self._token is not None else ""

        try:
            await client.connect(
                [self._url], tls=self._tls, token=token if self._token is not None else None, error_cb=_unheard,
                name="strongroom-gateway", connect_timeout=int(TIMEOUT), allow_reconnect=False, max_reconnect_attempts=1,
                reconnect_time_wait=0,
            )  # fmt: skip
            self._must_be_hidden(client)
        except BaseException:
            await _closed(client)
            raise
        return client

    def _must_be_hidden(self, client: "Client") -> None:
        transport = client._transport  # noqa: SLF001  # the library says nowhere whether a connection is encrypted
        writer = getattr(transport, "_io_writer", None)
        hidden = writer is not None and isinstance(writer.get_extra_info("ssl_object"), ssl.SSLObject)
        if self._tls is not None and not hidden:
            msg = "the server does not speak TLS"
            raise ConnectionRefusedError(msg)

    def _left(self) -> None:
        """The next batch begins with a connection of its own."""
        client, self._client = self._client, None
        if client is not None:
            asyncio.run_coroutine_threadsafe(_closed(client), self._loop).result()


async def _closed(client: "Client") -> None:
    """Let a connection go, whatever state it is in; after a failed handshake the library would wait for its end for ever."""
    with contextlib.suppress(Exception):
        await asyncio.wait_for(client.close(), LEAVING)


async def _unheard(_error: Exception) -> None:
    """What went wrong is told by what was not acknowledged."""
