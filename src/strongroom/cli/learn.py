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
def command(*, paths: tuple[str, ...], openapi: Path | None, least: int, out: Path | None, as_json: bool) -> None:
    """Draft gateway.toml from access logs (PATHs: files, directories, globs, - for the standard input; formats and packing as
    `strongroom hunt` reads them), or from an OpenAPI document. What only you know stands in it as a line that begins with DECIDE.

    \b
    Examples:
      strongroom gateway learn /var/log/nginx/access.log* --out gateway.toml
      strongroom gateway learn --openapi portal.yaml --out gateway.toml
    """
    from strongroom.wiring.learn import learn_description, learn_logs

    if bool(paths) == (openapi is not None):
        msg = "Learn from logs, or from a description (--openapi): one of them."
        raise UsageError(msg, advice="strongroom gateway learn access.log, or strongroom gateway learn --openapi FILE")
    if least < 1:
        msg = "--least counts people: at least 1."
        raise UsageError(msg)
    drafted = learn_logs(paths, least) if openapi is None else learn_description(openapi)
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
