"""The backlog in dictionaries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain.errors import AlreadyExists, NotFound
from parkade.ports.backlog import RequestStatus

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from parkade.ports.backlog import AsyncRequest

_OPEN = {RequestStatus.PENDING, RequestStatus.RUNNING}


class MemoryBacklogStore:
    """The backlog store port."""

    def __init__(self) -> None:
        self._requests: dict[str, AsyncRequest] = {}
        self._bodies: dict[str, bytes] = {}

    def add(self, request: AsyncRequest, body: bytes) -> None:
        """Store a new request with its body."""
        if request.id in self._requests:
            raise AlreadyExists(f"there is already a request {request.id!r}")
        self._requests[request.id] = request
        self._bodies[request.id] = body

    def put(self, request: AsyncRequest) -> None:
        """Store the request over the one of its id."""
        self._requests[request.id] = request

    def get(self, request_id: str) -> AsyncRequest:
        """Return the request."""
        if request_id not in self._requests:
            raise NotFound(f"there is no request {request_id!r}")
        return self._requests[request_id]

    def body(self, request_id: str) -> bytes:
        """Return the body that came with the request."""
        self.get(request_id)
        return self._bodies[request_id]

    def open(self) -> Sequence[AsyncRequest]:
        """Return those that have not ended or are not told yet, in the order they came."""
        found = [each for each in self._requests.values() if each.status in _OPEN or not each.told]
        return sorted(found, key=lambda each: (each.received_at, each.id))

    def forget(self, finished_before: datetime) -> int:
        """Delete those that were told and finished before the instant."""
        old = [
            each.id
            for each in self._requests.values()
            if each.told and each.finished_at is not None and each.finished_at < finished_before
        ]
        for request_id in old:
            del self._requests[request_id], self._bodies[request_id]
        return len(old)
