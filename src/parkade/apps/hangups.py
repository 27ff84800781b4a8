"""SIGHUP for a process that has only just begun: it is kept until that heeds it.

Before a program has said what it does on SIGHUP, it ends by it: a server that is told to take up its
settings while one of its processes comes back would lose that process once more.
"""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator

_HANGUP = {signal.SIGHUP}


@contextmanager
def kept() -> Iterator[None]:
    """Let a process that is forked meanwhile begin with the signal held back."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _HANGUP)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _HANGUP)


def heed(loop: asyncio.AbstractEventLoop, act: Callable[[], None]) -> None:
    """Act on the signal from now on, and on one that came earlier. For the main thread."""
    loop.add_signal_handler(signal.SIGHUP, act)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _HANGUP)
