"""Invoking an endpoint from inside Parkade."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the endpoint answered: an HTTP status, a content type, and the body's bytes."""

    status: int
    content_type: str
    body: bytes

    @property
    def ok(self) -> bool:
        """Tell whether it is an answer of the model rather than an error."""
        return 200 <= self.status < 300


class Invoker(Protocol):
    """Carries one invocation through the data plane: same routing, counting and limits."""

    async def invoke(self, endpoint_name: str, body: bytes, content_type: str) -> Answer:
        """Return the endpoint's answer, errors of endpoint and model included.

        Raises Unavailable where the data plane itself cannot be reached.
        """
        ...
