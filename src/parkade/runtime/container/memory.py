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


def collect() -> None:
    """Free what only holds itself, and give back what is free. Stops every thread meanwhile."""
    gc.collect()
    trim()


def trim() -> None:
    """Give back what is free, where the C library keeps it until it is told."""
    if _malloc_trim is not None:
        _malloc_trim(0)


#: glibc has it; others have no need of it, or no such function.
_malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
