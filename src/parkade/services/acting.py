"""The one hand on hosting: nothing starts, stops, sleeps or wakes but by an action of the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain.actions import ActionKind

if TYPE_CHECKING:
    from parkade.domain.actions import Action
    from parkade.ports.hosting import Hosting


def carry_out(action: Action, hosting: Hosting) -> None:
    """Begin what the action says. Safe to repeat; raises what hosting raises."""
    name = action.endpoint_name
    if action.kind is ActionKind.START and action.lease is not None:
        hosting.create(name, action.lease.config_name)
    elif action.kind is ActionKind.WAKE and action.config_name:
        hosting.create(name, action.config_name)
    elif action.kind is ActionKind.WAKE:
        hosting.wake(name)
    elif action.kind is ActionKind.SLEEP:
        hosting.sleep(name)
    elif action.kind is ActionKind.RECREATE or action.deletes:
        hosting.delete(name)


def bring_back(endpoint_name: str, config_name: str, hosting: Hosting) -> None:
    """Begin to create an endpoint again that a person wants back and that never had a lease."""
    hosting.create(endpoint_name, config_name)
