"""`strongroom serve`: every process of a store, supervised."""

from pathlib import Path

import click

from strongroom.cli.common import find_store, load, store_option
from strongroom.config import Config
from strongroom.wiring.supervisor import PROGRAMS, Supervisor


@click.command("serve")
@store_option
def command(store: Path | None) -> None:
    """Start every process of a store, keep them running, and stop them in order on Ctrl-C.

    \b
    Example:
      strongroom serve --store /var/lib/strongroom
    """
    place = find_store(store)
    config = load(place)
    supervisor = Supervisor(place, lambda text: click.echo(text, err=True), programs=programs_of(config))
    supervisor.start()
    click.echo(f"Serving {config.store.name} at {config.base}. Ctrl-C stops it.")
    if not config.separate_users:
        click.echo("border: none. All processes run as one user; start as root for a border between them.", err=True)
    supervisor.watch()


def programs_of(config: Config) -> tuple[str, ...]:
    """The programs that this store needs."""
    fetched = any(entry.jwks_uri and not entry.jwks_file for entry in config.issuer)
    names = [name for name in PROGRAMS if name != "signin" or config.signin.enabled]
    if config.gateway.enabled:
        names.append("gateway")
    return (*names, *(["courier"] if fetched else []), *(["publisher"] if config.witness or config.copy else []))
