"""`strongroom officer`: who may act as an officer, from the first key to the last."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from strongroom.cli.common import emit, find_store, json_option, store_option
from strongroom.cli.octets import octets
from strongroom.cli.show import table, when
from strongroom.cli.signing import act, officer_option
from strongroom.clock import SystemClock
from strongroom.identity import keyfile
from strongroom.identity.officers import Role, check_name
from strongroom.secret import Secret

F = TypeVar("F", bound=Callable[..., Any])
_KEY = 32
"""Bytes of an Ed25519 public key (RFC 8032, section 5.1.5)."""


@click.group("officer")
def command() -> None:
    """Register, dismiss and list the officers. Two officers sign a change, at least one of them for privacy or security.

    \b
    Examples:
      strongroom officer key ana                        on ana's own machine
      strongroom officer add ana --role privacy-officer --key 3f9c… --reason "follows ben"
      strongroom officer dismiss ben --reason "left on 30 November"
    """


def _common(function: F) -> F:
    return store_option(officer_option(json_option(function)))


@command.command("key")
@click.argument("name")
@click.option("--no-passphrase", is_flag=True, help="Ask for none: for a watch, which nobody sits at.")
@json_option
def key(*, name: str, no_passphrase: bool, as_json: bool) -> None:
    """Make the key file NAME.key here, and print the public key, by which NAME is registered. Needs no store.

    \b
    Example:
      strongroom officer key ana
    """
    check_name(name)
    passphrase = None
    if not no_passphrase:
        typed = click.prompt(f"A passphrase for {name}.key", hide_input=True, confirmation_prompt=True, err=True)
        passphrase = Secret(typed.encode())
    path = Path(f"{name}.key")
    public = keyfile.create(path, passphrase).public_bytes.hex()
    text = f"{public}\n\nThat is the public key; {path} is the private one: it stays with {name} alone."
    emit("officer-key", {"name": name, "file": str(path), "key": public}, as_json=as_json, text=text)


@command.command("add")
@click.argument("name")
@click.option(
    "--role", "roles", type=click.Choice([role.value for role in Role]), multiple=True, required=True,
    help="What NAME may sign for; more than once for several.",
)  # fmt: skip
@click.option(
    "--key", "public", required=True, help="NAME's public key: 64 hex digits, or a file that holds them, raw or in PEM."
)
@click.option("--reason", required=True, help="Why; it is logged.")
@_common
def add(  # one parameter an option
    *, name: str, roles: tuple[str, ...], public: str, reason: str, store: Path | None, officers: tuple[Path, ...],
    as_json: bool,
) -> None:  # fmt: skip
    """Register NAME as an officer. The name is that of the key file, and nobody gets it or the key again.

    Two privacy or security officers sign, or one of them and an operator: then it takes 72 hours until NAME can sign as a
    privacy or security officer, and meanwhile one signature is enough to dismiss NAME.

    \b
    Example:
      strongroom officer add ana --role privacy-officer --key 3f9c… --reason "follows ben" \\
        --officer ben.key --officer security.key
    """
    raw = octets(public, _KEY, "a public key", advice="`strongroom officer key NAME` makes one and prints it.").hex()
    args = {"name": name, "key": raw, "roles": sorted(set(roles)), "reason": reason}
    receipt, result = act(find_store(store), officers, "officer-add", args)
    waits = result["since"] > SystemClock().now()
    begins = f"from {when(result['since'])} on, since only one privacy or security officer signed" if waits else "now"
    text = f"{name} is an officer {begins}: {', '.join(sorted(set(roles)))} (log entry {receipt})."
    emit("officer-add", {**args, "since": result["since"], "receipt": receipt}, as_json=as_json, text=text)


@command.command("dismiss")
@click.argument("name")
@click.option("--reason", required=True, help="Why; it is logged.")
@_common
def dismiss(*, name: str, reason: str, store: Path | None, officers: tuple[Path, ...], as_json: bool) -> None:
    """Let nothing count any more that NAME signs, from now on: somebody left, or a key was stolen. Not undone.

    Refused while nobody else could do what NAME can: register a successor first.

    \b
    Example:
      strongroom officer dismiss ben --reason "left" --officer ana.key --officer security.key
    """
    receipt, _ = act(find_store(store), officers, "officer-dismiss", {"name": name, "reason": reason})
    text = f"{name} is no officer any more (log entry {receipt})."
    emit("officer-dismiss", {"name": name, "reason": reason, "receipt": receipt}, as_json=as_json, text=text)


@command.command("ls")
@_common
def listing(*, store: Path | None, officers: tuple[Path, ...], as_json: bool) -> None:
    """List the officers with their roles and keys, and those who were dismissed.

    \b
    Example:
      strongroom officer ls
    """
    _, result = act(find_store(store), officers, "officer-ls", {})
    rows = [
        {**row, "roles": ", ".join(row["roles"]) or "dismissed", "since": when(row["since"] or None)}
        for row in result["officers"]
    ]
    there = sum(1 for row in result["officers"] if row["roles"])
    emit(
        "officer-ls", result, as_json=as_json, text=table(("name", "roles", "since", "key"), rows, f"{there} officers.")
    )
