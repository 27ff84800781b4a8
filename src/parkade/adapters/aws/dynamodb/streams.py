"""Records of the main table's stream: the events among them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parkade.adapters.aws.dynamodb.attributes import decoded
from parkade.adapters.aws.dynamodb.events import KIND, told
from parkade.adapters.aws.dynamodb.shape import MAIN
from parkade.adapters.documents import columns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.domain.event import Event


def event_of(image: Mapping[str, Any]) -> Event | None:
    """Return the event that a new image of an item is; None: it is something else.

    Raises Unreadable where it is one, and damaged.
    """
    item = decoded(image)
    if item.get(MAIN.partition) != KIND:
        return None
    with columns.reading(f"event {item.get(MAIN.sort or '')!r}"):
        return told(item)
