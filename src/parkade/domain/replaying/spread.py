"""Many numbers as one histogram: what a replay measures takes no more room the longer it goes on."""

from __future__ import annotations

import math
from typing import Any

from parkade.domain.series import bucket, percentile

#: Percentiles that are told; right to about 9 %, as those of the monitor.
_TOLD = (50, 90, 99)


class Spread:
    """Numbers that are not negative: how many, their sum, the least, the most, and how they spread."""

    __slots__ = ("buckets", "count", "least", "most", "total")

    def __init__(self) -> None:
        self.count = 0
        self.total = 0.0
        self.least = math.inf
        self.most = 0.0
        self.buckets: dict[int, int] = {}

    def add(self, value: float) -> None:
        """Take one more."""
        self.count += 1
        self.total += value
        self.least = min(self.least, value)
        self.most = max(self.most, value)
        number = bucket(value)
        self.buckets[number] = self.buckets.get(number, 0) + 1

    def percentile(self, percent: float) -> float | None:
        """Return the value that so many percent do not pass; None: there are none."""
        numbers = sorted(self.buckets)
        amounts = [self.buckets[number] for number in numbers]
        return percentile(percent, self.count, self.least, self.most, (numbers, amounts))

    def document(self) -> dict[str, Any] | None:
        """Return it as JSON; None: there are no numbers."""
        if not self.count:
            return None
        mean = self.total / self.count
        told = {f"p{percent}": self.percentile(percent) for percent in _TOLD}
        # A sum of large numbers may be beyond all that JSON can say.
        return {
            "count": self.count,
            "mean": mean if math.isfinite(mean) else None,
            **told,
            "max": self.most,
        }
