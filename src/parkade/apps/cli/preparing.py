"""Preparing an isolated environment in front of a person, who may lose patience."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from parkade.runtime import environments

if TYPE_CHECKING:
    from pathlib import Path


def environment(requirements: Path, *, cache: Path, log: Path) -> Path:
    """Return the interpreter of the requirements' environment; interrupted, end what installs.

    The installation runs in a session of its own, where Ctrl-C does not reach it.
    """
    halt = environments.Halt()
    with ThreadPoolExecutor(max_workers=1) as pool:
        try:
            return pool.submit(
                environments.prepare, requirements, cache=cache, log=log, halt=halt
            ).result()
        except BaseException:
            halt.halt()
            raise
