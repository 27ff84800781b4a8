"""The metric store port on CloudWatch, which keeps, packs and forgets by itself.

What is older than CloudWatch keeps in minutes is seen in the periods that it is kept in. Which
series there are it lists, but neither their newest points nor their units: the former are asked
for, the latter known of SageMaker's own series.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from itertools import chain
from math import lcm
from typing import TYPE_CHECKING, Any

from parkade.adapters.aws.cloudwatch.points import Together
from parkade.adapters.aws.cloudwatch.reading import Asked, metric, read
from parkade.adapters.aws.cloudwatch.units import unit_of
from parkade.adapters.aws.refusals import calling
from parkade.domain.errors import InvalidInput, Unreadable
from parkade.domain.points import Points
from parkade.domain.series import Series
from parkade.domain.statistics import begin
from parkade.ports.metrics import FINE, HOUR, MINUTE, Found, Known

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from parkade.adapters.aws.account import Account
    from parkade.ports.clock import Clock
    from parkade.ports.metrics import Sample

#: How long CloudWatch keeps points of a minute, and of five; hours follow.
MINUTES, FIVES = timedelta(days=15), timedelta(days=63)
#: Within which CloudWatch calls a series recently active, and how long it lists one at all.
_RECENT, _LISTED = timedelta(hours=3), timedelta(days=14)
#: Periods shorter than a minute that CloudWatch tells; others are put together of ten seconds.
_SHORT = frozenset({10, 20, 30})
#: Measurements of one PutMetricData: CloudWatch takes 1,000, and 1 MB.
_AT_ONCE = 500
#: What begins so is written by AWS alone.
_RESERVED = ("AWS/", "/aws/")


class CloudWatchMetrics:
    """The metric store port."""

    def __init__(self, account: Account, clock: Clock) -> None:
        self._account = account
        self._clock = clock

    def add(self, samples: Iterable[Sample]) -> None:
        """Put samples, some hundred at a time: those before one that is refused stay.

        Raises InvalidInput for a namespace of AWS's, with nothing put.
        """
        by_namespace: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        for each in samples:
            if each.series.namespace.startswith(_RESERVED):
                raise InvalidInput(
                    f"namespace {each.series.namespace!r} is AWS's own",
                    field="namespace",
                    hint="write to a namespace of your own, such as Team/App",
                )
            by_namespace[each.series.namespace].append(_datum(each))
        for namespace, data in by_namespace.items():
            for first in range(0, len(data), _AT_ONCE):
                with calling(f"measurements of {namespace} cannot be put"):
                    self._account.client("cloudwatch").put_metric_data(
                        Namespace=namespace, MetricData=data[first : first + _AT_ONCE]
                    )

    def points(
        self, series: Sequence[Series], start: datetime, end: datetime, seconds: int
    ) -> Found:
        """Return the points of each series with `start <= at < end`, in the order of time."""
        wanted = list(dict.fromkeys(series))
        parts: defaultdict[Series, list[Points]] = defaultdict(list)
        unreadable: dict[Series, Unreadable] = {}
        if wanted:
            for first, last, period in _kept_alike(start, end, seconds, self._clock.now()):
                together = Together(self._account, wanted, first, last, period)
                for each, told in together.points().items():
                    if isinstance(told, Unreadable):
                        unreadable[each] = told
                    else:
                        parts[each].append(told.merged(seconds) if period < seconds else told)
        return Found(
            {each: _joined(parts[each]) for each in wanted if each not in unreadable}, unreadable
        )

    def known(
        self,
        namespace: str | None = None,
        name: str | None = None,
        dimensions: Mapping[str, str | None] | None = None,
        since: datetime | None = None,
    ) -> Sequence[Known]:
        """Return the series that CloudWatch lists, in order; one is listed for two weeks.

        The newest point is told to the minute within three hours, and else to its hour.
        """
        now = self._clock.now()
        recent = since is not None and since >= now - _RECENT
        request: dict[str, Any] = {"Namespace": namespace, "MetricName": name}
        if dimensions:
            request["Dimensions"] = [
                {"Name": key} if value is None else {"Name": key, "Value": value}
                for key, value in dimensions.items()
            ]
        if recent:
            request["RecentlyActive"] = "PT3H"
        with calling("the series cannot be listed"):
            listed = [
                _series(each)
                for page in self._account.pages(
                    "cloudwatch", "list_metrics", **{k: v for k, v in request.items() if v}
                )
                for each in page.get("Metrics", ())
            ]
        found = self._newest(listed, now, recent=recent)
        return sorted(
            (
                Known(series=each, unit=unit_of(each), newest=newest)
                for each, (newest, period) in found.items()
                if since is None or newest + timedelta(seconds=period) > since
            ),
            key=lambda known: known.series.sorting,
        )

    def tidy(self, now: datetime) -> bool:
        """Do nothing: CloudWatch does it."""
        del now
        return False

    def _newest(
        self, listed: Iterable[Series], now: datetime, *, recent: bool
    ) -> dict[Series, tuple[datetime, int]]:
        """Return the newest point of each, and how long its period is.

        Raises why it is not known where that is so: a series that is left out counts as none.
        """
        found: dict[Series, tuple[datetime, int]] = {}
        left = list(dict.fromkeys(listed))
        looks = [(_RECENT, MINUTE)] if recent else [(_RECENT, MINUTE), (_LISTED, HOUR)]
        for span, period in looks:
            start = begin(now - span, period)
            asked = [
                Asked(series=each, statistic="SampleCount", start=start, period=period)
                for each in left
            ]
            for each, told in read(self._account, asked, now).items():
                if told.values:
                    found[each.series] = max(told.values), period
                elif told.error is not None:
                    raise told.error
            left = [each for each in left if each not in found]
        return found


def _kept_alike(
    start: datetime, end: datetime, seconds: int, now: datetime
) -> Iterator[tuple[datetime, datetime, int]]:
    """Give the parts of a range that are kept alike, each with the period to ask for."""
    step = lcm(seconds, HOUR)  # no period is in two parts
    after = timedelta(seconds=step)
    fives = min(max(start, begin(now - FIVES, step) + after), end)
    minutes = min(max(fives, begin(now - MINUTES, step) + after), end)
    shortest = seconds if seconds in _SHORT else FINE if seconds % MINUTE else MINUTE
    for first, last, least in (
        (start, fives, HOUR),
        (fives, minutes, 5 * MINUTE),
        (minutes, end, shortest),
    ):
        if first < last:
            yield first, last, seconds if seconds % least == 0 else least


def _joined(parts: Sequence[Points]) -> Points:
    return parts[0] if len(parts) == 1 else Points.of(chain(*parts))


def _series(given: Mapping[str, Any]) -> Series:
    dimensions = {each["Name"]: each["Value"] for each in given.get("Dimensions", ())}
    return Series.of(given["Namespace"], given["MetricName"], **dimensions)


def _datum(sample: Sample) -> dict[str, Any]:
    value = sample.value
    told = metric(sample.series)
    del told["Namespace"]
    return {
        **told,
        "Timestamp": sample.at,
        "StatisticValues": {
            "SampleCount": value.count,
            "Sum": value.total,
            "Minimum": value.least,
            "Maximum": value.most,
        },
        "Unit": sample.unit,
        "StorageResolution": 1 if sample.seconds < MINUTE else MINUTE,
    }
