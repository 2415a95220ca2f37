"""A program of the store whose clock can be moved and whose signer can lie. `python program.py FOLDER run NAME --store PLACE`.

Switches are files in FOLDER; without them the program is as it ships. They stand here and not in the product: what can be
told to lie may be told so by somebody else.

* `clock`: milliseconds by which the machine's clock is off, for this process (what `time.time_ns` says). `clock-app`: the
  same for one program.
* `signer`: there, requests' contexts are signed with a key that nobody knows.
"""

import ctypes
import os
import sys
import time
from pathlib import Path

_PR_SET_PTRACER, _ANY = 0x59616D61, ctypes.c_ulong(-1)


def main(folder: Path, arguments: list[str]) -> None:
    """Put the switches in, and run the program."""
    from strongroom.cli.main import entry  # noqa: PLC0415  # after the arguments were looked at

    ctypes.CDLL(None).prctl(_PR_SET_PTRACER, _ANY)  # where Yama would keep our own tracer out (prctl(2))
    _move_clock((folder / "clock", folder / f"clock-{arguments[1]}"))
    if arguments[1] == "app":
        _lying_signer(folder / "signer")
    sys.argv = ["strongroom", *arguments]
    entry()


def _move_clock(files: tuple[Path, ...]) -> None:
    real = time.time_ns

    def moved() -> int:
        return real() + 1_000_000 * sum(map(_number, files))

    time.time_ns = moved


def _number(file: Path) -> int:
    try:
        return int(file.read_text() or "0")
    except OSError:
        return 0


def _lying_signer(file: Path) -> None:
    from strongroom.identity.context import ContextKey, Signer  # noqa: PLC0415  # as above
    from strongroom.secret import Secret  # noqa: PLC0415  # as above
    from strongroom.wiring.app import ContextSigner  # noqa: PLC0415  # as above

    stranger, real = ContextKey(Secret(os.urandom(32)), Signer.LOCAL), ContextSigner.__call__

    def signed(self: ContextSigner, **claims: str) -> str:
        held = self._key
        if file.exists():
            self._key = stranger
        try:
            return real(self, **claims)
        finally:
            self._key = held

    ContextSigner.__call__ = signed  # type: ignore[method-assign]  # the lie


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
