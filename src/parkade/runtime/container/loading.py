"""One model being loaded: in a thread, so that the others answer meanwhile.

A thread cannot be killed. One that takes too long or too much is told to end, by an exception at
its next line of Python, and if need be left behind; the next model is loaded by another.
"""

from __future__ import annotations

import asyncio
import ctypes
import sys
import threading
import traceback
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import requirements
from .namespaces import Namespace
from .script import BadModel, Script, code_folder, load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

#: How often a load is looked at that goes on.
WATCH_SECONDS = 0.05
#: The last lines of a traceback that the answer quotes; the log has all of it.
QUOTED_LINES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """Why a model was not loaded, as the status and text of the answer."""

    status: int
    message: str


class Interrupted(BaseException):
    """Raised in the thread; no script catches it by accident."""


class Loading:
    """One load, begun when it is made."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self.namespace = Namespace()
        self._folder = folder
        self._environ = environ
        self._loop = asyncio.get_running_loop()
        self._outcome: asyncio.Future[Script | Failed] = self._loop.create_future()
        self._left_behind = False
        self._thread = threading.Thread(target=self._work, name=f"load {folder}", daemon=True)
        self._thread.start()

    async def outcome(self, *, limit: float, exceeded: Callable[[], bool]) -> Script | Failed:
        """Wait for the end of it, at most `limit` seconds, ended once `exceeded`."""
        deadline = self._loop.time() + limit
        overfull = False
        while not self._outcome.done():
            left = deadline - self._loop.time()
            if left <= 0:
                self._left_behind = True
                self._interrupt()
                return Failed(
                    status=500,
                    message=f"the model was not loaded within {limit:g} s; what its script does "
                    "at import and in model_fn takes too long, or SAGEMAKER_STARTUP_TIMEOUT is "
                    "too short for it",
                )
            await asyncio.wait({self._outcome}, timeout=min(WATCH_SECONDS, left))
            if not self._outcome.done() and (overfull or exceeded()):
                overfull = True
                self._interrupt()
                # The exception may have met the thread in its last step.
                if not self._thread.is_alive():
                    break
        if overfull and not (self._outcome.done() and isinstance(self._outcome.result(), Script)):
            return Failed(status=507, message="the model takes more memory than there is")
        return self._outcome.result()

    def _work(self) -> None:
        outcome = self._loaded()
        # Without a loop, the process is about to end.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._settle, outcome)

    def _settle(self, outcome: Script | Failed) -> None:
        if self._left_behind:
            self.namespace.discard()
        elif not self._outcome.done():
            self._outcome.set_result(outcome)

    def _loaded(self) -> Script | Failed:
        try:
            unmet = requirements.unmet(code_folder(self._folder) / "requirements.txt")
            if unmet:
                return Failed(status=400, message=requirements.advice(unmet))
            with self.namespace.entered():
                return load(self._folder, self._environ, run=self.namespace.run)
        except BadModel as error:
            return _failed(error)
        except BaseException as error:  # noqa: BLE001 - a script may raise what it likes
            traceback.print_exception(error, file=sys.stderr)
            return Failed(status=500, message=f"loading ended by {type(error).__name__}: {error}")

    def _interrupt(self) -> None:
        if self._thread.ident is not None and self._thread.is_alive():
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(self._thread.ident), ctypes.py_object(Interrupted)
            )


def _failed(error: BadModel) -> Failed:
    """Say what was wrong: with the folder, or with what its script did."""
    cause = error.__cause__
    if cause is None:
        return Failed(status=400, message=str(error))
    lines = "".join(traceback.format_exception(cause)).splitlines()
    print(*lines, sep="\n", file=sys.stderr)  # noqa: T201 - the log
    if isinstance(cause, MemoryError):
        return Failed(status=507, message=f"{error}")
    return Failed(status=500, message="\n".join([str(error), *lines[-QUOTED_LINES:]]))
