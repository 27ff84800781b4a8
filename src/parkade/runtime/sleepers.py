"""What can be ordered of endpoints that run: to sleep, and to wake."""

from __future__ import annotations

from parkade.runtime import groups
from parkade.runtime.stranded import Stranded
from parkade.runtime.updates import Updates


class Sleepers(Updates):
    """Takes orders about sleep, beside all others."""

    def sleep_endpoint(self, name: str, actor: str) -> None:
        """Begin to put the endpoint to sleep; one that is asleep is left as it is.

        Raises EndpointNotFound, Unreadable, EndpointBusy unless it and its inference components
        are InService, and Conflict where it is Failed.
        """
        endpoint = self._endpoint(name)
        if isinstance(endpoint, Stranded):
            endpoint.require_idle("put to sleep")
        endpoint.fall_asleep(actor)

    def wake_endpoint(self, name: str, actor: str) -> None:
        """Begin to wake the endpoint; one that is not asleep is left as it is.

        Raises EndpointNotFound, EndpointBusy while it falls asleep, and ResourceLimitExceeded.
        """
        endpoint = self._endpoint(name)
        if isinstance(endpoint, Stranded) or not endpoint.asleep:
            return
        wanted = groups.workers(groups.of_blueprint(endpoint.recorded.blueprint))
        hosted = [groups.of_component(each.recorded.component) for each in self._hosted(name)]
        wanted += sum(map(groups.workers, hosted))
        self._require_room(f"endpoint {name!r}, which is asleep,", wanted)
        endpoint.wake(actor)
