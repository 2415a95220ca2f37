"""Who gives memory: what the C library does with what was freed (mallopt(3)), another allocator, and Python's search for cycles."""

import ctypes
import gc
import os
import platform
import sys
from pathlib import Path

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # malloc.h of glibc
KEPT = 33_554_432
"""Bytes of free memory at the heap's end that are kept for the next request."""
LARGE = 4_194_304
"""Bytes from which on a piece of memory is asked from the system and given back by itself."""
TCMALLOC = Path(f"/usr/lib/{platform.machine()}-linux-gnu/libtcmalloc_minimal.so.4")
"""Debian's libtcmalloc-minimal4."""


def begin_again_with_tcmalloc() -> None:
    """Become the same program with another allocator, where it is installed; for the very beginning of a program.

    libmodsecurity asks for memory thousands of times for each request: with this allocator its rules take a fifth to a quarter less
    time. It must be there before anything else is loaded, and so the program is executed once more, as the same process.
    """
    before = os.environ.get("LD_PRELOAD", "")
    if TCMALLOC.exists() and str(TCMALLOC) not in before:
        preload = " ".join(filter(None, (str(TCMALLOC), before)))
        os.execve(sys.executable, sys.orig_argv, {**os.environ, "LD_PRELOAD": preload})  # noqa: S606  # ourselves, as we were called


def collect_rarely() -> None:
    """Requests leave hardly any cycles behind, and a large heap is long looked through: it stops everybody."""
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)


def keep_freed() -> None:
    """Use freed memory again, up to `KEPT` bytes of it, instead of giving it back to the system.

    glibc gives back free memory at its heap's end. A program that moves pieces of some 250 KB would get every page of
    them anew each time, filled with zeros by the kernel: that took longer than all that is done with the bytes. Where
    the C library is another one, nothing happens.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_TRIM_THRESHOLD, KEPT)
        mallopt(_MMAP_THRESHOLD, LARGE)
