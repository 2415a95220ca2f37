"""`python -m bench.replay [--scale small|full] [--seed N]`: the tables of docs/detection.md, on the standard output."""

from typing import get_args

import click

from bench import Scale
from bench.replay import PEOPLE, SEED, page, replay


@click.command()
@click.option("--scale", type=click.Choice(get_args(Scale)), default="small", show_default=True)
@click.option("--seed", type=int, default=SEED, show_default=True, help="Other people, other days, other thieves.")
def main(scale: Scale, seed: int) -> None:
    """Replay, hunt, and print the tables."""
    click.echo(page.tables(list(replay(PEOPLE[scale], seed))), nl=False)


main()
