"""Operations that are asked for and not built: counted, so that it can be seen who misses what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.apps.wire import description
from parkade.domain.event import Event
from parkade.ports.events import EventQuery

if TYPE_CHECKING:
    from parkade.apps.assembly import Services
    from parkade.domain.token import Token


class Missed:
    """Counts by operation and token, for one service.

    An event tells the first call, and then each time that the number has doubled: a client in a
    loop fills no history. After a restart counting goes on from what was told last.
    """

    def __init__(self, services: Services, service: str, *, called: str) -> None:
        """Count for the service that botocore names so, and people call so."""
        self._services = services
        self._service = service
        self._other = f"(none of {called}'s)"
        self.kind = f"{service}.unknown_operation"
        self._counts: dict[tuple[str, str], int] | None = None

    def count(self, name: str, asked: str, caller: Token) -> None:
        """Count one more call of the operation of this name, which was asked for in such words."""
        if self._counts is None:
            self._counts = self._told()
        operation = name if name in description.names(self._service) else self._other
        count = self._counts.get((operation, caller.name), 0) + 1
        self._counts[operation, caller.name] = count
        if count & (count - 1):
            return
        times = "time" if count == 1 else "times"
        self._services.history.append(
            Event(
                at=self._services.clock.now(),
                kind=self.kind,
                actor=caller.name,
                reason=f"{operation} was asked for {count} {times} and is not built here",
                data={"operation": operation, "asked": asked[:200], "count": count},
            )
        )

    def _told(self) -> dict[tuple[str, str], int]:
        counts: dict[tuple[str, str], int] = {}
        query = EventQuery(kinds=(self.kind,), limit=_MOST)
        for event in self._services.history.latest(query):
            counts[str(event.data["operation"]), event.actor] = int(str(event.data["count"]))
        return counts


#: More events than all operations of the service make for some hundred tokens.
_MOST = 100_000
