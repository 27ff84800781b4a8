"""Traffic as families of samples: counters, and histograms of latencies."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.utils import floatToGoString

from parkade.apps.control.monitor.totals import POWERS, Distribution

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from prometheus_client import Metric

    from parkade.apps.control.monitor.totals import Traffic

_BOUNDS = tuple(2**power / 1e6 for power in POWERS)
_LABELS = ("endpoint", "variant")
_LATENCIES: tuple[tuple[str, str, Callable[[Traffic], Distribution]], ...] = (
    (
        "parkade_gateway_latency_seconds",
        "Time of invocations in the gateway, from the whole request to the whole answer.",
        attrgetter("whole"),
    ),
    (
        "parkade_model_latency_seconds",
        "Time of invocations in the model's container, as ModelLatency.",
        attrgetter("model"),
    ),
    (
        "parkade_overhead_latency_seconds",
        "Time of invocations that the gateway added, as OverheadLatency.",
        attrgetter("overhead"),
    ),
)


def families(traffic: Mapping[tuple[str, str], Traffic]) -> Iterator[Metric]:
    """Give what invocations came to, by endpoint and variant or inference component."""
    invocations = CounterMetricFamily(
        "parkade_invocations", "Invocations that a model answered.", labels=_LABELS
    )
    errors = CounterMetricFamily(
        "parkade_invocation_errors",
        "Answers 4xx and 5xx of models; no_capacity: a component without copies; not_ready: a "
        "target model that was not loaded in time.",
        labels=(*_LABELS, "kind"),
    )
    model_errors = CounterMetricFamily(
        "parkade_invocation_model_errors",
        "Invocations without a good answer of the model, as InvocationModelErrors.",
        labels=_LABELS,
    )
    retried = CounterMetricFamily(
        "parkade_invocation_retries",
        "Invocations that were given to another instance.",
        labels=_LABELS,
    )
    for key, each in traffic.items():
        invocations.add_metric(key, each.invocations)
        model_errors.add_metric(key, each.model_errors)
        retried.add_metric(key, each.retried)
        for kind, number in each.errors.items():
            errors.add_metric((*key, kind), number)
    yield from (invocations, errors, model_errors, retried)
    for name, documentation, distribution in _LATENCIES:
        family = HistogramMetricFamily(name, documentation, labels=_LABELS)
        for key, each in traffic.items():
            spread = distribution(each)
            counts = buckets(_BOUNDS, spread.cumulative())
            family.add_metric(key, counts, spread.total / 1e6)
        yield family


def buckets(bounds: Sequence[float], counts: Sequence[int]) -> list[tuple[str, float]]:
    """Return cumulative counts with their bounds as Prometheus writes them."""
    texts = [*map(floatToGoString, bounds), "+Inf"]
    return [(text, float(count)) for text, count in zip(texts, counts, strict=True)]
