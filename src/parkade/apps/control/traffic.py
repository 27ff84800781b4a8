"""Traffic of the last seconds, as gateways report it: what `ls` and `watch` show.

It is a view of now, kept in memory; a control process that comes back knows it again after a
few reports.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from parkade.apps.link import Usage

#: Seconds of real time over which requests a second are averaged.
WINDOW = 5.0


@dataclass(frozen=True, slots=True)
class Traffic:
    """Requests a second over the last seconds, and requests under way now."""

    requests_per_second: float = 0.0
    in_flight: int = 0


@dataclass(slots=True)
class _Recent:
    reports: deque[tuple[float, int]] = field(default_factory=deque)
    in_flight: dict[str, int] = field(default_factory=dict)


class TrafficView:
    """Adds up usage reports by endpoint. `monotonic` gives seconds of real time."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._endpoints: dict[str, _Recent] = {}

    def report(self, gateway: str, usage: Mapping[str, Mapping[str, Usage]]) -> None:
        """Take what one gateway counted since its last report."""
        now = self._monotonic()
        for endpoint_name, variants in usage.items():
            recent = self._endpoints.setdefault(endpoint_name, _Recent())
            recent.reports.append((now, sum(each.invocations for each in variants.values())))
            recent.in_flight[gateway] = sum(each.in_flight for each in variants.values())

    def forget(self, gateway: str) -> None:
        """Forget the requests under way in a gateway that is gone."""
        for recent in self._endpoints.values():
            recent.in_flight.pop(gateway, None)

    def __call__(self, endpoint_name: str) -> Traffic:
        """Return the traffic of one endpoint; nothing known is no traffic."""
        recent = self._endpoints.get(endpoint_name)
        if recent is None:
            return Traffic()
        start = self._monotonic() - WINDOW
        while recent.reports and recent.reports[0][0] < start:
            recent.reports.popleft()
        total = sum(count for _, count in recent.reports)
        return Traffic(total / WINDOW, sum(recent.in_flight.values()))
