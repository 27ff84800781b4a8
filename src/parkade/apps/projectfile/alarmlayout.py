"""Alarms and subscribers of a document as parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parkade.domain.alarm import Missing
from parkade.domain.names import NAME_LIMIT
from parkade.domain.project import audience
from parkade.domain.project.part import Kind, Part, derived_name
from parkade.domain.project.project import PROJECT_TAG
from parkade.domain.project.thresholds import Thresholds
from parkade.domain.project.watches import COMPARISONS, Watch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from parkade.apps.projectfile.content import Content
    from parkade.apps.projectfile.document import Document
    from parkade.apps.projectfile.monitor import AlarmSetting, SubscriberSetting
    from parkade.domain.event import Json

_MISSING = {"not_breaching": Missing.NOT_BREACHING}


def alarms(document: Document) -> Iterator[Part]:
    """Go through the alarms: PutMetricAlarm's members but AlarmName, which is the part's."""
    for key, content in _contents(document).items():
        tags: Json = [
            {"Key": name, "Value": value}
            for name, value in sorted({**document.tags, PROJECT_TAG: document.prefix}.items())
        ]
        name = f"{document.prefix}-{key}"
        yield Part(kind=Kind.ALARM, name=name, key=key, content={**content, "Tags": tags})


def alarm_names(document: Content) -> dict[str, str]:
    """Return what the alarms of the document are called where they are, by their keys."""
    return {key: f"{document.prefix}-{key}" for key in _contents(document)}


def _contents(document: Content) -> dict[str, dict[str, Json]]:
    """Return the alarms by their keys; one of the file goes before a threshold of its key."""
    monitor, found = document.monitor, {}
    if monitor.thresholds is not None:
        given = monitor.thresholds
        found = Thresholds(
            calls=given.calls,
            errors_4xx=given.errors_4xx,
            errors_5xx=given.errors_5xx,
            period_seconds=given.period_seconds,
            periods=given.periods,
        ).contents(document.prefix)
    return found | {key: _watched(document, each) for key, each in monitor.alarms.items()}


def _watched(document: Content, alarm: AlarmSetting) -> dict[str, Json]:
    comparison, threshold = alarm.threshold
    watch = Watch(
        metric=alarm.metric,
        namespace=alarm.namespace or "",
        statistic=alarm.statistic or "",
        comparison=COMPARISONS[comparison],
        threshold=threshold,
        periods=alarm.periods,
        datapoints=alarm.datapoints,
        period_seconds=alarm.period_seconds,
        missing=_MISSING.get(alarm.missing) or Missing(alarm.missing),
        description=alarm.description,
        topics=tuple(alarm.topics),
    )
    if alarm.endpoint is None:
        return watch.of_route(document.prefix, alarm.route or "")
    variants = [each.name for each in document.endpoints[alarm.endpoint].variants]
    name = f"{document.prefix}-{alarm.endpoint}"
    return watch.of_endpoint(name, variants, alarm.variant or "")


def subscribers(document: Document) -> Iterator[Part]:
    """Go through the subscribers, in the form that the API takes; a name is the part's."""
    for each in document.monitor.subscribers:
        if isinstance(each, str):
            content = {**audience.by_mail(each), **_interest(document)}
            yield _subscriber(document, each, audience.key_of(each), content)
        else:
            yield _subscriber(document, each.name, each.name, _in_full(document, each))


def _subscriber(document: Document, key: str, stem: str, content: Mapping[str, Json]) -> Part:
    name = f"{document.prefix}-{stem}"
    return Part(
        kind=Kind.SUBSCRIBER,
        name=name if len(name) <= NAME_LIMIT else derived_name(name, {"key": key}),
        key=key,
        content=content,
        # The address of a webhook is often all that it takes to post there.
        secret=frozenset({"url", "secret"}),
    )


def _in_full(document: Document, setting: SubscriberSetting) -> dict[str, Json]:
    return {
        "kind": setting.kind,
        "to": list(setting.to),
        "url": document.value(setting.url),
        "secret": document.value(setting.secret or ""),
        "kinds": list(audience.KINDS if setting.kinds is None else setting.kinds),
        "owners": list(setting.owners),
        "shape": setting.shape,
        **_interest(document, setting.endpoints),
    }


def _interest(document: Document, endpoints: list[str] | None = None) -> dict[str, Json]:
    """Return what somebody hears of: the project, or the endpoints of it that are named."""
    keys = endpoints or list(document.endpoints)
    names = alarm_names(document)
    # Alarms that are on no endpoint are on all routes, which concerns everybody.
    on = {key: each.endpoint for key, each in document.monitor.alarms.items()}
    return audience.interest(
        document.prefix,
        alarms=[name for key, name in names.items() if not on.get(key) or on[key] in keys],
        endpoints=[f"{document.prefix}-{key}" for key in keys],
    )
