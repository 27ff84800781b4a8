"""GetMetricData: queries of series and metric math, in pages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from parkade.apps.cloudwatch import members
from parkade.apps.cloudwatch.faults import bad_token, unusable
from parkade.apps.wire import paging

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from parkade.apps.cloudwatch.call import Call
    from parkade.domain.mathvalues import Line
    from parkade.services.metricqueries import Result

#: The most points of one page, and how many they are where MaxDatapoints does not say.
POINTS = 100_800


def get(call: Call) -> Mapping[str, Any]:
    """Answer GetMetricData.

    A page goes on after the last point of the one before, by its place in time, so that points
    that come in between are neither told twice nor move others out of the pages.
    """
    given = call.given
    queries = members.queries(given["MetricDataQueries"], "MetricDataQueries")
    call.require(query.measured.series for query in queries if query.measured)
    start, end = members.span(given)
    most = given.get("MaxDatapoints", POINTS)
    if not 1 <= most <= POINTS:
        raise unusable("MaxDatapoints", f"it must be 1 to {POINTS}.")
    ascending = given.get("ScanBy", "TimestampDescending") == "TimestampAscending"
    results = call.alarming.queries.answer(queries, start, end)
    page = _Page(most, ascending=ascending, after=_after(given.get("NextToken")))
    answer: dict[str, Any] = {"MetricDataResults": page.told(results), "Messages": []}
    if page.last is not None:
        number, instant = page.last
        answer["NextToken"] = paging.token(number, instant.isoformat() if instant else "")
    return answer


def _after(token: str | None) -> tuple[int, datetime | None]:
    if token is None:
        return 0, None
    number, text = members.position(token, int, str)
    try:
        return number, datetime.fromisoformat(text).astimezone(UTC) if text else None
    except ValueError as error:
        raise bad_token() from error


class _Page:
    """Takes points until the page is full. Lines are counted from 0, over all results."""

    def __init__(self, most: int, *, ascending: bool, after: tuple[int, datetime | None]) -> None:
        self._left = most
        self._ascending = ascending
        self._first, self._instant = after
        #: Where there are more points: their line, and after which instant of it they follow.
        self.last: tuple[int, datetime | None] | None = None

    def told(self, results: Sequence[Result]) -> list[dict[str, Any]]:
        """Return the results of the page."""
        found: list[dict[str, Any]] = []
        lines = ((result, line) for result in results for line in result.lines or (None,))
        for number, (result, line) in enumerate(lines):
            if number < self._first:
                continue
            if not self._left:
                self.last = number, None
                break
            found.append(_damaged(result) if line is None else self._line(number, result, line))
            if self.last is not None:
                break
        return found

    def _line(self, number: int, result: Result, line: Line) -> dict[str, Any]:
        points = sorted(line.values.items(), reverse=not self._ascending)
        if self._instant is not None and number == self._first:
            points = [each for each in points if self._follows(each[0], self._instant)]
        shown = points[: self._left]
        self._left -= len(shown)
        if len(shown) < len(points):
            self.last = number, shown[-1][0]
        return {
            "Id": result.query.id,
            "Label": result.query.label or _label(result, line),
            "Timestamps": [at for at, _ in shown],
            "Values": [value for _, value in shown],
            "StatusCode": "Complete" if self.last is None else "PartialData",
        }

    def _follows(self, at: datetime, last: datetime) -> bool:
        return at > last if self._ascending else at < last


def _label(result: Result, line: Line) -> str:
    """Return what a line is called that nobody has named: by its metric, or by the query's id."""
    alone = result.query.expression and len(result.lines) == 1
    return result.query.id if alone or not line.label else line.label


def _damaged(result: Result) -> dict[str, Any]:
    why = result.unreadable.message if result.unreadable else ""
    return {
        "Id": result.query.id,
        "Label": result.query.label or result.query.id,
        "Timestamps": [],
        "Values": [],
        "StatusCode": "InternalError",
        "Messages": [{"Code": "Unreadable", "Value": why}],
    }
