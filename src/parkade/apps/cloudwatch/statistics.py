"""GetMetricStatistics: statistics of one series; ListMetrics: which series there are."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from parkade.apps.cloudwatch import members
from parkade.apps.cloudwatch.faults import bad_token, combination, missing, unusable
from parkade.apps.sagemaker.arns import ACCOUNT
from parkade.apps.wire import paging
from parkade.domain import statistics
from parkade.domain.statistics import Statistic
from parkade.services.metrics import Wanted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from parkade.apps.cloudwatch.call import Call
    from parkade.domain.series import Series
    from parkade.ports.metrics import Known
    from parkade.services.metrics import Told

#: The most points of one answer.
POINTS = 1440
#: Series on one page.
PAGE = 500
#: How long a series is listed for after its newest point, as CloudWatch documents it.
LISTED = timedelta(days=14)
#: RecentlyActive PT3H.
RECENT = timedelta(hours=3)
#: How far back points of less than a minute, of one minute, and of 5 minutes can be asked for.
_MINUTES, _FIVE = timedelta(days=15), timedelta(days=63)


def get(call: Call) -> Mapping[str, Any]:
    """Answer GetMetricStatistics."""
    given = call.given
    series = members.series(given)
    call.require([series])
    start, end = members.span(given)
    period = _period(call, given["Period"], start)
    asked = math.ceil((end - start).total_seconds() / period)
    if asked > POINTS:
        raise combination(
            f"You have requested up to {asked:,} datapoints, which exceeds the limit of {POINTS:,}. "
            "You may reduce the datapoints requested by increasing Period, or decreasing the time "
            "range."
        )
    names = [*given.get("Statistics", ()), *given.get("ExtendedStatistics", ())]
    if not names:
        raise missing("Statistics or ExtendedStatistics")
    wanted = tuple(Statistic.of(name, field="Statistics") for name in names)
    unit = _unit(call, series)
    if given.get("Unit", unit) != unit:
        return {"Label": series.name, "Datapoints": []}
    (answer,) = call.alarming.metrics.query([Wanted(series, wanted)], start, end, period)
    if answer.unreadable is not None:
        raise answer.unreadable
    simple = len(given.get("Statistics", ()))
    return {
        "Label": series.name,
        "Datapoints": [_datapoint(each, names, simple, unit) for each in answer.points],
    }


def _datapoint(told: Told, names: Sequence[str], simple: int, unit: str) -> dict[str, Any]:
    values = dict(zip(names, told.values, strict=True))
    known = {name: value for name, value in values.items() if value is not None}
    extended = {name: known[name] for name in names[simple:] if name in known}
    point = {name: known[name] for name in names[:simple] if name in known}
    return {
        "Timestamp": told.at,
        "Unit": unit or None,
        "ExtendedStatistics": extended or None,
        **point,
    }


def _period(call: Call, seconds: int, start: datetime) -> int:
    age = call.now - start
    least = 60 if age <= _MINUTES else 300 if age <= _FIVE else 3600
    if age > _MINUTES and seconds % least:
        raise unusable(
            "Period",
            f"it must be a multiple of {least} where StartTime is so long ago.",
        )
    return statistics.period(seconds, field="Period")


def _unit(call: Call, series: Series) -> str:
    known = call.alarming.metrics.known(series.namespace, series.name, dict(series.dimensions))
    return next((each.unit for each in known if each.series == series), "")


def list_metrics(call: Call) -> Mapping[str, Any]:
    """Answer ListMetrics."""
    given = call.given
    if given.get("OwningAccount", ACCOUNT) != ACCOUNT:
        return {"Metrics": []}
    found = call.alarming.metrics.known(
        given.get("Namespace"),
        given.get("MetricName"),
        {each["Name"]: each.get("Value") for each in given.get("Dimensions", ())},
        call.now - (RECENT if "RecentlyActive" in given else LISTED),
    )
    listed = sorted((each for each in found if call.sees(each.series)), key=_place)
    if "NextToken" in given:
        (last,) = members.position(given["NextToken"], list)
        listed = [each for each in listed if _place(each) > _read_place(last)]
    page = listed[:PAGE]
    answer: dict[str, Any] = {"Metrics": [members.told_series(each.series) for each in page]}
    if given.get("IncludeLinkedAccounts"):
        answer["OwningAccounts"] = [ACCOUNT] * len(page)
    if len(listed) > PAGE:
        last_shown = page[-1].series
        answer["NextToken"] = paging.token(
            [last_shown.namespace, last_shown.name, *map(list, last_shown.dimensions)]
        )
    return answer


def _place(known: Known) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    return known.series.namespace, known.series.name, known.series.dimensions


def _read_place(last: list[Any]) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    try:
        namespace, name, *pairs = last
        place = (str(namespace), str(name), tuple((str(k), str(v)) for k, v in pairs))
    except (ValueError, TypeError) as error:
        raise bad_token() from error
    return place
