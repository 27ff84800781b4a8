"""The alarms that a project's file asks for in its own words: of an endpoint, or of a route."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.domain import alarmforms
from parkade.domain.alarm import Comparison, Missing
from parkade.domain.errors import InvalidInput
from parkade.domain.project.metrics import Level, Metric, metric

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parkade.domain.event import Json
    from parkade.domain.series import Series

#: What the file calls comparisons.
COMPARISONS = {
    "above": Comparison.ABOVE,
    "at_least": Comparison.AT_LEAST,
    "below": Comparison.BELOW,
    "at_most": Comparison.AT_MOST,
}
#: Which of several series is the worst: the one that meets the threshold first.
_WORST = {
    Comparison.ABOVE: "MAX",
    Comparison.AT_LEAST: "MAX",
    Comparison.BELOW: "MIN",
    Comparison.AT_MOST: "MIN",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """One alarm, in the words of the file."""

    metric: str
    comparison: Comparison
    threshold: float
    #: Of a metric that only its sender knows; empty: the one that Parkade has.
    namespace: str = ""
    #: Empty: the one that says most of the metric.
    statistic: str = ""
    periods: int = 1
    #: How many of the periods have to breach; None: all of them.
    datapoints: int | None = None
    period_seconds: int = 60
    missing: Missing = Missing.MISSING
    description: str = ""
    #: ARNs of topics that are told when it is in alarm.
    topics: tuple[str, ...] = ()

    def of_endpoint(
        self, endpoint_name: str, variants: Sequence[str], variant: str = ""
    ) -> dict[str, Json]:
        """Return the alarm on an endpoint: on the variant that is named, else on the worst one.

        `variants` are all that the endpoint has. Raises InvalidInput for what cannot be watched.
        """
        found = self._metric(Level.VARIANT)
        if found.level is Level.ROUTE:
            raise InvalidInput(
                f"metric {self.metric} is of routes, and not of endpoint {endpoint_name!r}",
                field="metric",
                hint="name a route in place of the endpoint",
            )
        if variant and variant not in variants:
            raise InvalidInput(
                f"endpoint {endpoint_name!r} has no variant {variant[:80]!r}",
                field="variant",
                hint=f"it has {', '.join(variants)}",
            )
        if variant and found.level is Level.ENDPOINT:
            raise InvalidInput(
                f"metric {self.metric} is measured of the whole endpoint",
                field="variant",
                hint="leave the variant out",
            )
        names = [variant] if variant else list(variants)
        # Of what is measured of the whole endpoint, each variant names the same series.
        each = dict.fromkeys(found.of_variant(endpoint_name, name) for name in names)
        return self._content(found, list(each))

    def of_route(self, prefix: str, path: str = "") -> dict[str, Json]:
        """Return the alarm on a route of the project; without a path: on all of them together."""
        found = self._metric(Level.ROUTE)
        if found.level is not Level.ROUTE:
            raise InvalidInput(
                f"metric {self.metric} is of endpoints, and not of routes",
                field="metric",
                hint="name an endpoint in place of the route",
            )
        return self._content(found, [found.of_route(prefix, path)])

    def _metric(self, level: Level) -> Metric:
        if self.namespace:
            return Metric(
                name=self.metric, namespace=self.namespace, level=level, statistic="Average"
            )
        return metric(self.metric)

    def _content(self, found: Metric, series: Sequence[Series]) -> dict[str, Json]:
        statistic = self.statistic or found.statistic
        told: dict[str, Json] = {
            **(
                alarmforms.stat(series[0], period=self.period_seconds, statistic=statistic)
                if len(series) == 1
                else alarmforms.worst(
                    series,
                    period=self.period_seconds,
                    statistic=statistic,
                    of=_WORST[self.comparison],
                )
            ),
            "ComparisonOperator": self.comparison.value,
            "Threshold": float(self.threshold),
            "EvaluationPeriods": self.periods,
            "TreatMissingData": self.missing.value,
            # None at all is told, too: a topic that the file names no more is told no more.
            "AlarmActions": list(self.topics),
        }
        if self.datapoints is not None:
            told["DatapointsToAlarm"] = self.datapoints
        return told | ({"AlarmDescription": self.description} if self.description else {})
