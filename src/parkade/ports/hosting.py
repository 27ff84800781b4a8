"""Whatever runs endpoints: SageMaker, or the embedded host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from parkade.domain.endpoint import ObservedEndpoint


class Hosting(Protocol):
    """Creates and deletes endpoints, puts them to sleep and wakes them.

    All of it returns at once; the status tells how it goes on. What sleeps runs nothing and keeps
    its name and what it is to run; where that cannot be, it is not there, and waking it is creating
    it.
    """

    def endpoints(self) -> Mapping[str, ObservedEndpoint]:
        """Return every endpoint by name. Raises Unavailable where not all can be seen."""
        ...

    def require_config(self, config_name: str) -> None:
        """Raise ConfigNotFound unless an endpoint config has this name."""
        ...

    def create(self, endpoint_name: str, config_name: str) -> None:
        """Begin to create the endpoint.

        Creating one that exists with this config does nothing. Raises ConfigNotFound,
        ResourceLimitExceeded, AlreadyExists (with another config), EndpointBusy (Deleting).
        """
        ...

    def delete(self, endpoint_name: str) -> None:
        """Begin to delete the endpoint; one that is gone or Deleting counts as done.

        An update in stages is called off, where that can be. Raises EndpointBusy while it is
        Creating, SystemUpdating or in any other way Updating.
        """
        ...

    def sleep(self, endpoint_name: str) -> None:
        """Begin to put the endpoint to sleep; what is under way in it is answered first.

        One that is asleep, or is not there, counts as done. Raises EndpointBusy while it, or
        something of it, is on its way to another status, and Conflict where it is Failed.
        """
        ...

    def wake(self, endpoint_name: str) -> None:
        """Begin to wake the endpoint; one that is not asleep counts as done.

        Raises EndpointNotFound, EndpointBusy while it falls asleep, and ResourceLimitExceeded.
        """
        ...
