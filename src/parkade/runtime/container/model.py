"""One loaded model among many: its script, how it was used, and what is under way on it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

from .messages import Answer, failure, refusal
from .streams import FAILURES, Stream

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .messages import Request
    from .namespaces import Namespace
    from .script import Script


class Model:
    """Answers while it is loaded."""

    def __init__(self, script: Script, namespace: Namespace, folder: Path) -> None:
        self.folder = folder
        self._script: Script | None = script
        self._namespace = namespace
        #: What it takes, and whether it brought no libraries for others as well.
        self.size = 0
        self.alone = True
        self.loaded_at = time.time()
        self.used_at: float | None = None
        self.invocations = 0
        self._streams = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def answer(self, request: Request) -> Answer | Stream:
        """Answer an invocation; whatever the script raises becomes an answer as well."""
        script = self._script
        if script is None:
            raise RuntimeError("the model is gone")
        self.used_at = time.time()
        self.invocations += 1
        try:
            with self._namespace.entered():
                result = script.result(request)
        except FAILURES as error:
            if _lacks_memory(error):
                # The platform unloads other models, and asks again.
                return refusal(507, f"{type(error).__name__}: {error}")
            return failure(error)
        if isinstance(result, Answer):
            return result
        self._streams += 1
        self._idle.clear()
        parts = result.parts
        if isinstance(parts, AsyncIterator):
            return result._replace(parts=LaterParts(parts, self._namespace, self._leave))
        return result._replace(parts=Parts(parts, self._namespace, self._leave))

    def _leave(self) -> None:
        self._streams -= 1
        if not self._streams:
            self._idle.set()

    async def idle(self) -> None:
        """Return when nothing is under way on it."""
        await self._idle.wait()

    def drop(self) -> None:
        """Let go of all of it."""
        self._script = None
        self._namespace.discard()


class Parts(Iterator[Any]):
    """A stream of one model: made as its own, and told of when it ends."""

    def __init__(
        self, parts: Iterator[Any], namespace: Namespace, leave: Callable[[], None]
    ) -> None:
        self._parts = parts
        self._namespace = namespace
        self._leave = leave

    def __next__(self) -> Any:
        with self._namespace.entered():
            return next(self._parts)

    def close(self) -> None:
        """End it; to be called once, however it went."""
        close = getattr(self._parts, "close", None)
        try:
            if close is not None:
                with self._namespace.entered():
                    close()
        finally:
            self._leave()


class LaterParts(AsyncIterator[Any]):
    """The same for an asynchronous stream."""

    def __init__(
        self, parts: AsyncIterator[Any], namespace: Namespace, leave: Callable[[], None]
    ) -> None:
        self._parts = parts
        self._namespace = namespace
        self._leave = leave

    async def __anext__(self) -> Any:
        with self._namespace.entered():
            return await anext(self._parts)

    async def aclose(self) -> None:
        """End it; to be called once, however it went."""
        close = getattr(self._parts, "aclose", None)
        try:
            if close is not None:
                with self._namespace.entered():
                    await close()
        finally:
            self._leave()


def _lacks_memory(error: BaseException) -> bool:
    """Tell an error for lack of memory; of a GPU's, each library has one of its own."""
    return isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
