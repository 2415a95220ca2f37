"""Becoming a user of less power, for good.

Every process of the store starts, imports what it needs, and only then becomes its own user: the interpreter and the
packages may lie where that user cannot read (a checkout in root's home), and it needs nothing of them afterwards.
"""

import importlib
import os
import pkgutil
import resource
import warnings

from strongroom.errors import ConfigError

_WANTED_LATER = (
    "encodings.idna",
    "encodings.ascii",
    "encodings.latin_1",
    "concurrent.futures.thread",
    "asyncio.base_futures",
    "asyncio.sslproto",
    "traceback",
    "linecache",
    "socket",
    "ssl",
    "http.client",
    "email.utils",
    "stringprep",
    "multiprocessing",
    "queue",
    "importlib.readers",
)
"""Modules that the standard library loads only when first used."""


def preload(*packages: str) -> None:
    """Import these packages with all their submodules that can be imported, and what the standard library delays.

    A submodule that needs something not installed (a test client, an optional protocol) is passed over: it could not
    be imported later either.
    """
    warnings.simplefilter("ignore")  # of submodules that nobody asked for
    for name in (*_WANTED_LATER, *packages):
        module = importlib.import_module(name)
        for found in pkgutil.walk_packages(getattr(module, "__path__", ()), f"{name}.", onerror=lambda _: None):
            if "__main__" in found.name or ".tests" in found.name:
                continue
            try:
                importlib.import_module(found.name)
            except Exception:  # noqa: BLE001, S112  # see the docstring; what is really needed was imported by name
                continue


def become(uid: int, groups: tuple[int, ...] = ()) -> None:
    """Give up root and be `uid` (group of the same number, and of `groups`) from now on. With `uid` 0: stay who we are.

    Raises ConfigError when the process could get root back, so that a border that is none is never claimed.
    """
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold keys
    if uid == 0:
        return
    if os.getresuid() != (uid, uid, uid):  # a unit of systemd may have done it already
        os.setgroups(groups)
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    try:
        os.setuid(0)
    except PermissionError:
        return
    msg = f"The process could take root back after becoming user {uid}."
    raise ConfigError(msg, advice="Run it without special capabilities.")


def may_separate() -> bool:
    """Whether this process has the right to start others under separate users."""
    return os.geteuid() == 0
