"""Endpoints that somebody wants and that are asleep: control is asked to wake them.

It is asked once, however many come; a snapshot that no longer says that the endpoint can be woken is
its answer. Until then a new link to control asks again: the one that was asked may have died first.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

#: Seconds without an answer after which the next request asks again; asking twice does no harm.
AGAIN = 1.0


class Wishes:
    """What control was asked for and has not answered."""

    def __init__(self, send: Callable[[dict[str, Any]], None]) -> None:
        self._send = send
        #: When it was last asked for each endpoint.
        self._asked: dict[str, float] = {}

    def ask(self, endpoint: str) -> None:
        """Have the endpoint woken."""
        now = monotonic()
        asked = self._asked.get(endpoint)
        if asked is None or now - asked >= AGAIN:
            self._asked[endpoint] = now
            self._send({"kind": "wake", "endpoint": endpoint})

    def answered(self, endpoint: str) -> None:
        """Know that it is awake, or on its way, or cannot be woken."""
        self._asked.pop(endpoint, None)

    def joined(self) -> None:
        """Ask for everything again: there is a new link to control."""
        for endpoint in tuple(self._asked):
            del self._asked[endpoint]
            self.ask(endpoint)
