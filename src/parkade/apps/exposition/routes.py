"""What came by routes as families of samples."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

from parkade.apps.control.monitor.totals import ROUTE_POWERS, Distribution
from parkade.apps.exposition.latencies import buckets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from prometheus_client import Metric

    from parkade.apps.control.monitor.totals import RouteTraffic

_BOUNDS = tuple(2.0**power / 1e3 for power in ROUTE_POWERS)
_LABELS = ("api", "route")
_LATENCIES: tuple[tuple[str, str, Callable[[RouteTraffic], Distribution]], ...] = (
    (
        "parkade_route_latency_seconds",
        "Time from the headers of a call to its answer, as Latency; refusals count, too.",
        attrgetter("latency"),
    ),
    (
        "parkade_route_integration_latency_seconds",
        "Time of calls since a model was sent them, as IntegrationLatency.",
        attrgetter("integration"),
    ),
)


def families(traffic: Mapping[tuple[str, str], RouteTraffic]) -> Iterator[Metric]:
    """Give what calls came to, by API and route."""
    calls = CounterMetricFamily(
        "parkade_route_calls",
        "Calls by the class of their answers' status, the gateway's refusals among them.",
        labels=(*_LABELS, "status"),
    )
    for key, each in traffic.items():
        for status, number in each.calls.items():
            calls.add_metric((*key, status), number)
    yield calls
    for name, documentation, distribution in _LATENCIES:
        family = HistogramMetricFamily(name, documentation, labels=_LABELS)
        for key, each in traffic.items():
            spread = distribution(each)
            counts = buckets(_BOUNDS, spread.cumulative())
            family.add_metric(key, counts, spread.total / 1e3)
        yield family
