"""What the C library does with memory that was freed (mallopt(3))."""

import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # malloc.h of glibc
KEPT = 33_554_432
"""Bytes of free memory at the heap's end that are kept for the next request."""
LARGE = 4_194_304
"""Bytes from which on a piece of memory is asked from the system and given back by itself."""


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
