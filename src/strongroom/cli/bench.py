"""`strongroom bench`: measurements, which live in the checkout and not in the package."""

import subprocess
import sys
from pathlib import Path

import click

from strongroom.errors import CheckFailed, UsageError

CHECKOUT = Path(__file__).resolve().parents[3]


@click.command("bench", context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...]) -> None:
    """Run measurements; `strongroom bench --help` lists them. Works from a checkout.

    \b
    Example:
      strongroom bench idor
    """
    if not (CHECKOUT / "bench" / "__main__.py").is_file():
        msg = "Measurements are part of the checkout, not of the installed package."
        raise UsageError(msg, advice="Get the source, then: ./up bench.")
    done = subprocess.run([sys.executable, "-m", "bench", *arguments], cwd=CHECKOUT, check=False)  # noqa: S603  # our own
    if done.returncode:
        msg = f"The bench ended with {done.returncode}."
        raise CheckFailed(msg)
