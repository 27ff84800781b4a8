"""Endpoints that never were, and what would have been measured of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from parkade.adapters.sqlite import metricspacking
from parkade.adapters.sqlite.metricsrows import DAY, HOUR, WEEK, Level
from parkade.domain.points import Histograms, Points
from parkade.domain.series import INSTANCES, PARKADE, PARTS, SAGEMAKER, STEPS, Aggregate, Series
from parkade.ports.metrics import MINUTE, Sample

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Endpoints that differ from each other.
DISTINCT = 40
#: A Wednesday, 14:25: today has packed hours, and this hour has rows.
NOW = datetime(2026, 4, 15, 14, 25, tzinfo=UTC)
END = int(NOW.timestamp())
#: Counts of what was used; then what there is in minutes without use, too.
USED = (
    "Invocation4XXErrors", "Invocation5XXErrors", "InvocationModelErrors", "ModelLatency",
    "OverheadLatency", "TotalLatency",
)  # fmt: skip
ALWAYS = ("Invocations", "InvocationsPerInstance")
MACHINE = ("CPUUtilization", "MemoryUtilization", "DiskUtilization")
#: Of one endpoint: what a dashboard shows, and the statistic of it.
DASHBOARD = {
    "Invocations": "Sum", "InvocationModelErrors": "Sum", "ModelLatency": "p99",
    "OverheadLatency": "p99", "CPUUtilization": "Average", "MemoryUtilization": "Average",
}  # fmt: skip


@dataclass
class Fleet:
    """Endpoints of one variant and one instance each, of which a share is busy by day."""

    number: int
    share: float

    @property
    def names(self) -> list[str]:
        """Their names."""
        return [f"endpoint-{number:04}" for number in range(self.number)]

    def busy(self, name: str) -> bool:
        """Tell whether it is one of those that are used."""
        return int(name.rpartition("-")[2]) < self.number * self.share

    def series(self, name: str) -> Iterator[Series]:
        """Give the series of one of them; a machine's are there twice, as in CloudWatch."""
        of = {"EndpointName": name, "VariantName": "AllTraffic"}
        for each in (*ALWAYS, *(USED if self.busy(name) else ())):
            namespace = PARKADE if each == "TotalLatency" else SAGEMAKER
            yield Series.of(namespace, each, **of)
        for each in MACHINE:
            yield Series.of(INSTANCES, each, **of)
            yield Series.of(INSTANCES, each, **of, InstanceId=f"{hash_of(name):012x}")


def hash_of(name: str) -> int:
    return int.from_bytes(name.encode()[-6:])


@cache
def history(
    name: str, seed: int, days: int, hours: int, *, busy: bool
) -> list[tuple[Level, int, bytes]]:
    """Return the packs of a series: days of minutes, today's hours, weeks of hours."""
    chance = np.random.default_rng([seed, *name.encode()])
    today = END - END % DAY
    spans = [(Level.DAY, begin, DAY) for begin in range(today - days * DAY, today, DAY)]
    spans += [(Level.HOUR, begin, HOUR) for begin in range(today, END - HOUR, HOUR)]
    for begin in range(Level.WEEK.begin(today - hours * DAY), today, WEEK):
        spans.append((Level.WEEK, begin, min(WEEK, today - begin)))
    return [
        (
            level,
            begin,
            metricspacking.pack(
                measured(chance, name, begin, span, level.seconds, busy=busy), begin, level.seconds
            ),
        )
        for level, begin, span in spans
    ]


def samples(chance: np.random.Generator, fleet: Fleet, minute: int) -> list[Sample]:
    at = datetime.fromtimestamp(minute, UTC)
    return [
        Sample(series=series, at=at, value=point.value)
        for name in fleet.names
        for series in fleet.series(name)
        for point in measured(chance, series.name, minute, 60, MINUTE, busy=fleet.busy(name))
    ]


def measured(
    chance: np.random.Generator, name: str, begin: int, span: int, seconds: int, *, busy: bool
) -> Points:
    """Return points as the monitor would have measured them: all day zeros, or a day's work."""
    ats = list(range(begin, begin + span, seconds))
    size = len(ats)
    if name == "DiskUtilization":
        return _gauge(ats, np.full(size, 40.0), np.zeros(size), 6 * seconds // 60)
    if name in MACHINE:
        middle = chance.normal(30.0 if busy else 0.4, 0.2, size).clip(0)
        return _gauge(ats, middle, np.abs(chance.normal(0, 0.1, size)), 6 * seconds // 60)
    counts = np.zeros(size)
    if busy:
        hour = (np.array(ats) % DAY) / HOUR
        load = np.where((hour > 7) & (hour < 19), 120.0, 3.0) * seconds / 60
        counts = chance.poisson(load).astype(float)
    return _counts(ats, counts) if "Latency" not in name else _latencies(chance, ats, counts, name)


def _gauge(ats: list[int], middle: np.ndarray, spread: np.ndarray, looks: int) -> Points:
    least = np.round((middle - spread).clip(0) * PARTS) / PARTS
    most = np.round((middle + spread) * PARTS) / PARTS
    total = np.round(middle * looks * PARTS) / PARTS
    count = [float(looks)] * len(ats)
    return Points(ats, count, total.tolist(), least.tolist(), most.tolist(), none(ats))


def _counts(ats: list[int], counts: np.ndarray) -> Points:
    ones = np.minimum(counts, 1.0).tolist()
    total = counts.tolist()
    return Points(ats, np.maximum(counts, 1).tolist(), total, ones, ones, none(ats))


def none(ats: list[int]) -> Histograms:
    return Histograms([0] * len(ats))


def _latencies(
    chance: np.random.Generator, ats: list[int], counts: np.ndarray, name: str
) -> Points:
    """Return lognormal latencies, with their histograms; minutes without use have no point."""
    points = Points()
    for at, count in zip(ats, counts.tolist(), strict=True):
        if count:
            # As many samples as fill the histogram; more differ in the counts alone.
            many = _minutes(name, min(int(count), 1000) // 5 * 5 or 1)
            points.put(at, many[int(chance.integers(len(many)))])
    return points


@cache
def _minutes(name: str, count: int) -> list[Aggregate]:
    """Return minutes of so many latencies each, from which all that is busy draws."""
    chance = np.random.default_rng(count)
    middle = 200.0 if name == "OverheadLatency" else 20_000.0
    return [_minute(middle * chance.lognormal(0, 0.5, count)) for _ in range(200)]


def _minute(took: np.ndarray) -> Aggregate:
    numbers, amounts = np.unique(np.floor(np.log2(took) * STEPS).astype(int), return_counts=True)
    return Aggregate(
        count=float(took.size),
        total=float(took.sum()),
        least=float(took.min()),
        most=float(took.max()),
        buckets=dict(zip(numbers.tolist(), map(float, amounts.tolist()), strict=True)),
    )
