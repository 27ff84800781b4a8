"""The one hand on hosting: nothing is started or stopped but an action of the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain.actions import ActionKind

if TYPE_CHECKING:
    from parkade.domain.actions import Action
    from parkade.ports.hosting import Hosting


def carry_out(action: Action, hosting: Hosting) -> None:
    """Begin what the action says. Safe to repeat; raises what hosting raises."""
    if action.kind is ActionKind.START and action.lease is not None:
        hosting.create(action.endpoint_name, action.lease.config_name)
    elif action.kind is ActionKind.RECREATE or action.deletes:
        hosting.delete(action.endpoint_name)


def bring_back(endpoint_name: str, config_name: str, hosting: Hosting) -> None:
    """Begin to create an endpoint again that a person wants back and that never had a lease."""
    hosting.create(endpoint_name, config_name)
