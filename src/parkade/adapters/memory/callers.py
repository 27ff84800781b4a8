"""Callers whose other side is a function."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain.tester.shot import Reply

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class MemoryCaller:
    """The caller port; `answer` stands for the other side and takes its time."""

    def __init__(self, answer: Callable[[bytes, str], Awaitable[Reply]]) -> None:
        self._answer = answer
        self.opened = False

    async def open(self) -> None:
        """Be connected."""
        self.opened = True

    async def call(self, body: bytes, content_type: str) -> Reply:
        """Return what `answer` answers; what breaks the connection there is status 0 here."""
        try:
            return await self._answer(body, content_type)
        except ConnectionError as error:
            return Reply(status=0, trouble=str(error))

    async def close(self) -> None:
        """Be gone."""
        self.opened = False
