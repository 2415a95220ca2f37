"""`strongroom run`: one program of a store, as the supervisor starts it."""

from pathlib import Path

import click

from strongroom.cli.common import find_store, store_option


@click.command("run")
@click.argument("name", type=click.Choice(["keeper", "signin", "app", "courier", "gateway", "publisher"]))
@store_option
def command(name: str, store: Path | None) -> None:
    """Run one program of a store until it is told to stop. `strongroom serve` starts them all.

    \b
    Example:
      strongroom run keeper --store DIR
    """
    from strongroom.wiring.memory import begin_again_with_tcmalloc

    if name == "gateway":
        begin_again_with_tcmalloc()
    from strongroom.wiring.programs import run_program  # loads the whole program

    run_program(name, find_store(store))
