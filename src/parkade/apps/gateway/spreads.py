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

#: The ends of the buckets of `domain.series.bucket` in seconds, up to some 19 hours: an answer that
#: takes longer is in the last.
_LAST = 143
_ENDS = [upper_bound(number) / 1e6 for number in range(_LAST + 1)]


class Spread:
    """The seconds of what was counted: their sum, the least, the most, and a histogram."""

    __slots__ = ("_buckets", "_least", "_most", "_total")

    def __init__(self) -> None:
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
        while begin < size:
            number = bisect_right(_ENDS, ordered[begin], hi=_LAST)
            end = bisect_left(ordered, _ENDS[number], begin) if number < _LAST else size
            buckets[number] = buckets.get(number, 0) + end - begin
            begin = end

    def take(self) -> link.Spread:
        """Return what was counted, in microseconds, and begin again from nothing."""
        if not self._buckets:
            return link.NOTHING
        taken = link.Spread(
            total=round(self._total * 1e6),
            least=round(self._least * 1e6),
            most=round(self._most * 1e6),
            buckets=self._buckets,
        )
        self._clear()
        return taken

    def give_back(self, taken: link.Spread) -> None:
        """Add what was taken and did not arrive."""
        if taken.buckets:
            for number, count in taken.buckets.items():
                self._buckets[number] = self._buckets.get(number, 0) + count
            self._total += taken.total / 1e6
            self._least = min(self._least, taken.least / 1e6)
            self._most = max(self._most, taken.most / 1e6)
