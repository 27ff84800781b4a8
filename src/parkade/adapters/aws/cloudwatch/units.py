"""The units of SageMaker's series, which CloudWatch does not list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain.series import API, COMPONENTS, INSTANCES, SAGEMAKER, Unit

if TYPE_CHECKING:
    from parkade.domain.series import Series

_MICROSECONDS = frozenset({
    "ModelLatency", "OverheadLatency", "ModelSetupTime", "FirstChunkLatency",
    "FirstChunkModelLatency", "FirstChunkOverheadLatency", "ModelLoadingWaitTime",
    "ModelUnloadingTime", "ModelDownloadingTime", "ModelLoadingTime", "RequestDownloadLatency",
    "ResponseUploadLatency",
})  # fmt: skip
_MILLISECONDS = frozenset({"TimeInBacklog", "TotalProcessingTime"})
_OWN = {"ApproximateAgeOfOldestRequest": Unit.SECONDS, "ModelCacheHit": Unit.NONE}
_OF_API = {"Latency": Unit.MILLISECONDS, "IntegrationLatency": Unit.MILLISECONDS}


def unit_of(series: Series) -> str:
    """Return a series' unit; NONE where it is not known."""
    name = series.name
    if series.namespace == API:
        return _OF_API.get(name, Unit.COUNT)
    if series.namespace in {INSTANCES, COMPONENTS}:
        return Unit.COUNT if name.endswith("Count") else Unit.PERCENT
    if series.namespace != SAGEMAKER:
        return Unit.NONE
    if name in _MICROSECONDS:
        return Unit.MICROSECONDS
    if name in _MILLISECONDS:
        return Unit.MILLISECONDS
    return _OWN.get(name, Unit.COUNT)
