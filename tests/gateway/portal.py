"""A small patient portal as too many are: numeric ids, cookie sessions, and nobody who asks whose letter it is.

    GET  /                       the page to sign in
    POST /login                  form user, password -> session cookie
    GET  /letters                one's own letters, as JSON; /inbox the same as a page with links
    GET  /letters/NUMBER         any letter, to anybody who is signed in (the hole)
    GET  /export/NUMBER          any letter, to anybody at all (the forgotten route)
    POST /letters                deposit: raw bytes
    GET  /crash                  a failure with its insides shown

`python portal.py PORT`; patient N of 1 to 50 has the password `pN` and the letters 10N to 10N+3.
"""

import json
import secrets
import sys
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

PATIENTS = 50
LETTERS = {
    10 * patient + one: f"Letter {one} of patient {patient}".encode()
    for patient in range(1, PATIENTS + 1)
    for one in range(4)
}
SESSIONS: dict[str, int] = {}


class Portal(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:  # http.server's name
        """Read."""
        path = self.path.partition("?")[0]
        name = path.rpartition("/")[2]
        who = self.who()
        if path == "/":
            self.answer(
                200, b"<form method=post action=/login><input name=user><input name=password></form>", "text/html"
            )
        elif path == "/crash":
            self.answer(500, b"Traceback: SELECT * FROM patients WHERE password='hunter2'")
        elif path.startswith("/export/") and name.isdigit() and int(name) in LETTERS:
            self.answer(200, LETTERS[int(name)], "application/pdf")
        elif who is None:
            self.answer(401, b"sign in")
        elif path == "/letters":
            own = [{"id": number, "title": "Letter"} for number in LETTERS if number // 10 == who]
            self.answer(200, json.dumps({"items": own}).encode(), "application/json")
        elif path == "/inbox":
            links = "".join(f'<a href="letters/{number}">{number}</a>' for number in LETTERS if number // 10 == who)
            self.answer(200, links.encode(), "text/html")
        elif path.startswith("/letters/") and name.isdigit() and int(name) in LETTERS:
            self.answer(200, LETTERS[int(name)], "application/pdf")
        else:
            self.answer(404, b"no such letter")

    def do_POST(self) -> None:  # as above
        """Sign in, deposit."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/login":
            form = parse_qs(body.decode())
            user, password = form.get("user", [""])[0], form.get("password", [""])[0]
            if not user.isdigit() or password != f"p{user}":
                self.answer(403, b"wrong")
                return
            session = secrets.token_hex(16)
            SESSIONS[session] = int(user)
            self.answer(303, b"", headers={"Set-Cookie": f"sid={session}; HttpOnly; Path=/", "Location": "/letters"})
        else:
            self.answer(201, b"%d" % len(body))

    def who(self) -> int | None:
        """The patient who is signed in."""
        cookie = SimpleCookie(self.headers.get("Cookie", ""))
        return SESSIONS.get(cookie["sid"].value) if "sid" in cookie else None

    def answer(self, status: int, body: bytes, kind: str = "text/plain", headers: dict[str, str] | None = None) -> None:
        """Say it."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Portal)
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()
