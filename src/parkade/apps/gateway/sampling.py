"""Which requests of a stream are taken: a share of them, evenly, and in step with nobody.

Every tenth would be exact, but callers have rhythms, too: of a caller that sends two kinds of
requests in turn, every tenth is always of one kind. So a point moves round a circle by steps that
no number of which brings it back, and a request is taken while the point is on the share's arc:
the count is exact within a request or two, over all requests and over every second or tenth.
"""

from __future__ import annotations

import math

#: For what is captured, and for what is copied to a shadow. Two steps that are no sums of each
#: other's multiples keep the one choice from following the other.
CAPTURE_STEP = (math.sqrt(5) - 1) / 2
SHADOW_STEP = math.sqrt(2) - 1


class Sampler:
    """Takes a share, 0 to 1, of what it is asked for: nothing at 0, everything at 1."""

    __slots__ = ("_at", "_step", "share")

    def __init__(self, share: float, step: float) -> None:
        self.share = share
        self._step = step
        self._at = 0.0

    def take(self) -> bool:
        """Tell whether the next one is taken."""
        self._at = (self._at + self._step) % 1.0
        return self._at < self.share
