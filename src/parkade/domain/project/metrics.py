"""The metrics that a project's alarms and dashboard know: where each is found, and what says most of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from parkade.domain.errors import InvalidInput
from parkade.domain.names import suggestion
from parkade.domain.series import (
    API,
    API_METHOD,
    API_STAGE,
    INSTANCES,
    PARKADE,
    SAGEMAKER,
    Series,
)


class Level(Enum):
    """What a metric is measured of."""

    VARIANT = auto()
    ENDPOINT = auto()
    ROUTE = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric by its name."""

    name: str
    namespace: str
    level: Level
    #: The statistic that says most of it.
    statistic: str

    def of_variant(self, endpoint_name: str, variant_name: str) -> Series:
        """Return its series of a variant, or of the endpoint where it is measured of that."""
        dimensions = {"EndpointName": endpoint_name}
        if self.level is Level.VARIANT:
            dimensions["VariantName"] = variant_name
        return Series.of(self.namespace, self.name, **dimensions)

    def of_route(self, prefix: str, path: str = "") -> Series:
        """Return its series of one route of a project; without a path: of all of them."""
        dimensions = {"ApiName": prefix}
        if path:
            dimensions |= {"Stage": API_STAGE, "Method": API_METHOD, "Resource": path}
        return Series.of(self.namespace, self.name, **dimensions)


_KNOWN = {
    (Level.VARIANT, SAGEMAKER, "Sum"): """
        Invocations InvocationsPerInstance Invocation4XXErrors Invocation5XXErrors
        InvocationModelErrors InvocationsProcesssed InvocationFailures ExpiredRequests
        RequestDownloadFailures ResponseUploadFailures NotificationFailures""",
    (Level.VARIANT, SAGEMAKER, "p99"): """
        ModelLatency OverheadLatency TimeInBacklog TotalProcessingTime RequestDownloadLatency
        ResponseUploadLatency""",
    (Level.VARIANT, SAGEMAKER, "Average"): """
        ModelCacheHit ModelLoadingWaitTime ModelDownloadingTime ModelLoadingTime
        ModelUnloadingTime ModelSetupTime""",
    (Level.VARIANT, SAGEMAKER, "Maximum"): "ConcurrentRequestsPerModel",
    (Level.VARIANT, INSTANCES, "Average"): """
        CPUUtilization MemoryUtilization DiskUtilization LoadedModelCount""",
    (Level.VARIANT, PARKADE, "p99"): "TotalLatency FirstByteLatency",
    (Level.VARIANT, PARKADE, "Sum"): "RetriedInvocations DroppedCopies ModelNotReady",
    (Level.ENDPOINT, PARKADE, "Sum"): "UnplacedInvocations",
    (Level.ENDPOINT, SAGEMAKER, "Maximum"): """
        ApproximateBacklogSize ApproximateBacklogSizePerInstance ApproximateAgeOfOldestRequest
        HasBacklogWithoutCapacity""",
    (Level.ROUTE, API, "Sum"): "Count 4XXError 5XXError",
    (Level.ROUTE, API, "p99"): "Latency IntegrationLatency",
}  # fmt: skip

METRICS = {
    name: Metric(name=name, namespace=namespace, level=level, statistic=statistic)
    for (level, namespace, statistic), names in _KNOWN.items()
    for name in names.split()
}


def metric(name: str, *, field: str = "metric") -> Metric:
    """Return the metric of this name. Raises InvalidInput for one that is not measured."""
    found = METRICS.get(name)
    if found is None:
        raise InvalidInput(
            f"{field} {name[:80]!r} is not measured",
            field=field,
            hint=f"{suggestion(name, METRICS)} there are {', '.join(METRICS)}".lstrip(),
        )
    return found
