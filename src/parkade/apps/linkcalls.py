"""What gateways tell of the calls of routes, with the usage of variants: a part of the link.

A call is what came by an address that leads to a model, whatever became of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from parkade.apps import link

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: The API of routes that belong to no project, and of the addresses of endpoints.
PARKADE = "parkade"
#: What endpoints are called by; an answer in AWS's event-stream encoding has a resource of its own.
INVOCATIONS = "/endpoints/{name}/invocations"
STREAMS = f"{INVOCATIONS}-response-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """What came by one path since the message before."""

    #: The project that the path belongs to, or `parkade`.
    api: str
    resource: str
    calls: int = 0
    #: Answers with such a status, the gateway's own refusals among them.
    errors_4xx: int = 0
    errors_5xx: int = 0
    #: In milliseconds: from a request's headers to its answer, and of those that a model was sent
    #: from then on.
    latency: link.Spread = link.NOTHING
    integration: link.Spread = link.NOTHING


def to_json(calls: Sequence[Calls]) -> list[dict[str, Any]]:
    """Return the calls as JSON values."""
    return [
        {
            "api": each.api,
            "resource": each.resource,
            "calls": each.calls,
            "errors_4xx": each.errors_4xx,
            "errors_5xx": each.errors_5xx,
            "latency": link.spread_to_json(each.latency),
            "integration": link.spread_to_json(each.integration),
        }
        for each in calls
    ]


def from_json(rows: Sequence[Mapping[str, Any]]) -> Sequence[Calls]:
    """Return the calls that `to_json` made these values of."""
    return tuple(
        Calls(
            **{
                **row,
                "latency": link.spread_from_json(row["latency"]),
                "integration": link.spread_from_json(row["integration"]),
            }
        )
        for row in rows
    )
