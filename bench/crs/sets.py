"""Payload sets of others, where they are supplied: how many attacks are blocked, how many harmless requests pass.

* gotestwaf (`testcases`): each payload in each encoding at each place. Encodings that no portal takes off again (Base64 without its
  padding) are counted apart.
* nemesida waf-bypass (`utils/payload`): one request for each zone of a file, as its own program counts; without its encodings.

Written from their files' form; nothing of either program is here. Not made: gRPC, GraphQL, raw requests.
"""

import base64
import json
import os
import re
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_from_bytes

import yaml

from bench.proxied import Served
from bench.report import Figure

GOTESTWAF, NEMESIDA = "STRONGROOM_GOTESTWAF", "STRONGROOM_NEMESIDA"
"""Environment variables: a folder each."""
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")  # PyYAML takes none of them
_LOOSE = re.compile(r"(?m)(?<=^  - \")\\'")  # Go's reader takes this escape, YAML has none such
_BOUNDARY = "----strongroombench"
_HEAD = "Host: portal.example\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: */*\r\nConnection: close\r\n"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. `group`: what it counts among."""

    group: str
    raw: bytes
    attack: bool


def run(served: Served) -> Iterator[Figure]:
    """Of each set that is supplied."""
    for variable, name, read in ((GOTESTWAF, "gotestwaf", gotestwaf), (NEMESIDA, "nemesida", nemesida)):
        folder = os.environ.get(variable)
        if folder:
            yield from counted(name, read(Path(folder)), served)


def counted(name: str, requests: Iterable[Asked], served: Served) -> Iterator[Figure]:
    """Attacks that are blocked and harmless requests that pass, of each group, in per cent."""
    asked: Counter[tuple[str, bool]] = Counter()
    right: Counter[tuple[str, bool]] = Counter()
    for one in requests:
        answer = served.asks(one.raw, 2.0)
        blocked = re.match(rb"HTTP/1\.[01] 4", answer) is not None
        asked[one.group, one.attack] += 1
        right[one.group, one.attack] += blocked is one.attack
        served.forget()
    for (group, attack), count in sorted(asked.items()):
        what = "attacks blocked" if attack else "harmless requests that pass"
        yield Figure(f"{name}{', ' * bool(group)}{group}: {what}, of {count}", 100 * right[group, attack] / count, "%")


# ---- gotestwaf ------------------------------------------------------------------------------------------------------


def gotestwaf(folder: Path) -> Iterator[Asked]:
    """All cases that can be made."""
    for path in sorted(folder.rglob("*.y*ml")):
        text = _LOOSE.sub("'", _CONTROLS.sub("", path.read_text("utf-8")))
        document = yaml.load(text, Loader=yaml.CSafeLoader)  # the safe one, in C
        attack = path.parent.name != "false-pos"
        for payload in document.get("payload") or ():
            for encoder in document.get("encoder") or ():
                for place in document.get("placeholder") or ():
                    make = _PLACES.get(str(place))
                    if make is not None and str(encoder) in _ENCODERS:
                        group = "Base64 without padding" if encoder == "Base64Flat" and attack else ""
                        yield Asked(group, make(_ENCODERS[str(encoder)](str(payload))), attack)


_ENCODERS: dict[str, Callable[[str], str]] = {
    "Plain": str,
    "URL": lambda text: quote(text, safe=""),
    "Base64": lambda text: base64.b64encode(text.encode()).decode(),
    "Base64Flat": lambda text: base64.b64encode(text.encode()).decode().rstrip("="),
}


def _quoted(text: str) -> str:
    """As Go's client does: what cannot stand in a request line is escaped, the rest is left."""
    return quote_from_bytes(text.encode(), safe="".join(map(chr, range(0x21, 0x7F))))


def _get(target: str, headers: str = "") -> bytes:
    return f"GET {target} HTTP/1.1\r\n{_HEAD}{headers}\r\n".encode()


def _post(kind: str, body: str) -> bytes:
    raw = body.encode()
    return f"POST / HTTP/1.1\r\n{_HEAD}Content-Type: {kind}\r\nContent-Length: {len(raw)}\r\n\r\n".encode() + raw


def _header(text: str) -> str:
    return re.sub(r"[\r\n\0]", " ", text)


def _multipart(text: str) -> bytes:
    name = secrets.token_hex(4)
    part = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n--{_BOUNDARY}--\r\n'
    return _post(f"multipart/form-data; boundary={_BOUNDARY}", part)


_PLACES: dict[str, Callable[[str], bytes]] = {
    "URLPath": lambda text: _get("/" + _quoted(text)),
    "URLParam": lambda text: _get(f"/?{secrets.token_hex(4)}={_quoted(text)}"),
    "Header": lambda text: _get("/", f"X-{secrets.token_hex(4)}: {_header(text)}\r\n"),
    "UserAgent": lambda text: _get("/").replace(b"Mozilla/5.0 (X11; Linux x86_64)", _header(text).encode()),
    "HTMLForm": lambda text: _post("application/x-www-form-urlencoded", f"{secrets.token_hex(4)}={text}"),
    "HTMLMultipartForm": _multipart,
    "JSONRequest": lambda text: _post("application/json", json.dumps({"test": True, secrets.token_hex(4): text})),
    "JSONBody": lambda text: _post("application/json", text),
    "RequestBody": lambda text: _post("text/plain", text),
    "XMLBody": lambda text: _post("text/xml", text),
    "SOAPBody": lambda text: _post("application/soap+xml", f'<?xml version="1.0"?><a><b>{text}</b></a>'),
}


# ---- nemesida -------------------------------------------------------------------------------------------------------


def nemesida(folder: Path) -> Iterator[Asked]:
    """A request for each zone of each file, without encodings."""
    for path in sorted(folder.rglob("*.json")):
        for one in json.loads(path.read_text("utf-8")).get("payload", ()):
            options = {str(key).upper(): value for key, value in one.items()}
            attack = bool(options.get("BLOCKED", True)) and path.parent.name != "FP"
            for zone, make in _ZONES.items():
                text = options.get(zone)
                if text:
                    yield Asked(
                        "", make(str(text).replace("%RND%", secrets.token_hex(4)), options, path.parent.name), attack
                    )


def _target(target: str, options: dict[str, Any]) -> bytes:
    raw = _get(_quoted(target))
    method = str(options.get("METHOD", "GET")).upper()
    return raw.replace(b"GET", method.encode(), 1)


def _body(text: str, options: dict[str, Any], category: str) -> bytes:
    if category == "API":
        return _post("application/json", text)
    if category == "MFD":
        if options.get("BOUNDARY"):
            return _post(f"multipart/form-data; boundary={options['BOUNDARY']}", text)
        return _multipart(text)
    return _post("application/x-www-form-urlencoded", text)


_ZONES: dict[str, Callable[[str, dict[str, Any], str], bytes]] = {
    "URL": lambda text, options, _: _target(text if text.startswith("/") else "/" + text, options),
    "ARGS": lambda text, options, _: _target("/?" + text, options),
    "BODY": _body,
    "COOKIE": lambda text, _, __: _get("/", f"Cookie: {secrets.token_hex(4)}={_header(text)}\r\n"),
    "USER-AGENT": lambda text, _, __: _get("/").replace(b"Mozilla/5.0 (X11; Linux x86_64)", _header(text).encode()),
    "REFERER": lambda text, _, __: _get("/", f"Referer: {_header(text)}\r\n"),
    "HEADER": lambda text, _, __: _get("/", f"X-{secrets.token_hex(4)}: {_header(text)}\r\n"),
}
