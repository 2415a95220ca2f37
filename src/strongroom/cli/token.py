"""`strongroom token`: a token for a demonstration login."""

from pathlib import Path

import click
import msgspec

from strongroom.cli.common import emit, find_store, json_option, load, store_option
from strongroom.clock import SystemClock
from strongroom.config import Layout
from strongroom.errors import UsageError


@click.command("token")
@click.option("--as", "name", required=True, help="The login's name: patient1 to patient300, doctor1 to doctor24.")
@store_option
@json_option
def command(name: str, store: Path | None, *, as_json: bool) -> None:
    """Print an access token for a login of a demonstration store, as if it had just signed in with a second factor.

    \b
    Example:
      export STRONGROOM_TOKEN="$(strongroom token --as patient1)"
    """
    token = token_for(find_store(store), name)
    emit("token", {"name": name, "token": token}, as_json=as_json, text=token)


def token_for(store: Path, name: str) -> str:
    """A token of a demonstration store. Raises UsageError for other stores and unknown names."""
    from strongroom.signin.tokens import mint  # loads the sign-in program
    from strongroom.wiring.demo import DemoFile, demo_file
    from strongroom.wiring.signin import signin_settings, signing_key

    config, layout = load(store), Layout(store)
    if not config.store.demonstration:
        msg = "Tokens without signing in exist only in demonstration stores."
        raise UsageError(msg, advice=f"Sign in at {config.issuer_url}/token.")
    logins = msgspec.json.decode(demo_file(layout).read_bytes(), type=DemoFile).logins
    if name not in logins:
        msg = f"There is no login {name[:40]!r} in this demonstration store."
        raise UsageError(msg, advice=f"For example: {', '.join(list(logins)[:3])}.")
    return mint(
        signing_key(config, layout), signin_settings(config), logins[name], SystemClock().now(), demonstration=True
    )
