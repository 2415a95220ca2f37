"""Putting a probe together: two accounts, nobody, and the portal that says itself that it may be probed."""

import asyncio
import hmac
import os
import re
import stat
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from strongroom.errors import ConfigError, UsageError
from strongroom.gateway.account import MAX_ACCOUNT, Account, read_account
from strongroom.gateway.found import Report
from strongroom.gateway.probe import Probe
from strongroom.gateway.settings import Checked
from strongroom.gateway.upstream import Upstream, read_origin
from strongroom.gateway.variants import Try
from strongroom.gateway.visitor import Pace, Visitor
from strongroom.ids import new_id
from strongroom.wiring.gateway import read_settings

CONFIRMATION: Final = "/.well-known/strongroom-probe"


def load_account(path: Path) -> Account:
    """The account in a file that nobody else may read. Raises ConfigError."""
    name = path.stem
    try:
        with path.open("rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise ConfigError(f"Others may read {path}, which may hold a password.", advice=f"chmod 600 {path}")
            return read_account(name, file.read(MAX_ACCOUNT + 1), os.environ)
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}."
        raise ConfigError(msg, advice="docs/probe.md shows what stands in it.") from error


def run_probe(
    settings: Path, url: str, accounts: tuple[Path, ...], confirm: str, *, rate: float, most: int, documents: int
) -> Report:
    """Probe the portal at `url`. Raises ConfigError where it does not confirm, OperationError where an account cannot sign in."""
    checked = read_settings(settings)
    loaded = [load_account(path) for path in accounts]
    if len({one.name for one in loaded}) != 2:  # noqa: PLR2004  # as the command says
        raise UsageError(
            "A probe needs two accounts, in two files of different names.",
            advice="--account anna.toml --account ben.toml",
        )
    return asyncio.run(_probed(checked, url, loaded, confirm, Pace(rate, most), documents))


async def _probed(
    checked: Checked, url: str, accounts: list[Account], confirm: str, pace: Pace, documents: int
) -> Report:
    upstream = Upstream(read_origin(url, checked.settings.upstream.ca_file), checked.settings.upstream)
    host = urlsplit(url).netloc
    nobody = Visitor(upstream, host, pace)
    try:
        heard = await nobody.ask(Try("", CONFIRMATION))
        said = heard.body.strip() if heard.status == 200 else b""  # noqa: PLR2004  # whatever else is no confirmation
        if not re.fullmatch(r"[A-Za-z0-9_-]{20,100}", confirm) or not hmac.compare_digest(said, confirm.encode()):
            line = confirm if re.fullmatch(r"[A-Za-z0-9_-]{20,100}", confirm) else new_id()
            raise ConfigError(
                f"{host} does not confirm that it may be probed; nothing else was asked of it.",
                advice=f"On the portal make a file {CONFIRMATION} that holds the line {line}, then add --confirm {line}",
            )
        first, second = (Visitor(upstream, host, pace, one) for one in accounts)
        report = await Probe(checked, first, second, nobody, documents=documents).run()
    finally:
        await upstream.close()
    report.requests = pace.requests
    return report
