"""`strongroom`: the list of commands, and what every command has in common: errors become sentences and exit codes."""

import contextlib
import importlib
import json
import os
import sys
from typing import Any

import click

from strongroom import __version__
from strongroom.cli.common import Told
from strongroom.errors import StrongroomError

COMMANDS: dict[str, tuple[str, str]] = {
    "backup": ("backup", "Copy the whole store, consistent and sealed, while it runs."),
    "bench": ("bench", "Measurements, from a checkout."),
    "demo": ("demo", "Make a demonstration store if there is none, start it, and say what to try."),
    "destroy": ("destroy", "Destroy a patient's key in every copy, 72 hours from now."),
    "doctor": ("doctor", "Look for what is wrong before you ask."),
    "drop-key": ("drop_key", "Believe no token any more that a stolen key of an issuer signed."),
    "freeze": ("freeze", "Stop a session, account, client, organisation, kind of act, or all strangers."),
    "gateway": ("gateway", "A reverse proxy before any portal: what is described may pass."),
    "get": ("get", "Read one document through the door."),
    "hunt": ("hunt", "Was a store emptied, by whom, whose documents: from logs that already exist."),
    "import": ("import_", "Bring existing documents in: resumable, verified, with progress."),
    "init": ("init", "Make a new, empty store and print its recovery key once."),
    "log": ("log", "Verify, prove and export the log."),
    "ls": ("ls", "List a patient's documents through the door."),
    "network": ("network", "Who may reach what, and the rules that hold every process to it."),
    "officer": ("officer", "Register, dismiss and list the officers."),
    "people": ("people", "Take in an organisation's signed feed of people and relations."),
    "probe": ("probe", "Audit who may read what on a portal of yours, with two test accounts."),
    "put": ("put", "Put one document in through the door."),
    "reencrypt": ("reencrypt", "Other keys and ciphertext for all that was released since a time."),
    "rehearse": ("rehearse", "Attack a store made for it (or your own) and say what would be lost."),
    "relation": ("relation", "Add, end and list relations."),
    "restore": ("restore", "Bring a backup back, and verify all of it."),
    "rotate": ("rotate", "Another key for a patient or the whole store, while everybody reads on."),
    "rules": ("rules", "List and test the rules that hunts run."),
    "run": ("run", "Run one program of a store (the supervisor's own command)."),
    "serve": ("serve", "Start every process of a store and keep it running."),
    "token": ("token", "A token for a demonstration login."),
    "undelete": ("undelete", "Bring a deleted document back while its delay lasts."),
    "unfreeze": ("unfreeze", "Undo a freeze."),
    "waf": ("waf", "Why the gateway refused a request, and how to exempt exactly that."),
    "watch": ("watch", "The same as hunt, over logs as they grow: alerts, each once."),
    "witness": ("witness", "Watch over somebody else's log: cosign what only grew."),
    "who-read": ("who_read", "The exact list of who was read, by whom, when."),
}
"""Name -> (module, one line). Alphabetical."""

HIDDEN = frozenset({"run"})


class _Lazy(click.Group):
    """Knows the names and one-liners of all commands; imports a command's module only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # as above
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"strongroom.cli.{COMMANDS[cmd_name][0]}")
        command = module.command
        if not isinstance(command, click.Command):  # pragma: no cover  # every module has one; tested
            return None
        command.hidden = cmd_name in HIDDEN
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # as above
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items() if name not in HIDDEN])


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="strongroom")
def cli() -> None:
    """Keep the documents of a patient portal so that nobody can empty them quietly.

    \b
    Example:
      strongroom demo                     a demonstration store, running, with three tokens to try
      strongroom init --store DIR         a store of your own
      strongroom serve --store DIR        start it
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code (see docs/cli.md)."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        cli.main(args=arguments, prog_name="strongroom", standalone_mode=False)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("Stopped.", err=True)
        sys.exit(130)
    except StrongroomError as error:
        _explain(error, as_json="--json" in arguments)
        sys.exit(error.exit_code)


def _explain(error: StrongroomError, *, as_json: bool) -> None:
    if as_json and not isinstance(error, Told):
        shape: dict[str, Any] = {"schema": "strongroom/error/v1", "error": error.message, "advice": error.advice}
        click.echo(json.dumps(shape))
    else:
        click.echo(f"strongroom: {error.message}", err=True)
        if error.advice:
            click.echo(f"  {error.advice}", err=True)


def entry() -> None:
    """`main` for a process of its own: it ends at once when the work is done.

    The object store's threads may still be letting go of futures; an interpreter that is being taken down under them
    aborts (seen once in some hundred runs), and a command that did its work must not end as if it had failed.
    """
    code: object = 0
    try:
        main()
    except SystemExit as done:
        code = done.code
    with contextlib.suppress(OSError):  # nobody listens any more
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


if __name__ == "__main__":
    entry()
