"""A portal of another make: sign-in and documents are two servers, people have three credentials, each patient has a document 1.

It asks whether somebody is signed in, and never whose a document is. Of two credentials it obeys the token.
"""

import contextlib
import json
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

from strongroom.identity.strict import base64url

EACH = 6
"""Documents of a patient."""
SETTINGS = """
[guard]
mode = "enforce"

[upstreams.sign-in]
url = "http://127.0.0.1:{port}"
connections = 4
answer_seconds = 60

[[person]]
by = "cookie"
name = "sid"
known = true

[[person]]
by = "cookie"
name = "stays"
known = true

[[person]]
by = "jwt"
name = "email"
known = true

[[route]]
name = "sign-in"
upstream = "sign-in"
path = "/sign-in"
methods = ["POST"]
content_types = ["application/x-www-form-urlencoded"]
login = {{ form = "email" }}

[[route]]
name = "me"
upstream = "sign-in"
path = "/me"
login = {{ answer = "email" }}

[[route]]
name = "pages"
upstream = "sign-in"
path = "/pages/{{file:path}}"

[[route]]
name = "records"
path = "/patients/{{patient:int}}/records"
shows = {{ ids = ["items[].nr"] }}

[[route]]
name = "record"
path = "/patients/{{patient:int}}/records/{{document:int}}"
within = "patient"
"""


@dataclass
class Other:
    """Both servers. `asked`: paths, by server. `good`: tokens and sessions that were given out, and whose they are."""

    good: dict[str, str] = field(default_factory=dict)
    asked: dict[str, list[str]] = field(default_factory=lambda: {"sign-in": [], "records": []})
    ports: dict[str, int] = field(default_factory=dict)

    def token(self, email: str) -> str:
        """What the app is given, elsewhere."""
        made = ".".join(base64url(json.dumps(part).encode()) for part in ({}, {"email": email}, secrets.token_hex(8)))
        self.good[made] = email
        return made

    def session(self, email: str) -> str:
        """A cookie's value; what a single sign-on gives, that nobody here sees."""
        made = secrets.token_hex(16)
        self.good[made] = email
        return made


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    other: Other
    name: str

    def do_POST(self) -> None:
        """http.server's: a login, whatever the password."""
        self.other.asked[self.name].append(self.path)
        fields = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        given = ("sid", *(("stays",) if "stay" in fields else ()))
        self._says(204, b"", *(f"{name}={self.other.session(fields['email'][0])}; HttpOnly" for name in given))

    def do_GET(self) -> None:
        """http.server's."""
        self.other.asked[self.name].append(self.path)
        cookies = {name: one.value for name, one in SimpleCookie(self.headers.get("Cookie", "")).items()}
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        known = [one in self.other.good for one in (token, cookies.get("sid"), cookies.get("stays"))]
        if self.name == "sign-in":
            whose = self.other.good.get(cookies.get("sid", ""))
            self._says(200, json.dumps({"email": whose}).encode() if self.path == "/me" else b"<form>")
        elif not known[0] if token else not any(known):
            self._says(401, b"who?")
        else:
            begins = () if token or known[1] else (f"sid={self.other.session(self.other.good[cookies['stays']])}",)
            patient, *number = self.path.removeprefix("/patients/").split("/records")
            if number == [""]:
                self._says(200, json.dumps({"items": [{"nr": one} for one in range(1, EACH + 1)]}).encode(), *begins)
            else:
                there = 0 < int(number[0][1:]) <= EACH
                self._says(200 if there else 404, f"record {number[0][1:]} of {patient}".encode(), *begins)

    def log_message(self, *args: object) -> None:
        """http.server's: nothing."""

    def _says(self, status: int, body: bytes, *cookies: str) -> None:
        self.send_response(status)
        for one in cookies:
            self.send_header("Set-Cookie", one)
        self.send_header("Content-Type", "application/json" if body.startswith(b"{") else "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextlib.contextmanager
def portal() -> Iterator[Other]:
    """Both, served."""
    one = Other()
    with contextlib.ExitStack() as stack:
        for name in one.asked:
            handler = type("Handler", (_Handler,), {"other": one, "name": name})
            server = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), handler))
            server.daemon_threads = True
            stack.callback(server.shutdown)
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
            one.ports[name] = server.server_port
        yield one
