"""`strongroom probe`: the audit of a portal's authorization that one repeats at every release. Needs no store."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from strongroom.cli.common import Told, json_option
from strongroom.errors import OperationError

if TYPE_CHECKING:
    from strongroom.gateway.found import Finding, Report


@click.command("probe")
@click.option("--upstream", required=True, help="Where the portal is: http://host:port, or https. Your own.")
@click.option("--config", "settings", type=click.Path(path_type=Path, dir_okay=False), default="gateway.toml",
              show_default=True, help="What the portal serves, as for the gateway.")  # fmt: skip
@click.option("--account", "accounts", type=click.Path(path_type=Path, dir_okay=False), multiple=True, required=True,
              help="File of a test account (docs/probe.md); twice, for two that have nothing in common.")  # fmt: skip
@click.option("--confirm", default="", envvar="STRONGROOM_PROBE_CONFIRM",
              help="The line in the portal's /.well-known/strongroom-probe.")  # fmt: skip
@click.option(
    "--rate", type=click.FloatRange(0.1, 200), default=5.0, show_default=True, help="Requests a second, at most."
)
@click.option("--most", type=click.IntRange(10, 100_000), default=2_000, show_default=True, help="Requests in all.")
@click.option("--documents", type=click.IntRange(1, 50), default=3, show_default=True,
              help="Of each account and route, that are tried.")  # fmt: skip
@json_option
def command(
    *, upstream: str, settings: Path, accounts: tuple[Path, ...], confirm: str, rate: float, most: int, documents: int,
    as_json: bool,
) -> None:  # fmt: skip
    """Try each test account's documents as the other and as nobody, in every way that made some portal give them.

    Only a portal that says itself that it may be probed is. Nothing of a document is kept or printed; exit code 1: something
    was found.

    \b
    Example:
      strongroom probe --upstream https://portal.example --account anna.toml --account ben.toml
    """
    from strongroom.wiring.probe import run_probe

    report = run_probe(settings, upstream, accounts, confirm, rate=rate, most=most, documents=documents)
    if as_json:
        click.echo(json.dumps({"schema": "strongroom/probe/v1", "upstream": upstream, **report.as_json()}))
    else:
        _print(report)
    if report.findings:
        raise Told(f"{len(report.findings)} leaks and undescribed ways to documents were found.",
                   advice="Each is a request above; mend it, describe or remove it, and probe again.")  # fmt: skip
    if not report.complete:
        raise OperationError("The probe did not come to its end.", advice="Allow more requests with --most.")


def _print(report: "Report") -> None:
    for one in report.findings:
        click.echo(_sentence(one))
        for way in one.ways:
            click.echo(f"    {way.request}  ({way.how}): {way.status}, {way.evidence}")
    for tested in report.tested:
        name = f"route {tested.route}" if tested.route else "addresses that are not described"
        click.echo(f"tested: {name}, {tested.documents} documents, {tested.requests} requests")
    for untested in report.untested:
        click.echo(f"not tested: {untested.what}: {untested.why}")
    click.echo(f"{len(report.findings)} findings, {report.requests} requests.")


def _sentence(one: "Finding") -> str:
    from strongroom.gateway.found import LISTED, UNDESCRIBED

    documents = ", ".join(one.documents[:5]) + (" …" if len(one.documents) > 5 else "")  # noqa: PLR2004  # a line
    where = f"route {one.route}" if one.route else "an address that is not described"
    if one.kind == LISTED:
        return f"LEAK: {where} shows {one.reader} what is not its own but {one.owner}'s, or somebody's: {documents}"
    if one.kind == UNDESCRIBED:
        return f"UNDESCRIBED: {where} serves documents: {documents}".rstrip(": ")
    return f"LEAK: {where} gives {one.reader} documents of {one.owner}: {documents}"
