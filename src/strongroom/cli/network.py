"""`strongroom network`: the table of processes, and the rules that hold them to it."""

import ipaddress
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from strongroom.cli.common import emit, find_store, json_option, load, store_option
from strongroom.cli.serve import programs_of
from strongroom.config import Config, Layout
from strongroom.errors import OperationError, UsageError

if TYPE_CHECKING:
    from strongroom.border.table import Book, Borders

FORMATS = ("nftables", "systemd", "k8s", "terraform")


@click.command("network")
@click.option("--format", "form", type=click.Choice(FORMATS), help="Print these rules. Default: the table itself.")
@click.option("--address", "given", multiple=True, metavar="NAME=ADDRESS",
              help="Where a name is, instead of looking it up. May be given again.")  # fmt: skip
@click.option("--to", type=click.Path(path_type=Path, file_okay=False), help="Write the files into this directory.")
@store_option
@json_option
def command(*, form: str | None, given: tuple[str, ...], to: Path | None, store: Path | None, as_json: bool) -> None:
    """Print who may reach what, and the rules that hold every process to it. Changes nothing on this machine.

    \b
    Examples:
      strongroom network --store /var/lib/strongroom
      strongroom network --format nftables > strongroom.nft && nft -f strongroom.nft
      strongroom network --format systemd --to /etc/systemd/system
    """
    from strongroom.border.dns import ask
    from strongroom.border.table import declare, look_up

    place = find_store(store)
    config = load(place)
    borders = declare(config, Layout(place))
    if form is None:
        emit("network", _shape(borders, {}), as_json=as_json, text=_table(borders))
        return
    book = look_up(borders, ask, _book(given))
    files = _render(form, config, borders, book)
    for line in warnings(config):
        click.echo(f"strongroom: {line}", err=True)
    if to is not None:
        _write(to, files)
    said = "\n".join(str(to / name) for name in files) if to is not None else _joined(files)
    emit("network", {**_shape(borders, book), "format": form, "files": files}, as_json=as_json, text=said.rstrip("\n"))


def _render(form: str, config: Config, borders: "Borders", book: "Book") -> dict[str, str]:
    from strongroom.border import kubernetes, nftables, systemd, terraform

    running = frozenset(programs_of(config))
    if form == "nftables":
        return nftables.render(borders, book)
    if form == "systemd":
        here = running | {"gateway"} if config.users.gateway else running
        return systemd.render(borders, book, Path(sys.executable).with_name("strongroom"), here)
    if form == "k8s":
        return kubernetes.render(borders, book, running | {"gateway"})
    return terraform.render(borders, book)


def warnings(config: Config) -> list[str]:
    """What the rules close that somebody may have wanted open."""
    said = []
    if not config.reach.admin:
        said.append("No [reach] admin: nobody may come in to administer this machine, by SSH or else.")
    if not config.users.gateway and not config.reach.gateways:
        said.append("There is no gateway ([users] gateway, or [reach] gateways): the street reaches nothing at all.")
    return said


def _book(given: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for one in given:
        name, _, address = one.partition("=")
        try:
            found[name] = (*found.get(name, ()), str(ipaddress.ip_address(address)))
        except ValueError as error:
            msg = f"--address {one[:200]}: this is not NAME=ADDRESS."
            raise UsageError(msg, advice="As --address objects.example.org=10.0.0.7.") from error
    return found


def _joined(files: dict[str, str]) -> str:
    if len(files) == 1:
        return next(iter(files.values()))
    return "\n".join(f"# ==== {name}\n{text}" for name, text in files.items())


def _write(to: Path, files: dict[str, str]) -> None:
    try:
        to.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (to / name).write_text(text)
    except OSError as error:
        msg = f"{to} cannot be written: {error.strerror}."
        raise OperationError(msg) from error


def _shape(borders: "Borders", book: "Book") -> dict[str, Any]:
    from strongroom.border.table import End, is_address

    def end(one: End) -> dict[str, Any]:
        known = [one.host] if is_address(one.host) else list(book.get(one.host, ()))
        return {"place": one.place, "host": one.host, "port": one.port, "addresses": known}

    return {
        "store": borders.store,
        "processes": [
            {
                "name": row.name, "user": row.uid, "listens": [end(one) for one in row.listens],
                "connects": [end(one) for one in row.connects], "offers": [str(one) for one in borders.offered(row)],
                "opens": [str(one) for one in row.opens], "files": [str(one) for one in row.files],
            }
            for row in borders.rows
        ],
    }  # fmt: skip


def _table(borders: "Borders") -> str:
    lines = []
    for row in borders.rows:
        lines.append(f"{row.name} (user {row.uid or 'of whoever starts it'})")
        lines += [f"  listens   {one.shown}" for one in row.listens]
        lines += [f"  offers    {one}" for one in borders.offered(row)]
        lines += [f"  connects  {one.shown} ({one.place})" for one in row.connects]
        lines += [f"  opens     {one}" for one in row.opens]
        lines += [f"  owns      {one}" for one in row.files]
    return "\n".join([*lines, "What is not listed is not allowed."])
