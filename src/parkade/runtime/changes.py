"""What the event of an endpoint's change says of it beside its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain.errors import Unreadable
from parkade.domain.eventbridge import state_change

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.domain.event import Json
    from parkade.ports.catalog import CatalogStore, RecordedEndpoint


def change_of(
    recorded: RecordedEndpoint, tags: Mapping[str, str], *, before: str, status: str = ""
) -> dict[str, Json]:
    """Return the event's `change` for a record that is about to be stored.

    `before` is the status so far; `status` another than the record's, for one that goes.
    """
    return state_change(
        status=status or recorded.status,
        before=before,
        created_at=recorded.created_at,
        changed_at=recorded.changed_at,
        blueprint=recorded.blueprint,
        tags=tags,
        target=recorded.target,
        failure_reason=recorded.failure_reason,
        rollout=recorded.rollout,
        same_fleet=recorded.target_generation == recorded.generation,
    )


def tags_of(name: str, store: CatalogStore) -> Mapping[str, str]:
    """Return the endpoint's tags; what cannot be read must not keep an endpoint from changing."""
    try:
        return store.tags("endpoint", name)
    except Unreadable:
        return {}
