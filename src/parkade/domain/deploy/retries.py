"""Temporary errors: which they are, and how long a step pauses before it is tried again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from parkade.domain.errors import EndpointBusy, Throttled, Unavailable, VersionConflict

#: What may well be gone by itself.
TEMPORARY = (Throttled, Unavailable, EndpointBusy, VersionConflict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """A state machine's retrier: IntervalSeconds, BackoffRate, MaxAttempts, MaxDelaySeconds."""

    interval: timedelta
    rate: float
    attempts: int
    longest: timedelta

    def pause(self, retries: int, error: Exception) -> timedelta | None:
        """Return the pause before a retry, after so many of them; None: it is given up.

        What the error itself asks for is granted.
        """
        if retries >= self.attempts:
            return None
        pause = min(self.interval * self.rate**retries, self.longest)
        asked = getattr(error, "retry_after", None)
        return max(pause, asked) if isinstance(asked, timedelta) else pause


#: As a Step Functions task's on service exceptions; two minutes in all.
RETRIES = Backoff(interval=timedelta(seconds=2), rate=2.0, attempts=6, longest=timedelta(minutes=1))
