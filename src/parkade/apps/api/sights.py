"""What the embedded cloud has to tell of single endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.apps.api.scaleviews import Look

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from parkade.apps.assembly import Services
    from parkade.apps.control.traffic import Traffic
    from parkade.runtime.backlog import BacklogView
    from parkade.runtime.views import InstanceStatus


class HostSights:
    """The host's own, and what gateways report. `services` are there once all is built."""

    def __init__(self, services: Callable[[], Services]) -> None:
        self._services = services

    def traffic(self, endpoint_name: str) -> Traffic:
        """Return its requests of the last seconds."""
        return self._services().traffic(endpoint_name)

    def backlog(self, endpoint_name: str) -> BacklogView:
        """Return the asynchronous requests that wait for it."""
        return self._services().backlog.view(endpoint_name)

    def instances(self, endpoint_name: str) -> Sequence[InstanceStatus]:
        """Return its workers."""
        return self._services().host.instances(endpoint_name)

    def logs(self, endpoint_name: str) -> tuple[Path, ...]:
        """Return the logs of its workers, gone ones included, newest last."""
        return self._services().host.logs(endpoint_name)

    def scaled(self) -> Look:
        """Look at how many there are of what."""
        return Look(self._services())
