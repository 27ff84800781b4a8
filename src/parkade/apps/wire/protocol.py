"""What a protocol does: reads inputs, writes answers and faults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from parkade.apps.wire.description import Operation, Shape
    from parkade.apps.wire.faults import Fault


class WireProtocol(Protocol):
    """One of the protocols that a service speaks."""

    def read(self, shape: Shape, body: bytes) -> object:
        """Return what a body holds, for validation by the shape. Raises SerializationException."""
        ...

    def answer(
        self, name: str, operation: Operation, values: Mapping[str, Any], request_id: str
    ) -> Response:
        """Return the answer of an operation."""
        ...

    def fault(self, fault: Fault, code: str, request_id: str) -> Response:
        """Return the answer that tells a fault; `code` is its name in the query protocol."""
        ...
