"""A patient portal that is as bad as many are: what rehearsals attack, and what a probe must see through. Synthetic people only.

    GET  /                              the page to sign in
    POST /login                         form user, password -> session cookie
    GET  /letters, /inbox               one's own letters, as JSON and as a page with links
    GET  /letters/NUMBER                a letter
    GET  /file?patient=N&document=M     the same letter, by its old address
    GET  /scans, /scans/NUMBER.png      one's own scans; a scan
    GET  /notes?page=N, /notes/HEX      one's own notes, which have opaque ids; a note
    GET  /search?q=, /static/…          a search that finds nothing, a program for browsers
    POST /letters                       deposit: raw bytes
    GET  /crash                         a failure with its insides shown
    GET  /export/NUMBER                 forgotten; only robots.txt still knows

Five holes, each of which can be closed:

    number       /letters/NUMBER asks only whether somebody is signed in
    parameter    /letters?patient=N and /file believe what they are told of whose it is
    override     /scans asks whose it is when a GET comes; what X-HTTP-Method-Override or _method makes one is not asked
    forgotten    /export gives letters to anybody at all
    list         /notes shows everybody's, and /notes/HEX gives what the list shows

`python -m strongroom.rehearse.portal [PORT] [--holes number,list] [--patients N] [--confirm TOKEN]` prints its port and serves
on loopback. Patient N has the password pN and the letters, scans and notes 10N to 10N+6; the last one has three hundred letters
more, from 1000000 on. `family-N` reads for patients N to N+5; `practice-K` for 50K+1 to 50K+50, and so do forty of its staff,
`staff-40K` and on. Their passwords are pfamily-N and so on.
"""

import argparse
import hashlib
import json
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import parse_qs

HOLES: Final = frozenset({"number", "parameter", "override", "forgotten", "list"})
PATIENTS: Final = 50
EACH: Final = 7
"""Letters, scans and notes of a patient: of ten numbers three are nobody's."""
LAWYERS: Final = range(1_000_000, 1_000_300)
"""Letters more, of the last patient."""
PAGE: Final = 100
"""Notes on a page."""
CONFIRMATION: Final = "/.well-known/strongroom-probe"
_OVERRIDES: Final = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")
_SCRIPT: Final = b'const mine = () => fetch("/letters").then((answer) => answer.json());\n'


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, read. `method` is what it asks for, `wire` what stands in the request line."""

    method: str
    wire: str
    path: str
    query: Mapping[str, str]
    form: Mapping[str, str]
    size: int
    session: str


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer."""

    status: int
    body: bytes = b""
    kind: str = "text/plain"
    headers: Mapping[str, str] = field(default_factory=dict)


