"""`strongroom waf`: why the gateway refused a request, in plain words, and how to exempt exactly that."""

import shlex
from pathlib import Path

import click

from strongroom.cli.common import emit, json_option
from strongroom.cli.gateway import config_option
from strongroom.errors import UsageError


@click.group("waf")
def command() -> None:
    """Look after the WAF of the gateway.

    \b
    Example:
      strongroom waf explain 4kq3…
    """


@command.command("explain")
@click.argument("request")
@config_option
@json_option
def explain(*, request: str, settings: Path, as_json: bool) -> None:
    """Why the request of that number was refused: which rule, which part of it, and what to write to exempt exactly that.

    \b
    Example:
      strongroom waf explain itulqgpeqwnmq6hn7tkxuzftom --config gateway.toml
    """
    from strongroom.cli.show import when
    from strongroom.gateway.explain import explained, snippet
    from strongroom.wiring.gateway import looked_after

    checked, counts = looked_after(settings)
    one = counts.refused(request)
    if one is None:
        msg = "No request of that number was refused, or it was long ago."
        raise UsageError(msg, advice="The number stands in the answer, in X-Request-Id and in the log.")
    found = explained(one)
    text = [
        f"{one.method} {one.route or '-'} at {when(one.at)}, answered {one.status}: "
        + ("refused by " if one.enforced else "it would have been refused by ")
        + f"{one.rule}.",
        *found.said,
    ]
    written = snippet(checked.settings.waf.exempt, found.exempt) if found.exempt else ""
    if written:
        text += [
            f"If it was honest, write this in {settings.name}, in place of `exempt` there, and send SIGHUP:",
            "",
            written,
        ]
    allow = " ".join(["strongroom", "gateway", "allow", *map(shlex.quote, found.allow)]) if found.allow else ""
    if allow:
        text += ["If it was honest:", f'  {allow} --why "…"', f"  strongroom gateway undo {found.allow[0]}"]
    result = {
        "request": one.request, "at": one.at, "rule": one.rule, "enforced": one.enforced, "route": one.route, "status": one.status,
        "matches": [{"rule": match.rule, "part": match.part} for match in one.matches], "said": list(found.said),
        "exempt": list(found.exempt), "settings": written, "allow": allow,
    }  # fmt: skip
    emit("waf-explain", result, as_json=as_json, text="\n".join(text).rstrip())


@command.command("install")
@click.argument("archive", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--sha256", default="", help="Of the archive, as the project's page of releases tells it.")
@click.option(
    "--signature", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="The release's .asc file."
)
@click.option(
    "--keyring",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The project's public key (gpg --dearmor).",
)
@click.option("--into", type=click.Path(path_type=Path, file_okay=False), help="Default: /var/lib/strongroom/crs.")
@json_option
def install(
    *, archive: Path, sha256: str, signature: Path | None, keyring: Path | None, into: Path | None, as_json: bool
) -> None:
    """Install a release of the OWASP Core Rule Set: checked by digest or signature, loaded and tried before it is put in place.

    \b
    Example:
      strongroom waf install coreruleset-4.28.0-minimal.tar.gz --sha256 0f5c…
    """
    from strongroom.wiring.release import INTO, install

    found = install(archive, into or INTO, digest=sha256, signature=signature, keyring=keyring)
    text = f'''The Core Rule Set {found.version} with {found.rules} rules is in {found.folder}, and does what it must.
Write this in gateway.toml and send SIGHUP:

[waf]
rules = "{found.folder}"'''
    result = {"version": found.version, "folder": str(found.folder), "rules": found.rules, "remembers": found.steady}
    emit("waf-install", result, as_json=as_json, text=text)
