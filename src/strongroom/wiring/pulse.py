"""What a program tells whoever started it: that it is ready, and from then on, each second, that it goes on.

Said from where its work is done: a loop that hangs is silent, however well the process is otherwise.
"""

import asyncio
import os
from contextlib import suppress

READY = "STRONGROOM_READY_FD"
"""Environment variable that names the pipe for this."""
BEAT = 1.0
"""Seconds."""

_pipe: list[int] = []


def tell_ready() -> None:
    """Said by a program when it is ready: to the supervisor that started it, if one did."""
    number = os.environ.pop(READY, "")
    if number.isdecimal():
        os.set_blocking(int(number), False)  # nobody may be reading, and a program does not wait for that
        os.write(int(number), b"1")
        _pipe.append(int(number))


def beat() -> None:
    """Said by a program each second from then on."""
    for number in _pipe:
        with suppress(OSError):  # nobody is there any more, or reads
            os.write(number, b".")


async def keep_beating() -> None:
    """`beat`, for as long as the loop goes on."""
    while True:
        beat()
        await asyncio.sleep(BEAT)
