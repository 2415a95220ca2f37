"""Who is told of alerts, and how: each messenger in a thread of its own, so that none keeps the watch from reading.

    syslog://host:514    syslog:/dev/log    https://…    smtp://host:25?from=A&to=B    smtps://host:465?from=A&to=B

What could not be told is tried again, with longer and longer waits, and is not lost with the process: alerts stay in the store.
"""

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import parse_qs, urlsplit

from strongroom.detect.smtp import Mail
from strongroom.detect.sqlite import Store
from strongroom.detect.syslog import Syslog
from strongroom.detect.webhook import Webhook
from strongroom.errors import OperationError, UsageError

LONGEST: Final = 60.0
"""Seconds between two attempts, at most."""


class Way(Protocol):
    """How one is told."""

    def tell(self, body: dict[str, Any]) -> None:
        """Tell one alert. Raises OSError when that failed."""


def way(address: str) -> Way:
    """The way that an address means. Raises UsageError."""
    parts = urlsplit(address)
    try:
        if parts.scheme == "syslog":
            return Syslog((parts.hostname, parts.port or 514) if parts.hostname else _path(parts.path))
        if parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0:
            return Webhook(address)
        if parts.scheme in {"smtp", "smtps"} and parts.hostname:
            asked, tls = parse_qs(parts.query), parts.scheme == "smtps"
            (sender,), (to,) = asked["from"], asked["to"]
            return Mail(parts.hostname, parts.port or (465 if tls else 25), sender, to, tls)
    except (KeyError, ValueError):
        pass
    advice = "syslog://host:514, syslog:/dev/log, https://…, smtp://host:25?from=A&to=B, smtps://host:465?from=A&to=B."
    raise UsageError(f"{label(address)} is no address for alerts.", advice=advice)


def label(address: str) -> str:
    """An address for people and for the store: without what may be secret in it."""
    parts = urlsplit(address)
    digest = hashlib.blake2b(address.encode(), digest_size=4).hexdigest()
    return f"{parts.scheme}:{parts.hostname or parts.path} ({digest})"


def _path(path: str) -> str:
    if not path.startswith("/"):
        raise ValueError
    return path


class Messenger:
    """A thread that tells what the store holds. `said` is called with sentences about failures, from that thread."""

    def __init__(self, name: str, way_: Way, folder: Path, said: Callable[[str], None]) -> None:
        self.name, self._way, self._folder, self._said = name, way_, folder, said
        self._awake, self._ending = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"messenger {name}", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """There may be something to tell."""
        self._awake.set()

    def end(self, seconds: float) -> None:
        """Tell what is left, once, and end; after so many seconds it is left for the next start."""
        self._ending.set()
        self._awake.set()
        self._thread.join(seconds)

    def _run(self) -> None:
        store, failed = Store(self._folder), 0
        while True:
            ending = self._ending.is_set()
            self._awake.clear()
            try:
                while batch := store.untold(self.name):
                    for number, body in batch:
                        self._way.tell(body)
                        store.told(self.name, number)
                        failed = 0
            except (OSError, OperationError) as error:
                failed += 1
                if failed == 1 or ending:
                    self._said(f"Alerts could not be told to {self.name} ({error}). They are kept and tried again.")
            if ending:
                store.close()
                return
            if failed:
                self._ending.wait(min(LONGEST, 2.0**failed))
            else:
                self._awake.wait()
