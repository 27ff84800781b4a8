"""Series of measurements, as CloudWatch has them: names, dimensions, units, statistics.

A series is a namespace, a name and dimensions. What is measured in one period is an `Aggregate`,
of which every statistic can be told (domain/statistics.py), percentiles from a histogram whose
buckets grow by a quarter of a power of two, so that they are right to about 9 %.
"""

from __future__ import annotations

import math
from collections.abc import Mapping  # noqa: TC003  stores read these forms by their annotations
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

#: Invocations and what they take: per endpoint and variant.
SAGEMAKER = "AWS/SageMaker"
#: What instances use of the machine: per endpoint and variant.
INSTANCES = "/aws/sagemaker/Endpoints"
#: The same of inference components.
COMPONENTS = "/aws/sagemaker/InferenceComponents"
#: What comes by routes: per API, and per API, stage, method and resource.
API = "AWS/ApiGateway"
#: Models are asked with one method alone, at one stage.
API_STAGE = "prod"
API_METHOD = "POST"
#: What CloudWatch has no name for.
PARKADE = "Parkade"

#: Buckets of a histogram for each power of two.
STEPS = 4
#: Parts of one that gauges are rounded to, a power of two: sums of such numbers are exact.
PARTS = 64
#: The bucket of zero and of all that is less; far below that of the least float.
NOTHING = -5000
#: The least float that has all its digits.
_SMALLEST = 2.0**-1022


class Unit(StrEnum):
    """CloudWatch's units, those that are used here; custom series may name any of AWS's."""

    COUNT = "Count"
    MICROSECONDS = "Microseconds"
    MILLISECONDS = "Milliseconds"
    SECONDS = "Seconds"
    PERCENT = "Percent"
    NONE = "None"


@dataclass(frozen=True, slots=True)
class Series:
    """A namespace, a name, and dimensions in the order of their names."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, namespace: str, name: str, /, **dimensions: str) -> Series:
        """Return the series with these dimensions."""
        return cls(namespace, name, tuple(sorted(dimensions.items())))

    @property
    def sorting(self) -> tuple[str, str, tuple[tuple[str, str], ...]]:
        """What series are put in order by."""
        return (self.namespace, self.name, self.dimensions)

    def has(self, dimensions: Mapping[str, str | None]) -> bool:
        """Tell whether it has these dimensions, among others; None: with any value."""
        own = dict(self.dimensions)
        return all(name in own and value in {None, own[name]} for name, value in dimensions.items())

    def __str__(self) -> str:
        """Write it for people: `AWS/SageMaker Invocations EndpointName=falcon VariantName=main`."""
        return " ".join([self.namespace, self.name, *(f"{k}={v}" for k, v in self.dimensions)])


def rounded(value: float) -> float:
    """Return a gauge, such as a percentage, to 1/64: finer digits are noise, and fill the store."""
    return round(value * PARTS) / PARTS


def bucket(value: float) -> int:
    """Return the histogram bucket of a value: the k for which 2^(k/4) <= value < 2^((k+1)/4).

    Zero and negative values are all in the bucket NOTHING, with what is too small to have bounds.
    """
    if value < _SMALLEST:
        return NOTHING
    number = math.floor(math.log2(value) * STEPS)
    # The logarithm may be rounded across a bound, by one at most.
    if value < upper_bound(number - 1):
        return number - 1
    return number + 1 if value >= upper_bound(number) else number


def upper_bound(number: int) -> float:
    """Return the value that a bucket ends before; infinity where that is beyond all floats."""
    if number <= NOTHING:
        return 0.0
    try:
        return float(2.0 ** ((number + 1) / STEPS))
    except OverflowError:
        return math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """What was measured in one period, as CloudWatch's StatisticSet, with a histogram if kept."""

    count: float
    total: float
    least: float
    most: float
    #: Samples by bucket; empty where none is kept.
    buckets: Mapping[int, float] = field(default_factory=dict)

    @classmethod
    def of(cls, value: float, count: float = 1) -> Aggregate:
        """Return `count` samples of one value."""
        return cls(count=count, total=value * count, least=value, most=value)

    @classmethod
    def counted(cls, counts: Mapping[float, float]) -> Aggregate:
        """Return samples by value, of which there is one at least, with their histogram."""
        buckets: dict[int, float] = {}
        for value, count in counts.items():
            buckets[bucket(value)] = buckets.get(bucket(value), 0.0) + count
        return cls(
            count=math.fsum(counts.values()),
            total=math.fsum(value * count for value, count in counts.items()),
            least=min(counts),
            most=max(counts),
            buckets=buckets,
        )

    def plus(self, other: Aggregate) -> Aggregate:
        """Return both together."""
        buckets = dict(self.buckets)
        for number, samples in other.buckets.items():
            buckets[number] = buckets.get(number, 0) + samples
        return Aggregate(
            count=self.count + other.count,
            total=self.total + other.total,
            least=min(self.least, other.least),
            most=max(self.most, other.most),
            buckets=buckets,
        )

    @property
    def average(self) -> float:
        """The mean of the samples."""
        return self.total / self.count if self.count else 0.0

    def percentile(self, percent: float) -> float | None:
        """Return the value that so many percent of the samples do not pass; None: not known.

        It is the middle (by ratio) of its bucket, within the least and the most that there was.
        """
        numbers = sorted(self.buckets)
        amounts = [self.buckets[number] for number in numbers]
        return percentile(percent, self.count, self.least, self.most, (numbers, amounts))


def percentile(
    percent: float,
    count: float,
    least: float,
    most: float,
    histogram: tuple[Sequence[int], Sequence[float]],
) -> float | None:
    """Return the percentile of what was measured in one period; see `Aggregate.percentile`.

    `histogram`: the numbers of the buckets, in order, and the samples in each.
    """
    if not count:
        return None
    if least == most:
        return least
    numbers, amounts = histogram
    whole = sum(amounts)
    if not whole:
        return None
    wanted, seen = whole * percent / 100, 0.0
    for number, samples in zip(numbers, amounts, strict=True):
        seen += samples
        if seen >= wanted:
            return min(max(_middle(number), least), most)
    return most


@lru_cache(maxsize=1024)
def _middle(number: int) -> float:
    return upper_bound(number) / 2 ** (0.5 / STEPS)


@dataclass(frozen=True, slots=True)
class Point:
    """What was measured in the period that begins at `at`."""

    at: datetime
    value: Aggregate
