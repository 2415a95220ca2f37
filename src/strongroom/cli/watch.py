"""`strongroom watch`: the hunt's detections over logs as they grow."""

import json
import sys
import tempfile
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from strongroom.cli.common import Told, json_option
from strongroom.cli.told import stopping
from strongroom.errors import OperationError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from strongroom.detect.live import Live
    from strongroom.detect.messenger import Messenger, Way
    from strongroom.logs.follow import Follower
    from strongroom.logs.listener import Listener, Place
    from strongroom.logs.spool import Spool

DRAIN = 10.0
"""Seconds in which what was found is told when the watch ends; the rest with the next start."""


@click.command("watch")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    help="A directory of its own in which the watch keeps what it has learned and how far it has read.",
)
@click.option(
    "--tolerance",
    type=click.IntRange(0, 86_400),
    default=2,
    show_default=True,
    help="Seconds by which an event may come after a later one. CloudTrail: 600.",
)
@click.option(
    "--alert",
    "alerts",
    multiple=True,
    metavar="ADDRESS",
    help="Whom to tell besides: syslog://host:514, syslog:/dev/log, https://…, smtp://host:25?from=A&to=B.",
)
@click.option(
    "--freeze",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Have the gateway refuse documents to accounts, by which alerts and how many this file says.",
)
@click.option("--once", is_flag=True, help="Read what is there, judge it, and end: 1 when there were new alerts.")
@click.option("--mapping", type=click.Path(path_type=Path), help="What only you know, as of `strongroom hunt`.")
@click.option("--format", "format_name", help="Read everything in this format instead of recognising it.")
@click.option(
    "--rules",
    type=click.Path(path_type=Path, exists=True),
    multiple=True,
    help="More Sigma rules: a file or directory.",
)
@json_option
def command(  # one parameter an option
    *, paths: tuple[str, ...], state: Path | None, tolerance: int, alerts: tuple[str, ...], freeze: Path | None,
    once: bool, mapping: Path | None, format_name: str | None, rules: tuple[Path, ...], as_json: bool,
) -> None:  # fmt: skip
    """Watch logs as they grow: files, directories, globs, s3:// addresses, netflow:// to listen at, - for a pipe. Judged as by a
    hunt; each alert once.

    \b
    Examples:
      strongroom watch /var/log/nginx --state /var/lib/strongroom-watch
      strongroom watch s3://logs/AWSLogs --tolerance 600 --state ./watch --alert syslog://siem:514
      strongroom watch netflow://192.0.2.1:2055?from=192.0.2.254 --tolerance 120 --state ./watch
      strongroom watch access.log --once --json
    """
    from strongroom.clock import SECOND
    from strongroom.detect import messenger
    from strongroom.logs import formats
    from strongroom.logs import mapping as mappings
    from strongroom.logs.follow import Follower
    from strongroom.logs.listener import SCHEME, place

    if format_name is not None and format_name not in formats.NAMES:
        raise UsageError(f"There is no format of that name. The formats: {', '.join(formats.NAMES)}.")
    heard = [place(path) for path in paths if path.startswith(SCHEME)]
    if heard and once:
        raise UsageError("With --once what is there is read: nothing can be listened to.")
    ways: dict[str, messenger.Way] = {messenger.label(address): messenger.way(address) for address in alerts}
    ways["console"] = _Printed(sys.stdout, as_json=as_json)
    told = mappings.load(mapping) if mapping else None
    live = _live(told, rules, tolerance * SECOND)
    try:
        if freeze is not None:
            ways["freeze"] = _freezer(freeze, live)
        with tempfile.TemporaryDirectory(prefix="strongroom-watch-") as temporary:
            folder = state or Path(temporary)
            pipe = _piped(folder, whole=once) if "-" in paths else None
            with _listening(heard, folder) as listeners:
                journals = [str(one.folder) for one in (pipe, *listeners) if one is not None]
                follower = Follower(
                    (*(path for path in paths if path != "-" and not path.startswith(SCHEME)), *journals),
                    formats.NAMES[format_name] if format_name else None,
                    told,
                    grow=not once,
                    sure={str(one.folder): formats.NAMES["ocsf"] for one in listeners},
                )
                found = _run(
                    follower, live, folder, ways, once=once, pipe=pipe, listeners=listeners, alone=set(paths) == {"-"},
                    kept=state is not None,
                )  # fmt: skip
    finally:
        live.close()
    if once and not any(log.format or log.position for log in follower.logs):
        raise OperationError("Nothing at these paths could be read as a log.", advice="Formats: docs/hunt.md.")
    if once and found:
        raise Told(f"{found} to look at.")


