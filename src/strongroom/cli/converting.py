"""The environment in which rules are converted: pySigma's backends, locked, installed only when that is asked for."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from strongroom.cli import locked
from strongroom.detect import converter, rules
from strongroom.errors import OperationError, UsageError

LOCK: Final = locked.lock("convert")
ALIASES: Final = {"elastic": "elasticsearch", "esql": "elasticsearch", "sentinel": "kusto", "spl": "splunk"}
OWN: Final = ("principal.kind", "act", "meaning", "route", "number", "patient", "store", "status_id", "document")
"""Columns that the hunt computes. A target that does not name them has them nowhere."""


@dataclass(frozen=True, slots=True)
class Target:
    """A language that rules are carried to. `fields` has, for each kind of log, our field -> theirs, "" for none; the backend gets
    `attributes`.
    """

    name: str
    backend: str
    what: str
    windows: str
    fields: dict[str, dict[str, Any]]
    attributes: dict[str, str]


@dataclass(frozen=True, slots=True)
class Converted:
    """A rule, and its queries or the reason why there are none. `correlation` is its kind, empty for a rule about one event."""

    file: str
    title: str
    id: str
    queries: list[str]
    reason: str
    correlation: str


def targets() -> dict[str, Target]:
    """Those that are known, from `rules/targets.toml`."""
    told: dict[str, Any] = msgspec.toml.decode((rules.OURS / "targets.toml").read_bytes())
    return {name: _target(name, told) for name in told}


def _target(name: str, told: dict[str, Any]) -> Target:
    own = told[name]
    fields = told[own.get("same-fields-as", name)]
    none = dict.fromkeys(OWN, "")
    named = {kind: {**none, **fields[kind]} for kind in ("web", "aws", "flow") if kind in fields}
    return Target(
        name, own["backend"], own["what"], own.get("windows", ""), {**named, "other": none}, own.get("attributes", {})
    )  # fmt: skip


def target(name: str) -> Target:
    """One of them. Raises UsageError for another name."""
    known = targets()
    found = known.get(ALIASES.get(name, name))
    if found is None:
        raise UsageError(f"There is no target {name[:40]}. The targets: {', '.join(known)}.")
    return found


def folder() -> Path:
    """Where the environment is."""
    return locked.folder("convert", LOCK)


def installed() -> bool:
    """Whether it is there, whole."""
    return locked.installed(folder())


def install() -> Path:
    """Make it. Raises OperationError. Does nothing where it is there."""
    return locked.install(folder(), LOCK, "conversions")


def convert(paths: Sequence[Path], to: Target) -> list[Converted]:
    """Every rule of these files. Raises OperationError when the environment is not there or fails."""
    if not installed():
        raise OperationError(
            "What converts rules is not installed: pySigma's backends need an older pySigma than the hunt.",
            advice="`strongroom rules convert --install` downloads them, locked by hash, into an environment of their own.",
        )
    named = {"backend": to.backend, "attributes": to.attributes, "fields": to.fields}
    asked = {**named, "files": [str(path) for path in paths]}
    done = subprocess.run(  # noqa: S603  # our program, in the environment that we made
        [folder() / "bin" / "python", "-I", converter.__file__],
        input=json.dumps(asked), capture_output=True, text=True, check=False, encoding="utf-8",
    )  # fmt: skip
    if done.returncode:
        raise OperationError("The conversion failed.", advice=(done.stderr.strip().splitlines() or [""])[-1][:300])
    return list(_read(done.stdout))


def _read(answers: str) -> Iterator[Converted]:
    for line in answers.splitlines():
        yield msgspec.convert(json.loads(line), Converted)
