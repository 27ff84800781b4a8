"""The forms of events."""

from datetime import datetime

from pydantic import Field, JsonValue

from parkade.apps.api.schemas.form import View
from parkade.domain.event import Event


class EventView(View):
    """One entry of the history."""

    number: int = Field(description="Its place in the history; numbers only rise.")
    at: datetime
    kind: str = Field(examples=["lease.extended"])
    actor: str = Field(description="Who caused it: a token's name, meter, or host.")
    reason: str
    endpoint_name: str
    data: dict[str, JsonValue]

    @classmethod
    def of(cls, event: Event) -> "EventView":
        """Write an event."""
        return cls.model_validate(
            {
                "number": event.number,
                "at": event.at,
                "kind": event.kind,
                "actor": event.actor,
                "reason": event.reason,
                "endpoint_name": event.endpoint_name,
                "data": dict(event.data),
            }
        )


class EventList(View):
    """Events in the order of their numbers."""

    events: list[EventView]
