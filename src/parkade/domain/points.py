"""Points of one series as columns: what is told of thousands of them is told column by column.

A day of one series at a minute each is 1,440 points. Reading, merging and telling them as lists
of numbers takes a fraction of what an object for each would; a `Point` is made of a place when
somebody looks at it, and of a histogram nothing is made before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise, repeat
from typing import TYPE_CHECKING, overload

from parkade.domain.series import Aggregate, Point, percentile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


@dataclass(slots=True)
class Histograms:
    """Histograms one after the other: the numbers of their buckets, and the samples in each.

    One may have a bucket in several parts, which add up, and its buckets in any order: so those of
    neighbouring periods become one by nothing but the loss of the end between them.
    """

    #: For each histogram the place in the two columns where it ends, and the next begins.
    ends: list[int] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    amounts: list[float] = field(default_factory=list)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.ends)

    def __iter__(self) -> Iterator[Mapping[int, float]]:
        """Give each as a mapping, its parts added up."""
        for begin, end in pairwise([0, *self.ends]):
            yield _added(self.numbers[begin:end], self.amounts[begin:end])

    def __getitem__(self, place: int) -> Mapping[int, float]:
        """Return one as a mapping, its parts added up."""
        begin, end = self._bounds(place)
        return _added(self.numbers[begin:end], self.amounts[begin:end])

    def in_order(self) -> Iterator[tuple[Sequence[int], Sequence[float]]]:
        """Give of each the numbers of its buckets, in order and once each, and their samples."""
        if not self.numbers:
            yield from repeat(((), ()), len(self))
            return
        for begin, end in pairwise([0, *self.ends]):
            numbers, amounts = self.numbers[begin:end], self.amounts[begin:end]
            in_order = sorted(set(numbers))
            if numbers != in_order:
                whole = _added(numbers, amounts)
                numbers = in_order
                amounts = [whole[number] for number in numbers]
            yield numbers, amounts

    def put(self, buckets: Mapping[int, float]) -> None:
        """Append one."""
        self.numbers += buckets.keys()
        self.amounts += buckets.values()
        self.ends.append(len(self.numbers))

    def extend(self, others: Histograms) -> None:
        """Append all of others."""
        before = len(self.numbers)
        self.ends += [before + end for end in others.ends] if before else others.ends
        self.numbers += others.numbers
        self.amounts += others.amounts

    def taken(self, places: Iterable[int]) -> Histograms:
        """Return those at these places, in their order."""
        found = Histograms()
        for place in places:
            begin, end = self._bounds(place)
            found.numbers += self.numbers[begin:end]
            found.amounts += self.amounts[begin:end]
            found.ends.append(len(found.numbers))
        return found

    def merged(self, ends: Iterable[int]) -> Histograms:
        """Return one for each run of them; `ends`: the places after the last of each run."""
        return Histograms([self.ends[end - 1] for end in ends], self.numbers, self.amounts)

    def _bounds(self, place: int) -> tuple[int, int]:
        place = range(len(self.ends))[place]
        return self.ends[place - 1] if place else 0, self.ends[place]


def _added(numbers: Sequence[int], amounts: Sequence[float]) -> dict[int, float]:
    whole: dict[int, float] = {}
    for number, amount in zip(numbers, amounts, strict=True):
        whole[number] = whole.get(number, 0) + amount
    return whole


@dataclass(slots=True, eq=False)
class Points(Sequence[Point]):
    """Points of one series, in the order of time."""

    #: The begins of their periods, in seconds since the epoch.
    at: list[int] = field(default_factory=list)
    counts: list[float] = field(default_factory=list)
    totals: list[float] = field(default_factory=list)
    least: list[float] = field(default_factory=list)
    most: list[float] = field(default_factory=list)
    histograms: Histograms = field(default_factory=Histograms)

    @classmethod
    def of(cls, points: Iterable[Point]) -> Points:
        """Return these, which are in the order of time, as columns."""
        columns = cls()
        for point in points:
            columns.put(int(point.at.timestamp()), point.value)
        return columns

    def put(self, at: int, value: Aggregate) -> None:
        """Append a point, later than all there are."""
        self.at.append(at)
        self.counts.append(value.count)
        self.totals.append(value.total)
        self.least.append(value.least)
        self.most.append(value.most)
        self.histograms.put(value.buckets)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.at)

    @overload
    def __getitem__(self, place: int) -> Point: ...

    @overload
    def __getitem__(self, place: slice) -> Points: ...

    def __getitem__(self, place: int | slice) -> Point | Points:
        """Return the point at a place, or some of them."""
        if isinstance(place, slice):
            return self.taken(range(len(self))[place])
        value = Aggregate(
            count=self.counts[place],
            total=self.totals[place],
            least=self.least[place],
            most=self.most[place],
            buckets=self.histograms[place],
        )
        return Point(datetime.fromtimestamp(self.at[place], UTC), value)

    @property
    def times(self) -> list[datetime]:
        """The begins of their periods."""
        return [datetime.fromtimestamp(at, UTC) for at in self.at]

    @property
    def averages(self) -> list[float]:
        """The mean of the samples of each."""
        return [
            total / count if count else 0.0
            for total, count in zip(self.totals, self.counts, strict=True)
        ]

    def percentiles(self, percent: float) -> list[float | None]:
        """Return `Aggregate.percentile` of each."""
        return [
            percentile(percent, count, least, most, histogram)
            for count, least, most, histogram in zip(
                self.counts, self.least, self.most, self.histograms.in_order(), strict=True
            )
        ]

    def taken(self, places: Sequence[int]) -> Points:
        """Return those at these places, in their order."""
        return Points(
            [self.at[place] for place in places],
            [self.counts[place] for place in places],
            [self.totals[place] for place in places],
            [self.least[place] for place in places],
            [self.most[place] for place in places],
            self.histograms.taken(places),
        )

    def merged(self, seconds: int) -> Points:
        """Return them merged into periods of `seconds`, which begin with the epoch."""
        begins = [at - at % seconds for at in self.at]
        ends = [place for place, (one, two) in enumerate(pairwise(begins), 1) if one != two]
        ends += [len(begins)] if begins else []
        if len(ends) == len(begins):
            return Points(begins, self.counts, self.totals, self.least, self.most, self.histograms)
        runs = [slice(*each) for each in pairwise([0, *ends])]
        return Points(
            [begins[run.start] for run in runs],
            [sum(self.counts[run]) for run in runs],
            [sum(self.totals[run]) for run in runs],
            [min(self.least[run]) for run in runs],
            [max(self.most[run]) for run in runs],
            self.histograms.merged(ends),
        )


def united(parts: Iterable[Points], seconds: int) -> Points:
    """Return the points of all parts, merged into periods of `seconds`."""
    whole = Points()
    for part in sorted(parts, key=lambda part: part.at[:1]):
        whole.at += part.at
        whole.counts += part.counts
        whole.totals += part.totals
        whole.least += part.least
        whole.most += part.most
        whole.histograms.extend(part.histograms)
    in_order = sorted(whole.at)
    if whole.at != in_order:
        whole = whole.taken(sorted(range(len(whole)), key=whole.at.__getitem__))
    return whole.merged(seconds)
