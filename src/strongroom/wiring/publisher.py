"""The publisher: the courier's second program, which shows the published log to witnesses, and pushes it into a locked
bucket. Started where there are any, or there is one.

It takes the directory of the log along when it gives up root, as an open handle: it can read the published files, and not
so much as list anything else of the keeper's.
"""

import logging
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from strongroom.audit.verify import ReadFile
from strongroom.clock import SystemClock
from strongroom.config import Config, Copy, Layout
from strongroom.courier.publish import Asked, Publisher, Standing, post
from strongroom.courier.push import Pushed, Pusher
from strongroom.courier.s3 import LockedBucket, Where
from strongroom.documents.s3 import read_credentials
from strongroom.errors import ConfigError, StrongroomError
from strongroom.tlog.cosign import Cosigner
from strongroom.tlog.logkeys import LogKeys
from strongroom.tlog.tile import MAX_RESOURCE
from strongroom.wiring.place import VKEY, log_keys
from strongroom.wiring.pulse import BEAT, beat, tell_ready
from strongroom.wiring.seat import take_seat

if TYPE_CHECKING:
    from strongroom.wiring.rehearsal import Rehearsal

PAUSE = 10.0
"""Seconds between two rounds."""


def run_publisher(config: Config, layout: Layout, _rehearsal: "Rehearsal | None") -> None:
    """Show the log to its witnesses, and push it into its copy, until told to stop. Raises ConfigError where it cannot
    begin. A copy that is slow delays no witness.
    """
    publisher, pusher = open_publisher(config, layout)
    tell_ready()
    told: dict[str, tuple[str, str]] = {}
    rounds = [lambda: tell(publisher.round(), told)] if config.witness else []
    rounds += [lambda: tell_pushed(pusher.round(), told)] if pusher is not None else []
    for one in rounds[1:]:
        threading.Thread(target=_again, args=(one,), daemon=True).start()
    _again(rounds[0])


def _again(work: Callable[[], None]) -> None:
    pause = threading.Event()
    while True:
        try:
            work()
        except StrongroomError as error:
            logging.getLogger("strongroom.publisher").warning("%s", error)
        for _ in range(int(PAUSE / BEAT)):
            beat()
            pause.wait(BEAT)


def open_publisher(config: Config, layout: Layout) -> tuple[Publisher, Pusher | None]:
    """Take along what is needed, the copy's credentials too, and become the courier."""
    bucket = None if config.copy is None else open_copy(config.copy, layout)
    try:
        known = log_keys(layout)
        handle = os.open(layout.log, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        layout.published.mkdir(exist_ok=True)
        layout.published.chmod(0o755)
        if config.separate_users:
            os.chown(layout.published, config.users.courier, config.users.courier)
    except OSError as error:
        msg = f"The published log cannot be opened: {error.strerror}."
        raise ConfigError(msg, advice="Run as root or the keeper's user.") from error
    take_seat("publisher", config, layout)
    read = reading(handle)
    publisher = Publisher(read, lambda: _keys(read, known), layout.published, asked(config), SystemClock(), post)
    if bucket is None or config.copy is None:
        return publisher, None
    pusher = Pusher(
        read, lambda: _keys(read, known), layout.published, bucket, SystemClock(), minutes=config.copy.minutes,
        days=config.copy.retention_days,
    )  # fmt: skip
    return publisher, pusher


def open_copy(copy: Copy, layout: Layout) -> LockedBucket:
    """The bucket of the log's copy. Raises ConfigError; nothing is asked of it yet."""
    credentials = read_credentials(layout.root / copy.access_key_file)
    where = Where(copy.bucket, copy.endpoint, copy.region, copy.prefix, copy.timeout_seconds)
    return LockedBucket(where, credentials.access, credentials.secret, SystemClock())


def tell_pushed(pushed: Pushed, told: dict[str, tuple[str, str]]) -> None:
    """Say what has changed with the copy; that it differs is said again every round."""
    if pushed.state == "differs":
        logging.getLogger("strongroom.publisher").error("ALARM: the log's copy: %s", pushed.said)
    elif told.get("") != (pushed.state, pushed.said):
        logging.getLogger("strongroom.publisher").warning("the log's copy: %s %s", pushed.state, pushed.said)
    told[""] = (pushed.state, pushed.said)


def _keys(read: ReadFile, known: LogKeys) -> LogKeys:
    """The log's keys as they are published now: those we knew when we began, and any that came since. Raises Malformed."""
    raw = read(VKEY)
    found = known if raw is None else LogKeys.parse(raw.decode(errors="replace"))
    return found if set(known.verifiers) <= set(found.verifiers) else known


def asked(config: Config) -> tuple[Asked, ...]:
    """The witnesses of the configuration. Raises ConfigError."""
    found = []
    for entry in config.witness:
        try:
            found.append(Asked(Cosigner.parse(entry.vkey), entry.url))
        except StrongroomError as error:
            msg = f"strongroom.toml: witness {entry.url}: {error.message}"
            raise ConfigError(msg, advice=error.advice) from error
    if len({one.key.name for one in found}) != len(found):
        msg = "strongroom.toml: two witnesses have one name."
        raise ConfigError(msg)
    return tuple(found)


def reading(handle: int) -> ReadFile:
    """Read files below an open directory."""

    def read(path: str) -> bytes | None:
        try:
            with os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=handle), "rb") as file:
                return file.read(MAX_RESOURCE)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            msg = f"{path} of the published log cannot be read: {error.strerror}."
            raise ConfigError(msg) from error

    return read


def overlaid(read: ReadFile, published: Path) -> ReadFile:
    """The published log under its newest cosigned checkpoint, where there is one."""

    def under(path: str) -> bytes | None:
        cosigned = published / path
        return cosigned.read_bytes() if path == "checkpoint" and cosigned.is_file() else read(path)

    return under


def tell(standing: Sequence[Standing], told: dict[str, tuple[str, str]]) -> None:
    """Say what has changed with each witness; a refusal is said again every round."""
    for one in standing:
        if one.state == "refused":
            logging.getLogger("strongroom.publisher").error("ALARM: witness %s refuses: %s", one.name, one.said)
        elif told.get(one.name) != (one.state, one.said):
            logging.getLogger("strongroom.publisher").warning("witness %s: %s %s", one.name, one.state, one.said)
        told[one.name] = (one.state, one.said)
