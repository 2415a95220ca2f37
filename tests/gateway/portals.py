"""Portals that there are not, and the lines that their servers would have logged: honest people, and a scanner."""

import random
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Portal:
    """`ask` draws one honest request: (method, target). `documents`, `lists`: what a draft must know, by path."""

    name: str
    ask: Callable[[random.Random], tuple[str, str]]
    documents: dict[str, str]
    lists: frozenset[str]
    others: frozenset[str]


def _letters(chance: random.Random) -> tuple[str, str]:
    number = chance.randrange(1, 9_000)
    return chance.choice([
        ("GET", f"/letters?page={chance.randrange(1, 9)}"), ("GET", "/letters"), ("GET", f"/letters/{number}"),
        ("GET", f"/letters/{number}/pdf"), ("POST", "/login"), ("GET", f"/static/chunk-{chance.randrange(60)}.js"),
        ("GET", f"/appointments/{chance.randrange(1, 500)}"), ("GET", "/search?q=" + chance.choice(["knee", "blood+test", "2024"])),
    ])  # fmt: skip


def _records(chance: random.Random) -> tuple[str, str]:
    patient, one = chance.randrange(1, 900), uuid.UUID(int=chance.getrandbits(128))
    return chance.choice([
        ("GET", f"/api/v2/patients/{patient}/reports?from=2024-0{chance.randrange(1, 10)}-11"),
        ("GET", f"/api/v2/patients/{patient}/reports/{one}"), ("GET", f"/api/v2/patients/{patient}"),
        ("POST", f"/api/v2/patients/{patient}/messages"), ("GET", f"/api/v2/reports/{one}.pdf"), ("GET", "/api/v2/me"),
    ])  # fmt: skip


def _legacy(chance: random.Random) -> tuple[str, str]:
    digest = f"{chance.getrandbits(128):032x}"
    return chance.choice([
        ("GET", f"/portal/download.php?id={digest}&inline={chance.choice(['0', '1'])}"), ("GET", "/portal/inbox.php"),
        ("GET", f"/portal/files/scan-{chance.randrange(10_000):05d}.pdf"), ("POST", "/portal/upload.php"),
        ("GET", f"/portal/clinics/{chance.choice(['north', 'south', 'west'])}"),
    ])  # fmt: skip


PORTALS = (
    Portal(
        "letters", _letters, {"/letters/{letter:int}": "letter", "/letters/{letter:int}/pdf": "letter"},
        frozenset({"/letters"}), frozenset({"/login", "/search", "/static/{file:path}", "/appointments/{appointment:int}"}),
    ),
    Portal(
        "records", _records,
        {"/api/v2/patients/{patient:int}/reports/{report:uuid}": "report", "/api/v2/reports/{report:uuid}.pdf": "report"},
        frozenset({"/api/v2/patients/{patient:int}/reports"}),
        frozenset({"/api/v2/patients/{patient:int}", "/api/v2/patients/{patient:int}/messages", "/api/v2/me"}),
    ),
    Portal(
        "legacy", _legacy, {"/portal/download.php": "id", "/portal/files/scan-{scan:digits}.pdf": "scan"}, frozenset(),
        frozenset({"/portal/inbox.php", "/portal/upload.php", *(f"/portal/clinics/{one}" for one in ("north", "south", "west"))}),
    ),
)  # fmt: skip

SCANS = ("/.env", "/wp-login.php", "/letters/1%2f..%2f2", "/admin/../../etc/passwd", "/cgi-bin/luci", "/letters/1'--")


def line(address: str, method: str, target: str, status: int) -> str:
    """One line of nginx' combined format."""
    return f'{address} - - [10/Mar/2026:13:55:36 +0000] "{method} {target} HTTP/1.1" {status} 2326 "-" "Mozilla/5.0"'


def lines(portal: Portal, count: int, seed: int) -> Iterator[str]:
    """A log: `count` honest requests of 40 addresses, and what a scanner asked for, some of it answered."""
    chance = random.Random(seed)
    for _ in range(count):
        method, target = portal.ask(chance)
        yield line(f"192.0.2.{chance.randrange(40)}", method, target, chance.choice([200, 200, 200, 304, 302]))
        if chance.random() < 0.05:
            yield line("198.51.100.7", "GET", chance.choice(SCANS), chance.choice([404, 400, 403, 200]))
