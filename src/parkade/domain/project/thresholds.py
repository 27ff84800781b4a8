"""The three alarms on all calls of a project's routes: how many, and how many went wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from parkade.domain import alarmforms
from parkade.domain.alarm import Comparison, Missing
from parkade.domain.project.metrics import METRICS

if TYPE_CHECKING:
    from parkade.domain.event import Json

#: The alarms by their keys: what is counted, and what that is for people.
_COUNTED = {
    "overall-calls": ("Count", "calls"),
    "errors-4xx": ("4XXError", "answers of 4xx"),
    "errors-5xx": ("5XXError", "answers of 5xx"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """How many are too many within a period; None: there is no such alarm."""

    calls: float | None = 100
    errors_4xx: float | None = 20
    errors_5xx: float | None = 20
    period_seconds: int = 60
    #: How many periods in a row have to reach it.
    periods: int = 1

    def contents(self, prefix: str) -> dict[str, dict[str, Json]]:
        """Return the alarms of a project by their keys: all its routes are counted together."""
        wanted = zip(_COUNTED, (self.calls, self.errors_4xx, self.errors_5xx), strict=True)
        return {
            key: self._content(prefix, key, threshold)
            for key, threshold in wanted
            if threshold is not None
        }

    def _content(self, prefix: str, key: str, threshold: float) -> dict[str, Json]:
        name, words = _COUNTED[key]
        return {
            "AlarmDescription": f"{words} of all routes of {prefix}: {threshold:g} or more within "
            f"{self.period_seconds} s",
            **alarmforms.stat(
                METRICS[name].of_route(prefix), period=self.period_seconds, statistic="Sum"
            ),
            "ComparisonOperator": Comparison.AT_LEAST.value,
            "Threshold": float(threshold),
            "EvaluationPeriods": self.periods,
            # A period without calls has none.
            "TreatMissingData": Missing.NOT_BREACHING.value,
        }
