"""`strongroom demo`: a demonstration store, made on first use, started, and what to try."""

from pathlib import Path

import click

from strongroom.cli.common import load
from strongroom.cli.init import TEMPLATE, gateway_section
from strongroom.cli.serve import programs_of
from strongroom.config import Layout
from strongroom.wiring.supervisor import Supervisor

NAMES = (
    ("patient1", "a mother of five"),
    ("patient7", "a patient with hundreds of documents"),
    ("doctor1", "a clinician"),
)


@click.command("demo")
@click.option("--store", type=click.Path(path_type=Path, file_okay=False), default=Path("strongroom-data"),
              show_default=True, help="Where the demonstration store is, or is to be made.")  # fmt: skip
@click.option("--patients", default=300, show_default=True, help="How many synthetic patients to make.")
@click.option("--port", default=8441, show_default=True, help="Port of the FHIR server.")
@click.option("--signin-port", default=8442, show_default=True, help="Port of the built-in sign-in.")
@click.option("--gateway-port", default=8440, show_default=True, help="Port of the gateway before it; 0: no gateway.")
@click.option("--make-only", is_flag=True, help="Make it, and do not start it.")
def command(store: Path, patients: int, port: int, signin_port: int, gateway_port: int, *, make_only: bool) -> None:
    """Make a demonstration store if there is none, start it, and say what to try. Everybody in it is synthetic.

    \b
    Example:
      strongroom demo
    """
    if not Layout(store).config.exists():
        _make(store, patients, port, signin_port, gateway_port)
    if make_only:
        return
    config = load(store)
    supervisor = Supervisor(store.resolve(), lambda text: click.echo(text, err=True), programs=programs_of(config))
    supervisor.start()
    _greet(store, config.base, border=config.separate_users)
    supervisor.watch()


def _make(store: Path, patients: int, port: int, signin_port: int, gateway_port: int) -> None:
    from strongroom.wiring.demo import make_demo  # loads the whole program
    from strongroom.wiring.place import choose_users

    click.echo(f"Making a demonstration store in {store} (everybody in it is synthetic) ...", err=True)
    text = TEMPLATE.format(
        name="demo", demonstration="true", host="127.0.0.1", port=port, signin_port=signin_port,
        users=choose_users(store),
    ) + gateway_section("127.0.0.1", gateway_port, "enforce")  # fmt: skip
    made = make_demo(store, text, patients=patients, say=lambda line: click.echo(f"  {line}", err=True))
    click.echo(f"  Recovery key, shown this once: {made.recovery}", err=True)


def _greet(store: Path, base: str, *, border: bool) -> None:
    from strongroom.cli.token import token_for  # reads the store's key

    click.echo(f"\nStrongroom is serving at {base}   (store: {store}, border: {'uid' if border else 'none'})\n")
    for name, who in NAMES:
        click.echo(f"{name}: {who}\n{token_for(store, name)}\n")
    click.echo("Tokens live ten minutes; make new ones with `./up token --as NAME`. Try in another terminal:\n")
    click.echo("  TOKEN=$(./up token --as patient1)")
    click.echo(f'  curl -H "Authorization: Bearer $TOKEN" {base}/DocumentReference')
    click.echo("  ./up rehearse P1 --quick")
    click.echo("\nCtrl-C stops it.")
