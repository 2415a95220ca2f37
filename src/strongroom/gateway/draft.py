"""A draft of gateway.toml: what was learned, as a file that can be read by people and by the gateway. Pure.

It begins in modes that refuse nothing that is not described, and every guess stands there as a question.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from strongroom.gateway.learned import Drafted, free
from strongroom.gateway.sections import Person

ASK: Final = "# DECIDE: "


def draft(routes: Iterable[Drafted], people: Sequence[Person], left_out: Mapping[str, int], source: str) -> str:
    """The file's text. `source`: what it was learned from, in words."""
    lines = [
        f"# Drafted by `strongroom gateway learn` from {source}. Read every line; answer what says DECIDE.",
        "# Then: strongroom gateway --upstream URL --config THIS --check",
        *(f"# Left out: {count} {why}." for why, count in sorted(left_out.items())),
        "",
        "[gateway]",
        'routes = "learn"       # what is not described passes and is told; set to "enforce" when nothing honest is told any more',
        "",
        "[guard]",
        'mode = "simulate"      # nothing is refused, and what would be is told; then "enforce"',
        "",
        *_people(people),
    ]
    names: list[str] = []
    for one in routes:
        names.append(free(_name(one.path), names, "-"))
        lines += ["", *_route(names[-1], one)]
    return "\n".join(lines) + "\n"


def _people(people: Sequence[Person]) -> list[str]:
    if not people:
        ask = f"{ASK}how requests tell who is signed in: by = cookie, header or jwt (a claim of the bearer token)."
        return [ask, "[person]", 'by = "cookie"', 'name = "session"']
    lines = [f"{ASK}does the portal believe each of these? It must be all that it believes."] if len(people) > 1 else []
    for one in people:
        lines += ["[person]" if len(people) == 1 else "[[person]]", f'by = "{one.by}"', f"name = {_quoted(one.name)}"]
    return lines


def _route(name: str, one: Drafted) -> list[str]:
    lines = [f"# {one.asked} requests"] if one.asked else []
    lines += [f"{ASK}{ask}" for ask in one.ask]
    lines += ["[[route]]", f"name = {_quoted(name)}", f"path = {_quoted(one.path)}"]
    if one.methods != ("GET", "HEAD"):
        lines.append(f"methods = {_array(one.methods)}")
    if one.query:
        inner = ", ".join(f"{_quoted(key)} = {_quoted(kind)}" for key, kind in one.query.items())
        lines.append(f"query = {{ {inner} }}")
    if one.repeat:
        lines.append(f"repeat = {_array(one.repeat)}")
    if one.document:
        lines.append(f"document = {_quoted(one.document)}")
    if one.patient:
        lines.append(f"patient = {_quoted(one.patient)}")
    if one.content_types:
        lines.append(f"content_types = {_array(one.content_types)}")
    if one.max_body:
        lines.append(f"max_body = {one.max_body}")
    if one.ids:
        lines.append(f"shows = {{ ids = {_array(one.ids)}, family = {_quoted(one.family)} }}")
    elif one.links:
        lines.append("shows = { links = true }")
    return lines


def _quoted(text: str) -> str:
    """A basic string of TOML: JSON's, but for what lies beyond 16 bits, and for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _array(values: Iterable[str]) -> str:
    return "[" + ", ".join(_quoted(one) for one in values) + "]"


def _name(path: str) -> str:
    words = [re.sub(r"[^a-z0-9]+", "-", part.lower().partition(":")[0]).strip("-") for part in path.split("/")]
    return "-".join(word for word in words if word)[:60].strip("-") or "start"