def _run(
    follower: "Follower", live: "Live", folder: Path, ways: "dict[str, Way]", *, once: bool, pipe: "Spool | None",
    listeners: "list[Listener]", alone: bool, kept: bool,
) -> int:  # fmt: skip
    """Watch until told to stop, or `once`, or to the end of the `pipe` where it is watched `alone`; how many alerts were new.

    A state that is `kept` goes on another time: what waits is not judged as if nothing came any more.
    """
    from strongroom.clock import SystemClock
    from strongroom.detect.messenger import Messenger
    from strongroom.detect.sqlite import Store
    from strongroom.detect.state import State
    from strongroom.detect.watch import QUIET, Watch, unhurried

    unhurried()
    with stopping() as stop:
        state, store = State(folder), Store(folder)
        store.begin(ways)
        messengers = [Messenger(name, way, folder, _say) for name, way in ways.items()]
        try:
            watch = Watch(follower, live, state, store, SystemClock(), told=lambda: _wake(messengers), said=_say)
            while not stop.told:
                new = watch.round()
                for one in (pipe, *listeners):
                    if one is not None:
                        one.sweep(follower.has_read)
                if once or (alone and pipe is not None and not new and pipe.ended() and not watch.round()):
                    break
                if not new:
                    stop.wait(QUIET)
            if not kept and not stop.told:
                watch.settle()
            watch.save()
            return watch.alerts
        finally:
            for messenger in messengers:
                messenger.end(DRAIN)
            store.close()
            state.close()


def _freezer(file: Path, live: "Live") -> "Way":
    """Whom alerts ask to freeze. Raises ConfigError."""
    from strongroom.clock import SystemClock
    from strongroom.wiring.freezing import Freezer

    return Freezer(file, [(one.head.id, one.head.title) for one in live.detections], SystemClock(), _say)


def _piped(folder: Path, *, whole: bool) -> "Spool":
    """The standard input as files; `whole`: when all of it is there. Raises OperationError."""
    from strongroom.logs.journal import UNREAD
    from strongroom.logs.spool import ANY, Spool

    try:
        pipe = Spool(folder / "stdin", sys.stdin.fileno(), unread=ANY if whole else UNREAD)
    except OSError as error:
        raise OperationError(f"The standard input cannot be kept in {folder}: {error.strerror}.") from error
    while whole and not pipe.ended(1.0):
        pass
    return pipe


@contextmanager
def _listening(places: "list[Place]", folder: Path) -> "Iterator[list[Listener]]":
    """Listeners at all of them, until the end. Raises OperationError."""
    from strongroom.logs.listener import Listener

    with ExitStack() as stack:
        yield [stack.enter_context(closing(Listener(one, folder, _say))) for one in places]


class _Printed:
    """The console as a messenger."""

    def __init__(self, stream: IO[str], *, as_json: bool) -> None:
        self._stream, self._as_json = stream, as_json

    def tell(self, body: dict[str, Any]) -> None:
        """Print one. Raises OSError when nobody listens any more."""
        text = json.dumps(body) if self._as_json else "\n   ".join(body["sentences"])
        self._stream.write(text + "\n")
        self._stream.flush()


def _live(told: Any, more: tuple[Path, ...], tolerance: int) -> "Live":
    """The detections of a hunt, as far as a watch can say the same; what it cannot is said."""
    from strongroom.detect import hunt, rules
    from strongroom.detect.live import Live

    loaded = rules.load(rules.files((rules.OURS, *more)))
    live = Live((*hunt.own(told), *loaded.detections), told, tolerance)
    for one in (*loaded.stopped, *live.without):
        _say(f"left out: {one.file + ': ' if one.file else ''}{one.title}: {one.reason}")
    return live


def _wake(messengers: "list[Messenger]") -> None:
    for one in messengers:
        one.wake()


def _say(text: str) -> None:
    from strongroom.detect.say import harmless

    click.echo(harmless(text, 1_000), err=True)
