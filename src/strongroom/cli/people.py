"""`strongroom people`: organisations' signed feeds of people and relations."""

from pathlib import Path

import click

from strongroom.cli.common import emit, find_store, json_option, store_option
from strongroom.cli.octets import octets
from strongroom.cli.show import table, when
from strongroom.cli.signing import act, officer_option
from strongroom.errors import UsageError

_SIGNATURE = 64
"""Bytes of an Ed25519 signature (RFC 8032, section 5.1.6)."""
_KEY = 32
_HOW = "docs/people-feed.md shows how to make one."
STALE_HOURS = 48.0
"""A feed older than this is said to be old: people who left may still be in."""


@click.group("people")
def command() -> None:
    """Take in organisations' signed feeds: who is a patient, who works there, who acts for whom (docs/people-feed.md).

    \b
    Examples:
      strongroom people register harbour --name "Harbour Practice" --key harbour.pub
      strongroom people import feed.ndjson --signature feed.sig
      strongroom people status
    """


@command.command("register")
@click.argument("organisation")
@click.option("--name", required=True, help="Its name, as people know it.")
@click.option(
    "--key", required=True, help="Its Ed25519 public key: 64 hex digits, or a file that holds them, raw or in PEM."
)
@store_option
@officer_option
@json_option
def register(  # one parameter an option
    *, organisation: str, name: str, key: str, store: Path | None, officers: tuple[Path, ...], as_json: bool
) -> None:
    """Trust feeds of ORGANISATION that are signed with this key. Again with another key: the key is exchanged.

    \b
    Example:
      strongroom people register harbour --name "Harbour Practice" --key harbour.pub
    """
    raw = octets(key, _KEY, "a public key", advice=_HOW)
    args = {"organisation": organisation, "name": name, "key": raw.hex()}
    receipt, _ = act(find_store(store), officers, "register-feed", args)
    shape = {"organisation": organisation, "name": name, "key": raw.hex(), "receipt": receipt}
    text = f"Feeds of {organisation} are trusted when signed with {raw.hex()[:16]}… (log entry {receipt})."
    emit("people-register", shape, as_json=as_json, text=text)


@command.command("import")
@click.argument("feed", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--signature", required=True, help="The organisation's signature: 128 hex digits, or a file that holds it."
)
@store_option
@officer_option
@json_option
def take_in(  # one parameter an option
    *, feed: Path, signature: str, store: Path | None, officers: tuple[Path, ...], as_json: bool
) -> None:
    """Take in FEED. A feed speaks only for its own organisation's patients; lines that cannot be used are listed.

    \b
    Example:
      strongroom people import feed.ndjson --signature feed.sig
    """
    raw = feed.read_bytes()
    if not raw:
        msg = "The feed is empty."
        raise UsageError(msg)
    args = {"signature": octets(signature, _SIGNATURE, "a signature", advice=_HOW).hex()}
    receipt, result = act(find_store(store), officers, "people-import", args, raw)
    took = f"{result['people']} people, {result['relations']} changes (log entry {receipt})."
    lines = [
        f"Feed {result['sequence']} of {result['organisation']}: {took}",
        *(f"  line {one['line'] or '?'}: {one['sentence']}" for one in result["problems"]),
    ]
    if result["problem_count"]:
        lines.append(f"{result['problem_count']} lines were not used.")
    emit("people-import", {**result, "receipt": receipt}, as_json=as_json, text="\n".join(lines))


@command.command("status")
@store_option
@officer_option
@json_option
def status(*, store: Path | None, officers: tuple[Path, ...], as_json: bool) -> None:
    """Show how fresh every organisation's feed is.

    \b
    Example:
      strongroom people status
    """
    _, result = act(find_store(store), officers, "people-status", {})
    rows = [
        {**row, "imported": when(row["imported"]), "age": _age(row["age_hours"])} for row in result["organisations"]
    ]
    text = table(("organisation", "name", "sequence", "imported", "age"), rows, f"{len(rows)} organisations.")
    emit("people-status", result, as_json=as_json, text=text)


def _age(hours: float | None) -> str:
    if hours is None:
        return "never"
    return f"{hours} h" + (", OLD" if hours > STALE_HOURS else "")
