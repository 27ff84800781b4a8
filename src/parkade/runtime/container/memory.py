"""What this process takes of the machine's memory, and how some of it is given back."""

from __future__ import annotations

import ctypes
import gc
import mmap
from pathlib import Path

_STATM = Path("/proc/self/statm")
_HAS_STATM = _STATM.is_file()


def resident() -> int:
    """Return the bytes of memory that the process takes: its resident set."""
    if _HAS_STATM:
        return int(_STATM.read_bytes().split()[1]) * mmap.PAGESIZE
    import psutil  # noqa: PLC0415 - for systems without /proc

    return int(psutil.Process().memory_info().rss)


def use_one_heap() -> None:
    """Let every thread use the same heap, where the C library would begin others.

    Models are loaded by one thread after the other; what one has left is to be there for the next.
    """
    if _mallopt is not None:
        _mallopt(_ARENA_MAX, 1)


def collect() -> None:
    """Free what only holds itself, and give back what is free. Stops every thread meanwhile."""
    gc.collect()
    trim()


def trim() -> None:
    """Give back what is free, where the C library keeps it until it is told."""
    if _malloc_trim is not None:
        _malloc_trim(0)


#: glibc has these; others have no need of them, or no such functions.
_malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
_mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if _malloc_trim is not None else None
#: glibc's M_ARENA_MAX.
_ARENA_MAX = -8
