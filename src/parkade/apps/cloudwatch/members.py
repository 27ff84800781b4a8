"""Members that several operations have: series, dimensions, queries, and positions of pages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from parkade.apps.cloudwatch.faults import bad_token, combination, missing, refused, unusable
from parkade.apps.sagemaker.arns import ACCOUNT
from parkade.apps.wire import paging
from parkade.domain.metricquery import Measured, Query
from parkade.domain.series import Series

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: Before and after these, nothing is ever measured.
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
#: Of one GetMetricData, or of one alarm.
QUERIES = 500


def series(given: Mapping[str, Any], place: str = "") -> Series:
    """Return the series that Namespace, MetricName and Dimensions name."""
    for member in ("Namespace", "MetricName"):
        if member not in given:
            raise missing(f"{place}{member}")
    found = dimensions(given.get("Dimensions", ()), place)
    return Series(given["Namespace"], given["MetricName"], tuple(sorted(found.items())))


def dimensions(given: Iterable[Mapping[str, str]], place: str = "") -> dict[str, str]:
    """Return dimensions by name."""
    found: dict[str, str] = {}
    for number, each in enumerate(given, 1):
        at = f"{place}Dimensions.member.{number}"
        if each["Name"] in found:
            raise unusable(f"{at}.Name", f"{each['Name']!r} is there twice.")
        if each["Name"].startswith(":"):
            raise unusable(f"{at}.Name", "it begins with a colon.")
        for member in ("Name", "Value"):
            if not each[member].isascii() or not each[member].isprintable():
                raise unusable(f"{at}.{member}", "it must be printable ASCII.")
            if not each[member].strip():
                raise unusable(f"{at}.{member}", "it is blank.")
        found[each["Name"]] = each["Value"]
    return found


def queries(given: Iterable[Mapping[str, Any]], place: str) -> tuple[Query, ...]:
    """Return queries of measurements; whether they can be answered is for the domain to say."""
    found = tuple(_query(each, f"{place}.member.{n}") for n, each in enumerate(given, 1))
    if not found:
        raise missing(place)
    if len(found) > QUERIES:
        raise unusable(place, f"it has {len(found)} queries; {QUERIES} are allowed.")
    return found


def _query(given: Mapping[str, Any], place: str) -> Query:
    if given.get("AccountId", ACCOUNT) != ACCOUNT:
        raise unusable(f"{place}.AccountId", f"the only account here is {ACCOUNT}.")
    if "${" in given.get("Label", ""):
        raise refused(f"{place}.Label with ${{...}}", "labels are told as they are written.")
    if "MetricStat" in given and "Expression" in given:
        raise combination(f"{place} has both MetricStat and Expression; only one can be given.")
    if "MetricStat" in given and "Period" in given:
        raise combination(f"{place}.Period goes with Expression; MetricStat has its own Period.")
    return Query(
        id=given["Id"],
        measured=_measured(given["MetricStat"], place) if "MetricStat" in given else None,
        expression=given.get("Expression", ""),
        label=given.get("Label", ""),
        returned=given.get("ReturnData", True),
        period=given.get("Period"),
    )


def _measured(given: Mapping[str, Any], place: str) -> Measured:
    return Measured(
        series=series(given["Metric"], f"{place}.MetricStat.Metric."),
        period=given["Period"],
        statistic=given["Stat"],
        unit=given.get("Unit", ""),
    )


def span(given: Mapping[str, Any]) -> tuple[datetime, datetime]:
    """Return StartTime and EndTime. Raises for a span that is none, or of times that are none."""
    start, end = given["StartTime"], given["EndTime"]
    for member, instant in (("StartTime", start), ("EndTime", end)):
        if not EARLIEST <= instant <= LATEST:
            raise unusable(member, f"{instant.isoformat()} is no time that can be measured at.")
    if start >= end:
        raise combination("The parameter StartTime must be less than the parameter EndTime.")
    return start, end


def told_series(found: Series) -> dict[str, Any]:
    """Return a series as CloudWatch's Metric."""
    return {
        "Namespace": found.namespace,
        "MetricName": found.name,
        "Dimensions": [{"Name": name, "Value": value} for name, value in found.dimensions],
    }


def told_query(query: Query) -> dict[str, Any]:
    """Return a query as it was given."""
    told: dict[str, Any] = {"Id": query.id, "ReturnData": query.returned}
    if query.label:
        told["Label"] = query.label
    if query.measured is None:
        told |= {"Expression": query.expression, "Period": query.period}
    else:
        measured = query.measured
        told["MetricStat"] = {
            "Metric": told_series(measured.series),
            "Period": measured.period,
            "Stat": measured.statistic,
            "Unit": measured.unit or None,
        }
    return told


def position(given: str, *kinds: type) -> list[Any]:
    """Return where a page begins. Raises InvalidNextToken."""
    try:
        return paging.position(given, *kinds)
    except ValueError as error:
        raise bad_token() from error
