"""`strongroom gateway learn`: a first gateway.toml from what a portal has answered, or from its own description."""

from pathlib import Path

import click

from strongroom.cli.common import emit, json_option
from strongroom.errors import OperationError, UsageError


@click.command("learn")
@click.argument("paths", nargs=-1)
@click.option(
    "--openapi",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The portal's own description (OpenAPI or Swagger).",
)
@click.option("--live", is_flag=True, help='From what passed the gateway while its settings said routes = "learn".')
@click.option(
    "--config",
    "settings",
    type=click.Path(path_type=Path, dir_okay=False),
    default="gateway.toml",
    show_default=True,
    help="The settings of that gateway (--live).",
)
@click.option(
    "--least",
    default=3,
    show_default=True,
    help="How many people or addresses must have asked for what is written word by word.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write; it must not be there. Default: standard output.",
)
@json_option
def command(  # one parameter an option
    *,
    paths: tuple[str, ...],
    openapi: Path | None,
    live: bool,
    settings: Path,
    least: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Draft gateway.toml from access logs (PATHs: files, directories, globs, - for the standard input; formats and packing as
    `strongroom hunt` reads them), from an OpenAPI document, or from what passed a gateway that learns. What only you know stands
    in it as a line that begins with DECIDE.

    \b
    Examples:
      strongroom gateway learn /var/log/nginx/access.log* --out gateway.toml
      strongroom gateway learn --openapi portal.yaml --out gateway.toml
      strongroom gateway learn --live --config gateway.toml --out described.toml
    """
    from strongroom.gateway.live import KEPT
    from strongroom.wiring.learn import learn_description, learn_live, learn_logs

    if bool(paths) + (openapi is not None) + live != 1:
        msg = "Learn from logs, from a description (--openapi), or from what passed (--live): one of them."
        raise UsageError(msg, advice="strongroom gateway learn access.log, or strongroom gateway learn --openapi FILE")
    if least < 1 or (live and least > KEPT):
        msg = f"--least counts people: at least 1, and with --live at most {KEPT}."
        raise UsageError(msg)
    if openapi is not None:
        drafted = learn_description(openapi)
    else:
        drafted = learn_live(settings, least) if live else learn_logs(paths, least)
    if not drafted.routes:
        msg = "There is nothing to draft: " + (
            "; ".join(f"{n} {why}" for why, n in drafted.left_out.items()) or "no requests."
        )
        raise OperationError(msg, advice="Are these access logs of the portal? With few people, lower --least.")
    if out is not None:
        _write(out, drafted.text)
    questions = sum(len(one.ask) for one in drafted.routes) + drafted.person_unknown
    shape = {
        "file": None if out is None else str(out), "questions": questions, "left_out": drafted.left_out, "text": drafted.text,
        "routes": [
            {"path": one.path, "methods": one.methods, "document": one.document, "patient": one.patient,
             "shows": one.links or bool(one.ids), "requests": one.asked, "ask": one.ask}
            for one in drafted.routes
        ],
    }  # fmt: skip
    said = f"{len(drafted.routes)} routes, {questions} questions: look for DECIDE in {out}."
    emit("gateway-learn", shape, as_json=as_json, text=drafted.text.rstrip("\n") if out is None else said)


def _write(out: Path, text: str) -> None:
    try:
        with out.open("x") as file:
            file.write(text)
    except OSError as error:
        msg = f"{out} cannot be written: {error.strerror}."
        raise OperationError(msg, advice="A file that is there is not overwritten: name another.") from error
