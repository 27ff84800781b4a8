"""What only the monitor's store tells, as gauges of the newest whole minute of each series.

Counters of /metrics are counted by this process. Use of the machine, target models, asynchronous
requests and testers are measured by the minute instead: a series that has had no point for some
minutes is left out, rather than told as it once was.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from prometheus_client.core import GaugeMetricFamily

from parkade.domain.series import INSTANCES, SAGEMAKER
from parkade.domain.statistics import Statistic, begin
from parkade.domain.tester.measures import NAMESPACE as TESTER
from parkade.ports.metrics import MINUTE
from parkade.services.metrics import Wanted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from prometheus_client import Metric

    from parkade.services.metrics import Metrics

#: What is older says nothing about now.
FRESH = timedelta(minutes=3)
_VARIANT = {"endpoint": "EndpointName", "variant": "VariantName"}
_ENDPOINT = {"endpoint": "EndpointName"}
_TESTER = {"project": "Project", "stage": "Stage", "type": "Type"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One statistic of all series of one name, as samples of a family."""

    family: str
    namespace: str
    name: str
    statistic: str
    #: Labels by the dimensions that they are of.
    labels: Mapping[str, str]
    #: One more label, and its text.
    extra: tuple[str, str] | None = None
    #: What values are multiplied by.
    factor: float = 1.0


#: The families and what they are, for people.
_HELP = {
    "parkade_cpu_percent": "Processor time of instances on average; 100 is one core.",
    "parkade_memory_percent": "Resident memory of instances on average, of the machine's.",
    "parkade_targets_loaded": "Target models that are loaded; the same in two instances is two.",
    "parkade_target_loads_per_minute": "Target models that were loaded within a minute.",
    "parkade_target_cache_hit_ratio": "Part of the requests that found their target model loaded.",
    "parkade_backlog_oldest_seconds": "Age of the asynchronous request that waits the longest.",
    "parkade_async_requests_per_minute": "Asynchronous requests that ended within a minute.",
    "parkade_tester_response_seconds": "Time of whole answers, as testers had them.",
    "parkade_tester_results_per_minute": "Calls of testers within a minute, by what came of them.",
}
_TOLD = (
    Told(family="parkade_cpu_percent", namespace=INSTANCES, name="CPUUtilization",
         statistic="Average", labels=_VARIANT),
    Told(family="parkade_memory_percent", namespace=INSTANCES, name="MemoryUtilization",
         statistic="Average", labels=_VARIANT),
    Told(family="parkade_targets_loaded", namespace=INSTANCES, name="LoadedModelCount",
         statistic="Maximum", labels=_VARIANT),
    Told(family="parkade_target_loads_per_minute", namespace=SAGEMAKER, name="ModelLoadingTime",
         statistic="SampleCount", labels=_VARIANT),
    Told(family="parkade_target_cache_hit_ratio", namespace=SAGEMAKER, name="ModelCacheHit",
         statistic="Average", labels=_VARIANT),
    Told(family="parkade_backlog_oldest_seconds", namespace=SAGEMAKER,
         name="ApproximateAgeOfOldestRequest", statistic="Maximum", labels=_ENDPOINT),
    *(
        Told(family="parkade_async_requests_per_minute", namespace=SAGEMAKER, name=name,
             statistic="Sum", labels=_VARIANT, extra=("result", result))
        for name, result in (
            ("InvocationsProcesssed", "processed"),
            ("InvocationFailures", "failed"),
            ("ExpiredRequests", "expired"),
        )
    ),
    *(
        Told(family="parkade_tester_response_seconds", namespace=TESTER, name="ResponseTime",
             statistic=statistic, labels=_TESTER, extra=("quantile", part), factor=1e-3)
        for statistic, part in (("p50", "0.5"), ("p90", "0.9"), ("p99", "0.99"))
    ),
    *(
        Told(family="parkade_tester_results_per_minute", namespace=TESTER, name=name,
             statistic="Sum", labels=_TESTER, extra=("result", result))
        for name, result in (
            ("StatusSuccess", "status_success"),
            ("StatusError", "status_error"),
            ("TestSuccess", "test_success"),
            ("TestFail", "test_fail"),
        )
    ),
)  # fmt: skip


class Sample(NamedTuple):
    """One sample of a family, its labels in their order."""

    family: str
    labels: tuple[tuple[str, str], ...]
    value: float


def read(metrics: Metrics, now: datetime) -> tuple[Sample, ...]:
    """Return the samples. Raises what keeps the store from being read."""
    end = begin(now, MINUTE)
    start = end - FRESH
    asked: list[tuple[Told, Wanted]] = []
    for each in _TOLD:
        dimensions = dict.fromkeys(each.labels.values())
        statistic = (Statistic.of(each.statistic),)
        asked += [
            (each, Wanted(known.series, statistic))
            for known in metrics.known(each.namespace, each.name, dimensions, start)
            # The same is measured of each instance, and of each target model.
            if len(known.series.dimensions) == len(dimensions)
        ]
    if not asked:
        return ()
    answers = metrics.query([wanted for _, wanted in asked], start, end, MINUTE)
    return tuple(
        _sample(told, wanted, answer.points[-1].values[0])
        for (told, wanted), answer in zip(asked, answers, strict=True)
        if answer.points and answer.points[-1].values[0] is not None
    )


def _sample(told: Told, wanted: Wanted, value: float | None) -> Sample:
    dimensions = dict(wanted.series.dimensions)
    labels = [(label, dimensions[name]) for label, name in told.labels.items()]
    if told.extra is not None:
        labels.append(told.extra)
    return Sample(told.family, tuple(labels), (value or 0.0) * told.factor)


def families(samples: Sequence[Sample]) -> Iterator[Metric]:
    """Give every family, with what there is of it."""
    found = {
        name: GaugeMetricFamily(name, documentation, labels=_labels(name))
        for name, documentation in _HELP.items()
    }
    for sample in samples:
        found[sample.family].add_metric([text for _, text in sample.labels], sample.value)
    yield from found.values()


def _labels(family: str) -> list[str]:
    told = next(each for each in _TOLD if each.family == family)
    return [*told.labels, *([told.extra[0]] if told.extra else [])]
