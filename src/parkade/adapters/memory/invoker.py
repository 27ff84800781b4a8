"""An invoker whose endpoints are a function."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.ports.invoker import Answer

if TYPE_CHECKING:
    from collections.abc import Callable


def echo(endpoint_name: str, body: bytes, content_type: str) -> Answer:
    """Answer with the request's own body."""
    del endpoint_name
    return Answer(status=200, content_type=content_type, body=body)


class MemoryInvoker:
    """The invoker port; `answer` stands for the data plane and may raise what that raises."""

    def __init__(self, answer: Callable[[str, bytes, str], Answer] = echo) -> None:
        self.answer = answer
        #: Every invocation as (endpoint name, body, content type).
        self.invoked: list[tuple[str, bytes, str]] = []

    async def invoke(self, endpoint_name: str, body: bytes, content_type: str) -> Answer:
        """Return what `answer` answers."""
        self.invoked.append((endpoint_name, body, content_type))
        return self.answer(endpoint_name, body, content_type)
