"""How long invocations take, counted into histograms at little cost to each.

What is measured is put aside, and counted some hundreds at a time: sorted, each bucket is one
search, so that an invocation pays for little more than the putting aside.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from parkade.apps import link
from parkade.domain.series import upper_bound

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Buckets from a microsecond up to some 19 hours: an answer that takes longer is in the last.
_LAST = 143


class Scale:
    """A unit that times are told in, with the buckets of `domain.series.bucket` in that unit."""

    __slots__ = ("digits", "ends", "first", "of_second")

    def __init__(self, of_second: float, *, first: int, digits: int | None) -> None:
        """`of_second` of them are a second; `first` is the bucket of a microsecond."""
        self.of_second = of_second
        self.first = first
        #: Digits behind the point that are told.
        self.digits = digits
        #: The ends of the buckets, in seconds.
        self.ends = [upper_bound(first + place) / of_second for place in range(_LAST + 1)]


#: As SageMaker tells times, and as API Gateway does.
MICROSECONDS = Scale(1e6, first=0, digits=None)
MILLISECONDS = Scale(1e3, first=-40, digits=3)


class Spread:
    """The times of what was counted: their sum, the least, the most, and a histogram."""

    __slots__ = ("_buckets", "_least", "_most", "_scale", "_total")

    def __init__(self, scale: Scale = MICROSECONDS) -> None:
        self._scale = scale
        self._clear()

    def _clear(self) -> None:
        self._buckets: dict[int, int] = {}
        self._total = 0.0
        self._least = float("inf")
        self._most = 0.0

    def count(self, seconds: Sequence[float]) -> None:
        """Count these, of which there is at least one."""
        ordered = sorted(seconds)
        self._total += sum(ordered)
        self._least = min(self._least, ordered[0])
        self._most = max(self._most, ordered[-1])
        buckets, begin, size = self._buckets, 0, len(ordered)
        ends, first = self._scale.ends, self._scale.first
        while begin < size:
            place = bisect_right(ends, ordered[begin], hi=_LAST)
            end = bisect_left(ordered, ends[place], begin) if place < _LAST else size
            buckets[first + place] = buckets.get(first + place, 0) + end - begin
            begin = end

    def take(self) -> link.Spread:
        """Return what was counted, in the unit of its scale, and begin again from nothing."""
        if not self._buckets:
            return link.NOTHING
        unit, digits = self._scale.of_second, self._scale.digits
        taken = link.Spread(
            total=round(self._total * unit, digits),
            least=round(self._least * unit, digits),
            most=round(self._most * unit, digits),
            buckets=self._buckets,
        )
        self._clear()
        return taken

    def give_back(self, taken: link.Spread) -> None:
        """Add what was taken and did not arrive."""
        if taken.buckets:
            for number, count in taken.buckets.items():
                self._buckets[number] = self._buckets.get(number, 0) + count
            unit = self._scale.of_second
            self._total += taken.total / unit
            self._least = min(self._least, taken.least / unit)
            self._most = max(self._most, taken.most / unit)
