"""`strongroom init`: a new, empty store."""

from pathlib import Path

import click

from strongroom.cli.common import emit, json_option

TEMPLATE = """\
# The configuration of this store. docs/configuration.md describes every field.

[store]
name = "{name}"
demonstration = {demonstration}

[api]
host = "{host}"
port = {port}

[signin]
host = "{host}"
port = {signin_port}

[users]
keeper = {users.keeper}
app = {users.app}
signin = {users.signin}
courier = {users.courier}
gateway = {users.gateway}
"""


def gateway_section(host: str, port: int, guard: str) -> str:
    """What stands behind the template where there is a gateway. Port 0: there is none."""
    return f'\n[gateway]\nenabled = true\nhost = "{host}"\nport = {port}\nguard = "{guard}"\n' if port else ""


@click.command("init")
@click.option("--store", type=click.Path(path_type=Path, file_okay=False), default=Path("strongroom-data"),
              show_default=True, help="Directory to make.")  # fmt: skip
@click.option("--name", default="strongroom", show_default=True, help="The store's name; it cannot be changed later.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8441, show_default=True, help="Port of the FHIR server.")
@click.option("--signin-port", default=8442, show_default=True, help="Port of the built-in sign-in.")
@click.option("--gateway-port", default=8440, show_default=True, help="Port of the gateway before it; 0: no gateway.")
@click.option("--config", "given", type=click.Path(path_type=Path, dir_okay=False, exists=True),
              help="Use this strongroom.toml instead (needed for an HSM or a bucket).")  # fmt: skip
@json_option
def command(  # one parameter an option
    *, store: Path, name: str, host: str, port: int, signin_port: int, gateway_port: int, given: Path | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Make a new, empty store and print its recovery key once. Refuses if anything is there.

    \b
    Example:
      strongroom init --store /var/lib/strongroom --name northland
    """
    from strongroom.wiring.place import choose_users, make_store  # loads the whole program

    # Behind a gateway the app, whose section is the first, listens to this machine alone.
    form = TEMPLATE.replace("{host}", "127.0.0.1", 1) if gateway_port else TEMPLATE
    text = given.read_text() if given else form.format(
        name=name, demonstration="false", host=host, port=port, signin_port=signin_port, users=choose_users(store)
    ) + gateway_section(host, gateway_port, "simulate")  # fmt: skip
    made = make_store(store, text)
    said = [
        f"Made the store {made.config.store.name} in {store}.",
        "",
        "Its recovery key, shown this once. Write it on paper and keep it away from the machine:",
        "",
        f"    {made.recovery}",
        "",
        f"Officers' key files are in {store / 'officers'}: hand them to three people and take them away from here.",
        *([made.warning] if made.warning else []),
        f"Start it: strongroom serve --store {store}",
    ]
    shape = {
        "store": str(store),
        "name": made.config.store.name,
        "recovery_key": made.recovery,
        "warning": made.warning,
    }
    emit("init", shape, as_json=as_json, text="\n".join(said))
