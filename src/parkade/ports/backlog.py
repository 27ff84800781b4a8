"""The backlog: asynchronous invocations that were accepted, and how each ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003  stores read these forms by their annotations
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class RequestStatus(StrEnum):
    """Where a request is."""

    PENDING = "Pending"
    RUNNING = "Running"
    COMPLETED = "Completed"
    FAILED = "Failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AsyncRequest:
    """One accepted invocation. Locations are s3:// addresses, each request's own."""

    id: str
    endpoint_name: str
    received_at: datetime
    #: When it has waited too long.
    expires_at: datetime
    #: Seconds that the model has for it.
    timeout: int
    output_location: str
    #: Empty: a failure is reported without an object.
    failure_location: str
    #: The caller's name for it, or the id.
    inference_id: str
    #: Empty: the body came with the request.
    input_location: str = ""
    #: Topics to be told, by ARN; empty: nobody is.
    success_topic: str = ""
    error_topic: str = ""
    #: Which of them get the answer along with the word.
    include_response_in: tuple[str, ...] = ()
    content_type: str = ""
    accept: str = ""
    custom_attributes: str = ""
    #: The caller's trace context, as far as it is valid.
    trace_parent: str = ""
    trace_state: str = ""
    status: RequestStatus = RequestStatus.PENDING
    #: How often it was begun; more than once where a worker or Parkade went away meanwhile.
    attempts: int = 0
    finished_at: datetime | None = None
    #: Why it failed.
    failure: str = ""
    #: The type of the answer.
    answer_type: str = ""
    #: Whether its topic was told how it ended, or cannot be.
    told: bool = False


class BacklogStore(Protocol):
    """Keeps requests, and the bodies of those that brought one."""

    def add(self, request: AsyncRequest, body: bytes) -> None:
        """Store a new request with its body. Raises AlreadyExists."""
        ...

    def put(self, request: AsyncRequest) -> None:
        """Store the request over the one of its id, whose body stays."""
        ...

    def get(self, request_id: str) -> AsyncRequest:
        """Return the request. Raises NotFound or Unreadable."""
        ...

    def body(self, request_id: str) -> bytes:
        """Return the body that came with the request. Raises NotFound."""
        ...

    def open(self) -> Sequence[AsyncRequest]:
        """Return those that have not ended or are not told yet, in the order they came.

        Those that cannot be read are left out, and left where they are.
        """
        ...

    def forget(self, finished_before: datetime) -> int:
        """Delete those that were told and finished before the instant; return how many."""
        ...
