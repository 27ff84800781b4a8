"""Alarms: a rule over a series of measurements, and the state that it is in.

An alarm watches and tells. It decides nothing about endpoints: nothing is started, stopped or
deleted because of its state, or of its name. Whoever goes by it has named it, or is named by its
actions: an update in stages, a step scaling policy.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  stores read these forms by their annotations
from dataclasses import dataclass, field, replace
from datetime import datetime  # noqa: TC003
from enum import StrEnum

from parkade.domain.errors import InvalidInput
from parkade.domain.metricquery import Query  # noqa: TC001

#: The owner of the alarms that Parkade makes by itself.
OWN = "parkade"
#: Seconds between two looks at an alarm whose period is a minute or more.
EVALUATED_EACH = 60
#: Seconds that the evaluation periods of one alarm may span: a day, and a week by hours.
LONGEST = 86_400
LONGEST_BY_HOURS = 7 * 86_400


class State(StrEnum):
    """What an alarm says, in CloudWatch's words."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


class Missing(StrEnum):
    """What a period without a point counts as."""

    BREACHING = "breaching"
    NOT_BREACHING = "notBreaching"
    IGNORE = "ignore"
    MISSING = "missing"


class Comparison(StrEnum):
    """How a point is compared with the threshold."""

    AT_LEAST = "GreaterThanOrEqualToThreshold"
    ABOVE = "GreaterThanThreshold"
    BELOW = "LessThanThreshold"
    AT_MOST = "LessThanOrEqualToThreshold"

    def holds(self, value: float, threshold: float) -> bool:
        """Tell whether a value breaches the threshold."""
        match self:
            case Comparison.AT_LEAST:
                return value >= threshold
            case Comparison.ABOVE:
                return value > threshold
            case Comparison.BELOW:
                return value < threshold
            case Comparison.AT_MOST:
                return value <= threshold

    @property
    def words(self) -> str:
        """How reasons say it."""
        return {
            Comparison.AT_LEAST: "greater than or equal to",
            Comparison.ABOVE: "greater than",
            Comparison.BELOW: "less than",
            Comparison.AT_MOST: "less than or equal to",
        }[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """When an alarm is in ALARM: `datapoints` of the last `periods` breach the threshold."""

    comparison: Comparison
    threshold: float
    periods: int
    datapoints: int
    missing: Missing = Missing.MISSING
    #: Whether percentiles of too few samples to mean anything leave the state as it is.
    ignore_few_samples: bool = False

    def __post_init__(self) -> None:
        """Raise InvalidInput for a rule that can never be met."""
        if not 1 <= self.datapoints <= self.periods:
            raise InvalidInput(
                f"{self.datapoints} of {self.periods} periods is not possible",
                field="DatapointsToAlarm",
                hint="give 1 at least, and no more than EvaluationPeriods",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The state of an alarm: since when, why, and what it was decided on (JSON; empty: nothing)."""

    state: State
    reason: str
    data: str
    #: When it was last said anew, and when it last became another.
    updated_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One alarm. `version` counts its writes; 0: it is not stored yet."""

    name: str
    rule: Rule
    #: One measured series, or several queries, of which one is returned: that is watched.
    queries: tuple[Query, ...]
    standing: Standing
    configured_at: datetime
    description: str = ""
    actions_enabled: bool = True
    ok_actions: tuple[str, ...] = ()
    alarm_actions: tuple[str, ...] = ()
    insufficient_data_actions: tuple[str, ...] = ()
    #: Whether it was given as one metric, and is shown so, rather than as queries.
    plain: bool = True
    tags: Mapping[str, str] = field(default_factory=dict)
    #: OWN, of an alarm that Parkade makes, changes and removes by itself; else who put it last.
    owner: str = ""
    #: Of its own alarms: the endpoint that it shows.
    endpoint_name: str = ""
    version: int = 0

    @property
    def own(self) -> bool:
        """Whether Parkade made it."""
        return bool(self.endpoint_name) and self.owner == OWN

    @property
    def watched(self) -> Query:
        """The query whose points are compared."""
        return next(query for query in self.queries if query.returned)

    @property
    def period(self) -> int:
        """Seconds of a point: of what is watched, else of the longest that it is made of."""
        watched = self.watched
        if watched.measured is not None:
            return watched.measured.period
        if watched.period is not None:
            return watched.period
        return max(query.measured.period for query in self.queries if query.measured)

    @property
    def each(self) -> int:
        """Seconds between two looks at it."""
        return min(self.period, EVALUATED_EACH)

    @property
    def actions(self) -> tuple[str, ...]:
        """What is told of the state that it is in."""
        return {
            State.OK: self.ok_actions,
            State.ALARM: self.alarm_actions,
            State.INSUFFICIENT_DATA: self.insufficient_data_actions,
        }[self.standing.state]

    def saying(self, state: State, reason: str, data: str, now: datetime) -> Alarm:
        """Return the alarm in a state, for a reason."""
        changed = state is not self.standing.state
        return replace(
            self,
            standing=Standing(
                state=state,
                reason=reason,
                data=data,
                updated_at=now,
                changed_at=now if changed else self.standing.changed_at,
            ),
        )


def first_standing(now: datetime) -> Standing:
    """Return the state of an alarm that nobody has looked at yet."""
    return Standing(
        state=State.INSUFFICIENT_DATA,
        reason="Unchecked: Initial alarm creation",
        data="",
        updated_at=now,
        changed_at=now,
    )


def check(alarm: Alarm) -> None:
    """Raise InvalidInput for an alarm whose evaluation would span too long."""
    longest = LONGEST_BY_HOURS if alarm.period >= 3600 else LONGEST
    if alarm.period * alarm.rule.periods > longest:
        raise InvalidInput(
            f"{alarm.rule.periods} periods of {alarm.period} s are more than {longest} s",
            field="EvaluationPeriods",
            hint="give fewer or shorter periods",
        )
