"""What several commands share: which store, which form of answer, which officer signs."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from strongroom.config import Config, Layout, parse
from strongroom.errors import CheckFailed, ConfigError

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_STORES = (Path("strongroom-data"), Path("/var/lib/strongroom"))


class Told(CheckFailed):
    """A check that failed, after its findings were printed: nothing more is said in JSON, which stays one object."""


class Ident(click.ParamType[str]):
    """An id as people have it at hand: bare, as a reference (`Patient/…`), with its version, or at the end of an address."""

    def __init__(self, *kinds: str) -> None:
        """`kinds`: FHIR resource types the id may stand under."""
        self.name = "id"
        self._form = re.compile(rf"(?:.*/)?(?:(?:{'|'.join(kinds)})/)?([a-z2-7]{{26}})(?:/_history/[0-9]+)?")

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The bare id. Fails with a sentence for anything else: a list about nobody must not look like an answer."""
        found = self._form.fullmatch(value)
        if found is None:
            self.fail(
                "this is not an id. Ids are 26 lower-case letters and digits, as the store printed them.", param, ctx
            )
        return found[1]


PATIENT = Ident("Patient")
DOCUMENT = Ident("DocumentReference", "Binary")


def store_option(function: F) -> F:
    """`--store DIR`."""
    return click.option(
        "--store",
        type=click.Path(path_type=Path, file_okay=False),
        envvar="STRONGROOM_STORE",
        help="The store's directory. Default: ./strongroom-data, else /var/lib/strongroom.",
    )(function)


def json_option(function: F) -> F:
    """`--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON of a documented shape (docs/cli.md).")(
        function
    )


def find_store(given: Path | None) -> Path:
    """The store meant by `--store`, or the first default that holds one. Raises ConfigError if there is none."""
    candidates = (given,) if given is not None else DEFAULT_STORES
    for candidate in candidates:
        if Layout(candidate).config.exists():
            return candidate.resolve()
    where = str(given) if given is not None else " or ".join(str(path) for path in DEFAULT_STORES)
    msg = f"There is no store at {where}."
    raise ConfigError(msg, advice="Make one with `strongroom init --store DIR`, or try `strongroom demo`.")


def load(store: Path) -> Config:
    """The store's configuration. Raises ConfigError."""
    try:
        raw = Layout(store).config.read_bytes()
    except OSError as error:
        msg = f"The configuration of the store cannot be read: {error.strerror}."
        raise ConfigError(msg) from error
    return parse(raw)


def emit(schema: str, result: dict[str, Any], *, as_json: bool, text: str) -> None:
    """Print one result: `text` for people, or one JSON object that names its schema."""
    if as_json:
        click.echo(json.dumps({"schema": f"strongroom/{schema}/v1", **result}, ensure_ascii=False))
    else:
        click.echo(text)


def environment_token(given: str | None) -> str:
    """The access token to use: `--token`, else the environment. Raises ConfigError when there is none."""
    token = given or os.environ.get("STRONGROOM_TOKEN", "")
    if not token:
        msg = "No access token was given."
        advice = 'Set STRONGROOM_TOKEN, or in a demonstration store: export STRONGROOM_TOKEN="$(strongroom token --as NAME)".'
        raise ConfigError(msg, advice=advice)
    return token
