"""Metrics to scale by, under names of one word: what most want, without spelling a series."""

from __future__ import annotations

from enum import StrEnum

from parkade.domain.errors import InvalidInput
from parkade.domain.metricquery import Measured, Query
from parkade.domain.scaling.policy import MINUTE, CustomMetric, Predefined
from parkade.domain.scaling.target import Dimension, Resource
from parkade.domain.series import SAGEMAKER, Series

_BACKLOG = "ApproximateBacklogSizePerInstance"


class Signal(StrEnum):
    """What is to be near the target, for each instance or copy."""

    #: Invocations in a minute.
    INVOCATIONS = "invocations"
    #: Requests at a time, by points of 10 seconds.
    CONCURRENCY = "concurrency"
    #: Asynchronous requests that wait.
    BACKLOG = "backlog"

    def metric(self, resource: Resource) -> Predefined | CustomMetric:
        """Return the metric for a resource. Raises InvalidInput where there is none of it."""
        if self is not Signal.BACKLOG:
            return _PREDEFINED[self, resource.dimension]
        if resource.component:
            raise InvalidInput(
                f"{resource} has no backlog of its own",
                field="metric",
                hint="scale it by invocations or concurrency",
            )
        series = Series.of(SAGEMAKER, _BACKLOG, EndpointName=resource.name)
        measured = Measured(series=series, period=MINUTE, statistic="Average")
        return CustomMetric(queries=(Query(id="m1", measured=measured),))


_PREDEFINED = {
    (Signal.INVOCATIONS, Dimension.INSTANCES): Predefined.INVOCATIONS_PER_INSTANCE,
    (Signal.INVOCATIONS, Dimension.COPIES): Predefined.INVOCATIONS_PER_COPY,
    (Signal.CONCURRENCY, Dimension.INSTANCES): Predefined.REQUESTS_PER_MODEL,
    (Signal.CONCURRENCY, Dimension.COPIES): Predefined.REQUESTS_PER_COPY,
}


def signal_of(metric: Predefined | CustomMetric, resource: Resource) -> Signal | None:
    """Return the name that a resource's metric has here; None: it is another one."""
    for signal in Signal:
        if signal is Signal.BACKLOG and resource.component:
            continue
        if signal.metric(resource) == metric:
            return signal
    return None