class Records:
    """Whose is what."""

    def __init__(self, patients: int) -> None:
        self.patients = patients
        self.numbers = {10 * patient + one: patient for patient in range(1, patients + 1) for one in range(EACH)}
        """Of letters, scans and notes."""
        self.letters = {**self.numbers, **dict.fromkeys(LAWYERS, patients)}
        self.notes = {opaque(number): patient for number, patient in self.numbers.items()}

    def people(self, user: str) -> frozenset[int]:
        """The patients whom a login reads for; nobody for a login that does not exist."""
        word, _, number = user.rpartition("-")
        if not number.isdecimal() or len(number) > 6:  # noqa: PLR2004  # a million patients
            return frozenset()
        one = int(number)
        known = {"": (one, 1), "family": (one, 6), "practice": (50 * one + 1, 50), "staff": (one // 40 * 50 + 1, 50)}
        first, count = known.get(word, (0, 0))
        return frozenset(range(max(1, first), min(first + count, self.patients + 1)))


def opaque(number: int) -> str:
    """The id of a note."""
    return hashlib.blake2b(b"note %d" % number, digest_size=16).hexdigest()


class Portal:
    """The portal without its socket."""

    def __init__(self, holes: frozenset[str] = HOLES, patients: int = PATIENTS, confirm: str = "") -> None:
        self.records, self.holes, self._confirm = Records(patients), holes, confirm
        self._sessions: dict[str, frozenset[int]] = {}

    def answer(self, asked: Asked) -> Reply:
        """What it says."""
        who = self._sessions.get(asked.session, frozenset())
        if asked.wire == "POST" and asked.path in {"/login", "/letters"}:
            return self._signed_in(asked.form) if asked.path == "/login" else Reply(201, b"%d" % asked.size)
        if asked.method not in {"GET", "HEAD"}:
            return Reply(405, b"not like that")
        return self._open(asked) or (self._own(asked, who) if who else Reply(401, b"sign in"))

    def _signed_in(self, form: Mapping[str, str]) -> Reply:
        user = form.get("user", "")
        people = self.records.people(user)
        if not people or form.get("password") != f"p{user}":
            return Reply(403, b"wrong")
        session = secrets.token_hex(16)
        self._sessions[session] = people
        told = {"Set-Cookie": f"sid={session}; HttpOnly; Path=/", "Location": "/letters"}
        return Reply(303, headers=told)

    def _open(self, asked: Asked) -> Reply | None:
        """What needs no session."""
        match asked.path.split("/")[1:]:
            case [""]:
                fields = '<input name="user"><input name="password" type="password">'
                return _page(
                    f'<form method="post" action="/login">{fields}</form><script src="/static/app.js"></script>'
                )
            case ["crash"]:
                return Reply(500, b"Traceback: SELECT * FROM patients WHERE password='hunter2'")
            case ["static", "app.js"]:
                return Reply(200, _SCRIPT, "text/javascript")
            case ["robots.txt"]:
                return Reply(200, b"User-agent: *\nDisallow: /export/\nDisallow: /letters\n")
            case ["export", name] if "forgotten" in self.holes and name.isdecimal():
                return _letter(name) if int(name) in self.records.letters else Reply(404, b"no such letter")
        if asked.path == CONFIRMATION and self._confirm:
            return Reply(200, self._confirm.encode() + b"\n")
        return None

    def _own(self, asked: Asked, who: frozenset[int]) -> Reply:
        """What somebody who reads for `who` is given."""
        records, holes = self.records, self.holes
        match asked.path.split("/")[1:]:
            case ["letters"]:
                told = asked.query.get("patient", "")
                people = frozenset({int(told)}) if told.isdecimal() else who
                return self._list("items", "id", self._letters(people if "parameter" in holes else people & who))
            case ["inbox"]:
                return _page("".join(f'<a href="letters/{number}">a letter</a>' for number in self._letters(who)))
            case ["letters", name] if name.isdecimal():
                owner = records.letters.get(int(name))
                return _letter(name) if owner in who or ("number" in holes and owner) else _absent()
            case ["file"]:
                name, told = asked.query.get("document", ""), asked.query.get("patient", "")
                owner = records.letters.get(int(name)) if name.isdecimal() else None
                right = owner is not None and told == str(owner) and (owner in who or "parameter" in holes)
                return _letter(name) if right else _absent()
            case ["scans"]:
                return self._list(
                    "scans", "number", [number for number, owner in records.numbers.items() if owner in who]
                )
            case ["scans", name] if name.endswith(".png") and name[:-4].isdecimal():
                owner = records.numbers.get(int(name[:-4]))
                unasked = "override" in holes and asked.wire not in {"GET", "HEAD"}
                return (
                    Reply(200, f"Scan {name}".encode(), "image/png")
                    if owner in who or (unasked and owner)
                    else _absent()
                )
            case ["notes"]:
                seen = [note for note, owner in records.notes.items() if "list" in holes or owner in who]
                page = asked.query.get("page", "0")
                start = PAGE * int(page) if page.isdecimal() else 0
                return self._list("notes", "id", seen[start : start + PAGE])
            case ["notes", name]:
                owner = records.notes.get(name)
                given = owner in who or ("list" in holes and owner)
                return Reply(200, f"Note {name}".encode()) if given else _absent()
            case ["search"]:
                return _page("Nothing was found.")
        return _absent()

    def _letters(self, people: frozenset[int]) -> list[int]:
        return [number for number, owner in self.records.letters.items() if owner in people]

    def _list(self, name: str, each: str, ids: list[int] | list[str]) -> Reply:
        """As JSON; each with whose it is."""
        owners = dict[int | str, int]([*self.records.letters.items(), *self.records.notes.items()])
        items = [{each: one, "patient": owners[one], "title": "A letter"} for one in ids]
        return Reply(200, json.dumps({name: items}).encode(), "application/json")


def _absent() -> Reply:
    return Reply(404, b"no such letter")


def _letter(name: str) -> Reply:
    return Reply(200, f"%PDF-1.4\n% Letter {name}: synthetic, of nobody.\n%%EOF\n".encode(), "application/pdf")


def _page(inner: str) -> Reply:
    return Reply(200, f"<!doctype html><title>Portal</title>{inner}".encode(), "text/html")


class _Connection(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # an answer is two writes
    portal: Portal

    def do_GET(self) -> None:  # http.server's name
        """Any method."""
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size)
        path, _, query = self.path.partition("?")
        pairs = {name: values[0] for name, values in parse_qs(query).items()}
        formed = self.headers.get_content_type() == "application/x-www-form-urlencoded"
        form = {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()} if formed else {}
        method = self.command
        if method == "POST":
            told = next((self.headers[name] for name in _OVERRIDES if name in self.headers), "")
            method = told or pairs.get("_method", "") or form.get("_method", "") or method
        cookies = SimpleCookie(self.headers.get("Cookie", ""))
        session = cookies["sid"].value if "sid" in cookies else ""
        self._say(self.portal.answer(Asked(method.upper(), self.command, path, pairs, form, size, session)))

    do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = do_GET  # noqa: N815  # as above

    def _say(self, reply: Reply) -> None:
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.kind)
        self.send_header("Content-Length", str(len(reply.body)))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Who went before the end is nobody's error: a gateway that refuses an answer lets go of it."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # as it came


def listening(portal: Portal, port: int = 0) -> ThreadingHTTPServer:
    """A server of it on loopback; `serve_forever` serves."""
    return _Server(("127.0.0.1", port), type("Connection", (_Connection,), {"portal": portal}))


def main() -> None:
    """See the module."""
    options = argparse.ArgumentParser(prog="python -m strongroom.rehearse.portal")
    options.add_argument("port", type=int, nargs="?", default=0)
    options.add_argument("--holes", default=",".join(sorted(HOLES)))
    options.add_argument("--patients", type=int, default=PATIENTS)
    options.add_argument("--confirm", default="")
    given = options.parse_args()
    holes = frozenset(filter(None, given.holes.split(",")))
    if not holes <= HOLES:
        options.error(f"holes are {', '.join(sorted(HOLES))}")
    server = listening(Portal(holes, given.patients, given.confirm), given.port)
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
