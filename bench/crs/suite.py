"""The regression tests that come with the Core Rule Set: read from their YAML, made into bytes on a socket, and judged.

The form is that of go-ftw and of pytest-ftw before it (tests of 3.x and of 4.x). Written from their description; nothing of either
program is here.
"""

import base64
import re
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

import yaml

MAX_FILE = 4_194_304
"""Bytes of one YAML file. The largest of 4.28 has 300 KB."""
_FORM = "application/x-www-form-urlencoded"
_ID = re.compile(r"\bid\b[ \\\"']*([0-9]{6})")
_REPEAT = re.compile(
    r'\{\{\s*"([^"]*)"\s*\|\s*repeat\s+([0-9]{1,6})\s*\}\}|\{\{\s*repeat\s+([0-9]{1,6})\s+"([^"]*)"\s*\}\}'
)


@dataclass(frozen=True, slots=True)
class Stage:
    """One request, and what is expected of it."""

    raw: bytes
    expected: frozenset[int]
    """Rules that must match."""
    unexpected: frozenset[int]
    """Rules that must not."""
    patterns: tuple[str, ...] = ()
    """And of the log's text."""
    statuses: frozenset[int] = frozenset()
    may_fail: bool = False
    """Whether no answer at all is as good."""


@dataclass(frozen=True, slots=True)
class Case:
    """One test."""

    name: str
    stages: tuple[Stage, ...]


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of one request. `hits` is None where it was refused before any rule saw it."""

    hits: frozenset[int] | None
    status: int
    rule: str = ""
    """Of the gateway, that refused it or would have."""
    blocked: bool = False
    """Whether the rules would have refused it: they only tell here."""


def judged(stage: Stage, heard: Heard) -> str:
    """Why the stage does not hold; empty: it holds.

    A request that is refused before the rules see it holds, unless something harmless was expected of it.
    """
    if heard.hits is None:
        if stage.may_fail or heard.status in stage.statuses or not stage.unexpected:
            return ""
        return f"refused by {heard.rule or 'the parser'}, and {_words(stage.unexpected)} was to stay silent"
    text = "\n".join(f'id "{number}"' for number in sorted(heard.hits))
    missing, wrong = stage.expected - heard.hits, stage.unexpected & heard.hits
    if missing:
        return f"{_words(missing)} stayed silent"
    if wrong:
        return f"{_words(wrong)} matched"
    if not all(re.search(pattern, text) for pattern in stage.patterns):
        return "the log has other words"
    wanted = heard.status in stage.statuses or (heard.blocked and not stage.statuses.isdisjoint(range(400, 500)))
    if stage.statuses and not wanted:
        return f"answered {heard.status}"
    return ""


def read(place: Path) -> Iterator[Case]:
    """All tests of rules on requests in a folder, or in a release's archive. Raises ValueError for what is none.

    Those of rules on answers are left out, as these rules are not loaded.
    """
    for name, text in sorted(_files(place)):
        if "/RESPONSE-" in name:
            continue
        document = yaml.load(text, Loader=yaml.CSafeLoader)  # the safe one, in C
        if (
            not isinstance(document, dict)
            or "tests" not in document
            or (document.get("meta") or {}).get("enabled") is False
        ):
            continue
        for number, one in enumerate(document["tests"], 1):
            title = one.get("test_title") or f"{document.get('rule_id', Path(name).stem)}-{one.get('test_id', number)}"
            stages = [stage.get("stage", stage) for stage in one["stages"]]
            yield Case(str(title), tuple(map(_stage, stages)))


def _files(place: Path) -> Iterator[tuple[str, bytes]]:
    if place.is_dir():
        for path in place.rglob("*.yaml"):
            if "regression/tests" in path.as_posix():
                yield path.as_posix(), path.read_bytes()
        return
    with tarfile.open(place) as archive:
        for member in archive:
            if member.isfile() and member.size <= MAX_FILE and re.search(r"regression/tests/.*\.yaml$", member.name):
                file = archive.extractfile(member)
                assert file is not None
                yield member.name, file.read()


def _stage(stage: dict[str, Any]) -> Stage:
    output, log = stage.get("output", {}), stage.get("output", {}).get("log", {})
    expected, unexpected = set(log.get("expect_ids", ())), set(log.get("no_expect_ids", ()))
    patterns = [log["match_regex"]] if "match_regex" in log else []
    unexpected.update(map(int, _ID.findall(output.get("no_log_contains") or "")))
    if text := output.get("log_contains"):
        ids = [int(number) for number in _ID.findall(text)]
        expected.update(ids)
        patterns += [] if ids else [text]
    statuses = output.get("status", [])
    return Stage(
        request(stage["input"]),
        frozenset(expected),
        frozenset(unexpected),
        tuple(patterns),
        frozenset(statuses if isinstance(statuses, list) else [statuses]),
        bool(output.get("expect_error")),
    )


def request(asked: dict[str, Any]) -> bytes:
    """The bytes of one request."""
    for raw in ("encoded_request", "raw_request"):
        if asked.get(raw):
            return base64.b64decode(asked[raw]) if raw == "encoded_request" else _bytes(asked[raw])
    headers = {str(name): _text(value) for name, value in (asked.get("headers") or {}).items()}
    names = {name.lower() for name in headers}
    body = _body(asked.get("data"))
    method = _text(asked.get("method", "GET"))
    if asked.get("autocomplete_headers", not asked.get("stop_magic", False)):
        if body and "content-type" not in names:
            headers["Content-Type"] = _FORM
        kind = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
        if kind == _FORM and body and unquote(body) == body:
            body = urlencode(parse_qsl(body, keep_blank_values=True)) or body
        if "multipart" in kind:
            body = re.sub(r"(?<!\r)\n", "\r\n", body)
        if "content-length" not in names and (body or method in {"POST", "PUT", "PATCH"}):
            headers["Content-Length"] = str(len(_bytes(body)))
        headers.setdefault("Connection", "close")
    lines = [f"{method} {_text(asked.get('uri', '/'))} {_text(asked.get('version', 'HTTP/1.1'))}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return _bytes("\r\n".join([*lines, "", ""]) + body)


def _body(data: Any) -> str:
    if isinstance(data, list):
        return "\r\n".join(map(_text, data))
    return _text(data) if data is not None else ""


def _text(value: Any) -> str:
    return _REPEAT.sub(lambda found: (found[1] or found[4]) * int(found[2] or found[3]), str(value))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _words(numbers: Iterable[int]) -> str:
    return " and ".join(map(str, sorted(numbers)))
