"""Alarms and subscribers of a document as parts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from parkade.domain.project.part import Kind, Part
from parkade.domain.project.project import PROJECT_TAG
from parkade.domain.series import SAGEMAKER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from parkade.apps.projectfile.document import Document
    from parkade.apps.projectfile.monitor import AlarmSetting, SubscriberSetting
    from parkade.domain.event import Json

#: What API Gateway's metrics of a route are told by.
API_GATEWAY = "AWS/ApiGateway"
API_STAGE, API_METHOD = "prod", "POST"
#: SageMaker's metrics of the machines, rather than of the calls.
_MACHINES = "/aws/sagemaker/Endpoints"
_OF_MACHINES = re.compile(r"(CPU|Memory|GPU|GPUMemory|Disk)Utilization(Normalized)?")
_COMPARISONS = {
    "above": "GreaterThanThreshold",
    "at_least": "GreaterThanOrEqualToThreshold",
    "below": "LessThanThreshold",
    "at_most": "LessThanOrEqualToThreshold",
}
_MISSING = {"not_breaching": "notBreaching"}
#: Statistics of variants that make one of their endpoint by being added.
_ADDED = {"Sum", "SampleCount"}
#: The three alarms over all routes, by their keys: what each counts, and in whose words.
_THRESHOLDS = {
    "overall-calls": ("calls", "Count", "calls of all routes"),
    "errors-4xx": ("errors_4xx", "4XXError", "answers of 400 to 499 of all routes"),
    "errors-5xx": ("errors_5xx", "5XXError", "answers of 500 to 599 of all routes"),
}


def alarms(document: Document) -> Iterator[Part]:
    """Go through the alarms: PutMetricAlarm's members but AlarmName, which is the part's."""
    monitor = document.monitor
    for key, (name, metric, words) in _THRESHOLDS.items():
        value = getattr(monitor.thresholds, name)
        if value is None or key in monitor.alarms:
            continue
        content: dict[str, Json] = {
            "AlarmDescription": f"{document.prefix}: {words}",
            **_measured(API_GATEWAY, metric, {"ApiName": document.prefix}, "Sum"),
            "Period": monitor.thresholds.period_seconds,
            "EvaluationPeriods": monitor.thresholds.periods,
            "DatapointsToAlarm": monitor.thresholds.periods,
            "ComparisonOperator": _COMPARISONS["at_least"],
            "Threshold": value,
            "TreatMissingData": "notBreaching",
            "AlarmActions": [],
        }
        yield _alarm(document, key, content)
    for key, alarm in monitor.alarms.items():
        comparison, threshold = alarm.threshold
        rule: dict[str, Json] = {
            "AlarmDescription": alarm.description,
            **_watched(document, alarm),
            "EvaluationPeriods": alarm.periods,
            "DatapointsToAlarm": alarm.datapoints or alarm.periods,
            "ComparisonOperator": _COMPARISONS[comparison],
            "Threshold": threshold,
            "TreatMissingData": _MISSING.get(alarm.missing, alarm.missing),
            "AlarmActions": list(alarm.topics),
        }
        yield _alarm(document, key, rule)


def _alarm(document: Document, key: str, content: Mapping[str, Json]) -> Part:
    tags: Json = [
        {"Key": name, "Value": value}
        for name, value in {**document.tags, PROJECT_TAG: document.prefix}.items()
    ]
    name = f"{document.prefix}-{key}"
    return Part(kind=Kind.ALARM, name=name, key=key, content={**content, "Tags": tags})


def _watched(document: Document, alarm: AlarmSetting) -> dict[str, Json]:
    """Return what is measured: one metric, or that of several variants in one."""
    if alarm.endpoint is None:
        route = alarm.route or ""
        dimensions = {
            "ApiName": document.prefix,
            "Stage": API_STAGE,
            "Method": API_METHOD,
            "Resource": route,
        }
        namespace = alarm.namespace or API_GATEWAY
        measured = _measured(namespace, alarm.metric, dimensions, alarm.statistic)
        return {**measured, "Period": alarm.period_seconds}
    name = f"{document.prefix}-{alarm.endpoint}"
    endpoint = document.endpoints[alarm.endpoint]
    variants = [alarm.variant] if alarm.variant else [each.name for each in endpoint.variants]
    machines = _OF_MACHINES.fullmatch(alarm.metric) is not None
    namespace = alarm.namespace or (_MACHINES if machines else SAGEMAKER)
    of = [{"EndpointName": name, "VariantName": each} for each in variants]
    if len(of) == 1:
        measured = _measured(namespace, alarm.metric, of[0], alarm.statistic)
        return {**measured, "Period": alarm.period_seconds}
    return {"Metrics": _queries(namespace, alarm, of)}


def _queries(namespace: str, alarm: AlarmSetting, of: Sequence[Mapping[str, str]]) -> list[Json]:
    """Return the queries of several variants, and of what is made of them."""
    queries: list[Json] = [
        {
            "Id": f"m{number}",
            "MetricStat": {
                "Metric": {
                    "Namespace": namespace,
                    "MetricName": alarm.metric,
                    "Dimensions": _dimensions(each),
                },
                "Period": alarm.period_seconds,
                "Stat": alarm.statistic,
            },
            "ReturnData": False,
        }
        for number, each in enumerate(of, 1)
    ]
    together = ", ".join(f"m{number}" for number in range(1, len(of) + 1))
    low = alarm.below is not None or alarm.at_most is not None
    function = "SUM" if alarm.statistic in _ADDED else "MIN" if low else "MAX"
    whole: Json = {
        "Id": "whole",
        "Expression": f"{function}([{together}])",
        "Label": f"{alarm.metric} of all variants",
        "ReturnData": True,
    }
    return [*queries, whole]


def _measured(
    namespace: str, metric: str, dimensions: Mapping[str, str], statistic: str
) -> dict[str, Json]:
    name = "ExtendedStatistic" if statistic.startswith("p") else "Statistic"
    return {
        "Namespace": namespace,
        "MetricName": metric,
        "Dimensions": _dimensions(dimensions),
        name: statistic,
    }


def _dimensions(given: Mapping[str, str]) -> list[Json]:
    return [{"Name": name, "Value": value} for name, value in given.items()]


def subscribers(document: Document) -> Iterator[Part]:
    """Go through the subscribers, in the form that the API takes; a name is the part's."""
    for each in document.monitor.subscribers:
        if isinstance(each, str):
            yield Part(
                kind=Kind.SUBSCRIBER,
                name=f"{document.prefix}-{each}",
                key=each,
                content=_subscriber(kind="email", to=[each], kinds=["alarm.changed"]),
            )
        else:
            yield _in_full(document, each)


def _in_full(document: Document, setting: SubscriberSetting) -> Part:
    content = _subscriber(
        kind=setting.kind,
        to=setting.to,
        url=document.value(setting.url),
        secret=document.value(setting.secret or ""),
        kinds=setting.kinds,
        endpoints=[f"{document.prefix}-{key}" for key in setting.endpoints],
        owners=setting.owners,
        shape=setting.shape,
    )
    return Part(
        kind=Kind.SUBSCRIBER,
        name=f"{document.prefix}-{setting.name}",
        key=setting.name,
        content=content,
        # The address of a webhook is often all that it takes to post there.
        secret=frozenset({"url", "secret"}),
    )


def _subscriber(
    *,
    kind: str,
    to: Sequence[str] = (),
    url: str = "",
    secret: str = "",
    kinds: Sequence[str] = (),
    endpoints: Sequence[str] = (),
    owners: Sequence[str] = (),
    shape: str = "parkade",
) -> dict[str, Json]:
    return {
        "kind": kind,
        "to": list(to),
        "url": url,
        "secret": secret,
        "kinds": list(kinds),
        "endpoints": list(endpoints),
        "owners": list(owners),
        "shape": shape,
        "enabled": True,
    }
