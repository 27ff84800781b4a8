"""The hosting port over the embedded host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain.event import METER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.domain.endpoint import ObservedEndpoint
    from parkade.runtime.host import Host


class EmbeddedHosting:
    """The hosting port; what it does, the meter has asked for."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def endpoints(self) -> Mapping[str, ObservedEndpoint]:
        """Return every endpoint by name."""
        return self._host.observed()

    def require_config(self, config_name: str) -> None:
        """Raise ConfigNotFound unless an endpoint config has this name."""
        self._host.config(config_name)

    def create(self, endpoint_name: str, config_name: str) -> None:
        """Begin to create the endpoint, with the inference components that it had before."""
        self._host.create_endpoint(endpoint_name, config_name, METER, revives=True)

    def delete(self, endpoint_name: str) -> None:
        """Begin to delete the endpoint, if it is there."""
        if endpoint_name in self._host.observed():
            self._host.delete_endpoint(endpoint_name, METER)

    def sleep(self, endpoint_name: str) -> None:
        """Begin to put the endpoint to sleep, if it is there."""
        if endpoint_name in self._host.observed():
            self._host.sleep_endpoint(endpoint_name, METER)

    def wake(self, endpoint_name: str) -> None:
        """Begin to wake the endpoint, with its inference components."""
        self._host.wake_endpoint(endpoint_name, METER)
