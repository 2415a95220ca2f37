"""One GET over TLS through a pipe that somebody else holds: bytes in, bytes out, no sockets.

The keeper is the TLS client; the courier sees ciphertext. Whoever owns the courier can cut or delay the pipe, and
nothing else: a certificate must chain to the pinned authority, name the host, and, where a pin is configured, carry
that very public key. Redirects are not followed: the address was pinned too.
"""

import hashlib
import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum, auto, unique

import h11
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from strongroom.errors import ConfigError
from strongroom.identity.jwk import MAX_JWKS
from strongroom.identity.pipe import Target, parse_uri

MAX_WIRE = 262_144
"""Bytes received in all: a certificate chain of about 10 KB, headers, and a key set four times over."""
MAX_HEAD = 16_384
_READ = 4_096
"""Bytes at a time, so that `MAX_HEAD` is noticed while a head is still growing."""
_OK = 200


@unique
class _State(Enum):
    HANDSHAKE = auto()
    ANSWER = auto()
    ENDED = auto()


@dataclass(frozen=True, slots=True)
class Source:
    """Where a key set is fetched, and whom to believe there."""

    target: Target
    path: str
    tls: ssl.SSLContext
    spki: frozenset[bytes] = frozenset()
    """SHA-256 of acceptable public keys (RFC 7469, section 2.4). Empty: any that the authority vouches for."""


def source(uri: str, *, authorities: str | None, spki: Iterable[bytes] = ()) -> Source:
    """The source at `uri`. `authorities`: PEM; None means those of the system. Raises ConfigError."""
    target, path = parse_uri(uri)
    try:
        tls = ssl.create_default_context(cadata=authorities)
    except ssl.SSLError as error:
        msg = f"The certificate authority for {uri} does not parse."
        raise ConfigError(msg, advice="ca_file is a PEM file of one or more certificates.") from error
    tls.minimum_version = ssl.TLSVersion.TLSv1_2
    # Some builds of Python take a cut connection for the end of the answer: then whoever holds the pipe could shorten it.
    tls.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    return Source(target, path, tls, frozenset(spki))


class Fetch:
    """One conversation: `start`, then `receive` until `ended`; then `body` or `failure` tells how it went.

    Never raises for anything the other side sends. Time is the caller's to bound.
    """

    def __init__(self, where: Source) -> None:
        self.body: bytes | None = None
        self.failure = ""
        self._where = where
        self._state = _State.HANDSHAKE
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = where.tls.wrap_bio(self._incoming, self._outgoing, server_hostname=where.target.host)
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD)
        self._received = 0
        self._answer = bytearray()

    @property
    def ended(self) -> bool:
        """Whether there is nothing more to send or to wait for."""
        return self._state is _State.ENDED

    def start(self) -> bytes:
        """The first bytes to send."""
        return self._step()

    def receive(self, data: bytes) -> bytes:
        """Bytes to send in return for `data`. Empty `data`: the other side closed."""
        self._received += len(data)
        if self._received > MAX_WIRE:
            return self._fail("The issuer sent more than a key set can be.")
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()
        return self._step()

    def _step(self) -> bytes:
        steps: dict[_State, Callable[[], None]] = {_State.HANDSHAKE: self._shake, _State.ANSWER: self._read}
        try:
            while step := steps.get(self._state):
                step()
        except ssl.SSLWantReadError:
            pass  # all that arrived is read; the next `receive` goes on from here
        except ssl.SSLCertVerificationError as error:
            return self._fail(f"The certificate is not acceptable: {error.verify_message}.")
        except (ssl.SSLError, OSError):
            return self._fail("TLS failed, or the connection was cut.")
        except h11.RemoteProtocolError:
            return self._fail("The answer is not HTTP, or is longer than allowed.")
        return self._outgoing.read()

    def _shake(self) -> None:
        self._tls.do_handshake()
        if self._where.spki and _spki(self._tls) not in self._where.spki:
            self._fail("The certificate does not carry the pinned key.")
            return
        request = h11.Request(
            method="GET",
            target=self._where.path,
            headers=[("Host", _authority(self._where.target)), ("Accept", "application/json"), ("Connection", "close")],
        )
        self._tls.write((self._http.send(request) or b"") + (self._http.send(h11.EndOfMessage()) or b""))
        self._state = _State.ANSWER

    def _read(self) -> None:
        self._http.receive_data(self._tls.read(_READ))  # b"": the issuer itself said, under TLS, that it is done
        while self._state is _State.ANSWER:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                return
            self._take(event)

    def _take(self, event: object) -> None:
        if isinstance(event, h11.Response) and event.status_code != _OK:
            self._fail(f"The issuer answered with status {event.status_code}.")
        elif isinstance(event, h11.Data):
            self._answer += event.data
            if len(self._answer) > MAX_JWKS:
                self._fail("The key set is longer than allowed.")
        elif isinstance(event, h11.EndOfMessage):
            self.body = bytes(self._answer)
            self._state = _State.ENDED
        elif not isinstance(event, h11.Response | h11.InformationalResponse):
            self._fail("The issuer closed without an answer.")

    def _fail(self, why: str) -> bytes:
        self.failure = self.failure or why
        self._state = _State.ENDED
        return b""


def _spki(tls: ssl.SSLObject) -> bytes:
    certificate = x509.load_der_x509_certificate(tls.getpeercert(binary_form=True) or b"")
    return hashlib.sha256(
        certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ).digest()


def _authority(target: Target) -> str:
    return target.host if target.port == 443 else f"{target.host}:{target.port}"  # noqa: PLR2004  # https's own port
