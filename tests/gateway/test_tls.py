"""TLS on both sides: the gateway shows its own certificate, and believes only the portal's."""

import datetime as dt
import ipaddress
import socket
import ssl
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from strongroom.errors import ConfigError
from strongroom.gateway.upstream import read_origin
from tests.gateway.conftest import LONG, everything, gateway, read

REQUEST = b"GET /page HTTP/1.1\r\nHost: portal\r\nConnection: close\r\n\r\n"


@dataclass
class Certificate:
    """Of 127.0.0.1, signed by itself."""

    certificate: Path
    key: Path


def made(folder: Path, name: str) -> Certificate:
    """A certificate of a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )
    one = Certificate(folder / f"{name}.pem", folder / f"{name}.key")
    one.certificate.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    one.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )  # fmt: skip
    return one


def portal(one: Certificate, stop: threading.Event) -> int:
    """A portal with this certificate that answers `ok`, to as many as come; its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(one.certificate, one.key)
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(0.1)

    def run() -> None:
        with listening:
            while not stop.is_set():
                try:
                    plain = listening.accept()[0]
                    plain.settimeout(LONG)
                    with context.wrap_socket(plain, server_side=True) as connection:
                        connection.recv(65_536)
                        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
                except OSError:  # nobody came; whoever came did not believe us
                    continue

    threading.Thread(target=run, daemon=True).start()
    return int(listening.getsockname()[1])


@pytest.mark.parametrize(("believed", "status"), [(True, 200), (False, 502)])
def test_tls_on_both_sides(tmp_path: Path, believed: bool, status: int) -> None:
    """A portal with another certificate than the one that is believed is not asked."""
    own, theirs, other = (made(tmp_path, name) for name in ("gateway", "portal", "other"))
    settings = f"""
[gateway]
certificate = "{own.certificate}"
key = "{own.key}"

[upstream]
ca_file = "{(theirs if believed else other).certificate}"

[[route]]
name = "page"
path = "/page"
"""
    stop = threading.Event()
    port = portal(theirs, stop)
    context = ssl.create_default_context(cafile=str(own.certificate))
    with gateway(settings.encode(), port, "https") as served:
        client = context.wrap_socket(served.connect(), server_hostname="127.0.0.1")
        client.sendall(REQUEST)
        assert read(everything(client))[0] == status
        client.close()
    stop.set()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "portal",
        "ftp://portal",
        "http://",
        "http://portal/path",
        "http://user:x@portal",
        "http://portal:99999",
        "http://portal?x",
    ],
)
def test_an_upstream_is_a_scheme_a_host_and_a_port(url: str) -> None:
    """Anything else is a mistake that is said."""
    with pytest.raises(ConfigError):
        read_origin(url)


def test_ports_are_those_of_the_scheme() -> None:
    """80 and 443; a file of certificates must be one."""
    assert (read_origin("http://portal").port, read_origin("https://portal/").port) == (80, 443)
    with pytest.raises(ConfigError, match="ca_file"):
        read_origin("https://portal", "/nowhere.pem")
