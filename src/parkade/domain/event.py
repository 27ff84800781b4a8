"""Events: what happened, for ever. Notices: what somebody is told.

Every change of a lease, an endpoint, a worker or a token writes one event: who, when, what,
why. Kinds are dotted words, noun first: `lease.extended`, `endpoint.failed`, `worker.died`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"

#: The actor of what Parkade does by itself.
METER = "meter"
HOST = "host"
GATEWAY = "gateway"
MONITOR = "monitor"
OUTBOX = "outbox"
TESTER = "tester"

#: Where the data of an event has the project that it is about, by its prefix.
PROJECT = "project"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One entry of the append-only history."""

    at: datetime
    kind: str
    #: Who caused it: a token's name, `meter`, `host`, `gateway`, `outbox`.
    actor: str
    #: Why, as a sentence for people.
    reason: str
    endpoint_name: str = ""
    #: Whose it is: who had the endpoint's lease when it happened; the store fills it in where the
    #: event does not say.
    owner: str = ""
    data: Mapping[str, Json] = field(default_factory=dict)
    #: Its place in the history, given by the store; 0 before it is stored.
    number: int = 0


def is_kind(kind: str, wanted: str) -> bool:
    """Tell whether a kind is the wanted one, or of the wanted noun: `lease.` is every lease's."""
    return kind.startswith(wanted) if wanted.endswith(".") else kind == wanted


def document(event: Event) -> dict[str, Json]:
    """Write an event as JSON holds it, for whoever reads it outside."""
    return {
        "number": event.number,
        "at": written(event.at),
        "kind": event.kind,
        "actor": event.actor,
        "reason": event.reason,
        "endpoint_name": event.endpoint_name,
        "owner": event.owner,
        "data": dict(event.data),
    }


def written(instant: datetime) -> str:
    """Write an instant as event data holds it: ISO 8601 in UTC, with a Z."""
    return instant.isoformat().replace("+00:00", "Z")


def in_minutes(span: timedelta) -> float:
    """Write a duration as event data holds it."""
    return span.total_seconds() / 60
