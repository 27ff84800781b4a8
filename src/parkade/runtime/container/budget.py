"""How much memory the models of one process may take, and whether one more fits.

The measure is the resident set of the whole process, since that is what the machine lacks. It
grows with a model, but does not shrink as reliably: the allocator keeps some of what a model
leaves and gives it to the next. So what unloaded models left is counted as free once more. Where
that proves wrong, a load has exceeded the limit, is undone, and nothing is counted as left.

How large a model will be is told by an earlier load, else by the others. The first one to import a
library is charged with it, and is no measure for anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median_low
from typing import TYPE_CHECKING

from . import memory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

#: With less to be gained than these bytes, and this part of the limit, nobody is stopped for it.
WORTH_COLLECTING = 1024 * 1024
WORTH_PART = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How things were before a load."""

    resident: int
    fallen: int
    expected: int


class Budget:
    """The memory of one process; `limit` is None where there is no limit."""

    def __init__(self, limit: int | None, resident: Callable[[], int] = memory.resident) -> None:
        self.limit = limit
        self._resident = resident
        #: The sizes of models that were loaded before.
        self._known: dict[Path, int] = {}
        #: What unloaded models have left to the allocator.
        self._left = 0
        #: The same since unreachable objects were looked for last.
        self._uncollected = 0
        #: By how much the resident set has fallen in unloading, ever.
        self._fallen = 0

    def mark(self, folder: Path, sizes: Sequence[int]) -> Mark:
        """Begin to measure a load; `sizes` are those of the models that are loaded."""
        # A single one may have brought all the libraries.
        typical = median_low(sizes) if len(sizes) > 1 else 0
        return Mark(
            resident=self._resident(),
            fallen=self._fallen,
            expected=self._known.get(folder, typical),
        )

    def refuses(self, mark: Mark) -> bool:
        """Tell whether there is no room, so that loading need not be tried."""
        return self.limit is not None and (mark.resident - self._left + mark.expected >= self.limit)

    def exceeded(self, mark: Mark) -> bool:
        """Tell whether a load has made the process larger than it may be."""
        return self.limit is not None and self._resident() > max(self.limit, mark.resident)

    def charge(self, mark: Mark, folder: Path, *, alone: bool) -> int:
        """Return the size of a model that was just loaded.

        `alone` tells that it brought no libraries for others as well.
        """
        growth = max(self._resident() - mark.resident + self._fallen - mark.fallen, 0)
        reused = min(self._left, max(mark.expected - growth, 0)) if alone else 0
        self._left -= reused
        size = growth + reused
        # What else happened meanwhile makes one load look larger than the next of the same.
        if alone and not self._known.get(folder, 0) <= size <= 2 * self._known.get(folder, 0):
            self._known[folder] = size
        return size

    def undo(self) -> None:
        """Take note that a load had to be undone: nothing can be reused."""
        self._left = 0

    def free(self, size: int, before: int, *, alone: bool) -> None:
        """Take note that a model of this size is gone; `before`, the process was so large."""
        fall = max(before - self._resident(), 0)
        self._fallen += fall
        left = max(size - fall, 0)
        self._uncollected += left
        if alone:
            self._left += left

    def is_worth_collecting(self) -> bool:
        """Tell whether unreachable objects may hold memory, so that they are to be looked for."""
        return self._uncollected >= max(WORTH_COLLECTING, (self.limit or 0) // WORTH_PART)

    def collected(self, before: int) -> None:
        """Take note that they were."""
        fall = max(before - self._resident(), 0)
        self._fallen += fall
        self._left = max(self._left - fall, 0)
        self._uncollected = 0

    def resident(self) -> int:
        """Return how large the process is."""
        return self._resident()
