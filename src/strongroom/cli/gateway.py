"""`strongroom gateway`: a reverse proxy before a portal that is not rebuilt. Needs no store."""

from pathlib import Path

import click


@click.command("gateway")
@click.option("--upstream", required=True, help="Where the portal is: http://host:port, or https.")
@click.option(
    "--config",
    "settings",
    type=click.Path(path_type=Path, dir_okay=False),
    default="gateway.toml",
    show_default=True,
    help="What the portal serves, and who is who.",
)
@click.option("--check", is_flag=True, help="Read the configuration, say what it describes, and start nothing.")
def command(*, upstream: str, settings: Path, check: bool) -> None:
    """Let pass to a portal what gateway.toml describes, and nothing else, until Ctrl-C.

    \b
    Example:
      strongroom gateway --upstream http://127.0.0.1:8080 --config gateway.toml
    """
    from strongroom.wiring.gateway import read_settings, run_gateway

    if check:
        checked = read_settings(settings)
        for one in checked.routes:
            words = [
                f"{name} {value}" for name, value in (("document", one.document), ("patient", one.patient)) if value
            ]
            click.echo(f"{one.route.name}: {' '.join(one.route.methods)} {one.route.path} {', '.join(words)}".rstrip())
        return
    run_gateway(settings, upstream)
