"""What instances and their connections carry: an invocation, or a copy of one for a shadow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from parkade.apps.gateway.headers import Asked
    from parkade.apps.gateway.instances import Instance
    from parkade.apps.gateway.pipelines import Relay
    from parkade.apps.gateway.upstream import WorkerConnection


class Carried(Protocol):
    """A request on its way to a worker. One of the methods below is called once it is over."""

    asked: Asked
    #: Bytes of its body.
    size: int
    #: How large the answer may be, unless it is streamed.
    limit: int
    #: Whether the answer is encoded as AWS's event stream.
    events: bool
    #: When it was last sent to a worker; 0: never yet.
    sent: float
    #: Where it is.
    instance: Instance | None
    connection: WorkerConnection | None
    #: Which container of an instance it begins with, and how far it is in a pipeline.
    at: int
    relay: Relay | None
    #: The target model that it is for; empty: none.
    target: str

    @property
    def streams(self) -> bool:
        """Tell whether the answer is taken as it comes, by `begun`, `part` and `ended`."""
        ...

    def request(self) -> list[bytes]:
        """Return the pieces of the request as a worker gets it."""
        ...

    def answered(self, status: int, lines: list[bytes], chunks: list[bytes], size: int) -> None:
        """Take a whole answer."""
        ...

    def begun(self, status: int, lines: list[bytes]) -> None:
        """Know that an answer comes in parts."""
        ...

    def part(self, pieces: list[bytes]) -> None:
        """Take a part of the answer."""
        ...

    def ended(self) -> None:
        """Know that all parts have come."""
        ...

    def broken(self, status: int, text: str) -> None:
        """Know that the answer is not usable."""
        ...

    def bereft(self) -> None:
        """Know that the worker went away before it began to answer."""
        ...

    def refused(self) -> None:
        """Know that the instance does not accept connections: nothing was sent."""
        ...
