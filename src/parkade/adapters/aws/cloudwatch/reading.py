"""GetMetricData for any number of series: batches side by side, pages one after the other.

One request takes 500 series, and points enough for each batch are asked for at once. What cannot
be read harms nothing but what it covers: the series of a batch that failed, those that a page broke
off before, one that CloudWatch itself could not read. Each of them says why.
"""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC
from typing import TYPE_CHECKING, Any

from parkade.adapters.aws.refusals import calling
from parkade.domain.errors import ParkadeError, Unavailable
from parkade.domain.statistics import begin

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from parkade.adapters.aws.account import Account
    from parkade.domain.series import Series

#: CloudWatch's own limits of one GetMetricData: series, and points over all of them.
SERIES, POINTS = 500, 100_800
#: Batches under way at once: CloudWatch answers one in about a second, whatever is in it.
_AT_ONCE = 4
#: Pages that are followed. Each holds POINTS, more than a batch asks for: a second one is rare.
_PAGES = 100
_COMPLETE, _PARTIAL = "Complete", "PartialData"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One statistic of one series, period by period, from an instant on."""

    series: Series
    statistic: str
    start: datetime
    period: int = 60


@dataclass(slots=True, kw_only=True)
class Told:
    """What there is of it: values by the begin of their period, and why there may be more."""

    values: dict[datetime, float] = field(default_factory=dict)
    #: None: it was told to the end.
    error: ParkadeError | None = None

    @property
    def why(self) -> str:
        """Why it is not known in full; empty: it is."""
        return "" if self.error is None else self.error.message


def read(account: Account, asked: Sequence[Asked], end: datetime) -> Mapping[Asked, Told]:
    """Return what there is of each up to `end`; what cannot be read is told with each. Never raises."""
    batches = list(_batches(dict.fromkeys(asked), end))
    found: dict[Asked, Told] = {}
    if len(batches) < 2:
        for batch in batches:
            found |= _told(account, batch, end)
        return found
    with ThreadPoolExecutor(min(_AT_ONCE, len(batches)), "cloudwatch") as pool:
        for told in pool.map(lambda batch: _told(account, batch, end), batches):
            found |= told
    return found


def _batches(asked: Mapping[Asked, None], end: datetime) -> Iterator[list[Asked]]:
    """Give what can be asked for in one request: one begin, and no more points than it tells."""
    by_start: defaultdict[datetime, list[Asked]] = defaultdict(list)
    for each in asked:
        by_start[each.start].append(each)
    for start, wanted in by_start.items():
        batch: list[Asked] = []
        points = 0
        for each in wanted:
            more = int((end - start).total_seconds() // each.period) + 2
            if batch and (len(batch) == SERIES or points + more > POINTS):
                yield batch
                batch, points = [], 0
            batch.append(each)
            points += more
        if batch:
            yield batch


def _told(account: Account, batch: Sequence[Asked], end: datetime) -> dict[Asked, Told]:
    reading = _Reading(batch)
    request: dict[str, Any] = {
        "MetricDataQueries": [_query(number, each) for number, each in enumerate(batch)],
        "StartTime": begin(batch[0].start, max(each.period for each in batch)),
        "EndTime": end,
        "ScanBy": "TimestampAscending",
    }
    try:
        for _ in range(_PAGES):
            with calling("measurements cannot be read from CloudWatch"):
                page = account.client("cloudwatch").get_metric_data(**request)
            reading.take(page)
            if not page.get("NextToken"):
                return reading.over(
                    Unavailable("CloudWatch told no end of it", hint="it is asked again")
                )
            request["NextToken"] = page["NextToken"]
    except ParkadeError as error:
        return reading.over(error)
    return reading.over(Unavailable(f"CloudWatch told {_PAGES} pages of it and no end"))


class _Reading:
    """What the pages of one batch have told so far."""

    def __init__(self, batch: Sequence[Asked]) -> None:
        self._told = {_id(number): (each, Told()) for number, each in enumerate(batch)}
        self._complete: set[str] = set()

    def take(self, page: Mapping[str, Any]) -> None:
        """Take what a page tells."""
        for result in page.get("MetricDataResults", ()):
            if result.get("Id") not in self._told:
                continue
            _, told = self._told[result["Id"]]
            points = zip(result.get("Timestamps", ()), result.get("Values", ()), strict=False)
            told.values |= {at.astimezone(UTC): value for at, value in points}
            status = result.get("StatusCode", _COMPLETE)
            if status == _COMPLETE:
                self._complete.add(result["Id"])
                told.error = None
            elif status != _PARTIAL:
                words = "; ".join(each.get("Value", "") for each in result.get("Messages", ()))
                told.error = Unavailable(f"CloudWatch answers {status} {words}".rstrip())

    def over(self, why: ParkadeError) -> dict[Asked, Told]:
        """Return all of it; what was not told to its end has `why`, or a reason of its own."""
        for number, (_, told) in self._told.items():
            if number not in self._complete:
                told.error = told.error or why
        return dict(self._told.values())


def _query(number: int, asked: Asked) -> dict[str, Any]:
    return {
        "Id": _id(number),
        "MetricStat": {
            "Metric": metric(asked.series),
            "Period": asked.period,
            "Stat": asked.statistic,
        },
    }


def _id(number: int) -> str:
    return f"m{number}"


def metric(series: Series) -> dict[str, Any]:
    """Return a series as CloudWatch's Metric."""
    return {
        "Namespace": series.namespace,
        "MetricName": series.name,
        "Dimensions": [{"Name": name, "Value": value} for name, value in series.dimensions],
    }
