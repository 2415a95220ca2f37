"""What Linux does for borders between processes and the standard library of Python 3.11 has no name for."""

import ctypes
import os
from pathlib import Path
from typing import Final

_NEWNS, _NEWNET = 0x20000, 0x40000000
"""sched.h."""
_RDONLY, _NOSUID, _NODEV, _NOEXEC = 1, 2, 4, 8
_REMOUNT, _BIND, _REC, _SLAVE = 32, 4_096, 16_384, 1 << 19
_SHUT = _RDONLY | _NOSUID | _NODEV | _NOEXEC
_NO_NEW_PRIVS: Final = 38
"""sys/prctl.h."""

_libc = ctypes.CDLL(None, use_errno=True)


def _done(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


def enter(namespace: int) -> None:
    """Join the namespace that this descriptor is open upon (setns(2)). Raises OSError."""
    _done(_libc.setns(namespace, 0), "setns")


def own_mounts() -> None:
    """A mount namespace of our own: what is mounted elsewhere later comes in, what we do stays in. Raises OSError."""
    _done(_libc.unshare(_NEWNS), "unshare")
    _mount(b"none", b"/", None, _REC | _SLAVE)


def no_network() -> None:
    """A network namespace of our own, with nothing in it. Sockets that are files go on. Raises OSError."""
    _done(_libc.unshare(_NEWNET), "unshare")


def hide(path: Path) -> None:
    """Put something empty and shut over a directory or file, in our mount namespace. Raises OSError."""
    where = os.fsencode(path)
    if path.is_dir():
        _mount(b"none", where, b"tmpfs", _SHUT, b"size=4k,mode=000")
    else:
        _mount(b"/dev/null", where, None, _BIND)
        _mount(b"none", where, None, _BIND | _REMOUNT | _SHUT)  # a device that nobody may open


def no_new_privileges() -> None:
    """No program that we start gains any (prctl(2)). Raises OSError."""
    _done(_libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")


def _mount(source: bytes, target: bytes, kind: bytes | None, flags: int, data: bytes | None = None) -> None:
    _done(_libc.mount(source, target, kind, ctypes.c_ulong(flags), data), "mount")
