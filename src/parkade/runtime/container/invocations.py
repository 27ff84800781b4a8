"""What a container of one model answers: `GET /ping` and `POST /invocations`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from .messages import Answer, refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from .connection import Outcome
    from .messages import Request
    from .script import Script

PONG = Answer(200, b"", "")


class Invocations:
    """The program of one script."""

    def __init__(self, script: Script) -> None:
        self._script = script

    def __call__(
        self, method: bytes, target: bytes, request: Request
    ) -> Answer | Callable[[], Outcome]:
        """Return the answer, or for an invocation what gives it."""
        path = target.partition(b"?")[0]
        if path == b"/invocations":
            if method != b"POST":
                return refusal(405, "send POST to /invocations")
            return partial(self._script.answer, request)
        if path == b"/ping":
            return PONG if method == b"GET" else refusal(405, "send GET to /ping")
        return refusal(404, "a container answers GET /ping and POST /invocations")
