"""The forms of events."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import ConfigDict, Field, JsonValue

from parkade.apps.api.schemas.form import View
from parkade.domain.event import Event, document


class EventView(View):
    """One entry of the history."""

    number: int = Field(description="Its place in the history; numbers only rise.")
    at: datetime
    kind: str = Field(examples=["lease.extended"])
    actor: str = Field(description="Who caused it: a token's name, meter, or host.")
    reason: str
    endpoint_name: str
    owner: str = Field(description="Who had the endpoint's lease then; empty where nobody had.")
    data: dict[str, JsonValue]

    @classmethod
    def of(cls, event: Event) -> "EventView":
        """Write an event."""
        return cls.model_validate({**document(event), "at": event.at})


class EventList(View):
    """Events in the order of their numbers."""

    events: list[EventView]


class EnvelopeView(View):
    """An event in EventBridge's shape."""

    model_config = ConfigDict(frozen=True, validate_by_name=True, serialize_by_alias=True)

    version: str
    id: str = Field(description="The same for the same event, always.")
    detail_type: str = Field(
        alias="detail-type", examples=["SageMaker Endpoint State Change", "Parkade Lease Extended"]
    )
    source: str = Field(examples=["aws.sagemaker", "aws.cloudwatch", "parkade"])
    account: str
    time: str
    region: str
    resources: list[str]
    detail: dict[str, JsonValue]

    @classmethod
    def of(cls, envelope: Mapping[str, Any]) -> "EnvelopeView":
        """Write an envelope."""
        return cls.model_validate(dict(envelope))


class EnvelopeList(View):
    """Events in EventBridge's shape, in the order in which they happened."""

    events: list[EnvelopeView]
