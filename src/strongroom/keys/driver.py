"""An HSM's driver in this process: loaded once, told that several threads call it, and begun anew when its HSM came back.

A driver may learn of tokens only when it is initialized (PKCS#11 2.40, 5.4): one that was taken out and put back, or lay in
another slot, is found again by ending it and beginning anew. All its sessions and handles end with that, and their numbers
are given out again; `age` tells which are of before.
"""

import ctypes
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import pkcs11

from strongroom.errors import ConfigError, Unavailable

QUIET = 0.3
"""Seconds to wait for calls that are under way, before the driver is begun anew: to end it under a call is undefined (5.5)."""
_OS_LOCKING_OK = 2  # CKF_OS_LOCKING_OK

_InitializeOrFinalize = ctypes.CFUNCTYPE(ctypes.c_ulong, ctypes.c_void_p)


class _Functions(ctypes.Structure):
    """The beginning of CK_FUNCTION_LIST (6.6)."""

    _fields_: ClassVar = [
        ("version", ctypes.c_ubyte * 2),
        ("initialize", _InitializeOrFinalize),
        ("finalize", _InitializeOrFinalize),
    ]


class _Arguments(ctypes.Structure):
    """CK_C_INITIALIZE_ARGS (3.7)."""

    _fields_: ClassVar = [
        ("mutexes", ctypes.c_void_p * 4),
        ("flags", ctypes.c_ulong),
        ("reserved", ctypes.c_void_p),
    ]


class Driver:
    """One driver. Everything that calls it does so within `calling`."""

    def __init__(self, library: Any, module: str) -> None:
        """Use `driver`. `library`: as the binding loaded and initialized it."""
        self.library = library
        self.age = 0
        """How often it was begun anew."""
        self._module = module
        self._quiet = threading.Condition()
        self._inside = 0
        self._ending = False
        self.threaded = self._begin_again()
        """Whether several threads may call it."""

    @contextmanager
    def calling(self) -> Iterator[None]:
        """The driver is not ended meanwhile."""
        with self._quiet:
            self._quiet.wait_for(lambda: not self._ending)
            self._inside += 1
        try:
            yield
        finally:
            with self._quiet:
                self._inside -= 1
                self._quiet.notify_all()

    def begin_anew(self, age: int) -> None:
        """End it and begin anew, unless that was done since it was of this `age`. Not to be called within `calling`.

        Raises Unavailable when it does not come back, or a call of it hangs.
        """
        with self._quiet:
            if self.age != age:
                return
            self._ending = True
            try:
                if not self._quiet.wait_for(lambda: not self._inside, QUIET):
                    raise away()
                self.age += 1
                self._begin_again()
            finally:
                self._ending = False
                self._quiet.notify_all()

    def _begin_again(self) -> bool:
        """Initialize it again, for several threads. The binding does so for one: then a driver may do without locks, and
        two calls at once, the second beside one that hangs, spoil its memory (5.4). False: it cannot lock.
        """
        functions = ctypes.POINTER(_Functions)()
        if ctypes.CDLL(self._module).C_GetFunctionList(ctypes.byref(functions)) != 0:
            return False
        again = functions.contents
        arguments = _Arguments(flags=_OS_LOCKING_OK)
        if again.finalize(None) not in {0, _NOT_INITIALIZED}:
            return False
        if again.initialize(ctypes.byref(arguments)) == 0:
            return True
        if again.initialize(None) != 0:
            raise away()
        return False


_NOT_INITIALIZED = 0x190  # CKR_CRYPTOKI_NOT_INITIALIZED: the time before, it did not come back

_drivers: dict[str, Driver] = {}


def driver(module: str) -> Driver:
    """The driver in the file `module`. Raises ConfigError when it cannot be loaded, Unavailable when it does not begin."""
    if module not in _drivers:
        try:
            load: Callable[[str], Any] = pkcs11.lib
            library = load(module)
        except (RuntimeError, OSError) as error:
            msg = f"The PKCS#11 module {module} cannot be loaded."
            advice = "Check [keeper.pkcs11] module, and that the HSM's driver is installed."
            raise ConfigError(msg, advice=advice) from error
        _drivers[module] = Driver(library, module)
    return _drivers[module]


def away() -> Unavailable:
    """What to say of an HSM that does not answer."""
    return Unavailable(
        "The HSM does not answer.",
        advice="See the HSM's own log; it is found by itself. Patients whose key is in memory are still served.",
    )
