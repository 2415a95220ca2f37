"""What is outside of the store: an issuer elsewhere (an HTTPS server of its own authority), and a witness."""

import contextlib
import datetime as dt
import http.server
import json
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from strongroom.config import Layout
from strongroom.identity import keyfile
from strongroom.tlog.cosign import Cosigner
from strongroom.wiring.place import VKEY
from strongroom.wiring.port import free_port


class Provider:
    """An issuer's key set over TLS."""

    def __init__(self, folder: Path) -> None:
        key = generate_private_key(SECP256R1())
        self.port = free_port()
        self.url = f"https://localhost:{self.port}"
        self.authority = folder / "authority.pem"
        self.answers = 0
        """How often the key set was fetched."""
        self._pem = folder / "provider.pem"
        numbers = generate_private_key(SECP256R1()).public_key().public_numbers()
        self.jwks = json.dumps({"keys": [_jwk("k1", numbers.x, numbers.y)]}).encode()
        certificate = _certificate(key)
        self.authority.write_bytes(certificate.public_bytes(Encoding.PEM))
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        self._pem.write_bytes(secret + certificate.public_bytes(Encoding.PEM))
        self.start()

    def start(self) -> None:
        """Answer."""
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # the library's name
                provider.answers += 1
                self.send_response(200)
                self.send_header("Content-Length", str(len(provider.jwks)))
                self.end_headers()
                self.wfile.write(provider.jwks)

            def log_message(self, *_: Any) -> None:
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._pem)
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()


class Watcher:
    """A witness, as a process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "witness"
        self._folder.mkdir()
        key = keyfile.create(self._folder / "witness.key")
        self.vkey = Cosigner("witness.example/w", key.public_bytes).vkey()
        (self._folder / "witness.vkey").write_text(f"{self.vkey}\n")
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None
        self._log = ""

    def start(self, layout: Layout | None = None) -> None:
        """Watch over the log of this store."""
        if layout is not None:
            self._log = (layout.trust / VKEY).read_text().strip()
        command = ["-m", "strongroom.cli.main", "witness", "serve", str(self._folder), "--log", self._log]
        self._process = subprocess.Popen([sys.executable, *command, "--port", str(self._port)])

    def stop(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def wait_for(done: Any, seconds: float = 60.0) -> bool:
    """Whether `done()` became true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError, ValueError):
            if done():
                return True
        time.sleep(0.1)
    return False


def _jwk(kid: str, x: int, y: int) -> dict[str, str]:
    from strongroom.identity.strict import base64url  # noqa: PLC0415  # only here

    return {
        "kty": "EC",
        "crv": "P-256",
        "kid": kid,
        "alg": "ES256",
        "use": "sig",
        "x": base64url(x.to_bytes(32, "big")),
        "y": base64url(y.to_bytes(32, "big")),
    }


def _certificate(key: Any) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.fromtimestamp(time.time(), dt.UTC)
    day = dt.timedelta(days=1)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
