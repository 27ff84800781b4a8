"""One caller of an endpoint or a route: who measures, and asks over a connection of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from parkade.domain.tester.shot import Reply


class Caller(Protocol):
    """Asks one address, one call at a time."""

    async def open(self) -> None:
        """Connect ahead of the first call, so that its time is the answer's alone.

        Never raises: a call that finds no connection tells why.
        """
        ...

    async def call(self, body: bytes, content_type: str) -> Reply:
        """Ask, and return once the last byte of the answer is there.

        Never raises for what the other side does: an answer that does not come, or breaks off, is
        a reply with status 0. A call that is cancelled leaves the connection closed.
        """
        ...

    async def close(self) -> None:
        """Let go of the connection."""
        ...
