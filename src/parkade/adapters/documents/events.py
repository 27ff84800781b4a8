"""An event as members that every store can keep, and back."""

from __future__ import annotations

import json

from parkade.adapters.documents import columns
from parkade.domain.event import Event


def written(event: Event) -> dict[str, str]:
    """Return the members of an event, all but its number, which the store gives.

    Raises TypeError where its data are no JSON.
    """
    return {
        "at": columns.instant(event.at),
        "kind": event.kind,
        "actor": event.actor,
        "reason": event.reason,
        "endpoint_name": event.endpoint_name,
        "owner": event.owner,
        "data": json.dumps(event.data),
    }


def read(row: columns.Row) -> Event:
    """Return the event of a row. Raises Unreadable that names it."""
    with columns.reading(f"event {row['number']}"):
        return Event(
            number=columns.read_number(row, "number", least=1),
            at=columns.read_instant(row, "at"),
            kind=columns.read_text(row, "kind"),
            actor=columns.read_text(row, "actor"),
            reason=columns.read_text(row, "reason"),
            endpoint_name=columns.read_text(row, "endpoint_name"),
            owner=columns.read_text(row, "owner"),
            data=columns.read_object(row, "data"),
        )
